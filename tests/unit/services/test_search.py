"""Full-text search: what is found, where, in which order; and that a file is never passed over wrongly."""

import json
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.memory_store import MemoryStore
from tests.support.replay import StepClock
from tests.support.session import START
from tui.core.chat import Attachment, AttachmentKind, Message, Role, new_id
from tui.core.ports import Store
from tui.services.library import Library
from tui.services.search import HITS_SHOWN, FoundConversation, Search, SearchSlice
from tui.services.search_query import Query, fold
from tui.storage.store import JsonStore

CLOCK = StepClock()


@pytest.fixture(params=["memory", "disk"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else await JsonStore.open(tmp_path, StepClock())
    yield made
    await made.aclose()


async def converse(store: Store, *texts: str, title: str = "", user: str = "local") -> str:
    """A conversation with these messages, prompts and replies in turn."""
    library = Library(store, user, CLOCK)
    made = await library.create("demo", "demo")
    if title:
        await library.rename(made.id, title)
    parent = None
    for number, text in enumerate(texts):
        role = Role.ASSISTANT if number % 2 else Role.USER
        message = Message(new_id(), role, text, START, parent_id=parent)
        await library.save(made.id, message)
        parent = message.id
    return made.id


async def slices(store: Store, text: str) -> list[SearchSlice]:
    search = Search(Library(store, "local", StepClock()), store)
    return [found async for found in search.search(text)]


async def found(store: Store, text: str) -> list[FoundConversation]:
    return [one for part in await slices(store, text) for one in part.found]


async def test_every_word_must_be_in_the_same_message_in_any_order_and_case(store: Store) -> None:
    wanted = await converse(store, "Which tram goes to Alfama?", "Line 28E, from LISBON's centre.")
    await converse(store, "Lisbon", "A tram")
    (only,) = await found(store, "lisbon line")
    assert (only.conversation.id, only.count) == (wanted, 1)
    (hit,) = only.hits
    assert (hit.role, hit.snippet) == (Role.ASSISTANT, "Line 28E, from LISBON's centre.")
    assert [hit.snippet[first:last] for first, last in hit.marks] == ["Line", "LISBON"]
    assert hit.found == ("Line", "LISBON")
    assert await found(store, '"to alfama"') != []
    assert await found(store, '"alfama to"') == []
    assert await found(store, '  "" ') == []


async def test_the_latest_used_comes_first_and_a_title_is_enough(store: Store) -> None:
    first = await converse(store, "About boats", "Boats float")
    second = await converse(store, "Other things", title="Names for boats")
    boats = await found(store, "boats")
    assert [one.conversation.id for one in boats] == [second, first]
    assert [one.count for one in boats] == [0, 2]


async def test_only_the_users_own_and_nothing_deleted(store: Store) -> None:
    await converse(store, "a secret plan", user="sam")
    gone = await converse(store, "a secret wish")
    await Library(store, "local", StepClock()).delete(gone)
    assert await found(store, "secret") == []


async def test_all_hits_are_counted_and_the_first_are_shown_on_one_line(store: Store) -> None:
    text = "word " * 40 + "then\n\nthe \x1b[2J needle " + "and more " * 40
    await converse(store, *([text] * (HITS_SHOWN + 3)))
    (only,) = await found(store, "needle")
    assert (len(only.hits), only.count) == (HITS_SHOWN, HITS_SHOWN + 3)
    snippet = only.hits[0].snippet
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    assert "then the ␛[2J needle and" in snippet
    assert "\n" not in snippet


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Ein Café in Paris", "CAFÉ"),
        ("Ein Cafe\u0301 in Paris", "café"),
        ("Ein Café in Paris", "cafe\u0301"),
        ("Die Straße", "STRASSE"),
        ("Die STRASSE", "straße"),
        ("Привет, мир", "привет"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("你好，世界", "世界"),
        ("A 😀 face", "😀"),
        ("\u212bngstrom", "ångström"[:1]),
        ('say "hi" \\ there', "\\"),
        ("tab\tand\nline", '"tab and line"'),
        ("ﬁne print", "fine"),
        ("\u212aelvin", "kelvin"),
    ],
)
async def test_any_case_and_any_unicode_form(store: Store, text: str, wanted: str) -> None:
    await converse(store, f"Before. {text} After.")
    (only,) = await found(store, wanted)
    (hit,) = only.hits
    assert hit.marks
    assert fold(hit.found[0]).split() == fold(wanted.strip('"')).split()


@given(st.text(min_size=1, max_size=30), st.data())
def test_no_file_is_passed_over_that_has_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    piece = text[start : data.draw(st.integers(start + 1, len(text)))].replace('"', "")
    forms = (piece, piece.upper(), piece.lower(), unicodedata.normalize("NFD", piece))
    query = Query.parse(data.draw(st.sampled_from(forms)))
    if query is None or not query.is_in(text):
        return
    assert query.may_be_in(json.dumps({"text": text}).encode())
    marked = [text[first:last] for first, last in query.marks(text)]
    assert marked


def test_a_file_without_it_is_passed_over() -> None:
    raw = json.dumps({"text": "Trams in Lisbon \u2014 and elsewhere, Привет"}).encode()
    for absent in ("needle", "мама", "世界", "😀", "LISBONS"):
        query = Query.parse(absent)
        assert query is not None
        assert not query.may_be_in(raw), absent


async def test_a_damaged_file_is_counted_and_the_rest_searched(tmp_path: Path) -> None:
    store = await JsonStore.open(tmp_path, StepClock())
    whole = await converse(store, "a needle")
    broken = await converse(store, "a needle", title="Broken")
    (tmp_path / "conversations" / f"{broken}.json").write_bytes(b'{"messages": {"1": {"text": "needle"')
    parts = await slices(store, "needle")
    assert [one.conversation.id for part in parts for one in part.found] == [whole]
    assert (parts[-1].searched, parts[-1].unread) == (2, 1)
    await store.aclose()


async def test_a_long_file_is_read_in_pieces(tmp_path: Path) -> None:
    store = await JsonStore.open(tmp_path, StepClock())
    filler = "word " * 100_000
    await converse(store, filler, filler, filler + "needle in it", filler)
    (only,) = await found(store, "needle")
    assert only.count == 1
    assert "needle in it" in only.hits[0].snippet
    await store.aclose()


async def test_few_messages_among_many_and_one_with_a_file_attached_to_it(tmp_path: Path) -> None:
    store = await JsonStore.open(tmp_path, StepClock())
    made = await converse(store, *(f'Number {number}, {{"id": "x"}}' for number in range(40)))
    (only,) = await found(store, "39")
    assert [hit.snippet for hit in only.hits] == ['Number 39, {"id": "x"}']
    file = Attachment("a1", "needle.png", AttachmentKind.IMAGE, "image/png", 9, "0" * 64, 85)
    await store.save_messages(
        made, [Message("with-file", Role.USER, "What is this needle?", START, attachments=(file,))]
    )
    (only,) = await found(store, "needle")
    assert [hit.message_id for hit in only.hits] == ["with-file"]
    await store.aclose()
