"""The record-by-record reader and writer agree with `json` on every file."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.storage.parser import parse_tables
from tui.storage.rows import (
    BLOCK_BYTES,
    RUN_CHARACTERS,
    RUN_ROWS,
    Row,
    Rows,
    Tables,
    encode_document,
    encode_tables,
    rows_of,
)

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_DOCUMENTS = st.dictionaries(st.text(), _VALUES, max_size=4)
_IDS = st.integers(1, 10_000).map(str)
_FILES = st.dictionaries(st.text(), st.dictionaries(_IDS, _DOCUMENTS, max_size=5), max_size=4)


def _parse(content: bytes, previous: Tables | None = None, size: int = 1 << 20) -> Tables:
    return parse_tables([content[at : at + size] for at in range(0, len(content), size)], previous)


def _encoded(tables: Tables, previous: Tables | None = None) -> bytes:
    return b"".join(encode_tables(tables, previous))


def _written(data: dict[str, dict[str, Any]]) -> Tables:
    """The state of a process that wrote it."""
    tables = {name: rows_of(documents) for name, documents in data.items()}
    _encoded(tables)
    return tables


def _plain(tables: dict[str, Rows]) -> dict[str, dict[str, Any]]:
    return {
        name: {str(key): row.document() for key, row in rows.by_id.items()} for name, rows in tables.items()
    }


@settings(max_examples=40)
@given(_FILES)
def test_the_text_is_what_dumps_makes_of_the_whole(data: dict[str, dict[str, Any]]) -> None:
    tables = {name: rows_of(documents) for name, documents in data.items()}

    assert _encoded(tables) == json.dumps(data).encode("ascii")


@settings(max_examples=40)
@given(_FILES, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_any_layout_of_the_same_json_is_read(
    data: dict[str, dict[str, Any]], indent: int | str | None, ascii_only: bool
) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    tables = _parse(text.encode("utf-8", "surrogatepass") if ascii_only else text.encode())

    assert _plain(tables) == data
    assert _encoded(tables).isascii()
    assert json.loads(_encoded(tables)) == data


@settings(max_examples=40)
@given(_FILES, st.sampled_from([None, 2]), st.integers(1, 50))
def test_the_size_of_the_pieces_read_changes_nothing(
    data: dict[str, dict[str, Any]], indent: int | None, size: int
) -> None:
    content = json.dumps(data, indent=indent).encode()

    assert _plain(_parse(content, size=size)) == data
    assert _plain(_parse(content, _written(data), size)) == data


@settings(max_examples=40)
@given(st.text(st.characters(codec="utf-8"), min_size=1), st.integers(1, 5))
def test_a_character_may_be_cut_by_the_pieces(text: str, size: int) -> None:
    data = {"a": {"1": {"x": text}}}

    assert _plain(_parse(json.dumps(data, ensure_ascii=False).encode(), size=size)) == data


@settings(max_examples=40)
@given(_FILES, _FILES, st.integers(1, 200))
def test_reading_over_a_written_state_gives_the_later(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]], size: int
) -> None:
    assert _plain(_parse(json.dumps(after).encode(), _written(before), size)) == after


@settings(max_examples=40)
@given(_FILES, _FILES)
def test_reading_over_an_earlier_state_gives_the_later(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]
) -> None:
    earlier = _parse(json.dumps(before).encode())

    assert _plain(_parse(json.dumps(after).encode(), earlier)) == after


def test_untouched_rows_are_the_very_same_objects() -> None:
    earlier = _parse(b'{"a": {"1": {"x": 1}, "2": {"x": 2}}, "b": {"1": {"y": 1}}}')
    later = _parse(b'{"a": {"1": {"x": 1}, "2": {"x": 20}}, "b": {"1": {"y": 1}}}', earlier)

    assert later["a"].by_id[1] is earlier["a"].by_id[1]
    assert later["a"].by_id[2] is not earlier["a"].by_id[2]
    assert later["b"] is earlier["b"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  \n",
        b"\0" * 64,
        b"null",
        b"[]",
        b'{"a": 5}',
        b'{"a": {"1": 5}}',
        b'{"a": {"x": {}}}',
        b'{"a": {"-1": {}}}',
        b'{"a": {"1": {}}',
        b'{"a": {"1": {"x": NaN}}}',
        b'{"a": {"1": {"x": Infinity}}}',
        b'{"a": {"1": {}}} and more',
        b'{"a": {"1": {"x": "\xff"}}}',
        b'{"a": {"1": {"x": ' + b"[" * 20_000,
        b'{"a": {"1": {"x": 1}}, }',
    ],
)
def test_what_is_not_a_tinydb_file_is_refused(content: bytes) -> None:
    for size in (1 << 20, 3):
        with pytest.raises(ValueError, match=r"^it "):
            _parse(content, size=size)


@settings(max_examples=40)
@given(_FILES.filter(bool), st.data())
def test_every_cut_is_noticed(data: dict[str, dict[str, Any]], draw: st.DataObject) -> None:
    content = json.dumps(data).encode()
    length = draw.draw(st.integers(0, len(content) - 1))

    with pytest.raises(ValueError, match=r"^it "):
        _parse(content[:length])


def test_numbers_that_json_has_no_form_for_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        rows_of({"1": {"x": float("nan")}})


def _table(numbers: Iterable[int], words: str = "word " * 20) -> Rows:
    return rows_of({str(number): {"number": number, "text": words} for number in numbers})


def _with(rows: Rows, **changes: int) -> Rows:
    changed = {int(key[1:]): Row(encode_document({"number": value})) for key, value in changes.items()}
    return Rows({**rows.by_id, **changed})


def _without(rows: Rows, *doc_ids: int) -> Rows:
    return Rows({doc_id: row for doc_id, row in rows.by_id.items() if doc_id not in doc_ids})


def _encoded_again(before: Rows, after: Rows) -> int:
    """How many rows a save of `after` encodes, with `before` on disk; the text is proved on the way."""
    _encoded({"table": before})
    content = _encoded({"table": after}, {"table": before})
    assert content == json.dumps(_plain({"table": after})).encode()
    kept = {id(run) for run in before.encoded_runs}
    return sum(len(run.rows) for run in after.encoded_runs if id(run) not in kept)


@pytest.mark.parametrize("place", [1, 5_000, 10_000])
def test_a_changed_row_costs_its_run(place: int) -> None:
    rows = _table(range(1, 10_001))

    assert _encoded_again(rows, _with(rows, **{f"_{place}": 0})) <= RUN_ROWS


def test_added_rows_cost_one_run_and_stay_in_few_runs() -> None:
    rows = _table(range(1, 1_001))
    for number in range(1_001, 1_201):
        after = _with(rows, **{f"_{number}": number})
        assert _encoded_again(rows, after) <= RUN_ROWS
        rows = after

    assert len(rows.encoded_runs) < 1_200 / RUN_ROWS + 2


def test_removed_rows_cost_the_runs_that_they_stood_in() -> None:
    rows = _table(range(1, 1_001))

    assert _encoded_again(rows, _without(rows, *range(1, 101))) <= RUN_ROWS
    assert _encoded_again(rows, _without(rows, 1, 500)) <= 2 * RUN_ROWS
    assert _encoded_again(rows, _without(rows, *range(1, 1_001))) == 0


def test_a_run_of_long_documents_is_short() -> None:
    rows = _table(range(1, 101), words="x" * 20_000)
    _encoded({"table": rows})

    assert max(len(run.text) for run in rows.encoded_runs) < RUN_CHARACTERS + 21_000


def test_what_another_process_changed_is_all_that_is_parsed() -> None:
    before = _table(range(1, 1_001))
    _encoded({"table": before})
    content = _encoded({"table": _with(before, _500=0)})

    after = _parse(content, {"table": before}, size=5_000)["table"]

    kept = {id(row) for row in before.by_id.values()}
    assert [doc_id for doc_id, row in after.by_id.items() if id(row) not in kept] == [500]
    runs = {id(run) for run in before.encoded_runs}
    assert [run.keys[0] <= 500 <= run.keys[-1] for run in after.encoded_runs if id(run) not in runs] == [True]


def test_a_file_is_written_in_blocks_that_are_joined_at_once() -> None:
    tables = {"table": _table(range(1, 2_001), words="x" * 2_000)}
    blocks = list(encode_tables(tables))

    assert max(map(len, blocks)) < 2 * BLOCK_BYTES
    assert len(blocks) == 4
