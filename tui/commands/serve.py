"""`ctroom serve`: the whole app over SSH, for a team, from one process."""

import asyncio
import os
import signal
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, guarded, open_services, say, utc_now

if TYPE_CHECKING:
    from tui.services.build import Shared
    from tui.services.credentials import Connect
    from tui.services.services import Services
    from tui.ssh.host import Host
    from tui.ssh.limits import Limits

_OURS = ("TEXTUAL", "NO_COLOR", "COLORTERM", "TERM_PROGRAM", "LC_TERMINAL", "ESCDELAY")
"""What Textual would take from the server's environment for every session."""
_NOBODY = "Nobody can sign in yet: add someone with `ctroom users add NAME --key-file FILE`."


@click.command()
@click.option("--port", default=2222, show_default=True, type=click.IntRange(0, 65_535))
@click.option(
    "--bind", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0: all."
)
@click.option(
    "--host-key", type=click.Path(path_type=Path), help="A private key; else one in the data directory."
)
@click.option(
    "--signup",
    type=click.Choice(["closed", "open"]),
    default="closed",
    show_default=True,
    help="open: an unknown key registers under the user name of its client, at the tier free.",
)
@click.option("--max-sessions", default=100, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--max-sessions-per-user", default=8, show_default=True, type=click.IntRange(1, 10_000))
@click.option(
    "--max-signups",
    default=3,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="New users from one address in an hour; from all together ten times as many.",
)
def command(
    port: int,
    bind: str,
    host_key: Path | None,
    signup: str,
    max_sessions: int,
    max_sessions_per_user: int,
    max_signups: int,
) -> int:
    """Serve the app over SSH. Members need nothing but their SSH client; keys never leave this process."""
    from tui.ssh.limits import Limits

    limits = Limits(
        sessions=max_sessions, sessions_per_user=max_sessions_per_user, sign_ups_per_address=max_signups
    )
    return guarded(lambda: asyncio.run(_serve(bind, port, host_key, limits, sign_up=signup == "open")))


async def _serve(bind: str, port: int, host_key: Path | None, limits: "Limits", *, sign_up: bool) -> int:
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        del os.environ[name]
    from tui.paths import data_directory
    from tui.providers import connect
    from tui.services.build import Shared
    from tui.ssh import journal
    from tui.ssh.host_key import NAME, load_host_key
    from tui.ssh.server import Server
    from tui.ssh.supervisor import tell_supervisor

    journal.begin(os.environ)
    stopped = _stop_on_signals()
    async with aclosing(await open_services(os.environ)) as services:
        await services.keys.load()
        shared = Shared.over(connect)
        host = make_host(services, shared, connect, limits, sign_up=sign_up)
        key = await asyncio.to_thread(load_host_key, host_key or data_directory(os.environ) / NAME)
        server = Server(host, services)
        await server.listen(bind, port, key)
        try:
            journal.note("listening", address=bind, port=server.port, key=key.get_fingerprint())
            if not sign_up and not any(True for _ in services.store.view.public_keys):
                say(_NOBODY)
            tell_supervisor(os.environ, "READY=1")
            await stopped.wait()
            tell_supervisor(os.environ, "STOPPING=1")
            journal.note("stopping", sessions=len(host.registry))
        finally:
            await server.aclose()
            await shared.aclose()
    return DONE


def make_host(
    services: "Services", shared: "Shared", connect: "Connect", limits: "Limits", *, sign_up: bool
) -> "Host":
    """The server as its sessions know it, over the store of these services.

    Args:
        services: Of whoever runs the server.
        shared: What the sessions have in common.
        connect: Makes providers.
        limits: What it bears.
        sign_up: Whether holders of unknown keys become users.
    """
    from time import monotonic

    from tui.commands.remote import run_remote
    from tui.paths import data_directory
    from tui.services.build import build
    from tui.services.member_store import MemberStore
    from tui.ssh.access import Access
    from tui.ssh.host import Host
    from tui.ssh.registry import Registry, SessionsOf
    from tui.ssh.storage_log import StorageLog
    from tui.storage.secrets import open_secrets

    registry, log = Registry(), StorageLog(monotonic)
    environ = dict(os.environ)

    def make_services(user: str) -> "Services":
        def is_admin() -> bool:
            return services.users.role(user) == "admin"

        return build(
            store=MemberStore(services.store, user, log.note),
            secrets=open_secrets(environ),  # what a keyring can't keep is kept for one session
            connect=connect,
            clock=utc_now,
            environ=environ,
            user=user,
            sessions=SessionsOf(registry, user, is_admin),
            shared=shared,
        )

    access = Access(services.users, limits, sign_up=sign_up, seconds=monotonic)
    return Host(
        make_services, run_remote, access, limits, utc_now, data_directory(os.environ), registry, shared.pace
    )


def _stop_on_signals() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stopped.set)
    return stopped
