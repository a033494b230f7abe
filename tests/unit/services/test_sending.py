"""What a provider is sent of a conversation with files in it."""

from dataclasses import replace

import pytest

from tests.support.files import pdf, png
from tests.support.memory_store import MemoryStore
from tests.support.session import START
from tui.core.chat import AttachedData, Attachment, AttachmentKind, Message, Role
from tui.core.errors import InvalidValueError
from tui.providers import tokens
from tui.services.history import Limits, Plan, Planner
from tui.services.sending import MOST_BYTES, refusals

OPEN = Limits(max_output=100)
KINDS = {
    "text/plain": AttachmentKind.TEXT,
    "image/png": AttachmentKind.IMAGE,
    "application/pdf": AttachmentKind.PDF,
}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


async def attached(store: MemoryStore, name: str, data: bytes, media_type: str = "text/plain") -> Attachment:
    digest = await store.keep_attachment(data)
    return Attachment(name, name, KINDS[media_type], media_type, len(data), digest, 5)


def prompt(number: int, text: str, *files: Attachment) -> Message:
    return Message(f"m{number}", Role.USER, text, START, attachments=files)


def plan(
    store: MemoryStore,
    branch: list[Message],
    limits: Limits = OPEN,
    to: tuple[str, str] = ("openai", "gpt-4o"),
) -> Plan:
    return Planner(store.load_attachment).plan(branch, "", *to, limits)


async def test_text_files_become_text_and_others_go_beside_it(store: MemoryStore) -> None:
    notes = await attached(store, 'my "notes".txt', b"\xef\xbb\xbfBuy milk.")
    cat = await attached(store, "cat.png", png(1024, 1024), "image/png")
    made = plan(store, [prompt(1, "What of these?", notes, cat)])
    [sent] = made.messages
    assert sent.text == "<file name=\"my 'notes'.txt\">\nBuy milk.\n</file>\n\nWhat of these?"
    assert sent.attachments == (AttachedData("cat.png", AttachmentKind.IMAGE, "image/png", png(1024, 1024)),)
    assert made.input_estimate == tokens.estimate_input(made.messages, "gpt-4o", "openai")
    assert made.input_estimate > 765


async def test_a_prompt_may_be_its_files_alone(store: MemoryStore) -> None:
    cat = await attached(store, "cat.png", png(), "image/png")
    [sent] = plan(store, [prompt(1, "", cat)]).messages
    assert (sent.text, len(sent.attachments)) == ("", 1)


async def test_files_are_trimmed_with_their_message(store: MemoryStore) -> None:
    cat = await attached(store, "cat.png", png(1024, 1024), "image/png")
    branch = [
        prompt(1, "What is this?", cat),
        Message("m2", Role.ASSISTANT, "A cat.", START),
        prompt(3, "Which?"),
    ]
    whole = plan(store, branch)
    assert (len(whole.messages), whole.sent_from) == (3, None)
    trimmed = plan(store, branch, replace(OPEN, context=whole.input_estimate - 1 + 100))
    assert (len(trimmed.messages), trimmed.sent_from) == (1, "m3")
    assert trimmed.input_estimate < 100


async def test_no_request_carries_more_bytes_than_providers_take(store: MemoryStore) -> None:
    large = replace(await attached(store, "a.png", png(), "image/png"), size=MOST_BYTES // 2)
    branch = [
        prompt(1, "One", large, large),
        prompt(2, "Two", large),
        prompt(3, "Three", large),
    ]
    assert [message.text for message in plan(store, branch).messages] == ["Two", "Three"]
    assert "take one off" in refusals([large, large, large], "openai", "gpt-4o")


async def test_what_is_gone_or_not_taken_leaves_a_line_in_its_place(store: MemoryStore) -> None:
    notes = await attached(store, "notes.txt", b"Buy milk.")
    paper = await attached(store, "paper.pdf", pdf(1), "application/pdf")
    branch = [prompt(1, "See these.", notes, paper), prompt(2, "Well?")]
    store.attachments.pop(notes.digest)
    first = plan(store, branch, to=("demo", "demo")).messages[0]
    assert first.text == (
        "[The attached file notes.txt can't be shown to you.]\n\n"
        "[The attached file paper.pdf can't be shown to you.]\n\nSee these."
    )
    assert first.attachments == ()


async def test_a_prompt_s_own_files_must_be_taken(store: MemoryStore) -> None:
    paper = await attached(store, "paper.pdf", pdf(1), "application/pdf")
    with pytest.raises(InvalidValueError, match=r"paper\.pdf can't be sent to Demo: the demo takes no PDFs"):
        plan(store, [prompt(1, "See.", paper)], to=("demo", "demo"))
