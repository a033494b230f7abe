"""A key reaches the keyring and the request alone: every byte on screen and disk is searched for it."""

import re
from pathlib import Path

import pytest

from tests.peers.gemini_double import GeminiDouble
from tests.peers.wire import Request, Response, Wire, answer
from tests.program import Program
from tests.pty.fixtures import OpenCtroom
from tests.pty.harness import Terminal

pytestmark = pytest.mark.pty

PASTED = "sk-proj-Hn5VtYb3QxWm7RkLz2CpDsFg8JwAe6u1a91f"
TYPED = "sk-proj-Bv9KqMr4TzXc6NhLd1WsPyGf3JoEi8uaw7k2"
FROM_ENVIRONMENT = "AIzaSyR7tU2iO9pL4kJ6hG1fD3sA8zXc5vBn0mQw"
HINT_ESC = re.compile(r"F9 commands +Esc")
SECRETS = (PASTED, TYPED, FROM_ENVIRONMENT)


def secret_part(key: str) -> str:
    """A piece from the middle of a key, so that a key that was cut or masked by half is found too."""
    return key[12:28]


def openai_that_quotes_keys(request: Request) -> Response:
    """Lists models to the typed key, and refuses everything else in words that hold the whole key."""
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    if key == TYPED and request.path.endswith("/models"):
        return answer({"object": "list", "data": [{"id": "gpt-5.1", "object": "model"}]})
    message = f"Incorrect API key provided: {key}."
    return answer({"error": {"message": message, "code": "invalid_api_key"}}, 401, {"x-key": key})


def assert_secret(text: bytes, where: str) -> None:
    for key in SECRETS:
        assert secret_part(key).encode() not in text, f"A key is in {where}."


def keys_pressed(log: str) -> str:
    """The characters of the key events in Textual's log, joined: a key can also leak one by one."""
    characters = "".join(re.findall(r"Key\(key='[^']+', character='(.)'", log))
    return re.sub(r"(.)\1", r"\1", characters)  # an event is logged once or twice on its way


def add_keys(terminal: Terminal) -> None:
    """Paste a key that is refused, then type one that is kept."""
    terminal.key("f4")
    terminal.wait_for("▸ 1 API keys")
    terminal.key("tab", "tab")
    terminal.wait_for("key          ▌")
    terminal.paste(PASTED)
    terminal.wait_for(f"••{PASTED[-4:]}")
    terminal.key("enter")
    terminal.wait_for("Asking the provider")
    terminal.wait_gone("Asking the provider")
    terminal.wait_for(f"••{PASTED[-4:]}")
    terminal.key("ctrl+c")
    terminal.wait_for("can't be copied")
    terminal.key("escape")
    terminal.wait_gone(PASTED[-4:])
    type_slowly(terminal, TYPED)
    terminal.key("enter")
    terminal.wait_for("works: 1 model")


def type_slowly(terminal: Terminal, key: str) -> None:
    """Type as people do, each character drawn before the next; the box is full after some thirty."""
    for length in range(1, 31):
        terminal.type(key[length - 1])
        hidden = max(0, length - len("sk-proj-"))
        terminal.wait_for(re.compile(rf"key          ▌(sk-proj-|.*)•{{{hidden}}}"))
        assert length <= 12 or key[length - 4 : length] not in terminal.text
    terminal.type(key[30:])


def fail_a_turn(terminal: Terminal, model: str) -> None:
    """Ask a model that refuses the key, and copy what the screen says of it."""
    terminal.key("f6")
    terminal.wait_for("Provider and model")
    terminal.type(model)
    terminal.wait_for(re.compile(rf"^.*{re.escape(model)}.*\n(.*\n)*.*{re.escape(model)}", re.MULTILINE))
    terminal.key("enter")
    terminal.wait_gone("Provider and model")
    terminal.type("ordinary words")
    terminal.key("enter")
    terminal.wait_for("Ctrl+R tries again")


def test_keys_are_nowhere_but_in_the_keyring(
    open_ctroom: OpenCtroom, run_ctroom: Program, wire: Wire, gemini_double: GeminiDouble
) -> None:
    textual_log = run_ctroom.directory / "textual.log"
    gemini_double.fail(400, "INVALID_ARGUMENT", f"API key not valid: {FROM_ENVIRONMENT}")
    with Wire(openai_that_quotes_keys) as openai:
        env = {
            "OPENAI_BASE_URL": openai.openai_url,
            "GEMINI_API_KEY": FROM_ENVIRONMENT,
            "GOOGLE_GEMINI_BASE_URL": gemini_double.gemini_url,
            "TEXTUAL_LOG": str(textual_log),
        }
        terminal = open_ctroom(cols=120, rows=40, env=env)
        terminal.wait_for("Google")
        add_keys(terminal)
        fail_a_turn(terminal, "gpt-5.1")
        terminal.key("f5")
        terminal.wait_gone("Ctrl+R tries again")
        fail_a_turn(terminal, "gemini-2.5-flash")
        terminal.wait_gone(HINT_ESC)
        terminal.key("shift+tab")
        terminal.wait_for(HINT_ESC)  # the transcript has the focus
        terminal.key("k", "y")
        terminal.wait_for("to the terminal's clipboard")
        told = [
            run_ctroom(*words, env=env)
            for words in (("doctor",), ("keys", "test", "google"), ("settings", "get"))
        ]
        terminal.key("ctrl+q")
        assert terminal.wait_exit() == 0
        sent = {request.headers["authorization"] for request in openai.requests}
    assert sent == {f"Bearer {PASTED}", f"Bearer {TYPED}"}
    assert gemini_double.wire.requests[-1].headers["x-goog-api-key"] == FROM_ENVIRONMENT

    assert_secret(terminal.raw, "the terminal's output")
    assert terminal.clipboard, "Nothing was copied."
    assert_secret(terminal.clipboard.encode(), "the clipboard")
    for run in told:
        assert_secret((run.stdout + run.stderr).encode(), f"the output of {run.args}")
    pressed = keys_pressed(textual_log.read_text("utf-8"))
    assert "ordinary" in pressed, "Textual's log holds no keys: this test sees nothing."
    assert secret_part(TYPED) not in pressed
    for file in files_below(run_ctroom.directory):
        assert_secret(file.read_bytes(), str(file))
    kept = (run_ctroom.directory / "keyring.json").read_text("utf-8")
    assert TYPED in kept
    assert PASTED not in kept
    assert FROM_ENVIRONMENT not in kept


def files_below(directory: Path) -> list[Path]:
    """All that Ctroom wrote: its data and home directories, the logs; not the keyring."""
    found = [file for file in directory.rglob("*") if file.is_file() and file.name != "keyring.json"]
    assert any(file.suffix == ".json" for file in found), "Ctroom's data is not here."
    return found
