"""Patterns that are made when they are first asked are those of `re`, and all of keyguard's can be made."""

from __future__ import annotations

import importlib
import pickle
import re
from pathlib import Path

import pytest

import keyguard
from keyguard import patterns

ROOT = Path(keyguard.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in ROOT.rglob("*.py")
    if path.name != "__main__.py" and "= regex(" in path.read_text("utf-8")
)


def test_a_pattern_answers_as_one_of_re() -> None:
    ours, theirs = patterns.regex("(?P<a>A)(b)?", re.IGNORECASE), re.compile("(?P<a>A)(b)?", re.IGNORECASE)
    for _ in range(2):  # when it is made, and from then on
        assert [found.span() for found in ours.finditer("xab a")] == [
            found.span() for found in theirs.finditer("xab a")
        ]
        assert ours.sub("-", "xab a") == theirs.sub("-", "xab a")
        assert ours.match("xab") is None
        assert ours.fullmatch("AB") is not None
    for name in ("pattern", "flags", "groups", "groupindex"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert pickle.loads(pickle.dumps(ours)).split("1a2") == theirs.split("1a2")  # noqa: S301  # our own bytes


def test_a_pattern_has_everything_that_re_gives() -> None:
    made = re.compile("a")
    given = {name for name in dir(made) if not name.startswith("_")} - {"scanner"}  # which re does not document
    assert given <= {name for name in given if getattr(patterns.regex("a"), name) is not None}
    with pytest.raises(AttributeError):
        patterns.regex("a").later  # type: ignore[attr-defined]  # noqa: B018  # is asked for


def test_nothing_is_made_before_it_is_asked() -> None:
    wrong = patterns.regex("(")
    with pytest.raises(re.error):
        wrong.search("")


@pytest.mark.parametrize("name", MODULES)
def test_every_pattern_can_be_made(name: str) -> None:
    held = [one for one in vars(importlib.import_module(name)).values() if type(one).__module__ == patterns.__name__]
    assert held
    for one in held:
        assert one.groups >= 0
