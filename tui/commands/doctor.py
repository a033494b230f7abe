"""`ctroom doctor`: what was found on this machine, and what to do about what was not."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, FAILED, run
from tui.core.errors import CtroomError
from tui.core.settings import POOLED, provider_name
from tui.core.text import redact

if TYPE_CHECKING:
    from tui.services.services import Services

LABEL = 16
"""Columns of the label; figures line up behind it."""


@click.command()
def command() -> int:
    """Say what was found: data, keyring, keys, endpoints, terminal."""
    for label, line in (*_machine(os.environ), *_terminal(os.environ)):
        _line(label, line)
    return run(_services)


async def _services(services: "Services") -> int:
    from tui.providers.discovery import find_local_servers
    from tui.storage.secrets import open_secrets

    problems = 0
    _line("Keyring", await open_secrets(os.environ).describe_backend())
    for provider in POOLED:
        try:
            _line(f"{provider_name(provider)} key", _key_line(services, provider))
        except CtroomError as error:
            problems += 1
            _line(f"{provider_name(provider)} key", str(error))
    for endpoint in services.settings.host().endpoints:
        _line("Endpoint", f"{endpoint.name} at {endpoint.base_url}")
    servers = await find_local_servers()
    for server in servers:
        count = len(server.models)
        _line("On loopback", f"{server.name} at {server.base_url}, {count} model{'' if count == 1 else 's'}")
    if not servers:
        _line("On loopback", "no Ollama, LM Studio, llama.cpp or vLLM answered on its usual port")
    return FAILED if problems else DONE


def _key_line(services: "Services", provider: str) -> str:
    status = services.keys.status(provider)
    own = f"own key \u2026{status.last_four} in {status.place}" if status.set else "no own key"
    default = status.default_place if status.default_available else "no default key"
    used = {"own": "your key is used", "default": "the default key is used", "none": "no key is needed"}
    missing = "nothing can be sent: add a key in Settings, or 'ctroom keys set'"
    return f"{own} \u00b7 {default} \u00b7 {missing if status.missing else used[status.source]}"


def _machine(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    from tui import __version__
    from tui.paths import data_directory

    yield "Ctroom", f"{__version__} on Python {sys.version.split()[0]}"
    home = data_directory(environ)
    yield "Data directory", f"{home} ({_directory_state(home)})"


def _directory_state(home: Path) -> str:
    if not home.exists():
        return "made at the first start"
    if not os.access(home, os.W_OK):
        return "not writable: nothing can be saved"
    size = sum(each.stat().st_size for each in home.rglob("*.json") if each.is_file())
    return f"{size / 1024:,.0f} KB, mode {home.stat().st_mode & 0o777:o}"


def _terminal(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "Terminal", f"{environ.get('TERM', 'unknown')}, {_colours(environ)}, {_size()}"
    inside = [
        name
        for name, variable in (("tmux", "TMUX"), ("screen", "STY"), ("Zellij", "ZELLIJ"))
        if environ.get(variable)
    ]
    if environ.get("SSH_CONNECTION"):
        inside.append("SSH")
    yield "Inside", ", ".join(inside) or "no multiplexer, no SSH"
    encoding = (sys.stdout.encoding or "unknown").lower()
    good = encoding.replace("-", "") == "utf8"
    yield "Characters", encoding if good else f"{encoding}: bars and bullets need UTF-8 (set LANG=C.UTF-8)"


def _colours(environ: Mapping[str, str]) -> str:
    if environ.get("NO_COLOR"):
        return "no colours (NO_COLOR)"
    if environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "16 million colours"
    return "256 colours" if "256color" in environ.get("TERM", "") else "16 colours"


def _size() -> str:
    if not sys.stdout.isatty():
        return "not a terminal"
    columns, rows = os.get_terminal_size()
    return f"{columns} x {rows}" + (
        "" if columns >= 80 and rows >= 24 else ": 80 x 24 is the least that looks right"
    )


def _line(label: str, text: str) -> None:
    click.echo(f"{label:<{LABEL}}{redact(text)}")
