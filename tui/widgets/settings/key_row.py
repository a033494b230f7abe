"""A key with what can be done with it: type or paste it, show, test, keep, remove."""

from typing import ClassVar, Protocol

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from tui.core.chat import KeyCheck
from tui.core.errors import CtroomError
from tui.widgets.flow_row import FlowRow
from tui.widgets.key_field import BULLETS, KeyField, mask
from tui.widgets.text_button import TextButton


class KeySlot(Protocol):
    """Where one key is kept, and what is known of it."""

    @property
    def label(self) -> str:
        """Whose key it is, in a word."""
        ...

    @property
    def last_four(self) -> str | None:
        """The end of the kept key; None where none is kept."""
        ...

    @property
    def words(self) -> str:
        """What is known of the key: where it is kept, or what its absence means."""
        ...

    @property
    def missing(self) -> bool:
        """Whether its absence stops turns."""
        ...

    @property
    def removable(self) -> bool:
        """Whether a key is kept that can be removed from here."""
        ...

    async def test(self, key: str | None) -> KeyCheck:
        """Ask the provider about a key; None: about the kept one."""
        ...

    async def keep(self, key: str) -> str:
        """Keep a key; in words where."""
        ...

    async def remove(self) -> None:
        """Remove the kept key."""
        ...


class KeyRow(Vertical):
    """The field of one key, with its buttons.

    Args:
        slot: Where the key is kept.
    """

    BUTTONS: ClassVar[tuple[str, ...]] = ("show", "test", "remove")

    class Ended(Message):
        """A test, or an attempt to keep or remove the key, came to its end."""

        def __init__(self, control: "KeyRow", words: str, *, state: str, kept: str | None = None) -> None:
            super().__init__()
            self._control = control
            self.words = words
            self.state = state
            self.kept = kept
            """The key that is kept from now on, masked; empty: none; None: as before."""

        @property
        def control(self) -> "KeyRow":
            """The row."""
            return self._control

    class Changed(Message):
        """A key was kept or removed."""

        def __init__(self, control: "KeyRow") -> None:
            super().__init__()
            self._control = control

        @property
        def control(self) -> "KeyRow":
            """The row."""
            return self._control

    def __init__(self, slot: KeySlot, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes="key-row")
        self.slot = slot
        self._busy = False
        self._untested_may_be_kept = False
        self._sure = False

    def compose(self) -> ComposeResult:
        """The field, and the buttons under it."""
        yield KeyField(self.slot.label, kept=self._kept())
        with FlowRow(classes="key-buttons"):
            for word in self.BUTTONS:
                yield TextButton(word, classes=f"key-{word}")

    def on_mount(self) -> None:
        """Say what is known of the key."""
        self.reload()

    @property
    def field(self) -> KeyField:
        """The box."""
        return self.query_one(KeyField)

    def reload(self) -> None:
        """Take over what is known of the key, unless something is being said or typed."""
        field = self.field
        kept = self._kept()
        if not kept or not field.kept.endswith(self.slot.last_four or "\0"):
            field.kept = kept
        if not (field.filled or self._busy or field.has_class("-invalid") or field.has_class("-saved")):
            self._say_what_is_known()
        self.query_one(".key-remove").display = self.slot.removable
        self.query_one(".key-test").display = bool(kept) or field.filled
        self.query_one(".key-show").display = field.filled

    def _kept(self) -> str:
        last_four = self.slot.last_four
        return "" if last_four is None else f"{BULLETS}{last_four}"

    def _say_what_is_known(self) -> None:
        self.field.show_note(self.slot.words, "-invalid" if self.slot.missing else "")

    def _submit(self) -> None:
        """Test what was typed and keep it."""
        field = self.field
        if self._busy or not field.filled or field.problem:
            return
        self._busy = True
        field.show_note("Asking the provider\u2026" if not self._untested_may_be_kept else "Keeping it\u2026")
        self.run_worker(self._keep(test=not self._untested_may_be_kept), group="key", exit_on_error=False)

    async def _keep(self, *, test: bool) -> None:
        field = self.field
        key = field.take()
        check: KeyCheck | None = None
        try:
            check = await self.slot.test(key) if test else None
            if check is not None and not check.ok:
                # The key goes back by a call: a message would be written to Textual's log.
                field.put_back(key)
                self._untested_may_be_kept = not check.rejected
                way = "" if check.rejected else " Press Enter to keep it untested."
                self.post_message(self.Ended(self, f"{check.message}{way}", state="-invalid"))
                return
            place = await self.slot.keep(key)
        except CtroomError as error:
            field.put_back(key)
            self.post_message(self.Ended(self, str(error), state="-invalid"))
            return
        said = check.message if check else "not tested"
        self.post_message(self.Ended(self, f"{said} \u00b7 {place}", state="-saved", kept=mask(key)))

    async def _test(self) -> None:
        field = self.field
        typed = field.take() if field.filled else None
        check = await self.slot.test(typed)
        if typed is not None:
            field.put_back(typed)
        self.post_message(self.Ended(self, check.message, state="-saved" if check.ok else "-invalid"))

    async def _remove(self) -> None:
        try:
            await self.slot.remove()
        except CtroomError as error:
            self.post_message(self.Ended(self, str(error), state="-invalid"))
        else:
            self.post_message(self.Ended(self, "removed", state="-saved", kept=""))

    @on(Ended)
    def _on_ended(self, event: Ended) -> None:
        event.stop()
        self._busy = False
        if event.kept is not None:
            self.field.kept = event.kept
            self._untested_may_be_kept = False
            self.post_message(self.Changed(self))
        self.field.show_note(event.words, event.state)
        self.reload()

    @on(KeyField.Submitted)
    def _on_submitted(self, event: KeyField.Submitted) -> None:
        event.stop()
        self._submit()

    @on(KeyField.Edited)
    def _on_edited(self, event: KeyField.Edited) -> None:
        event.stop()
        self._untested_may_be_kept = False
        self.query_one(".key-show").display = self.field.filled
        self.query_one(".key-test").display = self.field.filled or bool(self.field.kept)

    @on(TextButton.Pressed, ".key-show")
    def _on_show_pressed(self, event: TextButton.Pressed) -> None:
        event.stop()
        self.field.action_reveal()
        event.control.word = "hide" if self.field.revealed else "show"

    @on(TextButton.Pressed, ".key-test")
    def _on_test_pressed(self, event: TextButton.Pressed) -> None:
        event.stop()
        if self._busy or self.field.problem:
            return
        self._busy = True
        self.field.show_note("Asking the provider\u2026")
        self.run_worker(self._test(), group="key", exit_on_error=False)

    @on(TextButton.Pressed, ".key-remove")
    def _on_remove_pressed(self, event: TextButton.Pressed) -> None:
        event.stop()
        if not self._sure:
            self._sure = True
            event.control.word = "press again to remove"
            return
        self._calm()
        self._busy = True
        self.run_worker(self._remove(), group="key", exit_on_error=False)

    def on_descendant_blur(self) -> None:
        """Keep what was typed when the whole row is left, but not when the terminal loses the focus."""
        self._calm()
        focused = self.screen.focused
        if not self.app.app_focus or (focused is not None and self in focused.ancestors):
            return
        self.field.revealed = False
        self.query_one(".key-show", TextButton).word = "show"
        self._submit()

    def _calm(self) -> None:
        self._sure = False
        self.query_one(".key-remove", TextButton).word = "remove"
