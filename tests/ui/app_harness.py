"""The whole app over real services on a data directory of the test, with a demo that does not pause."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from tests.support.painted import screen_text
from tests.support.session import DictSecrets
from tui import providers
from tui.app import CtroomApp
from tui.commands.runtime import utc_now
from tui.core.chat import MessageStatus
from tui.core.ports import Provider
from tui.core.settings import LOCAL_USER
from tui.providers.demo import INSTANT
from tui.services.build import build
from tui.services.services import Services
from tui.storage.files import SYSTEM_FILES, FileLayer
from tui.storage.store import JsonStore
from tui.tabs.chat import ChatTab
from tui.widgets.prompt import Prompt
from tui.widgets.transcript import Transcript
from tui.widgets.usage_footer import UsageFooter

WIDE = (120, 40)
SMALL = (80, 24)


def connect(kind: str, *, api_key: str | None, base_url: str | None, name: str) -> Provider:
    """The real providers; the demo without pauses, unless a command of the demo asks for them."""
    return providers.connect(
        kind, api_key=api_key, base_url=INSTANT if kind == "demo" else base_url, name=name
    )


@dataclass
class Running:
    """A running app, and how to look at it."""

    app: CtroomApp
    pilot: Pilot[None]

    @property
    def services(self) -> Services:
        return self.app.services

    @property
    def chat(self) -> ChatTab:
        return self.app.chat

    @property
    def prompt(self) -> Prompt:
        return self.app.query_one(Prompt)

    @property
    def transcript(self) -> Transcript:
        return self.app.query_one(Transcript)

    def screen_text(self) -> str:
        """What is on the screen, a line for each row."""
        return screen_text(self.app)

    def footer_text(self) -> str:
        """The lines of the usage footer."""
        lines = self.app.query_one(UsageFooter).lines
        return "\n".join("".join(piece.text for piece in line) for line in lines)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the app work until the condition holds; the test's time limit ends a wait in vain."""
        while not condition():
            await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def type(self, text: str, *keys: str) -> None:
        """Type a text, then press keys."""
        await self.pilot.press(*text, *keys)

    async def send(self, text: str) -> None:
        """Send a prompt, and wait for the end of its turn."""
        await self.type(text, "enter")
        await self.until(lambda: not self.chat.replying)

    async def statuses(self) -> list[MessageStatus]:
        """How far the messages of the open conversation got, from disk."""
        assert self.chat.conversation is not None
        opened = await self.services.library.open(self.chat.conversation.id)
        return [message.status for message in opened.messages]


@asynccontextmanager
async def running(
    home: Path,
    size: tuple[int, int] = WIDE,
    environ: Mapping[str, str] | None = None,
    files: FileLayer = SYSTEM_FILES,
    user: str = LOCAL_USER,
    *,
    notices: bool = False,
) -> AsyncIterator[Running]:
    """The app on a data directory, after its first frame."""
    found = {"CTROOM_HOME": str(home), **(environ or {})}
    store = await JsonStore.open(home, utc_now, files)
    services = build(store, DictSecrets(), connect, utc_now, found, user)
    app = CtroomApp(services, environ=found)
    try:
        async with app.run_test(size=size, notifications=notices) as pilot:
            await pilot.pause()
            yield Running(app, pilot)
    finally:
        await services.aclose()
