"""Drafts in the app: each conversation has its own, and they survive its end."""

from pathlib import Path

from tests.ui.app_harness import Running, running
from tui.core.chat import Role


async def rested(run: Running, *texts: str) -> None:
    """Wait until these are the drafts on disk."""
    await run.until(lambda: sorted(d.text for _, d in run.services.store.view.drafts) == sorted(texts))


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
