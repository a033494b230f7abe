"""The record-by-record reader and writer agree with `json` on every file."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.storage.rows import Rows, encode_tables, parse_tables, rows_of

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_DOCUMENTS = st.dictionaries(st.text(), _VALUES, max_size=4)
_IDS = st.integers(1, 10_000).map(str)
_FILES = st.dictionaries(st.text(), st.dictionaries(_IDS, _DOCUMENTS, max_size=5), max_size=4)


def _plain(tables: dict[str, Rows]) -> dict[str, dict[str, Any]]:
    return {
        name: {str(key): row.document() for key, row in rows.by_id.items()} for name, rows in tables.items()
    }


@settings(max_examples=40)
@given(_FILES)
def test_the_text_is_what_dumps_makes_of_the_whole(data: dict[str, dict[str, Any]]) -> None:
    tables = {name: rows_of(documents) for name, documents in data.items()}

    assert encode_tables(tables) == json.dumps(data).encode("ascii")


@settings(max_examples=40)
@given(_FILES, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_any_layout_of_the_same_json_is_read(
    data: dict[str, dict[str, Any]], indent: int | str | None, ascii_only: bool
) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    tables = parse_tables(text.encode("utf-8", "surrogatepass") if ascii_only else text.encode())

    assert _plain(tables) == data
    assert encode_tables(tables).isascii()
    assert json.loads(encode_tables(tables)) == data


@settings(max_examples=40)
@given(_FILES, _FILES)
def test_reading_over_an_earlier_state_gives_the_later(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]
) -> None:
    earlier = parse_tables(json.dumps(before).encode())

    assert _plain(parse_tables(json.dumps(after).encode(), earlier)) == after


def test_untouched_rows_are_the_very_same_objects() -> None:
    earlier = parse_tables(b'{"a": {"1": {"x": 1}, "2": {"x": 2}}, "b": {"1": {"y": 1}}}')
    later = parse_tables(b'{"a": {"1": {"x": 1}, "2": {"x": 20}}, "b": {"1": {"y": 1}}}', earlier)

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
    with pytest.raises(ValueError, match=r"^it "):
        parse_tables(content)


@settings(max_examples=40)
@given(_FILES.filter(bool), st.data())
def test_every_cut_is_noticed(data: dict[str, dict[str, Any]], draw: st.DataObject) -> None:
    content = json.dumps(data).encode()
    length = draw.draw(st.integers(0, len(content) - 1))

    with pytest.raises(ValueError, match=r"^it "):
        parse_tables(content[:length])


def test_numbers_that_json_has_no_form_for_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        rows_of({"1": {"x": float("nan")}})
