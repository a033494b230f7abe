"""Commands in a session of `ctroom serve`: the same as on the host, for the figures and turns of one user."""

import io
import shlex
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import click

from tui.commands import ask, usage
from tui.commands.runtime import DONE, USAGE, status_of
from tui.core.errors import CtroomError
from tui.core.text import sanitize_line

if TYPE_CHECKING:
    from tui.services.services import Services
    from tui.ssh.host import InputStreams

_COMMANDS = {"ask": ask.command, "usage": usage.command}
_HELP = """Usage: ssh HOST COMMAND ...

  usage [--json] [--watch]   What remains.
  ask [PROMPT | -] ...       One turn; what is piped to it is appended, and `-` waits for it.
  help                       This text; COMMAND --help says more.

Without a command, the app: ssh HOST.
"""


async def run_remote(line: str, services: "Services", streams: "InputStreams") -> int:
    """Run a command line that came over SSH. No shell ever sees it.

    Args:
        line: As the client sent it, split into words as a shell would.
        services: Of the session's user.
        streams: The session's.

    Returns:
        The exit status; failures are said on standard error.
    """
    try:
        return await _run(_words(line), services, streams)
    except click.UsageError as error:
        streams.say(f"{sanitize_line(error.format_message()).rstrip('.')}. Try 'help'.")
        return USAGE
    except CtroomError as error:
        streams.say(str(error))
        return status_of(error)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise click.UsageError(f"That command can't be read ({error}).") from None


async def _run(words: list[str], services: "Services", streams: "InputStreams") -> int:
    # Over `ssh host ctroom usage` as over `ssh host usage`, for those who have it in their fingers.
    if words[:1] == ["ctroom"]:
        words = words[1:]
    name, arguments = (words[0], words[1:]) if words else ("", [])
    if name in ("help", "--help", "-h"):
        streams.write(_HELP)
        return DONE
    if name not in _COMMANDS:
        raise click.UsageError(f"There is no command {sanitize_line(name, 40)!r} here.")
    printed = io.StringIO()
    try:
        # Nothing else runs while click parses, and only its help prints.
        with redirect_stdout(printed):
            context = _COMMANDS[name].make_context(
                name, arguments, help_option_names=["-h", "--help"], max_content_width=100
            )
    except click.exceptions.Exit:
        streams.write(printed.getvalue())
        return DONE
    given = context.params
    if name == "usage":
        return await usage.usage(
            services, streams, as_json=given["as_json"], watch=given["watch"], poll=False
        )
    order = ask.Question(**given)
    piped = await streams.read(needed=order.needs_input)
    return await ask.ask(services, order, order.text(piped), streams)
