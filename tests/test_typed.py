"""Named tuples that are made without `typing` are what `typing` makes."""

from __future__ import annotations

import pickle
import typing

import pytest

from keyguard import typed


class Ours(typed.NamedTuple):
    """A pair with a word for it."""

    first: int
    second: tuple[str, ...] = ()

    LIMIT = 3  # type: ignore[misc]  # no field, since it has no type

    @property
    def both(self) -> str:
        """Both as one text."""
        return f"{self.first} {self.second}"

    @classmethod
    def empty(cls) -> Ours:
        """A pair of nothing."""
        return cls(0)

    def __repr__(self) -> str:
        """Say what it is."""
        return "Ours"


class Theirs(typing.NamedTuple):
    """A pair with a word for it."""

    first: int
    second: tuple[str, ...] = ()


def test_a_named_tuple_is_what_typing_makes() -> None:
    assert issubclass(Ours, tuple)
    for name in ("_fields", "_field_defaults", "__match_args__", "__doc__", "__module__"):
        assert getattr(Ours, name) == getattr(Theirs, name)
    assert (Ours.__name__, Ours.__qualname__) == ("Ours", "Ours")
    assert Ours(1) == Theirs(1) == (1, ())
    assert Ours(1, ("a",))._replace(first=2)._asdict() == {"first": 2, "second": ("a",)}
    assert list(Ours.__annotations__) == ["first", "second"]


def test_what_stands_in_its_body_stands_in_it() -> None:
    assert Ours.empty().both == "0 ()"
    assert repr(Ours(1)) == "Ours"
    assert Ours.LIMIT == 3
    with pytest.raises(AttributeError):
        Ours(1).more = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        Ours(1).first = 1  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(Ours(1))) == Ours(1)  # noqa: S301  # our own bytes


class Wider(Ours):
    """Adds a method and no field."""

    def twice(self) -> int:
        """Twice the first."""
        return 2 * self.first


def test_a_class_of_one_has_its_fields() -> None:
    assert Wider(2, ("a",)).twice() == 4
    assert Wider(2)._replace(first=3) == (3, ())
    assert type(Wider(2)._replace(first=3)) is Wider


def test_wrong_fields_are_refused() -> None:
    with pytest.raises(TypeError):
        Ours(1, (), 3)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Ours()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="without a default"):

        class Wrong(typed.NamedTuple):
            first: int = 0
            second: int  # type: ignore[misc]  # what is refused
