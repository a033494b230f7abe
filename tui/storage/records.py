"""Typed records as JSON documents, and back with every field checked.

A reader and a writer are compiled from a dataclass's annotations when it is first met. A field that is absent
takes its default; one that the class does not know is handed back, so that the store can keep it.
"""

import math
import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Any, Generic, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from tui.core.frozen import SPARSE

R = TypeVar("R")

_Convert = Callable[[Any], Any]
_PLAIN = (str, int, bool)
_ABSENT = object()


class FieldProblemError(ValueError):
    """A field that is not what the schema says.

    Args:
        field: Its dotted path in the record.
        problem: What is wrong with it.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"field {field!r}: {problem}")
        self.field = field
        self.problem = problem

    def inside(self, outer: str) -> "FieldProblemError":
        """The same problem, seen from the record around it."""
        return FieldProblemError(f"{outer}.{self.field}" if self.field else outer, self.problem)


class Codec(Generic[R]):
    """Reads and writes the records of one dataclass. Use `codec()`, which makes each only once."""

    def __init__(self, record_type: type[R]) -> None:
        hints = get_type_hints(record_type)
        self._type = record_type
        self._plan = [_Plan(field, hints[field.name]) for field in fields(record_type)]  # type: ignore[arg-type]
        self._names = frozenset(plan.name for plan in self._plan)
        self._reading = [(plan.name, plan.plain, plan) for plan in self._plan]

    def decode(self, document: object) -> R:
        """The record of a document.

        Raises:
            FieldProblemError: A field is missing or is not what the class says.
        """
        if type(document) is not dict:
            raise FieldProblemError("", f"{_shown(document)} is not an object")
        values = {}
        for name, plain, plan in self._reading:
            value = document.get(name, _ABSENT)
            if type(value) in plain:
                values[name] = value
            elif value is not _ABSENT:
                values[name] = _convert(plan, value)
            elif plan.required:
                raise FieldProblemError(name, "it is missing")
        return self._type(**values)

    def encode(self, record: R) -> dict[str, Any]:
        """The document of a record.

        Raises:
            ValueError: A time without a zone, or a number that JSON has no form for.
        """
        document = {}
        for plan in self._plan:
            value = getattr(record, plan.name)
            if plan.sparse and value == plan.default:
                continue
            document[plan.name] = value if value is None or plan.write is None else plan.write(value)
        return document

    def unknown(self, document: Mapping[str, Any]) -> dict[str, Any] | None:
        """The document's own fields that the class does not know; None where there are none."""
        if document.keys() <= self._names:
            return None
        return {name: value for name, value in document.items() if name not in self._names}


@cache
def _made(record_type: Hashable) -> Codec[Any]:
    return Codec(cast(type, record_type))


def codec(record_type: type[R]) -> Codec[R]:
    """The codec of a dataclass."""
    return _made(cast(Hashable, record_type))


class _Plan:
    """How one field is read and written."""

    __slots__ = ("default", "name", "plain", "read", "required", "sparse", "write")

    def __init__(self, field: Field[Any], hint: Any) -> None:
        self.name = field.name
        self.default = field.default
        self.sparse = bool(field.metadata.get(SPARSE))
        self.required = field.default is MISSING and field.default_factory is MISSING
        hint, optional = _without_none(hint)
        self.plain = frozenset(((hint,) if hint in _PLAIN else ()) + ((type(None),) if optional else ()))
        self.read = _reader(hint)
        self.write = _writer(hint)


def _convert(plan: _Plan, value: object) -> object:
    try:
        return plan.read(value)
    except FieldProblemError as error:
        raise error.inside(plan.name) from None
    except (ValueError, TypeError, KeyError, OverflowError):
        raise FieldProblemError(plan.name, f"{_shown(value)} is not allowed there") from None


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    rest = [part for part in get_args(hint) if part is not type(None)]
    if len(rest) != 1:
        raise TypeError(f"A stored field has one type, or one and None: {hint}")
    return rest[0], True


def _reader(hint: Any) -> _Convert:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple and arguments[1:] == (...,):
        return _read_tuple(_optional_reader(arguments[0]))
    if origin is dict and arguments[0] is str:
        return _read_dict(_optional_reader(arguments[1]))
    if hint in _READERS:
        return _READERS[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint._value2member_map_.__getitem__
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda value: codec(hint).decode(value)
    raise TypeError(f"There is no stored form for {hint}")


def _optional_reader(hint: Any) -> _Convert:
    hint, optional = _without_none(hint)
    read = _reader(hint)
    return (lambda value: None if value is None else read(value)) if optional else read


def _read_tuple(read: _Convert) -> _Convert:
    def convert(value: object) -> tuple[Any, ...]:
        if type(value) is not list:
            raise TypeError
        return tuple([_at(str(index), read, item) for index, item in enumerate(value)])

    return convert


def _read_dict(read: _Convert) -> _Convert:
    def convert(value: object) -> dict[str, Any]:
        if type(value) is not dict:
            raise TypeError
        return {key: _at(key, read, item) for key, item in value.items()}

    return convert


def _at(place: str, read: _Convert, item: object) -> object:
    try:
        return read(item)
    except FieldProblemError as error:
        raise error.inside(place) from None
    except (ValueError, TypeError, KeyError, OverflowError):
        raise FieldProblemError(place, f"{_shown(item)} is not allowed there") from None


def _read_exactly(kind: type) -> _Convert:
    def convert(value: object) -> object:
        if type(value) is not kind:
            raise TypeError
        return value

    return convert


def _read_float(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise TypeError
    return float(value)  # type: ignore[arg-type]


def _read_datetime(value: object) -> datetime:
    if type(value) is not str:
        raise TypeError
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise FieldProblemError("", f"{value!r} has no time zone")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _read_date(value: object) -> date:
    if type(value) is not str or len(value) != 10:
        raise TypeError
    return date.fromisoformat(value)


_READERS: dict[Any, _Convert] = {
    str: _read_exactly(str),
    int: _read_exactly(int),
    bool: _read_exactly(bool),
    float: _read_float,
    datetime: _read_datetime,
    date: _read_date,
}


def _writer(hint: Any) -> _Convert | None:
    """How a value is written; None where it is JSON as it is."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        write = _item_writer(arguments[0])
        return lambda value: [write(item) for item in value]
    if origin is dict:
        write = _item_writer(arguments[1])
        return lambda value: {key: write(item) for key, item in value.items()}
    if hint is datetime:
        return _write_datetime
    if hint is date:
        return date.isoformat
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda value: value.value
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda value: codec(hint).encode(value)
    return None


def _item_writer(hint: Any) -> _Convert:
    write = _writer(_without_none(hint)[0])
    return lambda value: value if value is None or write is None else write(value)


def _write_datetime(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"A stored time needs a time zone: {value}")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}\u2026"
