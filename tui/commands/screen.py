"""The app on this terminal, from its start to the settling of its last turn."""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import aclosing

from tui.commands.runtime import DONE, FAILED, open_services, say
from tui.skeleton import FirstSight


def run_app(sight: FirstSight | None = None) -> int:
    """Run the full-screen app on the terminal of this process.

    Args:
        sight: The skeleton that stands there; the app takes the terminal over from it.

    Returns:
        The exit status; failures are raised, for `guarded` to say.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        say("Ctroom needs a terminal: use 'ssh -t', or 'ctroom ask' and 'ctroom usage' in scripts.")
        return FAILED
    return asyncio.run(_session(os.environ, sight))


async def _session(environ: Mapping[str, str], sight: FirstSight | None) -> int:
    # A reply that streams is settled while the services close, after the app: signals are held off till then.
    async with aclosing(await open_services(environ)) as services:
        from tui.app import CtroomApp
        from tui.commands.terminal import driver_over, end_with_system

        app = CtroomApp(services, environ=environ)
        end_with_system(app)
        app.driver_class = driver_over(sight)
        await app.run_async()
    if app.chat.drafts.problem:
        say(f"What you were writing is not kept. {app.chat.drafts.problem}")
    if app.crash_reference is not None:
        say(
            f"Ctroom met an error of its own (reference {app.crash_reference}). Conversations and figures "
            "are saved: start it again. What happened is in ctroom.log in the data directory."
        )
        return FAILED
    return app.return_code or DONE
