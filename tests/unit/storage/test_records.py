"""Records become JSON and come back the same; what is not a record is refused by its field's name."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.storage.support import NOW, ledger_row, message
from tui.core.chat import Conversation, Message, TurnOptions
from tui.core.quota import AlertRecord, Attempt, DailyUsage, LedgerRow, OwnUsage, Pool, Purchase, Rollup
from tui.core.records import AuditEntry, Meta
from tui.core.settings import HostSettings, UserSettings
from tui.storage.parser import parse_tables
from tui.storage.records import FieldProblemError, codec
from tui.storage.rows import encode_document

_ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-3)), timezone(timedelta(hours=5, minutes=45))])
st.register_type_strategy(
    datetime, st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=_ZONES)
)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))

_STORED = [
    Meta,
    HostSettings,
    UserSettings,
    Pool,
    Purchase,
    DailyUsage,
    OwnUsage,
    Attempt,
    LedgerRow,
    Rollup,
    Conversation,
    Message,
    AlertRecord,
    AuditEntry,
]


@pytest.mark.parametrize("record_type", _STORED, ids=lambda kind: kind.__name__)
@settings(max_examples=25)
@given(data=st.data())
def test_every_stored_record_survives_the_file(record_type: type[Any], data: st.DataObject) -> None:
    record = data.draw(st.from_type(record_type))

    encoded = encode_document(codec(record_type).encode(record))
    tables = parse_tables([f'{{"table": {{"1": {encoded}}}}}'.encode("ascii")])

    assert codec(record_type).decode(tables["table"].by_id[1].parsed) == record


def test_times_are_written_in_utc_with_a_z() -> None:
    local = datetime(2026, 11, 23, 19, 0, tzinfo=timezone(timedelta(hours=-3)))

    assert codec(AuditEntry).encode(AuditEntry(local, "local", "x"))["at"] == "2026-11-23T22:00:00Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        codec(AuditEntry).encode(AuditEntry(datetime(2026, 1, 1), "local", "x"))
    with pytest.raises(FieldProblemError, match="no time zone"):
        codec(AuditEntry).decode({"at": "2026-01-01T00:00:00", "by": "local", "action": "x"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input", "100"),
        ("input", 1.5),
        ("input", True),
        ("input", None),
        ("kind", "gift"),
        ("kind", ["turn"]),
        ("date", "2026-13-01"),
        ("date", "2026-11-23T00:00:00Z"),
        ("at", 5),
        ("user", 5),
        ("suspicious", 1),
        ("cost", "free"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    document = codec(LedgerRow).encode(ledger_row(1)) | {field: value}

    with pytest.raises(FieldProblemError) as caught:
        codec(LedgerRow).decode(document)

    assert caught.value.field == field


def test_a_missing_field_is_named_and_a_default_fills_in() -> None:
    document = codec(LedgerRow).encode(ledger_row(1))
    del document["suspicious"]
    assert codec(LedgerRow).decode(document) == ledger_row(1)

    del document["tokens"]
    with pytest.raises(FieldProblemError, match=r"'tokens': it is missing"):
        codec(LedgerRow).decode(document)


def test_a_wrong_field_deep_inside_is_named_by_its_path() -> None:
    host = codec(HostSettings).encode(HostSettings()) | {"endpoints": [{"name": "a", "base_url": 5}]}
    with pytest.raises(FieldProblemError) as caught:
        codec(HostSettings).decode(host)
    assert caught.value.field == "endpoints.0.base_url"

    host = codec(HostSettings).encode(HostSettings()) | {"tiers": {"free": "lots"}}
    with pytest.raises(FieldProblemError) as caught:
        codec(HostSettings).decode(host)
    assert caught.value.field == "tiers.free"


@pytest.mark.parametrize("document", [None, [], "text", 5])
def test_what_is_no_object_is_refused(document: object) -> None:
    with pytest.raises(FieldProblemError, match="is not an object"):
        codec(Pool).decode(document)


def test_fields_of_the_future_are_handed_back() -> None:
    document = codec(Message).encode(message(1)) | {"mood": "sunny"}

    assert codec(Message).decode(document) == message(1)
    assert codec(Message).unknown(document) == {"mood": "sunny"}
    assert codec(Message).unknown(codec(Message).encode(message(1))) is None


def test_the_error_never_shows_a_whole_long_value() -> None:
    with pytest.raises(FieldProblemError) as caught:
        codec(Pool).decode({"provider": ["x" * 5000]})

    assert len(str(caught.value)) < 120


def test_a_field_without_a_stored_form_is_found_at_once() -> None:
    @dataclass(frozen=True)
    class Odd:
        either: int | str

    with pytest.raises(TypeError, match="one type, or one and None"):
        codec(Odd)


def test_days_are_plain_dates() -> None:
    usage = DailyUsage("local", "openai", date(2026, 11, 23))

    assert codec(DailyUsage).encode(usage)["date"] == "2026-11-23"
    assert NOW.date() == codec(DailyUsage).decode(codec(DailyUsage).encode(usage)).date


def test_what_most_records_do_without_is_left_out_and_comes_back() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    plain = Conversation("c", "local", "Title", at, at)
    document = codec(Conversation).encode(plain)
    assert "options" not in document
    assert codec(Conversation).decode(document) == plain
    chosen = replace(plain, options=TurnOptions(persona="Pirate"))
    assert codec(Conversation).decode(codec(Conversation).encode(chosen)) == chosen
