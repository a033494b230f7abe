"""Frozen records beside `dataclass(frozen=True, slots=True)`: what one does, the other does."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, astuple, dataclass, field, fields, is_dataclass, replace
from inspect import signature
from typing import Any

import pytest

from tui.core.frozen import frozen


@frozen
class Light:
    """A record of the light kind."""

    name: str
    parts: list[int] = field(default_factory=list)
    secret: str | None = field(default=None, repr=False)
    size: int = 3

    @property
    def double(self) -> int:
        return self.size * 2


@dataclass(frozen=True, slots=True)
class Standard:
    """The same, made by `dataclass`."""

    name: str
    parts: list[int] = field(default_factory=list)
    secret: str | None = field(default=None, repr=False)
    size: int = 3

    @property
    def double(self) -> int:
        return self.size * 2


@frozen
class Single:
    """One field, which is no tuple when it is taken out."""

    value: object


@frozen
class Empty:
    """No field at all."""


both = pytest.mark.parametrize("kind", [Light, Standard])


@both
@pytest.mark.parametrize(
    "use",
    [
        lambda kind: repr(kind("a", [1], "hidden")).replace(kind.__name__, ""),
        lambda kind: [each.name for each in fields(kind)],
        lambda kind: list(signature(kind).parameters),
        lambda kind: asdict(kind("a", [1])),
        lambda kind: astuple(replace(kind("a", [1]), size=5)),
        lambda kind: kind("a").double,
        lambda kind: kind.__match_args__,
        lambda kind: kind.__slots__,
        lambda kind: hasattr(kind("a"), "__dict__"),
        lambda kind: astuple(kind(size=4, name="b")),
        lambda kind: (kind.__dataclass_params__.frozen, is_dataclass(kind)),
    ],
)
def test_gives_what_a_dataclass_gives(kind: type, use: Callable[[Any], object]) -> None:
    assert use(kind) == use(Standard)


@both
def test_refuses_changes(kind: Any) -> None:
    record = kind("a")
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'size'"):
        record.size = 4
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'size'"):
        del record.size
    assert record.size == 3


@both
def test_refuses_wrong_arguments(kind: Any) -> None:
    for arguments in ({}, {"name": "a", "other": 1}):
        with pytest.raises(TypeError, match=f"{kind.__name__}.__init__"):
            kind(**arguments)


@both
def test_is_copied_and_pickled(kind: Any) -> None:
    record = kind("a", [1], "s", 4)
    assert pickle.loads(pickle.dumps(record)) == record
    deep = copy.deepcopy(record)
    assert deep == record
    assert deep.parts is not record.parts


@both
def test_makes_a_default_for_each(kind: Any) -> None:
    assert kind("a").parts == []
    assert kind("a").parts is not kind("a").parts


def test_is_equal_and_hashed_by_class_and_fields() -> None:
    assert Light("a") == Light("a")
    assert Light("a") != Light("b")
    other: object = Single("a")
    assert Light("a") != other
    assert Single(1) == Single(1)
    assert Single((1, 2)) != Single((2, 1))
    assert Empty() == Empty()
    assert hash(Single("x")) == hash(Single("x"))
    assert {Single(1), Single(1), Empty(), Empty()} == {Single(1), Empty()}
    with pytest.raises(TypeError, match="unhashable"):
        hash(Light("a"))


def test_matches_by_position() -> None:
    match Light("a", [1]):
        case Light(name, [first]):
            assert (name, first) == ("a", 1)
        case _:
            pytest.fail("A record did not match its own pattern.")
