"""The chosen user: tier, public keys, sessions, and what can be done."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from tui.core.sessions import SessionInfo
from tui.core.settings import LOCAL_USER, UserRole
from tui.core.text import sanitize_line
from tui.core.users import PublicKey
from tui.services.user_figures import UserEntry
from tui.widgets.checked_field import CheckedField, Choice
from tui.widgets.flow_row import FlowRow
from tui.widgets.text_button import TextButton

MOST_WORDS = 32
"""Characters of a key's name, so that its button has room at 80 columns."""
MOST_SESSIONS = 8
"""Sessions of a user that are listed, each with the button that ends it."""


class PanelRow(Vertical):
    """Something that a user has, with the button that takes it from them.

    Args:
        label: What kind of thing it is; empty where the row above says so.
        words: What it is.
        button: What the button says.
        deed: What it asks for.
        value: With what.
        detail: What is long of it, on a line of its own.
        sure: Whether one press is enough.
    """

    def __init__(
        self, label: str, words: str, button: str, deed: str, value: str, *, detail: str = "", sure: bool
    ) -> None:
        super().__init__(classes="panel-row")
        self._label, self._words, self._button, self._detail = label, words, button, detail
        self.deed, self.value = deed, value
        self._sure = sure

    def compose(self) -> ComposeResult:
        """The three in a line; with little room the label above the others."""
        with Horizontal(classes="panel-line"):
            yield Static(
                self._label, classes="panel-label" if self._label else "panel-label -empty", markup=False
            )
            with FlowRow():
                yield Static(self._words, classes="panel-words", markup=False)
                yield TextButton(self._button)
        if self._detail:
            yield Static(self._detail, classes="panel-detail", markup=False)

    def pressed(self, button: TextButton) -> bool:
        """Whether it is to be done: a thing that can't be brought back takes a second press."""
        if not self._sure:
            self._sure = True
            button.word = f"press again to {self._button}"
            return False
        return True


class UserPanel(Vertical):
    """What is known of one user, under the list."""

    class Asked(Message):
        """The admin asked that something be done with the user."""

        def __init__(self, control: "UserPanel", deed: str, value: str = "") -> None:
            super().__init__()
            self._control = control
            self.deed = deed
            """"set tier", "add key", "remove key", "reset", "role", "end one" or "remove"."""
            self.value = value
            """The tier, the key, its fingerprint, or the id of the session."""

        @property
        def control(self) -> "UserPanel":
            """The panel."""
            return self._control

    class Shown(Message):
        """Another user is shown whole: the panel has its height."""

        def __init__(self, control: "UserPanel") -> None:
            super().__init__()
            self._control = control

        @property
        def control(self) -> "UserPanel":
            """The panel."""
            return self._control

    def __init__(self) -> None:
        super().__init__(id="user-panel")
        self._has: tuple[object, ...] = ()
        """What the rows show."""
        self.user = ""
        """Whom it shows."""
        self._shown = ""
        """Whose rows are there."""

    def compose(self) -> ComposeResult:
        """Who it is, their tier and keys, and the buttons."""
        yield Static("", id="user-words", classes="settings-subtitle", markup=False)
        yield CheckedField("Tier", strict=True, id="user-tier", classes="short")
        yield Vertical(id="user-rows")
        yield CheckedField(
            "Add a key", placeholder="ssh-ed25519 AAAA… as in ~/.ssh/id_ed25519.pub", id="user-key"
        )
        with FlowRow(classes="key-buttons", id="user-buttons"):
            yield TextButton("give today back", id="user-reset")
            yield TextButton("make admin", id="user-role")
            yield TextButton("remove user", id="user-remove")

    @property
    def tier(self) -> CheckedField:
        """The field of the tier."""
        return self.query_one("#user-tier", CheckedField)

    @property
    def key(self) -> CheckedField:
        """The field for another key."""
        return self.query_one("#user-key", CheckedField)

    def show(
        self, entry: UserEntry, tiers: Sequence[Choice], sessions: tuple[SessionInfo, ...], zone: tzinfo
    ) -> None:
        """Show a user.

        Args:
            entry: Who.
            tiers: The tiers that there are.
            sessions: Theirs.
            zone: Where times are shown in.
        """
        other = entry.name != self.user
        self.user, local = entry.name, entry.name == LOCAL_USER
        self.query_one("#user-words", Static).update(_words(entry, zone))
        self.tier.set_choices(tiers)
        if other:
            self.tier.settle(entry.tier)
            self.key.settle("")
        else:
            self.tier.load(entry.tier)
        self.key.display = not local
        for button, there in (("reset", True), ("role", not local), ("remove", not local)):
            self.query_one(f"#user-{button}").display = there
        admin = entry.role is UserRole.ADMIN
        self.query_one("#user-role", TextButton).word = "make member" if admin else "make admin"
        has = (entry.name, entry.keys, sessions)
        if has != self._has:
            self._has = has
            rows = [*_key_rows(entry.keys), *_session_rows(sessions, zone)]
            work = self._show_rows(entry.name, rows)
            self.run_worker(work, group="rows", exclusive=True, exit_on_error=False)

    async def _show_rows(self, user: str, rows: Sequence[PanelRow]) -> None:
        holder = self.query_one("#user-rows", Vertical)
        await holder.remove_children()
        await holder.mount_all(rows)
        if user != self._shown:
            self._shown = user
            self.post_message(self.Shown(self))

    @on(CheckedField.Committed)
    def _on_committed(self, event: CheckedField.Committed) -> None:
        event.stop()
        deed = "set tier" if event.control is self.tier else "add key"
        self.post_message(self.Asked(self, deed, event.value))

    @on(TextButton.Pressed)
    def _on_pressed(self, event: TextButton.Pressed) -> None:
        event.stop()
        row = next((node for node in event.control.ancestors if isinstance(node, PanelRow)), None)
        if row is None:
            self.post_message(self.Asked(self, (event.control.id or "").removeprefix("user-")))
        elif row.pressed(event.control):
            self.post_message(self.Asked(self, row.deed, row.value))


def _words(entry: UserEntry, zone: tzinfo) -> str:
    since = f"{entry.created_at.astimezone(zone):%d %b %Y}"
    own = f" · {entry.own:,} tokens with own keys" if entry.own else ""
    who = "on the host itself" if entry.name == LOCAL_USER else f"since {since}"
    return f"{entry.name} · {entry.role} · {who}{own}"


def _key_rows(keys: Sequence[PublicKey]) -> Iterator[PanelRow]:
    for at, key in enumerate(keys):
        label, fingerprint = "" if at else "Public keys", key.fingerprint
        words = sanitize_line(f"{key.key.partition(' ')[0]} {key.comment}", MOST_WORDS)
        yield PanelRow(label, words, "remove", "remove key", fingerprint, detail=fingerprint, sure=False)


def _session_rows(sessions: Sequence[SessionInfo], zone: tzinfo) -> Iterator[PanelRow]:
    for at, session in enumerate(sessions[:MOST_SESSIONS]):
        since = f"{session.since.astimezone(zone):%H:%M}"
        words = f"{sanitize_line(session.address, 40)}, since {since}"
        yield PanelRow("" if at else "Sessions", words, "end", "end one", session.id, sure=True)
