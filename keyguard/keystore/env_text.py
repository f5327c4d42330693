"""The text of an env file: read as python-dotenv reads it, added to without a change to any other line."""

from __future__ import annotations

import codecs
import re

from keyguard.keystore.base import StoreError
from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The grammar of python-dotenv 1.2 (`dotenv/parser.py`), which tests hold this against. Linear: a character has one way
# to be matched, and where nothing closes a quote, no other quote is left to be tried.
_BLANK = regex(r"\s*")
_SPACES = regex(r"[^\S\r\n]*")
_EXPORT = regex(r"export[^\S\r\n]+")
_KEY = regex(r"[^=#\s]+")
_QUOTED_KEY = regex(r"'([^']+)'")
_VALUES = {
    "'": (re.compile(r"'((?:\\.|[^'\\])*)'", re.DOTALL), re.compile(r"\\[\\']")),
    '"': (re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL), re.compile(r"\\[\\'\"abfnrtv]")),
}
_LINE = regex(r"[^\r\n]*")
_COMMENT = regex(r"#[^\r\n]*")
_END = regex(r"\r\n|\n|\r|$")
_BOM = "\ufeff"

# What all three readers take as it stands; `~`, `^`, `!` and `{` mean something to one shell or another.
_PLAIN = regex(r"[A-Za-z0-9_./:@%+,=-]+")
# A line that sets a variable to nothing and says nothing else: a place that waits for its value.
_WAITING = regex(r"((?:export )?[A-Za-z_][A-Za-z0-9_]*=)(?:''|\"\")?[ \t]*\r?")


class Binding(NamedTuple):
    """One variable that a file sets: its value (None without a `=`), and where it begins and ends in the text."""

    name: str
    value: str | None
    start: int
    end: int


class Placed(NamedTuple):
    """A text that holds all values that were asked for; `written` are the names that it did not hold before."""

    text: str
    written: tuple[str, ...]
    kept: tuple[str, ...]


def bindings(text: str) -> Iterator[Binding]:
    """Yield what python-dotenv would set, in order; lines that it cannot read are passed over, as it does."""
    place = 0
    while True:
        place = _end(_BLANK, text, place)
        if place == len(text):
            return
        binding, end = _binding(text, place)
        if binding is not None:
            yield binding
            place = end
        else:
            place = _end(_END, text, _end(_LINE, text, end))


def values_of(text: str) -> dict[str, str | None]:
    """Give what each variable holds in the end: of several lines the last one counts."""
    return {name: value for name, value, _, _ in bindings(text)}


def quoted(name: str, value: str) -> str:
    """Spell a value such that bash, python-dotenv and docker compose read the same.

    Plain wherever that is possible, which `docker run --env-file` and systemd read too. In single quotes bash and
    compose change nothing; python-dotenv still fills in `${NAME}`, and takes a backslash away before another one or a
    quote. In double quotes all three let a single quote be, and nothing else that is special may stand there.

    Raises:
        StoreError: there is no spelling that all of them read the same.
    """
    if _PLAIN.fullmatch(value):
        return value
    if value and value.isprintable() and "${" not in value:
        if "'" not in value and "\\\\" not in value and not value.endswith("\\"):
            return f"'{value}'"
        if not set(value) & set('"\\$`'):
            return f'"{value}"'
    what = "is empty" if not value else "has characters that bash, python-dotenv and docker compose read differently"
    message = f"the key for {name} {what}; store it by hand, or choose another key store"
    raise StoreError(message)


def placed(text: str, wanted: Mapping[str, str], is_free: Mapping[str, bool] | None = None) -> Placed:
    """Give the text with all values in it and every other line as it was.

    A value goes into the line that waits for it (`NAME=`), else on a line of its own at the end. `is_free` says of
    names that hold another value that it is a stand-in: it stays where it is, and the line at the end counts.

    Raises:
        StoreError: a name holds another value, a value cannot be spelt, or a line of the file would swallow a new one.
    """
    held = values_of(text)
    written, kept, added = [], [], []
    result = text
    for name, value in wanted.items():
        before = held.get(name) or held.get(_BOM + name) or ""
        if before == value and held.get(name) == value:
            kept.append(name)
            continue
        if before not in {"", value} and not (is_free or {}).get(name):
            message = f"{name} holds another value already"
            raise StoreError(message)
        spelt = quoted(name, value)
        filled = _filled(result, name, spelt)
        if filled is None:
            added.append(f"{name}={spelt}\n")
        else:
            result = filled
        written.append(name)
    if added:
        result = _ended(result) + "".join(added)
    _verify(text, result, {name: wanted[name] for name in written})
    return Placed(result, tuple(written), tuple(kept))


def _binding(text: str, place: int) -> tuple[Binding | None, int]:
    """Read one line, or several that a quote holds together; without a binding, how far it could be read."""
    start = place
    if found := _EXPORT.match(text, place):
        place = found.end()
    name: str | None = None
    if not text.startswith("#", place):
        found = (_QUOTED_KEY if text.startswith("'", place) else _KEY).match(text, place)
        if found is None:
            return None, place
        name, place = found[found.re.groups], found.end()
    place = _end(_SPACES, text, place)
    value: str | None = None
    if text.startswith("=", place):
        equal, place = place + 1, _end(_SPACES, text, place + 1)
        spelt = ("", place) if place > equal and text.startswith("#", place) else _value(text, place)
        if spelt is None:
            return None, place
        value, place = spelt
    behind = _end(_SPACES, text, place)
    place = _end(_COMMENT, text, behind) if text.startswith("#", behind) else place
    place = _end(_SPACES, text, place)
    found = _END.match(text, place)
    if found is None or name is None:
        return None, place
    return Binding(name, value, start, found.end()), found.end()


def _value(text: str, place: int) -> tuple[str, int] | None:
    """Read a value; None where a quote is never closed."""
    forms = _VALUES.get(text[place : place + 1])
    if forms is not None:
        pattern, escapes = forms
        found = pattern.match(text, place)
        return (escapes.sub(_unescaped, found[1]), found.end()) if found else None
    end = _end(_LINE, text, place)
    line = text[place:end]
    at = next((at for at in _places(line, "#") if line[at - 1 : at].isspace()), len(line))
    return line[:at].rstrip(), end


def _unescaped(found: re.Match[str]) -> str:
    return codecs.decode(found[0], "unicode-escape")


def _places(line: str, char: str) -> Iterator[int]:
    at = line.find(char)
    while at >= 0:
        yield at
        at = line.find(char, at + 1)


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place


def _filled(text: str, name: str, spelt: str) -> str | None:
    """Put a value into the line that waits for it, if that is the one that counts."""
    last = [binding for binding in bindings(text) if binding.name == name][-1:]
    for _, value, start, end in last:
        line, broken, _ = text[start:end].partition("\n")
        waiting = _WAITING.fullmatch(line)
        # For bash neither a lone carriage return nor a line feed behind a backslash ends a line.
        above = text[:start].rstrip(" \t")
        alone = not above or (above.endswith("\n") and not above.rstrip("\n").endswith("\\"))
        if value == "" and waiting and alone and (broken or end == len(text)):
            return text[:start] + waiting[1] + spelt + broken + text[end:]
    return None


def _ended(text: str) -> str:
    """Give the text such that what is added stands on a line of its own for every reader.

    Lines end in a bare line feed even where others end in CRLF: bash takes a carriage return for a part of the value.
    """
    if text and not text.endswith("\n"):
        text += "\n"
    # python-dotenv and bash take a byte order mark for a part of the first name; bash joins lines behind a backslash.
    return text + "\n" if text.endswith("\\\n") else text


def _verify(before: str, after: str, written: Mapping[str, str]) -> None:
    """Make sure that every variable reads as it should in the new text."""
    # python-dotenv takes a byte order mark away since 1.2.2 and made it a part of the first name before.
    for mark in {_BOM, ""}:
        old, new = (values_of(text.removeprefix(mark)) for text in (before, after))
        if new != {**old, **written}:
            message = "one of its lines opens a quote that nothing closes, and a new line would be part of it; close it"
            raise StoreError(message)
