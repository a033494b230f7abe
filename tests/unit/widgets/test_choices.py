"""The toggle, the radio group and the text button."""

from textual.app import App, ComposeResult
from textual.widget import Widget

from tests.environment import ROOT
from tui.widgets.radio_group import RadioGroup, RadioOption
from tui.widgets.text_button import TextButton
from tui.widgets.toggle import Toggle

OPTIONS = [
    RadioOption("default", "Use default keys", "No setup"),
    RadioOption("own", "Use my own keys", "You pay"),
]


class ChoiceApp(App[None]):
    CSS_PATH = ROOT / "styles" / "settings.tcss"

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self._widgets = widgets
        self.said: list[object] = []

    def compose(self) -> ComposeResult:
        yield from self._widgets

    def on_toggle_flipped(self, event: Toggle.Flipped) -> None:
        self.said.append(event.on)

    def on_radio_group_chosen(self, event: RadioGroup.Chosen) -> None:
        self.said.append(event.value)

    def on_text_button_pressed(self, event: TextButton.Pressed) -> None:
        self.said.append(event.control.word)


def shown(widget: Widget) -> list[str]:
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


async def test_a_toggle_flips_by_space_enter_and_click() -> None:
    toggle = Toggle("use my key", label="OpenAI  ")
    app = ChoiceApp(toggle)
    async with app.run_test() as pilot:
        assert shown(toggle) == ["OpenAI  [ ] use my key"]
        toggle.focus()
        await pilot.press("space")
        await pilot.pause()
        assert shown(toggle) == ["OpenAI  [x] use my key"]
        await pilot.press("enter")
        await pilot.click(Toggle)
        await pilot.pause()
        assert app.said == [True, False, True]


async def test_a_refused_toggle_goes_back_and_says_why() -> None:
    toggle = Toggle("use my key")
    app = ChoiceApp(toggle)
    async with app.run_test() as pilot:
        toggle.focus()
        await pilot.press("space")
        toggle.refuse("The disk is full.")
        await pilot.pause()
        assert shown(toggle) == ["[ ] use my key", "The disk is full."]


async def test_arrows_move_and_space_chooses() -> None:
    radio = RadioGroup(OPTIONS, "default")
    app = ChoiceApp(radio)
    async with app.run_test() as pilot:
        radio.focus()
        await pilot.press("down")
        assert app.said == [], "Moving does not choose."
        await pilot.press("space", "space")
        await pilot.pause()
        assert app.said == ["own"]
        assert shown(radio) == ["( ) Use default keys", "    No setup", "(•) Use my own keys", "    You pay"]


async def test_a_click_chooses_the_option_under_it() -> None:
    radio = RadioGroup(OPTIONS, "default")
    app = ChoiceApp(radio)
    async with app.run_test() as pilot:
        await pilot.click(RadioGroup, offset=(6, 3))
        await pilot.pause()
        assert app.said == ["own"]


async def test_leaving_puts_the_cursor_back_on_what_is_chosen() -> None:
    radio = RadioGroup(OPTIONS, "default")
    app = ChoiceApp(radio, TextButton("test"))
    async with app.run_test() as pilot:
        radio.focus()
        await pilot.press("down", "tab")
        await pilot.pause()
        assert radio.at == 0


async def test_a_button_is_pressed_by_enter_space_and_click() -> None:
    button = TextButton("test")
    app = ChoiceApp(button)
    async with app.run_test() as pilot:
        button.focus()
        await pilot.press("enter", "space")
        await pilot.click(TextButton)
        await pilot.pause()
        assert app.said == ["test"] * 3


async def test_what_has_no_room_goes_on_under_itself() -> None:
    toggle = Toggle("keep new keys for this session only", label="Keys ")
    radio = RadioGroup(
        [RadioOption("default", "Use the keys of the host", "No setup"), RadioOption("own", "Mine")],
        "default",
    )
    app = ChoiceApp(toggle, radio)
    async with app.run_test(size=(24, 20)) as pilot:
        assert shown(toggle) == ["Keys [ ] keep new keys", "         for this", "         session only"]
        assert shown(radio) == ["(•) Use the keys of the", "    host", "    No setup", "( ) Mine"]
        await pilot.click(RadioGroup, offset=(6, 2))
        await pilot.pause()
        assert app.said == [], "It is chosen already."
        await pilot.click(RadioGroup, offset=(6, 3))
        await pilot.pause()
        assert app.said == ["own"]
        radio.note = "The disk is full, and it is not kept."
        await pilot.pause()
        assert shown(radio)[4:] == ["The disk is full, and it", "is not kept."]
