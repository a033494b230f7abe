"""What the pictures show: the app over real services whose clock stands still, with a past of its own."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from tests.support.connected import Connected
from tests.support.public_keys import ed25519
from tests.support.session import DictSecrets, ManualClock
from tui import providers
from tui.app import CtroomApp
from tui.core.chat import Message, MessageStatus, Role, new_id
from tui.core.ports import Provider
from tui.core.quota import KeySource
from tui.core.sessions import SessionInfo, Sessions
from tui.core.settings import DEFAULT_MODELS, LOCAL_USER
from tui.core.usage import Measured, Provenance, Usage
from tui.providers.demo import INSTANT
from tui.services.accounting import AdmissionRequest
from tui.services.build import build
from tui.services.services import Services
from tui.storage.store import JsonStore

NOW = datetime(2026, 3, 12, 21, 41, tzinfo=UTC)
WIDE = (120, 40)
SMALL = (80, 24)
NARROW, TINY = (60, 20), (40, 12)

_NOBODY = "http://127.0.0.1:1"
"""An address on this machine at which no one listens."""
KEYS = {
    "OPENAI_API_KEY": "sk-proj-host0123456789abcdefa91f",
    "OPENAI_BASE_URL": f"{_NOBODY}/v1",
    "GEMINI_API_KEY": "AIza-host0123456789abcdefc07e",
    "GOOGLE_GEMINI_BASE_URL": _NOBODY,
}
"""Default keys for both providers."""

_ABROAD = (
    re.compile(r"<!--.*?-->\s*", re.DOTALL),
    re.compile(r"@font-face \{.*?\}\s*", re.DOTALL),
)
"""What names other hosts in an exported picture: the maker's address, and fonts to be fetched."""


class StillApp(CtroomApp):
    """The app, with pictures that fetch nothing."""

    async def on_unmount(self) -> None:  # type: ignore[override]  # Textual awaits either
        """End what streams in the picture on the loop that it began on."""
        await self.services.turns.drain()

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """The screen as SVG, in the reader's own fixed-width font."""
        picture = super().export_screenshot(title=title, simplify=simplify)
        for pattern in _ABROAD:
            picture = pattern.sub("", picture)
        return picture


@dataclass
class Scene:
    """Prepares a data directory through the services, and opens the app on it.

    Args:
        home: The data directory.
        keys: Default keys, as the environment gives them.
        sessions: Who is connected, where the app is served.
        provider: Answers in the place of every real one; it may be given later.
    """

    home: Path
    keys: Mapping[str, str] = field(default_factory=dict)
    sessions: Sessions | None = None
    provider: Provider | None = None

    def __post_init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.environ = {"CTROOM_HOME": str(self.home), **self.keys}
        self.services = asyncio.run(self._build())
        self._do(self.services.keys.load())

    def app(self) -> StillApp:
        """The app, at the moment that the pictures show."""
        self.clock.now = NOW
        self._do(self.services.alerts.raise_due())  # no toasts over the picture
        return StillApp(self.services, environ=self.environ)

    def close(self) -> None:
        """End the services."""
        self._do(self.services.aclose())

    def purchase(self, provider: str, tokens: int) -> None:
        """Enter what was purchased."""
        self._do(self.services.accounting.set_purchased(provider, tokens))

    def use(self, provider: str, tokens: int, *, days_ago: int = 0, user: str = LOCAL_USER) -> None:
        """A turn on the default key of a provider that used this many tokens, as reported."""
        self.clock.now = NOW - timedelta(days=days_ago, hours=1)
        self._do(self._use(provider, tokens, user))

    def converse(self, title: str, messages: Sequence[Message], *, hours_ago: float = 0) -> None:
        """A conversation with a title of the user's own."""
        self.clock.now = NOW - timedelta(hours=hours_ago)
        self._do(self._converse(title, messages))

    def join(self, name: str, tier: str, *, admin: bool = False) -> None:
        """Add a user."""
        self.clock.now = NOW - timedelta(days=20)
        key = ed25519(name, f"{name}@laptop")
        self._do(self.services.users.add(name, key, tier, admin=admin))

    def set(self, name: str, value: str) -> None:
        """Change a setting."""
        self._do(self.services.settings.set(name, value))

    def keep_key(self, provider: str, key: str) -> None:
        """Keep a key of the user's own."""
        self._do(self.services.keys.save_own(provider, key))

    async def _build(self) -> Services:
        store = await JsonStore.open(self.home, self.clock)
        secrets = DictSecrets("the system keyring")
        return build(store, secrets, self._connect, self.clock, self.environ, LOCAL_USER, self.sessions)

    async def _use(self, provider: str, tokens: int, user: str) -> None:
        services = self.services
        store, now, found = services.store, self.clock, self.environ
        theirs = services if user == LOCAL_USER else build(store, DictSecrets(), _connect, now, found, user)
        request = AdmissionRequest(new_id(), provider, DEFAULT_MODELS[provider], KeySource.DEFAULT, 1, 64)
        hold = await theirs.accounting.admit(request)
        usage = Usage(tokens // 5, tokens - tokens // 5)
        await theirs.accounting.settle(hold.attempt_id, Measured(usage, Provenance.REPORTED))

    async def _converse(self, title: str, messages: Sequence[Message]) -> None:
        made = await self.services.library.create("openai", DEFAULT_MODELS["openai"])
        await self.services.library.rename(made.id, title)
        for message in messages:
            await self.services.library.save(made.id, message)

    def _connect(self, kind: str, **options: Any) -> Provider:
        return self.provider or _connect(kind, **options)

    def _do(self, work: Awaitable[object]) -> None:
        async def run() -> None:
            await work

        asyncio.run(run())


def _connect(kind: str, *, api_key: str | None, base_url: str | None, name: str) -> Provider:
    """The real providers; the demo without pauses."""
    return providers.connect(
        kind, api_key=api_key, base_url=INSTANT if kind == "demo" else base_url, name=name
    )


def exchange(number: int, prompt: str, reply: str, usage: Usage, seconds: float) -> tuple[Message, Message]:
    """A prompt and its reply.

    Args:
        number: Of the exchange in its conversation, from 0; each is two minutes after the one before.
        prompt: The prompt.
        reply: The reply.
        usage: Tokens of the turn.
        seconds: How long the reply took.
    """
    at = NOW - timedelta(minutes=8 - 2 * number)
    asked = Message(
        id=f"prompt-{number}",
        role=Role.USER,
        text=prompt,
        created_at=at,
        parent_id=f"reply-{number - 1}" if number else None,
    )
    answered = Message(
        id=f"reply-{number}",
        role=Role.ASSISTANT,
        text=reply,
        created_at=at,
        parent_id=asked.id,
        status=MessageStatus.COMPLETE,
        provider="openai",
        model=DEFAULT_MODELS["openai"],
        usage=usage,
        provenance=Provenance.REPORTED,
        seconds=seconds,
    )
    return asked, answered


LIFETIMES = (
    *exchange(
        0,
        "Explain lifetimes with one short example.",
        """A **lifetime** names the region of code in which a reference is valid. The compiler checks that \
no reference outlives what it points to:

```rust
fn longest<'a>(x: &'a str, y: &'a str) -> &'a str {
    if x.len() > y.len() { x } else { y }
}
```

- `'a` is the shorter of both arguments' lifetimes.
- The result may be used only as long as *both* arguments live.""",
        Usage(41, 212),
        3.1,
    ),
    *exchange(
        1,
        "So when may I leave them out?",
        """When the rules of **elision** give one answer: with a single reference among the arguments, the \
result has its lifetime; in a method, that of `&self`.""",
        Usage(268, 96),
        1.4,
    ),
)


EXAMPLE = {"openai": 45_230, "google": 12_450}
"""Tokens used in the user's own example."""
TODAY = {"openai": 1_204, "google": 310}
"""Tokens of them used today."""


def conversed(home: Path, used: Mapping[str, int], today: Mapping[str, int]) -> Scene:
    """Both providers with purchased tokens, and conversations; the latest is about Rust.

    Args:
        home: The data directory.
        used: Tokens used of each provider's pool.
        today: Tokens of them used today.
    """
    scene = Scene(home, KEYS)
    for days_ago, (provider, purchased) in enumerate((("google", 500_000), ("openai", 1_000_000)), -2):
        scene.purchase(provider, purchased)
        scene.use(provider, used[provider] - today[provider], days_ago=-days_ago)
    for provider, tokens in today.items():
        scene.use(provider, tokens)
    prompt, reply = exchange(0, "Which trams go to Alfama?", "Line 28E.", Usage(20, 5), 0.6)
    for title, hours_ago in (
        ("Names for a small boat", 80.0),
        ("SQL window functions", 26.0),
        ("Trip to Lisbon", 5.0),
    ):
        scene.converse(title, (prompt, reply), hours_ago=hours_ago)
    scene.converse("Rust lifetimes, simply", LIFETIMES)
    return scene


def serving(home: Path) -> Scene:
    """A host with a team, some of whom are connected."""
    since = NOW - timedelta(minutes=43)
    sessions = Connected(
        SessionInfo("1", "ann", "192.168.0.17", since - timedelta(hours=2)),
        SessionInfo("2", "kim.lee", "192.168.0.23", since),
        SessionInfo("3", "kim.lee", "10.8.0.4", since + timedelta(minutes=40)),
    )
    scene = Scene(home, KEYS, sessions)
    for provider, purchased in (("openai", 1_000_000), ("google", 500_000)):
        scene.purchase(provider, purchased)
    for name, tier in (("ann", "unlimited"), ("kim.lee", "basic"), ("max", "free"), ("sam", "free")):
        scene.join(name, tier, admin=name == "ann")
    for user, tokens, days_ago in (
        ("local", 43_000, 3),
        ("ann", 31_000, 3),
        ("kim.lee", 9_400, 2),
        ("local", 1_204, 0),
        ("ann", 18_311, 0),
        ("kim.lee", 9_120, 0),
        ("sam", 312, 0),
        ("sam", 520, 0),
    ):
        scene.use("openai", tokens, days_ago=days_ago, user=user)
    return scene


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    """Let the app work until the condition holds; the test's time limit ends a wait in vain."""
    while not condition():
        await pilot.pause(0.01)
    await settled(pilot)


async def settled(pilot: Pilot[Any]) -> None:
    """Let the app come to rest, with cursors that do not blink, and fields that have their choices."""
    while not all(worker.is_finished for worker in pilot.app.workers if worker.group == "zones"):
        await pilot.pause(0.01)
    for field_ in pilot.app.screen.query(Input):
        field_.cursor_blink = False
    await pilot.pause()
    await pilot.pause()


async def open_latest(pilot: Pilot[Any]) -> None:
    """Open the latest conversation from the list."""
    app = pilot.app
    assert isinstance(app, CtroomApp)
    await until(pilot, lambda: bool(app.chat.conversations.rows))
    await pilot.press("f8", "home", "enter")
    await until(pilot, lambda: app.chat.conversation is not None)


async def forecast(pilot: Pilot[Any]) -> None:
    """Wait for the forecast of all that is written by now: one of less may be shown already."""
    app = pilot.app
    assert isinstance(app, CtroomApp)
    prompt = app.chat.pane.prompt
    prompt.border_subtitle = ""
    app.chat.pane.follow_usage()
    await until(pilot, lambda: "about" in str(prompt.border_subtitle))
