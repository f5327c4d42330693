"""What the tests of moves share: the fixes of a text, the text after them, and what a program does when it is run."""

from __future__ import annotations

import ast
import functools
import os
import sys
import types
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from keyguard.findings import Speaker
from keyguard.fixer import compatible, edited
from keyguard.model import Safety
from keyguard.moving import CodeStyle, style_of, with_fixes
from keyguard.naming import Naming
from keyguard.python.facts import PythonFacts, read_module
from keyguard.secrets.placeholders import public_prefix
from keyguard.settings import Settings
from tests.keys import fill
from tests.python.made import CHECKS, loaded, source

if TYPE_CHECKING:
    from keyguard.model import Fix, Hit

_ROUNDS = 6


class Moved(NamedTuple):
    """A text after all its fixes: `fixes` are those of the first look, `left` those that cannot be applied."""

    text: str
    fixes: tuple[Fix, ...]
    left: tuple[Fix, ...]
    moves: dict[str, str]

    @property
    def safety(self) -> str:
        """The least safe of the fixes."""
        return min(fix.safety for fix in self.fixes).label


@functools.cache
def style(form: str = "os.environ") -> CodeStyle:
    """A code style by its name."""
    return style_of(Settings(root="/projects/app", code_style=form), loaded())


def hits_of(text: str, path: str, naming: Naming, form: str = "os.environ") -> tuple[PythonFacts | None, list[Hit]]:
    """The hits of KG101 to KG105 on a text, with their fixes."""
    found = read_module(source(text, path), loaded())
    assert isinstance(found, PythonFacts), found
    hits = [hit for check in CHECKS for hit in check.check(found)]
    return found, with_fixes(found, hits, naming, style(form))


def worded(hit: Hit, found: PythonFacts, lang: str = "en") -> Fix:
    """The fix of a hit with its title in words."""
    fix = Speaker(loaded(), lang, keeps_moves=True).finding(hit, found.source, found.source.path, {}).fix
    assert fix is not None, "an edit shows the key"
    return fix


def moved(text: str, *, form: str = "os.environ", path: str = "app.py", least: Safety = Safety.UNSAFE) -> Moved:
    """Fix a text whose placeholders are filled, round after round."""
    text = fill(text)
    naming = Naming(loaded())
    first: tuple[Fix, ...] = ()
    moves: dict[str, str] = {}
    for number in range(_ROUNDS):
        found, hits = hits_of(text, path, naming, form)
        assert found is not None
        fixes = [worded(hit, found) for hit in hits if hit.fix is not None]
        for fix in fixes:
            no_key_is_copied(fix, found)
        first = first if number else tuple(fixes)
        wanted = [fix for fix in fixes if fix.edits and fix.safety >= least]
        chosen = [wanted[index] for index in compatible(wanted)]
        if not chosen:
            return Moved(text, first, tuple(fix for fix in fixes if fix not in wanted), moves)
        for fix in chosen:
            moves.update((move.name, move.secret.value) for move in fix.moves)
        text = edited(text, [edit for fix in chosen for edit in fix.edits])
        ast.parse(text)
    msg = f"the fixes of a text do not end: {[fix.title for fix in first]}"
    raise AssertionError(msg)


def no_key_is_copied(fix: Fix, found: PythonFacts) -> None:
    """No edit holds a key, nor a piece of one longer than the prefix that all keys of its kind share."""
    for key in found.keys:
        shape = key.match.shape if key.match is not None else None
        prefix = public_prefix(key.value, shape)
        size = max(len(prefix), 7) + 1
        pieces = {key.value[at : at + size] for at in range(len(key.value) - size + 1)}
        pieces |= {piece[::-1] for piece in pieces}
        for edit in fix.edits:
            assert not any(piece in edit.text for piece in pieces), f"an edit of {fix.title!r} holds a key"


class Recorder:
    """Notes what a program hands to `sink`, and to the clients of made-up SDKs."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.seen: list[Any] = []

    def sink(self, *given: object, **named: object) -> object:
        """Note what arrives, and give the first of it back."""
        self.seen.append((given, tuple(sorted(named.items()))))
        return given[0] if given else None


def _modules(recorder: Recorder) -> dict[str, types.ModuleType]:
    """SDKs whose clients note what they are given."""
    made = {}
    for module, names in {
        "openai": ("OpenAI", "AsyncOpenAI"),
        "anthropic": ("Anthropic",),
        "groq": ("Groq",),
        "requests": ("get", "post"),
    }.items():
        made[module] = types.ModuleType(module)
        for name in names:
            setattr(made[module], name, functools.partial(recorder.sink, f"{module}.{name}"))
    return made


def run(text: str, variables: dict[str, str], arguments: tuple[str, ...] = ()) -> list[Any]:
    """What a program does: what it hands over, and in the end the variables that it asks for or has set."""
    recorder = Recorder()
    name = "a_program_under_test"
    module = types.ModuleType(name)
    module.__dict__.update(sink=recorder.sink)
    kept = {key: value for key, value in os.environ.items() if not key.endswith(("KEY", "TOKEN", "AUTH"))}
    with (
        mock.patch.dict(os.environ, {**kept, **variables}, clear=True),
        mock.patch.dict(sys.modules, {**_modules(recorder), name: module}),
        mock.patch.object(sys, "argv", ["app.py", *arguments]),
    ):
        exec(compile(text, "<program>", "exec", dont_inherit=True), module.__dict__)  # noqa: S102  # a test's own text
    return recorder.seen
