"""The settings tab alone in an app, over real services on a data directory of the test."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.reactive import reactive
from textual.widget import Widget

from tests.environment import ROOT
from tests.support.painted import screen_text
from tests.support.session import DictSecrets, ManualClock
from tui.app import CtroomApp
from tui.core.figures import UsageSnapshot
from tui.core.sessions import Sessions
from tui.core.settings import LOCAL_USER
from tui.providers import connect
from tui.services.build import build
from tui.services.services import Services
from tui.storage.store import JsonStore
from tui.tabs.settings import SettingsTab
from tui.widgets.checked_field import CheckedField

DEFAULT_KEY = "sk-proj-host0123456789abcdefa91f"
NOBODY = "http://127.0.0.1:1/v1"
"""An address on this machine at which no one listens."""
OWN_KEY = "sk-proj-MyOwnVerySecret0123456789wxyz"


class SettingsApp(App[None]):
    """Feeds the tab with snapshots, as the real app does."""

    CSS_PATH = ROOT / "styles" / "settings.tcss"
    HORIZONTAL_BREAKPOINTS = CtroomApp.HORIZONTAL_BREAKPOINTS
    VERTICAL_BREAKPOINTS = CtroomApp.VERTICAL_BREAKPOINTS

    snapshot: reactive[UsageSnapshot | None] = reactive(None)

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services

    def compose(self) -> ComposeResult:
        yield SettingsTab(self.services).data_bind(SettingsApp.snapshot)

    def on_mount(self) -> None:
        self.take()
        self.services.accounting.subscribe(self.take)

    def take(self) -> None:
        self.snapshot = self.services.accounting.snapshot()

    def field(self, name: str) -> CheckedField:
        """The field of a setting's dotted name."""
        return next(field for field in self.query(CheckedField) if field.name == name)

    def text(self) -> str:
        """What is on the screen, as text."""
        return screen_text(self)


@dataclass
class Made:
    """Services of a test, with where the keys went."""

    services: Services
    secrets: DictSecrets


async def make(
    home: Path,
    *,
    environ: dict[str, str] | None = None,
    user: str = LOCAL_USER,
    durable: bool = True,
    sessions: Sessions | None = None,
) -> Made:
    """Services on a data directory; by default with a default key for OpenAI in the environment."""
    clock = ManualClock()
    store = await JsonStore.open(home, clock)
    place = "the system keyring" if durable else "this session only"
    secrets = DictSecrets(place, durable=durable)
    found = environ or {"OPENAI_API_KEY": DEFAULT_KEY, "OPENAI_BASE_URL": NOBODY}
    return Made(build(store, secrets, connect, clock, found, user, sessions), secrets)


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app work until the condition holds; the test's time limit ends a wait in vain."""
    while not condition():
        await pilot.pause()
    await pilot.pause()


async def type_into(pilot: Pilot[None], widget: Widget, text: str, *keys: str) -> None:
    """Replace the text of a field, and press keys after it."""
    widget.focus()
    await pilot.pause()
    await pilot.press("ctrl+e", "ctrl+u", *text, *keys)
    await pilot.pause()
