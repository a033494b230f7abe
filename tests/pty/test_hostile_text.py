"""Text from outside can do nothing to the terminal, wherever it is shown: the raw bytes prove it."""

import re
from collections.abc import Iterator

import pytest

from tests.peers.wire import Request, Response, Wire, answer, sse
from tests.program import Program
from tests.pty.fixtures import OpenCtroom
from tests.pty.harness import Terminal

pytestmark = pytest.mark.pty

KEY = "sk-proj-Xq7LmT2vRbN8wKcZ4hJdPfGs9yEa91f3"
BAD = "\x1b]52;c;aGFja2Vk\x07\x1b[41mA\x9b5mB\x9d0;pwned\x9cC\u202eD\u2066E\x08\x7f\x00"
"""A clipboard write, a colour, C1 forms of both and of a title, bidirectional overrides, and more."""
SHOWN = "␛]52;c;aGFja2Vk␇␛[41mA"
"""How it begins on the screen."""
FORBIDDEN = (
    b"aGFja2Vk\x07",
    b"\x1b]52",
    b"\x1b[41m",
    b"pwned\x9c",
    "\x9b".encode(),
    "\x9d".encode(),
    "\x9c".encode(),
    "\u202e".encode(),
    "\u2066".encode(),
    b"\x08",
    b"\x7f",
    b"\x00",
)
BODY = f"""Plain {BAD} text, `code {BAD}` and **bold {BAD}**.

# Head {BAD}

> quote {BAD}

| a {BAD} | b |
|---|---|
| c {BAD} | &#27;]52;c;aGFja2Vk&#7; |

```python {BAD}
print("{BAD}")
```

- item {BAD} [link {BAD}](https://example.com/%1b]52;c;aGFja2Vk%07&#27;]52;c;aGFja2Vk&#7;)

![image {BAD}](https://example.com/x)
"""


def delta(**changes: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": changes}]}


def respond(request: Request) -> Response:
    """A server whose every word is hostile: its models, its replies, its errors."""
    if request.path.endswith("/models"):
        return answer({"object": "list", "data": [{"id": f"model {BAD}", "object": "model"}]})
    if b"fail" in request.body.rpartition(b'"content"')[2]:
        return answer({"error": {"message": f"refused {BAD}", "code": BAD, "type": BAD}}, status=400)
    done = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = {"prompt_tokens": 90, "completion_tokens": 600, "total_tokens": 690}
    return sse(
        delta(role="assistant", reasoning_content=f"thinking {BAD}"),
        delta(content=BODY[:40]),
        delta(content=BODY[40:]),
        done,
        {"choices": [], "usage": usage},
    )


@pytest.fixture
def hostile() -> Iterator[Wire]:
    with Wire(respond) as wire:
        yield wire


def harmless(terminal: Terminal) -> None:
    """Nothing that was written could act on the terminal, other than what the app itself wants."""
    raw = terminal.raw
    assert {bad: raw.count(bad) for bad in FORBIDDEN if bad in raw} == {}
    assert terminal.clipboard is None


def test_replies_titles_errors_and_models_are_text(
    open_ctroom: OpenCtroom, run_ctroom: Program, hostile: Wire
) -> None:
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": hostile.openai_url}
    named = run_ctroom("settings", "set", "host_name", BAD.replace("\0", ""), env=env)
    assert named.returncode == 0, named.stderr
    terminal = open_ctroom(cols=120, rows=40, env=env)
    terminal.wait_for("today 0")
    terminal.paste("show \x9b5m\u202eD\u2066E")  # what terminals let through of a paste
    terminal.wait_for("show 5mDE")
    terminal.key("enter")
    terminal.wait_for(re.compile(r"90 in · 600 out"))
    terminal.wait_for(SHOWN)
    terminal.wait_for("Thought for")
    terminal.click("Thought for")
    terminal.wait_for("│ thinking ␛]52")
    terminal.wait_for("Esc prompt")
    terminal.key("escape")
    terminal.wait_gone("Esc prompt")
    terminal.type("fail")
    terminal.key("enter")
    terminal.wait_for("refused the request")
    terminal.key("f6")
    terminal.wait_for("model ␛]52")
    terminal.key("escape")
    terminal.wait_gone("model ␛]52")
    terminal.key("f9")
    terminal.wait_for("Search for commands")
    terminal.type("aGFja")
    terminal.wait_gone("Go to the chat")
    terminal.key("escape")
    terminal.wait_gone("Commands")
    terminal.key("f4")
    terminal.wait_for("API keys")
    terminal.key("ctrl+q")
    terminal.wait_exit()
    harmless(terminal)
