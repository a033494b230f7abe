"""Commands that come over SSH, without a shell and without this machine's files."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.session import DictSecrets, ManualClock, add_user
from tests.ui.app_harness import connect
from tui.commands.remote import run_remote
from tui.services.build import build
from tui.services.credentials import Credential
from tui.services.services import Services
from tui.storage.store import JsonStore


@dataclass
class Session:
    """A user's session, its streams, and what came out of them."""

    services: Services
    piped: str = ""
    waited: list[bool] = field(default_factory=list)
    out: str = ""
    errors: str = ""
    is_terminal: bool = False

    def write(self, text: str) -> None:
        self.out += text

    def say(self, sentence: str) -> None:
        self.errors += sentence + "\n"

    async def read(self, *, needed: bool) -> str:
        self.waited.append(needed)
        return self.piped

    async def run(self, line: str) -> int:
        return await run_remote(line, self.services, self)


@pytest.fixture
async def session(tmp_path: Path) -> AsyncIterator[Session]:
    clock = ManualClock()
    store = await JsonStore.open(tmp_path, clock)
    await add_user(store, "sam")
    services = build(store, DictSecrets(), connect, clock, {}, "sam")
    yield Session(services)
    await services.aclose()


async def test_usage_prints_the_figures_of_the_session(session: Session) -> None:
    assert await session.run("usage --json") == 0
    found = json.loads(session.out)
    assert (found["user"], found["tier"]) == ("sam", "free")
    session.out = ""
    assert await session.run("ctroom usage") == 0
    assert "Demo" in session.out
    assert session.errors == ""


async def test_ask_has_a_turn_of_the_session(session: Session) -> None:
    session.piped = "What is\nin it?"
    assert await session.run("ask --provider demo 'Look at this: it is here.' --json") == 0
    report = json.loads(session.out)
    assert (report["status"], report["provider"]) == ("complete", "demo")
    [entry] = [entry for _, entry in session.services.store.view.conversations]
    assert entry.user == "sam"
    opened = await session.services.library.open(entry.id)
    assert opened.messages[0].text == "Look at this: it is here.\n\nWhat is\nin it?"
    assert session.waited == [False]


async def test_ask_waits_for_input_where_there_is_no_prompt(session: Session) -> None:
    session.piped = "hello"
    assert await session.run("ask -") == 0
    assert await session.run("ask") == 0
    assert session.waited == [True, True]
    session.piped = ""
    assert await session.run("ask") == 2
    assert "nothing to ask" in session.errors


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "There is no command ''"),
        ("sh", "There is no command 'sh'"),
        ("usage; rm -rf /", "There is no command 'usage;'"),
        ("usage && id", "unexpected extra arguments"),
        ("usage --nonsense", "No such option"),
        ("ask 'unclosed", "can't be read"),
        ("keys set openai", "There is no command 'keys'"),
        ("users list", "There is no command 'users'"),
        ("serve", "There is no command 'serve'"),
        ("scp -t /tmp", "There is no command 'scp'"),
        ("/usr/lib/openssh/sftp-server", "There is no command"),
        ("\x1b]52;c;eA==\x07", "There is no command"),
        ("ask --provider nobody hi", "There is no provider"),
    ],
)
async def test_anything_else_is_wrong_usage(session: Session, line: str, said: str) -> None:
    assert await session.run(line) == 2
    assert said.lower() in session.errors.lower()
    assert session.out == ""
    assert "\x1b" not in session.errors


async def test_no_file_of_the_server_goes_along(session: Session, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the host's own")
    assert await session.run(f"ask --yes --attach {secret} hi") == 2
    assert "over SSH" in session.errors
    assert not [*session.services.store.view.conversations]


async def test_an_ask_that_is_refused_leaves_nothing_behind(session: Session, tmp_path: Path) -> None:
    assert await session.run("ask -p openai hi") == 4
    assert "no default key for OpenAI" in session.errors
    environ = {"OPENAI_API_KEY": "sk-x0123456789"}
    rich = build(session.services.store, DictSecrets(), connect, ManualClock(), environ, "sam")
    session.services = rich
    assert await session.run(f"ask -p openai --json '{'long ' * 3_000}'") == 3
    assert json.loads(session.out)["conversation"] is None
    assert not [*rich.store.view.conversations]
    assert not [*(tmp_path / "conversations").glob("*.json")]
    await rich.turns.aclose()


async def test_help_is_written_to_the_session_alone(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await session.run("help") == 0
    assert await session.run("ask --help") == 0
    assert "Usage: ssh HOST COMMAND" in session.out
    assert "--max-output" in session.out
    assert capsys.readouterr() == ("", "")


async def test_an_ask_that_ends_before_it_is_admitted_leaves_nothing_behind(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def silent(provider: str) -> Credential:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError(provider)

    monkeypatch.setattr(session.services.keys, "credential", silent)
    running = asyncio.create_task(session.run("ask hi"))
    await asked.wait()
    assert [*session.services.store.view.conversations]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await session.services.turns.drain()
    assert not [*session.services.store.view.conversations]
    assert not [*(tmp_path / "conversations").glob("*.json")]
