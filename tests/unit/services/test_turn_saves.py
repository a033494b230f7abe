"""Saving: checkpoints, what a full disk leaves, and what a killed process leaves."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.replay import Hold, Replay, StepClock, ended, talk
from tests.support.session import ManualClock
from tui.core.chat import Finish, FinishReason, Message, MessageStatus, TextDelta, UsageReport
from tui.core.errors import InvalidValueError, StorageError, StorageErrorKind
from tui.core.ports import State
from tui.core.turns import UsageProgress
from tui.core.usage import Provenance, Usage
from tui.storage.store import JsonStore

T = TypeVar("T")

WHOLE = (TextDelta("Yes."), UsageReport(Usage(20, 9)), Finish(FinishReason.STOP))


class FullDisk(MemoryStore):
    """Refuses to save messages, transactions or both, while it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses_messages: Callable[[Message], bool] = lambda message: False
        self.refuses_transactions = False
        self.saved_reply = asyncio.Event()
        self.saved_partial = asyncio.Event()

    async def transaction(self, work: Callable[[State], T]) -> T:
        if self.refuses_transactions:
            raise StorageError(StorageErrorKind.FULL, "The disk is full.")
        return await super().transaction(work)

    async def save_messages(self, conversation_id: str, messages: Sequence[Message]) -> None:
        if any(self.refuses_messages(message) for message in messages):
            raise StorageError(StorageErrorKind.FULL, "The disk is full.")
        await super().save_messages(conversation_id, messages)
        if any(message.status is MessageStatus.COMPLETE and message.model for message in messages):
            self.saved_reply.set()
        if any(message.status is MessageStatus.STREAMING for message in messages):
            self.saved_partial.set()


async def test_what_has_come_is_saved_while_it_streams() -> None:
    store, hold = FullDisk(), Hold()
    session = await talk(Replay([TextDelta("Half a"), UsageReport(Usage(20, 2)), hold, *WHOLE]), store)
    turn = asyncio.create_task(session.say())
    await store.saved_partial.wait()
    *_, partial = await store.load_messages(session.conversation.id)
    assert (partial.status, partial.text) == (MessageStatus.STREAMING, "Half a")
    hold.release.set()
    events = await turn
    assert any(isinstance(event, UsageProgress) for event in events)
    assert ended(events).charged == 29
    assert [one.status for one in await session.messages()] == [MessageStatus.COMPLETE] * 2


async def test_a_reply_that_is_silent_keeps_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.services.checkpoints.LEASE_SECONDS", 0.01)
    clock, hold = ManualClock(), Hold()
    session = await talk(Replay([hold, *WHOLE]), clock=clock)
    turn = asyncio.create_task(session.say())
    await hold.reached.wait()
    [attempt] = session.attempts
    clock.move(seconds=60)
    renewed = asyncio.Event()
    session.store.subscribe(renewed.set)
    await renewed.wait()
    assert session.attempts[0].lease_until > attempt.lease_until
    assert session.attempts[0].checkpoint is None
    hold.release.set()
    assert ended(await turn).charged == 29


async def test_a_killed_process_leaves_the_partial_reply_and_its_charge(tmp_path: Path) -> None:
    clock = ManualClock()
    store = await JsonStore.open(tmp_path / "home", clock)
    hold = Hold()
    session = await talk(
        Replay([TextDelta("Half a reply"), UsageReport(Usage(20, 3)), hold]), store, clock=clock
    )
    await session.accounting.set_purchased("openai", 100_000)
    reading = asyncio.ensure_future(session.say())
    await hold.reached.wait()
    after = await JsonStore.open(tmp_path / "home", clock)
    while not any(attempt.checkpoint for _, attempt in after.view.attempts):
        await asyncio.sleep(0)
        await after.refresh()

    later = await talk(Replay(WHOLE), after, clock=clock)
    partial = (await later.services.library.open(session.conversation.id)).messages[-1]
    assert (partial.status, partial.text) == (MessageStatus.STREAMING, "Half a reply")

    clock.move(seconds=600)
    assert await later.turns.recover() == 1
    reply = (await later.services.library.open(session.conversation.id)).messages[-1]
    assert (reply.status, reply.text) == (MessageStatus.INTERRUPTED, "Half a reply")
    assert (reply.usage, reply.provenance) == (Usage(20, 3), Provenance.ORPHANED)
    assert [row.tokens for row in later.ledger] == [23]
    later.assert_settled()
    assert await later.turns.recover() == 0

    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    await session.turns.drain()
    assert sum(row.tokens for row in session.ledger) == 23
    await store.aclose()
    await after.aclose()


async def test_a_reply_that_cannot_be_saved_is_kept_and_saved_later() -> None:
    store = FullDisk()
    store.refuses_messages = lambda message: message.status is MessageStatus.COMPLETE and bool(message.model)
    session = await talk(Replay(WHOLE), store)
    session.pauses.held = asyncio.Event()
    end = await session.reply()
    assert (end.saved, end.reply.text, end.charged) == (False, "Yes.", 29)
    assert session.turns.unsaved() == 1
    assert len(session.ledger) == 1
    assert not await session.turns.save_pending()
    store.refuses_messages = lambda message: False
    session.pauses.held.set()
    await session.turns.drain()
    assert session.turns.unsaved() == 0
    assert (await session.messages())[-1] == end.reply


async def test_saving_is_tried_again_by_itself_ever_more_slowly() -> None:
    store = FullDisk()
    tries = 0

    def refuse(message: Message) -> bool:
        nonlocal tries
        tries += message.status is MessageStatus.COMPLETE and bool(message.model)
        return bool(message.model) and tries <= 5

    store.refuses_messages = refuse
    session = await talk(Replay(WHOLE), store, checkpoint_seconds=60)
    await session.say()
    await store.saved_reply.wait()
    await session.turns.drain()
    assert session.pauses.seconds == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert (await session.messages())[-1].text == "Yes."


async def test_messages_that_wait_are_saved_in_their_order() -> None:
    store = FullDisk()
    store.refuses_messages = lambda message: bool(message.model) and message.text == "Yes."
    session = await talk(Replay(WHOLE, [TextDelta("No."), *WHOLE[1:]]), store)
    session.pauses.held = asyncio.Event()
    await session.say("First")
    assert not (await session.reply("Second")).saved
    assert session.turns.unsaved() == 3
    store.refuses_messages = lambda message: False
    assert await session.turns.save_pending()
    assert [message.text for message in await session.messages()] == ["First", "Yes.", "Second", "No."]
    await session.turns.drain()


async def test_a_prompt_after_an_unsaved_reply_is_answered_in_its_light() -> None:
    store = FullDisk()
    store.refuses_messages = lambda message: bool(message.model)
    provider = Replay(WHOLE)
    session = await talk(provider, store)
    session.pauses.held = asyncio.Event()
    await session.say("First")
    await session.say("Second")
    assert [message.text for message in provider.requests[1].messages] == ["First", "Yes.", "Second"]
    await session.turns.drain()


async def test_a_charge_that_cannot_be_recorded_is_recorded_later() -> None:
    store = FullDisk()
    hold = Hold()
    session = await talk(Replay([TextDelta("Yes."), hold, *WHOLE[1:]]), store, checkpoint_seconds=60)
    session.pauses.held = asyncio.Event()
    turn = asyncio.create_task(session.say())
    await hold.reached.wait()
    store.refuses_transactions = True
    hold.release.set()
    end = ended(await turn)
    assert (end.saved, end.charged, session.ledger) == (False, 29, [])
    store.refuses_transactions = False
    assert await session.turns.save_pending()
    assert [row.tokens for row in session.ledger] == [29]
    session.assert_settled()
    await session.turns.drain()


async def test_nothing_is_sent_when_the_hold_cannot_be_recorded() -> None:
    store = FullDisk()
    provider = Replay(WHOLE)
    session = await talk(provider, store)
    session.pauses.held = asyncio.Event()
    store.refuses_transactions = True
    end = ended(await session.say())
    assert (end.reply.status, end.reply.error, end.saved) == (
        MessageStatus.FAILED,
        "The disk is full.",
        False,
    )
    assert not provider.requests
    store.refuses_transactions = False
    assert await session.turns.save_pending()
    assert [message.text for message in await session.messages()] == ["Hello", ""]
    await session.turns.drain()


async def test_the_reply_is_saved_before_it_is_charged() -> None:
    order: list[str] = []

    class Watched(FullDisk):
        async def save_messages(self, conversation_id: str, messages: Sequence[Message]) -> None:
            await super().save_messages(conversation_id, messages)
            order.extend(message.status for message in messages if message.model)

        async def transaction(self, work: Callable[[State], T]) -> T:
            rows = len(self.view.ledger)
            result = await super().transaction(work)
            order.extend(["charged"] * (len(self.view.ledger) - rows))
            return result

    session = await talk(Replay(WHOLE), Watched(), checkpoint_seconds=60)
    await session.say()
    assert order == [MessageStatus.COMPLETE, "charged"]


async def test_a_turn_on_disk_reads_back_as_it_was(tmp_path: Path) -> None:
    clock = StepClock()
    session = await talk(Replay(WHOLE), await JsonStore.open(tmp_path / "home", clock), clock=clock)
    end = await session.reply("Is it so?")
    await session.turns.aclose()
    await session.services.aclose()
    store = await JsonStore.open(tmp_path / "home", clock)
    again = await talk(Replay(WHOLE), store, clock=clock)
    opened = await again.services.library.open(session.conversation.id)
    assert [message.text for message in opened.messages] == ["Is it so?", "Yes."]
    assert opened.messages[-1] == end.reply
    assert (opened.conversation.title, opened.conversation.message_count) == ("Is it so?", 2)
    await again.services.aclose()


async def test_closing_closes_the_connections() -> None:
    provider = Replay(WHOLE)
    session = await talk(provider)
    await session.say()
    assert not provider.closed
    await session.turns.aclose()
    assert provider.closed


async def test_a_changed_key_gets_a_connection_of_its_own() -> None:
    made: list[Replay] = []
    keys: list[str | None] = []

    def connect(kind: str, *, api_key: str | None, base_url: str | None, name: str) -> Replay:
        made.append(Replay(WHOLE))
        keys.append(api_key)
        return made[-1]

    session = await talk(Replay(WHOLE), connect=connect)
    await session.say()
    await session.say()
    assert len(made) == 1
    await session.services.keys.save_own("openai", "sk-another-0123456789", session_only=True)
    await session.services.settings.set("keys.use_custom", "true")
    made_before = len(made)
    await session.say()
    assert keys[-1] == "sk-another-0123456789"
    assert len(made) == made_before + 1
    assert made[0].closed


async def test_a_reply_to_a_conversation_that_was_removed_is_charged_and_not_saved(tmp_path: Path) -> None:
    clock, hold = ManualClock(), Hold()
    store = await JsonStore.open(tmp_path / "home", clock)
    session = await talk(
        Replay([TextDelta("Half"), UsageReport(Usage(20, 2)), hold, *WHOLE]), store, clock=clock
    )
    path = tmp_path / "home" / "conversations" / f"{session.conversation.id}.json"
    turn = asyncio.create_task(session.say())
    await hold.reached.wait()
    await session.services.library.discard(session.conversation.id)
    assert not path.exists()
    hold.release.set()
    end = ended(await turn)
    assert (end.charged, end.saved, end.reply.text) == (29, False, "HalfYes.")
    assert session.turns.unsaved() == 0
    assert not path.exists()
    session.assert_settled()
    await store.aclose()


async def test_what_is_written_while_its_conversation_is_removed_goes_with_it(tmp_path: Path) -> None:
    clock = ManualClock()
    store = await JsonStore.open(tmp_path / "home", clock)
    session = await talk(Replay(WHOLE), store, clock=clock)
    assert (await session.reply()).saved
    [prompt, reply] = await session.messages()
    library, conversation_id = session.services.library, session.conversation.id
    path = tmp_path / "home" / "conversations" / f"{conversation_id}.json"
    await library.discard(conversation_id)
    await store.save_messages(conversation_id, [reply])  # a part of it, by then too late
    with pytest.raises(InvalidValueError, match="gone"):
        await library.save(conversation_id, reply)
    assert not path.exists()
    await store.save_messages(conversation_id, [prompt, reply])
    with pytest.raises(InvalidValueError, match="gone"):
        await library.save(conversation_id, reply)
    assert path.exists(), "more than one late message is not this one's to remove"
    await store.aclose()
