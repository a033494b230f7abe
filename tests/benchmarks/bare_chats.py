"""What Ctroom's chat is measured against: the least that a chat client on Textual's own widgets does.

    python -m tests.benchmarks.bare_chats markdown|log HISTORY URL
    python -m tests.benchmarks.bare_chats find DIRECTORY

`markdown` has a `Markdown` widget for each message, and streams as Textual's documentation has it; `log`
writes plain lines, the least that can be done. Both open the history at F8. `find` looks for what is typed in
the files of a directory, on a thread.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Input, Log, Markdown, OptionList, Static, TextArea
from textual.widgets.option_list import Option


async def deltas(url: str, prompt: str) -> AsyncIterator[str]:
    """The pieces of a reply."""
    import httpx

    body = {"model": "bench", "stream": True, "messages": [{"role": "user", "content": prompt}]}
    async with (
        httpx.AsyncClient(timeout=None) as client,
        client.stream("POST", f"{url}/chat/completions", json=body) as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("data: {") and (choices := json.loads(line[6:])["choices"]):
                yield choices[0]["delta"].get("content", "")


class BareChat(App[None]):
    """A view, a composer, a line."""

    CSS = "#view { height: 1fr; } TextArea { height: 5; } #line { height: 1; }"
    BINDINGS = [Binding("f8", "open", priority=True), Binding("f5", "send", priority=True)]

    def __init__(self, history: Path, url: str) -> None:
        super().__init__()
        self.history = history
        self.url = url

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        area.cursor_blink = False
        area.focus()

    def messages(self) -> list[str]:
        found: list[str] = json.loads(self.history.read_text())
        return found

    def action_send(self) -> None:
        area = self.query_one(TextArea)
        prompt, area.text = area.text, ""
        self.run_worker(self.reply(prompt))

    async def reply(self, prompt: str) -> None:
        raise NotImplementedError


class MarkdownChat(BareChat):
    """A widget for each message."""

    def compose(self) -> ComposeResult:
        yield VerticalScroll(id="view")
        yield TextArea()
        yield Static("READY", id="line")

    async def action_open(self) -> None:
        view = self.query_one(VerticalScroll)
        await view.mount_all(Markdown(text) for text in self.messages())
        view.anchor()

    async def reply(self, prompt: str) -> None:
        view = self.query_one(VerticalScroll)
        await view.mount(reply := Markdown())
        view.anchor()
        stream = Markdown.get_stream(reply)
        async for delta in deltas(self.url, prompt):
            await stream.write(delta)
        await stream.stop()
        view.scroll_end(animate=False)


class LogChat(BareChat):
    """Plain lines."""

    def compose(self) -> ComposeResult:
        yield Log(id="view")
        yield TextArea()
        yield Static("READY", id="line")

    def action_open(self) -> None:
        self.query_one(Log).write("\n".join(self.messages()))

    async def reply(self, prompt: str) -> None:
        log = self.query_one(Log)
        async for delta in deltas(self.url, prompt):
            log.write(delta)


class FindApp(App[None]):
    """Where a text is, file by file."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory

    def compose(self) -> ComposeResult:
        yield Input()
        yield OptionList()
        yield Static("READY", id="line")

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        self.look(event.value.casefold())

    @work(exclusive=True)
    async def look(self, text: str) -> None:
        found = self.query_one(OptionList)
        found.clear_options()
        for path in self.directory.glob("*.json"):
            if text in (await asyncio.to_thread(path.read_text)).casefold():
                found.add_option(Option(f"FOUND {path.stem}"))


if __name__ == "__main__":
    kind, where = sys.argv[1], Path(sys.argv[2])
    app = (
        FindApp(where)
        if kind == "find"
        else {"markdown": MarkdownChat, "log": LogChat}[kind](where, sys.argv[3])
    )
    app.run()
