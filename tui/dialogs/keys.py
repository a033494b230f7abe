"""The dialogs that show every key, and give an action another one."""

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.core.errors import CtroomError, InvalidValueError
from tui.core.keymap import DEFAULT, PREFIX
from tui.dialogs.catalogue import Bound, catalogue, check_keys, clashes, keys_of
from tui.dialogs.dialog import Dialog
from tui.services.settings import SettingsService
from tui.widgets.hint_bar import key_words
from tui.widgets.muted import MUTED

KEYS_WIDTH, KEY_WIDTH = 19, 11
"""Cells of the column of keys, with two of them and with one."""
NOTHING = "Nothing is called that, and no such key is used."
ROOMY = 60
"""Cells of a row from which on it shows two keys; before, what they do needs the room."""


class KeysDialog(Dialog[None]):
    """A filter over every action; Enter gives the chosen one another key.

    Args:
        settings: Where the keys are kept.
    """

    BINDINGS = [
        Binding("down", "move(1)", "down", show=False, id="keys.down", tooltip="The action below"),
        Binding("up", "move(-1)", "up", show=False, id="keys.up", tooltip="The action above"),
        Binding("pagedown", "page(1)", "page down", show=False, id="keys.page_down", tooltip="A page down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="keys.page_up", tooltip="A page up"),
    ]
    AUTO_FOCUS = "Input"

    def __init__(self, settings: SettingsService) -> None:
        super().__init__()
        self._settings = settings

    def compose(self) -> ComposeResult:
        """The filter over the list."""
        with Vertical(classes="dialog", id="keys-frame") as frame:
            frame.border_title = "Keys"
            frame.border_subtitle = "Enter change · Esc close"
            yield Input(placeholder="Filter by key or by what it does", id="keys-filter", compact=True)
            options = OptionList(id="keys", markup=False, compact=True)
            options.can_focus = False
            yield options

    def on_mount(self) -> None:
        """List every action."""
        self._show("")

    def on_resize(self) -> None:
        """The column of keys has the width that there is room for."""
        self.call_after_refresh(lambda: self._show(self.query_one(Input).value))

    def action_move(self, step: int) -> None:
        """Move the highlight."""
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_page(self, step: int) -> None:
        """Move the highlight by a page."""
        for _ in range(max(1, self.query_one(OptionList).size.height - 1)):
            self.action_move(step)

    @on(Input.Changed)
    def _filtered(self, event: Input.Changed) -> None:
        self._show(event.value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        bound = catalogue()[event.option_id or ""]
        self.app.push_screen(KeyDialog(bound, self._settings), self._changed)

    def _changed(self, _answer: bool | None) -> None:
        self._show(self.query_one(Input).value)

    def _show(self, wanted: str) -> None:
        """List what matches, under the place where it works; the highlight stays on its action."""
        options = self.query_one(OptionList)
        kept = options.highlighted_option.id if options.highlighted_option else None
        keymap, words = self._settings.user().keymap, wanted.lower().split()
        most = 2 if options.size.width >= ROOMY else 1
        rows: list[Option] = []
        place = ""
        for bound in catalogue().values():
            keys = keys_of(bound, keymap)
            text = f"{bound.words} {bound.place} {bound.id} {shown(keys)} {keys}".lower()
            if not bound.words or not all(word in text for word in words):
                continue
            if bound.place != place:
                place = bound.place
                rows.append(Option(Content.styled(place, "bold"), disabled=True))
            rows.append(Option(_row(bound, keymap, most), id=bound.id))
        options.set_options(rows or [Option(NOTHING, disabled=True)])
        ids = [row.id for row in rows if row.id]
        if ids:
            options.highlighted = options.get_option_index(kept if kept in ids else ids[0])
            self.call_after_refresh(options.scroll_to_highlight)


class KeyDialog(Dialog[bool]):
    """Takes the next key that is pressed for an action; one that can't be taken is refused in words.

    Args:
        bound: The action.
        settings: Where the key is kept.
    """

    TAKES_EVERY_KEY = True
    """Keys that work everywhere do not work here: they are what is asked for."""

    def __init__(self, bound: Bound, settings: SettingsService) -> None:
        super().__init__()
        self._bound = bound
        self._settings = settings

    def compose(self) -> ComposeResult:
        """What the key is for, and what may be pressed."""
        keys = keys_of(self._bound, self._settings.user().keymap)
        with Vertical(classes="dialog -small") as frame:
            frame.border_title = "Another key"
            frame.border_subtitle = "Del its own key · Esc leave it"
            yield Static(self._bound.words, classes="question", markup=False)
            yield Static(f"{shown(keys)} at present. Press the new key.", classes="detail", markup=False)
            yield Static("", id="key-problem", markup=False)

    async def on_key(self, event: events.Key) -> None:
        """Take a key."""
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss(False)
            return
        key = DEFAULT if event.key in ("delete", "backspace") else event.key
        name = f"{PREFIX}{self._bound.id}"
        try:
            check_keys(name, key, self._settings.user().keymap)
            await self._settings.set(name, key)
        except InvalidValueError as error:
            self._refuse(f"{key_words(event.key)}: {error}")
        except CtroomError as error:
            self._refuse(str(error))
        else:
            self.dismiss(True)

    def _refuse(self, words: str) -> None:
        self.query_one("#key-problem", Static).update(words)


def shown(keys: str) -> str:
    """Keys for people, for example "F5 or Ctrl+N"."""
    return " or ".join(key_words(key) for key in keys.split(","))


def _row(bound: Bound, keymap: dict[str, str], most: int) -> Content:
    """An action with so many of its keys at the most."""
    keys = keys_of(bound, keymap)
    note: Content | str = ""
    if taken := clashes(bound, keys, keymap):
        note = Content.styled(f"  also: {taken[0].words}", "$text-warning")
    elif bound.id in keymap:
        note = Content.styled(f"  (was {shown(bound.keys)})", MUTED)
    names, column = " ".join(map(key_words, keys.split(",")[:most])), KEYS_WIDTH if most > 1 else KEY_WIDTH
    return Content.assemble(f"  {names:<{column}} ", bound.words, note)
