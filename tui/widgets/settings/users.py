"""Section 6: everyone who may sign in, live, and what an admin decides about them."""

from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from tui.core.days import zone
from tui.core.errors import InvalidValueError
from tui.core.public_keys import parse_public_key
from tui.core.sessions import SessionInfo
from tui.core.settings import LOCAL_USER, UserRole
from tui.core.users import check_user_name
from tui.services.services import Services
from tui.services.user_figures import UserEntry
from tui.widgets.checked_field import CheckedField
from tui.widgets.field_row import FieldRow
from tui.widgets.settings.section import Section
from tui.widgets.settings.setting_fields import tier_choices
from tui.widgets.settings.titles import USERS
from tui.widgets.settings.user_list import UserList
from tui.widgets.settings.user_panel import UserPanel

REFRESH_SECONDS = 0.25
"""What comes meanwhile is shown at once: many sessions commit often."""
DAY_SECONDS = 30.0
"""How long the end of a day may go unseen."""
NEW_TIER = "free"
"""Of a user who is added here."""
ADDS = "Enter adds them."
HOW = f"Enter adds them as a member of tier {NEW_TIER}: they sign in to ctroom serve with this key."


class UsersSection(Section):
    """The list, the panel of the user at its cursor, and the fields that add one. An admin's alone.

    Args:
        services: What reads and changes users.
    """

    class ConfirmRequested(Message):
        """Something is asked for that should not happen by mistake."""

        def __init__(self, control: "UsersSection", deed: str, user: str, question: str, detail: str) -> None:
            super().__init__()
            self._control = control
            self.deed = deed
            self.user = user
            self.question = question
            self.detail = detail

        @property
        def control(self) -> "UsersSection":
            """The section, which does it once it is confirmed."""
            return self._control

    class Done(Message):
        """Something was done with a user, or failed."""

        def __init__(self, words: str, *, ok: bool) -> None:
            super().__init__()
            self.words = words
            self.ok = ok

    def __init__(self, services: Services) -> None:
        super().__init__(services, USERS, id="settings-users")
        self._subscriptions: list[Callable[[], None]] = []
        self._due: Timer | None = None
        self._awaited = ""
        """Who was added, and is to be chosen."""

    def compose(self) -> ComposeResult:
        """The list, the panel, and the line that adds a user."""
        yield UserList()
        yield UserPanel()
        yield Static("Add a user", classes="settings-subtitle")
        yield CheckedField("Name", check=_check_name, placeholder="sam", id="new-user", classes="amount")
        yield CheckedField(
            "Public key",
            check=_check_key,
            placeholder="ssh-ed25519 AAAA… as in ~/.ssh/id_ed25519.pub",
            hint=HOW,
            id="new-user-key",
        )

    def on_mount(self) -> None:
        """Follow what is used, and who comes and goes."""
        self._subscriptions.append(self.services.accounting.subscribe(self._told))
        if self.services.sessions is not None:
            self._subscriptions.append(self.services.sessions.subscribe(self._told))
        self.set_interval(DAY_SECONDS, self._changed)
        self._take()

    def on_unmount(self) -> None:
        """Follow it no longer."""
        for end in self._subscriptions:
            end()

    def on_show(self) -> None:
        """Catch up with what came while the tab was hidden."""
        self._changed()

    @property
    def list(self) -> UserList:
        """Everyone."""
        return self.query_one(UserList)

    @property
    def panel(self) -> UserPanel:
        """The user at the cursor."""
        return self.query_one(UserPanel)

    def reload(self) -> None:
        """Take over what was changed elsewhere."""
        super().reload()
        self._changed()

    def perform(self, deed: str, user: str) -> None:
        """Do what was asked for: the roles, "reset", "end", "end one" or "remove".

        Args:
            deed: What.
            user: With whom; for "end one", the id of a session.
        """
        works: dict[str, Callable[[str], Coroutine[Any, Any, str]]] = {
            "reset": self._reset,
            "role": self._change_role,
            "end": self._end_all,
            "end one": self._end_one,
            "remove": self._remove,
        }
        self.attempt(self, works[deed](user))

    def ended(self, field: Widget, words: str, *, ok: bool) -> None:
        """A field says how it went itself; for the rest there is a notice."""
        if field is self:
            self.notify(words, severity="information" if ok else "error", markup=False)
        elif ok and isinstance(field, CheckedField):
            field.settle(field.value if field is self.panel.tier else "", words)
            if field.id == "new-user-key":
                self._new_name.settle("")
        else:
            super().ended(field, words, ok=ok)
        self._changed()

    # What is shown

    def _told(self) -> None:
        """Told from outside the app's context, where no timer may be made."""
        self.call_next(self._changed)

    def _changed(self) -> None:
        if self._due is None and self.is_mounted and all(node.display for node in self.ancestors_with_self):
            self._due = self.set_timer(REFRESH_SECONDS, self._take)

    def _take(self) -> None:
        self._due = None
        users, sessions = self.services.users, self.services.sessions
        try:
            entries = users.list()
        except InvalidValueError:  # no admin any more
            entries = ()
        if sessions is not None:
            counts = Counter(session.user for session in sessions.connected())
            self.list.sessions = dict(counts)
        self.list.entries = entries
        if self._awaited and any(entry.name == self._awaited for entry in entries):
            self.list.choose(self._awaited)
            self._awaited = ""
        self._show_chosen()

    def _show_chosen(self) -> None:
        chosen = self.list.chosen
        self.panel.display = chosen is not None
        if chosen is not None:
            tiers = tier_choices(self.services.settings.host())
            here = zone(self.services.settings.display_zone())
            self.panel.show(chosen, tiers, self._sessions_of(chosen.name), here)

    def _sessions_of(self, user: str) -> tuple[SessionInfo, ...]:
        sessions = self.services.sessions
        found = sessions.connected() if sessions is not None else ()
        return tuple(session for session in found if session.user == user)

    @property
    def _new_name(self) -> CheckedField:
        return self.query_one("#new-user", CheckedField)

    # What is asked for

    @on(UserList.Moved)
    def _moved(self, event: UserList.Moved) -> None:
        event.stop()
        self._show_chosen()

    @on(UserPanel.Shown)
    def _shown(self, event: UserPanel.Shown) -> None:
        """As much as can be of the panel below is to be seen, too."""
        event.stop()
        if self.list.has_focus:
            self.call_after_refresh(self.scroll_visible, animate=False, top=True)

    @on(UserList.Asked)
    def _asked_in_list(self, event: UserList.Asked) -> None:
        event.stop()
        match event.deed:
            case "add":
                self._new_name.focus()
            case "tier":
                self.panel.tier.focus()
                self.panel.tier.action_next_choice()
            case deed:
                self._ask(deed, self.list.chosen)

    @on(UserPanel.Asked)
    def _asked_in_panel(self, event: UserPanel.Asked) -> None:
        event.stop()
        match event.deed:
            case "set tier":
                self.attempt(self.panel.tier, self._set_tier(self.panel.user, event.value))
            case "add key":
                self.attempt(self.panel.key, self._add_key(self.panel.user, event.value))
            case "remove key":
                self.attempt(self, self._remove_key(self.panel.user, event.value))
            case "end one":
                self.perform("end one", event.value)
            case deed:
                self._ask(deed, self.list.chosen)

    def _ask(self, deed: str, user: UserEntry | None) -> None:
        """Do something at once where it can be undone, else ask first."""
        if user is None:
            return
        if deed == "reset":
            self.perform(deed, user.name)
        elif user.name == LOCAL_USER and deed != "end":
            self.notify("The local user is the host, and always an admin.", severity="warning", markup=False)
        else:
            sessions = len(self._sessions_of(user.name))
            question, detail = _question(deed, user, sessions)
            self.post_message(self.ConfirmRequested(self, deed, user.name, question, detail))

    @on(CheckedField.Committed, "#new-user")
    def _on_new_name(self, event: CheckedField.Committed) -> None:
        event.stop()
        event.control.settle(event.value, "Now their public key." if event.value else "")

    @on(CheckedField.Committed, "#new-user-key")
    def _on_new_key(self, event: CheckedField.Committed) -> None:
        event.stop()
        if not (name := self._new_name.value.strip()):
            event.control.refuse("Enter their name first.")
            return
        self.attempt(event.control, self._add(name, event.value))

    @on(FieldRow.Edited)
    def _on_edited(self, event: FieldRow.Edited) -> None:
        """A private key does not stay on the screen."""
        if isinstance(event.control, CheckedField) and "PRIVATE KEY" in event.control.value:
            event.control.settle("")
            event.control.refuse("That was a private key, and was not kept: paste the .pub file's line.")

    # What is done

    async def _add(self, name: str, key: str) -> str:
        await self.services.users.add(name, key, NEW_TIER)
        self._awaited = name
        return f"{name} was added: choose their tier above."

    async def _add_key(self, name: str, key: str) -> str:
        added = await self.services.users.add_key(name, key)
        return "added" if added else "they have it already"

    async def _remove_key(self, name: str, fingerprint: str) -> str:
        await self.services.users.remove_key(name, fingerprint)
        return f"{name} can't sign in with that key any more."

    async def _set_tier(self, name: str, tier: str) -> str:
        await self.services.users.set_tier(name, tier)
        return "saved: from their next turn on"

    async def _reset(self, name: str) -> str:
        given = await self.services.users.reset(name)
        return f"{name} got {given:,} tokens back for today."

    async def _change_role(self, name: str) -> str:
        admin = self.services.users.role(name) is UserRole.ADMIN
        await self.services.users.set_role(name, UserRole.MEMBER if admin else UserRole.ADMIN)
        return f"{name} is {'a member' if admin else 'an admin'} now."

    async def _end_all(self, name: str) -> str:
        ended = [session for session in self._sessions_of(name) if self._end(session.id)]
        return f"{_sessions(len(ended))} of {name} ended."

    async def _end_one(self, session_id: str) -> str:
        return "The session ended." if self._end(session_id) else "That session had ended already."

    async def _remove(self, name: str) -> str:
        removed = await self.services.users.remove(name)
        kept = f" {removed.conversations:,} of their conversations are kept." if removed.conversations else ""
        return f"{name} was removed.{kept}"

    def _end(self, session_id: str) -> bool:
        sessions = self.services.sessions
        return sessions is not None and sessions.end(session_id)


def _question(deed: str, user: UserEntry, sessions: int) -> tuple[str, str]:
    running = f" {_sessions(sessions)} of theirs will end." if sessions else ""
    match deed:
        case "remove":
            kept = "What they wrote is kept, and what they used stays counted."
            return f"Remove {user.name}?", f"They can't sign in any more.{running} {kept}"
        case "role" if user.role is UserRole.ADMIN:
            return f"Make {user.name} a member?", "They see their own figures alone."
        case "role":
            return f"Make {user.name} an admin?", "They see and change all that you do here, keys included."
    return f"End every session of {user.name}?", "Replies that stream are stopped, saved and counted."


def _sessions(count: int) -> str:
    return f"{count:,} session{'' if count == 1 else 's'}"


def _check_name(text: str) -> str:
    if text:
        check_user_name(text.strip())
    return ""


def _check_key(text: str) -> str:
    return f"{parse_public_key(text).fingerprint}\n{ADDS}" if text.strip() else ""
