"""Drafts in the app: each conversation has its own, and they survive its end."""

import json
import shutil
from pathlib import Path

import pytest

from tests.ui.app_harness import Running, running
from tui.core.chat import Attachment, Role


async def rested(run: Running, *texts: str) -> None:
    """Wait until these are the drafts on disk."""
    await run.until(lambda: sorted(d.text for _, d in run.services.store.view.drafts) == sorted(texts))


async def files_rested(run: Running, *expected: tuple[str, ...]) -> None:
    """Wait until these are the files of the drafts on disk."""
    await run.until(
        lambda: sorted(names(d.attachments) for _, d in run.services.store.view.drafts) == sorted(expected)
    )


def names(attached: tuple[Attachment, ...]) -> tuple[str, ...]:
    return tuple(one.name for one in attached)


async def attach(run: Running, path: Path) -> None:
    """Attach a file as a user does."""
    before = len(run.prompt.attached)
    await run.pilot.press("ctrl+o")
    await run.type(str(path), "enter")
    await run.until(lambda: len(run.prompt.attached) == before + 1)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def note(tmp_path: Path) -> Path:
    made = tmp_path / "notes" / "note.txt"
    made.parent.mkdir()
    made.write_text("Buy milk.\n")
    return made


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    made = tmp_path / "plan.md"
    made.write_text("# Plan\n")
    return made


async def test_a_draft_is_there_again_after_quitting(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.type("half a thought")
    async with running(tmp_path) as run:
        assert run.prompt.text == "half a thought"
        assert run.prompt.cursor_location == (0, 14)


async def test_a_draft_is_kept_while_the_app_runs(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.type("half a thought")
        await rested(run, "half a thought")


async def test_what_was_sent_is_no_draft(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.type("hello")
        await rested(run, "hello")
        await run.send("")
        await rested(run)
    async with running(tmp_path) as run:
        assert run.prompt.text == ""


async def test_each_conversation_has_its_own_draft(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.send("first question")
        await run.type("about the first")
        await run.pilot.press("f5")
        assert run.prompt.text == ""
        await run.type("about something else")
        await run.pilot.press("f8", "enter")
        await run.until(lambda: run.prompt.text == "about the first")
        await run.pilot.press("f5")
        assert run.prompt.text == "about something else"
        await rested(run, "about the first", "about something else")


async def test_what_is_typed_while_a_conversation_is_made_belongs_to_it(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.type("first question", "enter", *"next")
        await run.until(lambda: not run.chat.replying and run.chat.conversation is not None)
        assert run.prompt.text == "next"
        await run.pilot.press("f5")
        assert run.prompt.text == ""
        await rested(run, "next")


async def test_two_windows_keep_both_drafts(tmp_path: Path) -> None:
    async with running(tmp_path) as one, running(tmp_path) as two:
        await one.type("from one")
        await two.type("from two")
        await two.until(lambda: len(two.services.store.view.drafts) == 2)
    async with running(tmp_path) as run:
        first = run.prompt.text
        await run.send("")
        await run.pilot.press("f5")
        assert {first, run.prompt.text} == {"from one", "from two"}


async def test_prompts_behind_a_reply_are_there_again_after_quitting(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.type("/slow", "enter")
        await run.until(lambda: any(live.reply for live in run.chat.live.values()))
        await run.type("queued one", "enter", *"queued two", "enter", *"half a thought")
    async with running(tmp_path) as run:
        await run.pilot.press("f8", "enter")
        await run.until(lambda: run.chat.conversation is not None)
        assert run.prompt.text == "queued one\nqueued two\nhalf a thought"
        assert run.chat.conversation is not None
        opened = await run.services.library.open(run.chat.conversation.id)
        assert [message.text for message in opened.messages if message.role is Role.USER] == ["/slow"]


async def test_prompts_that_wait_elsewhere_are_kept_with_their_conversation(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.type("/slow", "enter")
        await run.until(lambda: any(live.reply for live in run.chat.live.values()))
        await run.type("queued", "enter", *"half", "f5")
        assert run.prompt.text == ""
        await run.type("elsewhere")
        await rested(run, "queued\nhalf", "elsewhere")
        await run.pilot.press("f8", "enter")
        await run.until(lambda: run.prompt.text == "half")
    async with running(tmp_path) as run:
        assert run.prompt.text == "elsewhere"


async def test_a_prompt_that_was_sent_as_the_app_ended_is_not_lost(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.type("first question")
        run.prompt.action_submit()
        run.app.exit()
    async with running(tmp_path) as run:
        listed = [await run.services.library.open(each.id) for each in run.services.library.conversations()]
        sent = [message.text for opened in listed for message in opened.messages]
        drafts = [draft.text for _, draft in run.services.store.view.drafts]
        assert "first question" in [*sent, *drafts]


async def test_a_queued_prompt_is_no_draft_once_it_is_sent(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await run.type("hello", "enter", *"and then", "enter")
        await run.until(lambda: not run.chat.replying)
        assert len(await run.statuses()) == 4
        await rested(run)


async def test_the_files_of_a_draft_are_there_again_after_quitting(home: Path, note: Path) -> None:
    async with running(home) as run:
        await attach(run, note)
        await run.type("see the file")
    shutil.rmtree(note.parent)
    async with running(home) as run:
        assert run.prompt.text == "see the file"
        assert names(run.prompt.attached) == ("note.txt",)
        await run.until(lambda: "note.txt" in run.screen_text() and "10 B" in run.screen_text())
        await run.send("")
        assert "attached: note.txt · 10 B" in run.screen_text()
        assert run.chat.conversation is not None
        opened = await run.services.library.open(run.chat.conversation.id)
        [file] = opened.messages[0].attachments
        assert run.services.store.load_attachment(file.digest) == b"Buy milk.\n"
        await rested(run)


async def test_files_without_a_text_are_a_draft_until_they_are_taken_off(home: Path, note: Path) -> None:
    async with running(home) as run:
        await attach(run, note)
        await files_rested(run, ("note.txt",))
    async with running(home) as run:
        assert (run.prompt.text, names(run.prompt.attached)) == ("", ("note.txt",))
        await run.pilot.press("backspace")
        await rested(run)
    async with running(home) as run:
        assert run.prompt.attached == ()


async def test_each_conversation_has_its_own_files(home: Path, note: Path, plan: Path) -> None:
    async with running(home) as run:
        await run.send("first question")
        await attach(run, note)
        await run.pilot.press("f5")
        assert run.prompt.attached == ()
        await attach(run, plan)
        await run.pilot.press("f8", "enter")
        await run.until(lambda: names(run.prompt.attached) == ("note.txt",))
        await run.pilot.press("f5")
        assert names(run.prompt.attached) == ("plan.md",)
        await files_rested(run, ("note.txt",), ("plan.md",))
    async with running(home) as run:
        assert names(run.prompt.attached) == ("plan.md",)
        await run.pilot.press("f8", "enter")
        await run.until(lambda: names(run.prompt.attached) == ("note.txt",))
        await run.until(lambda: "note.txt" in run.screen_text() and "plan.md" not in run.screen_text())


async def test_a_file_attached_while_a_conversation_is_made_belongs_to_it(home: Path, note: Path) -> None:
    async with running(home) as run:
        await run.type("/slow", "enter")
        await attach(run, note)
        await run.until(lambda: run.chat.conversation is not None)
        assert names(run.prompt.attached) == ("note.txt",)
        await run.pilot.press("f5")
        assert run.prompt.attached == ()
        await files_rested(run, ("note.txt",))


async def test_two_windows_keep_both_files(home: Path, note: Path, plan: Path) -> None:
    async with running(home) as one, running(home) as two:
        await attach(one, note)
        await attach(two, plan)
        await files_rested(two, ("note.txt",), ("plan.md",))
    async with running(home) as run:
        first = names(run.prompt.attached)
        await run.send("")
        await run.pilot.press("f5")
        assert {first, names(run.prompt.attached)} == {("note.txt",), ("plan.md",)}


async def test_queued_prompts_are_there_again_with_their_files(home: Path, note: Path, plan: Path) -> None:
    async with running(home) as run:
        await run.type("/slow", "enter")
        await run.until(lambda: any(live.reply for live in run.chat.live.values()))
        await attach(run, note)
        await run.type("queued", "enter")
        await attach(run, plan)
        await run.pilot.press("enter")
        await attach(run, note)
        await run.type("half a thought")
    async with running(home) as run:
        await run.pilot.press("f8", "enter")
        await run.until(lambda: run.prompt.text == "queued\nhalf a thought")
        assert names(run.prompt.attached) == ("note.txt", "plan.md")


async def test_prompts_that_wait_elsewhere_are_kept_with_their_files(home: Path, note: Path) -> None:
    async with running(home) as run:
        await run.type("/slow", "enter")
        await run.until(lambda: any(live.reply for live in run.chat.live.values()))
        await attach(run, note)
        await run.pilot.press("enter", "f5")
        assert run.prompt.attached == ()
        await files_rested(run, ("note.txt",))
        await run.pilot.press("f8", "enter")
        await run.until(lambda: run.chat.replying)
        assert run.prompt.attached == (), "It waits, and is not written any more."


async def test_a_file_that_was_sent_as_the_app_ended_is_not_lost(home: Path, note: Path) -> None:
    async with running(home) as run:
        await attach(run, note)
        run.prompt.action_submit()
        run.app.exit()
    async with running(home) as run:
        listed = [await run.services.library.open(each.id) for each in run.services.library.conversations()]
        sent = [names(message.attachments) for opened in listed for message in opened.messages]
        drafts = [names(draft.attachments) for _, draft in run.services.store.view.drafts]
        assert ("note.txt",) in [*sent, *drafts]


async def test_a_file_whose_copy_is_gone_is_said_once(home: Path, note: Path, plan: Path) -> None:
    async with running(home) as run:
        await attach(run, note)
        await attach(run, plan)
        await run.type("see the files")
    [draft] = json.loads((home / "ctroom.json").read_text(encoding="utf-8"))["drafts"].values()
    (home / "attachments" / draft["attachments"][0]["digest"]).unlink()
    async with running(home) as run:
        await run.until(lambda: names(run.prompt.attached) == ("plan.md",))
        assert [each.message for each in run.app._notifications] == [
            "The kept copy of note.txt is gone, so it is no longer attached: attach it again."
        ]
        assert run.prompt.text == "see the files"
        await files_rested(run, ("plan.md",))
    shutil.rmtree(home / "attachments")
    async with running(home) as run:
        await run.until(lambda: run.prompt.attached == ())
        assert len(run.app._notifications) == 1
        await files_rested(run, ())
    async with running(home) as run:
        await run.pilot.pause()
        assert run.prompt.text == "see the files"
        assert not run.app._notifications
