"""A conversation's own options: chosen in a dialog, kept with it, shown over it."""

from pathlib import Path

import pytest
from textual.widgets import TextArea

from tests.ui.app_harness import SMALL, WIDE, Running, running
from tui.core.chat import TurnOptions
from tui.dialogs.options import OptionsDialog
from tui.services.personas import MOST_NAME
from tui.widgets.checked_field import CheckedField


async def open_options(run: Running) -> OptionsDialog:
    await run.pilot.press("f12")
    await run.until(lambda: isinstance(run.app.screen, OptionsDialog))
    assert isinstance(run.app.screen, OptionsDialog)
    return run.app.screen


async def close(run: Running) -> None:
    await run.pilot.press("escape")
    await run.until(lambda: not isinstance(run.app.screen, OptionsDialog))


async def enter(run: Running, dialog: OptionsDialog, field: str, text: str) -> None:
    dialog.query_one(f"#option-{field}").focus()
    await run.pilot.pause()
    await run.type(text, "enter")


async def test_options_of_a_new_conversation_go_with_its_first_prompt(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.services.personas.save("Poet", "Rhyme.\nAlways.")
        dialog = await open_options(run)
        await run.type("poet", "down", "enter")
        assert dialog.query_one("#option-prompt", TextArea).text == "Rhyme.\nAlways."
        await enter(run, dialog, "temperature", "0.3")
        await enter(run, dialog, "output", "2k")
        await close(run)
        wanted = TurnOptions("Poet", "Rhyme.\nAlways.", 0.3, 2_000)
        assert run.chat.options == wanted
        assert "Poet · temperature 0.3 · at most 2,000 tokens" in run.screen_text()
        await run.send("hello")
        assert run.chat.conversation is not None
        assert run.services.library.get(run.chat.conversation.id).options == wanted
        await run.pilot.press("f5")
        assert run.chat.options == TurnOptions()
        assert "Poet" not in run.screen_text()


async def test_options_of_a_conversation_are_kept_and_come_back_with_it(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.send("hello")
        dialog = await open_options(run)
        prompt = dialog.query_one("#option-prompt", TextArea)
        prompt.focus()
        await run.pilot.pause()
        await run.type("Be brief.")
        await close(run)
        made = run.chat.conversation
        assert made is not None
        await run.until(lambda: run.services.library.get(made.id).options != TurnOptions())
    async with running(tmp_path) as run:
        await run.pilot.press("f8", "enter")
        await run.until(lambda: run.chat.options == TurnOptions(system_prompt="Be brief."))
        assert "own system prompt" in run.screen_text()


async def test_closing_without_a_change_changes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await open_options(run)
        await close(run)
        assert run.chat.options == TurnOptions()


async def test_a_persona_whose_words_are_changed_is_no_longer_it(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.services.personas.save("Poet", "Rhyme.")
        dialog = await open_options(run)
        await run.type("Poet", "enter")
        dialog.query_one("#option-prompt", TextArea).focus()
        await run.pilot.pause()
        await run.type(" Never.")
        await close(run)
        assert run.chat.options.persona == ""
        assert run.chat.options.system_prompt in ("Rhyme. Never.", "Never.Rhyme.")


async def test_a_system_prompt_is_kept_as_a_persona_by_its_name(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        dialog = await open_options(run)
        dialog.query_one("#option-prompt", TextArea).focus()
        await run.pilot.pause()
        await run.type("Rhyme.")
        await enter(run, dialog, "persona", "Poet")
        await close(run)
        await run.until(lambda: [p.system_prompt for p in run.services.personas.list()] == ["Rhyme."])
        assert run.chat.options == TurnOptions("Poet", "Rhyme.")


async def test_a_new_persona_is_written_from_top_to_bottom(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        dialog = await open_options(run)
        field = dialog.query_one("#option-persona", CheckedField)
        await run.type("Pirate", "tab")
        assert "first write what a new one says" in field.note
        await run.type("You are a pirate")
        await run.until(lambda: field.note == "The system prompt below is kept as a persona of this name.")
        await close(run)
        await run.until(
            lambda: [p.system_prompt for p in run.services.personas.list()] == ["You are a pirate"]
        )
        assert run.chat.options == TurnOptions("Pirate", "You are a pirate")


async def test_a_new_persona_says_what_is_written_last(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.services.personas.save("Poet", "Rhyme.")
        dialog = await open_options(run)
        await run.type("Poet", "enter")
        await enter(run, dialog, "persona", "s")
        prompt = dialog.query_one("#option-prompt", TextArea)
        prompt.focus()
        prompt.move_cursor(prompt.document.end)
        await run.type(" Never.")
        await close(run)
        await run.until(lambda: len(run.services.personas.list()) == 2)
        assert {p.name: p.system_prompt for p in run.services.personas.list()} == {
            "Poet": "Rhyme.",
            "Poets": "Rhyme. Never.",
        }
        assert run.chat.options == TurnOptions("Poets", "Rhyme. Never.")


async def test_a_name_without_a_prompt_keeps_the_dialog_until_it_is_taken_back(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        dialog = await open_options(run)
        field = dialog.query_one("#option-persona", CheckedField)
        await run.type("Pirate", "tab", "x", "backspace", "escape")
        await run.until(lambda: field.has_focus)
        assert run.app.screen is dialog
        assert field.note.endswith("says. Esc takes it back.")
        await run.pilot.press("escape")
        assert field.value == ""
        await close(run)
        assert run.chat.options == TurnOptions()
        assert run.services.personas.list() == ()


async def test_a_refused_value_keeps_the_dialog_and_is_led_to(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        dialog = await open_options(run)
        await enter(run, dialog, "output", "2k")
        await enter(run, dialog, "temperature", "9")
        await run.pilot.press("tab", "tab", "escape")
        field = dialog.query_one("#option-temperature", CheckedField)
        await run.until(lambda: field.has_focus)
        assert field.note.startswith("Enter a number from 0 to 2")
        assert "Esc takes it back." in field.note
        await run.pilot.press("backspace", "1")
        await close(run)
        assert run.chat.options == TurnOptions(temperature=1.0, max_output=2_000)


async def test_what_was_not_left_yet_is_kept_too(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        dialog = await open_options(run)
        dialog.query_one("#option-temperature").focus()
        await run.pilot.pause()
        await run.type("0.5")
        await close(run)
        assert run.chat.options == TurnOptions(temperature=0.5)


async def test_a_name_that_is_too_long_is_refused_as_it_is_typed(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        dialog = await open_options(run)
        dialog.query_one("#option-prompt", TextArea).text = "Rhyme."
        await run.type("x" * (MOST_NAME + 1), "enter")
        note = dialog.query_one("#option-persona", CheckedField).note
        assert note == f"That is too long: the most is {MOST_NAME} characters."


async def test_no_system_prompt_at_all(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.services.settings.set("system_prompt", "Be brief.")
        await open_options(run)
        await run.type("none", "enter")
        await close(run)
        assert run.chat.options == TurnOptions(system_prompt="")
        assert "no system prompt" in run.screen_text()


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("persona", "Nobody", "first write what a new one says"),
        ("temperature", "9", "Enter a number from 0 to 2"),
        ("output", "many", "Enter a number without words"),
        ("effort", "huge", "choose from none, minimal"),
    ],
)
async def test_a_wrong_value_is_said_and_not_taken(tmp_path: Path, field: str, text: str, says: str) -> None:
    async with running(tmp_path) as run:
        dialog = await open_options(run)
        await enter(run, dialog, field, text)
        assert says in dialog.query_one(f"#option-{field}", CheckedField).note
        await run.pilot.press("escape")
        await close(run)
        assert run.chat.options == TurnOptions()


@pytest.mark.parametrize("size", [WIDE, SMALL, (60, 20), (40, 12)])
async def test_everything_fits(tmp_path: Path, size: tuple[int, int]) -> None:
    async with running(tmp_path, size=size) as run:
        dialog = await open_options(run)
        frame = dialog.query_one(".dialog")
        for field in dialog.query(CheckedField):
            assert frame.region.contains_region(field.region)
            assert field.region.bottom <= size[1]


@pytest.mark.parametrize("size", [(60, 20), (40, 12)])
async def test_every_note_is_read_whole_in_little_room(tmp_path: Path, size: tuple[int, int]) -> None:
    async with running(tmp_path, size, {"OPENAI_API_KEY": "sk-proj-host0123456789abcdefa91f"}) as run:
        dialog = await open_options(run)
        dialog.query_one("#option-output").focus()
        await run.pilot.pause()
        words = " ".join(run.screen_text().replace("│", " ").split())
        for note in ("as in Settings", "A name keeps the prompt below.", "0 to 2", "tokens"):
            assert note in words
        assert "more effort costs more" in words


async def test_what_is_wrong_is_in_view_in_the_least_room(tmp_path: Path) -> None:
    async with running(tmp_path, size=(40, 12)) as run:
        dialog = await open_options(run)
        dialog.query_one("#option-prompt", TextArea).text = "Be brief.\n" * 5
        await enter(run, dialog, "effort", "huge")
        await run.pilot.pause()
        words = " ".join(run.screen_text().replace("│", " ").split())
        assert "choose from" in words.lower()
        field = dialog.query_one("#option-effort", CheckedField)
        assert dialog.query_one("#options-body").region.contains_region(field.region)


async def test_the_arrows_lead_through_the_fields(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        dialog = await open_options(run)
        dialog.query_one("#option-temperature").focus()
        await run.pilot.pause()
        await run.pilot.press("down")
        assert run.app.focused is not None
        assert run.app.focused.id == "option-output"
        await run.pilot.press("up", "up")
        assert run.app.focused.id == "option-prompt"
