"""Comments that hide findings: keyguard's own and, for the rules they mean, other tools'; the useless ones are hits."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left

from keyguard.model import Edit, Fix, Hit, Safety, Span
from keyguard.patterns import regex
from keyguard.settings import quote
from keyguard.source import comment_forms
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from keyguard.settings import Vocabulary
    from keyguard.source import SourceFile

OWN_WORD = "keyguard:"
_WORDS = (OWN_WORD, "pragma:", ":allow", ":ignore", "nosec", "noqa", "NOQA", "NoQA")

_UNUSED = "KG003"
_LEAKS = "KG1"
_TOP_LINES = 10  # lines in which `ignore-file` counts even after code
_LONGEST_BLOCK = 20  # lines of a block comment that a mark inside it reaches beyond its own

# Kinds whose strings may span lines between three quotes; there a quote always opens a string.
_TRIPLE_QUOTES = frozenset({"python", "cython", "starlark", "toml"})
# Kinds in which a quote is an apostrophe as often as not.
_PROSE = frozenset({"markdown", "rst", "html", "xml", "tex", "text", "lisp", "batch"})
# Kinds with strings in back quotes, which may span lines.
_BACKQUOTES = frozenset({"javascript", "go"})
# Kinds without comments: per-file ignores and the baseline are for them.
_NO_COMMENTS = frozenset({"csv", "lock", "notebook"})
# Kinds that show code to readers: a mark in an example hides what it must, but nobody should be told to remove it.
_SHOWS_CODE = frozenset({"markdown", "rst", "html"})

_OWN = regex(r"keyguard:[ \t]*([A-Za-z][A-Za-z_-]*)[ \t]*(?:\[([^\]\r\n]*)(\])?)?")
# What people write who mean `ignore`: other tools' words for it.
_MISSPELT = frozenset({"allow", "allowlist", "disable", "noqa", "nosec", "off", "skip", "suppress"})

_PRAGMA = regex(r"pragma: ?(?:allowlist(?P<next>[ -]nextline)?|whitelist)[ -]secret")
_ALLOW = regex(r"\b(?:gitleaks|betterleaks):allow\b|\b(?:trufflehog|kingfisher):ignore\b")
_NOSEC = regex(r"(?:#|^)[ \t]*nosec\b:?([^#\r\n]*)")
_NOQA = regex(r"(?<!ruff: )(?<!flake8: )\bnoqa:", re.IGNORECASE)
_CODE = regex(r"[ \t,]*([A-Za-z]+[0-9]+)")

# Which of our rules another tool's check means.
_HARDCODED = ("KG101", "KG102")
_MEANT: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("S105", "S106", "S107", "B105", "B106", "B107"), _HARDCODED),
    **dict.fromkeys(("hardcoded_password_string", "hardcoded_password_funcarg"), _HARDCODED),
    "hardcoded_password_default": _HARDCODED,
    **dict.fromkeys(("S113", "B113", "request_without_timeout"), ("KG301",)),
    **dict.fromkeys(("S501", "B501", "request_with_no_cert_validation"), ("KG502",)),
}
_BARE_NOSEC = (*_HARDCODED, "KG301", "KG502")


class Mark(NamedTuple):
    """One mark in a comment.

    `span` is the mark's own text, `line` where it stands, `selectors` the ids and id prefixes it hides; `own` tells
    keyguard's marks from other tools'. `reach` is `line`, `above` (alone on its line), `next` (hides the next line
    only) or `file`. `words` are the rules as written, each with its span and what it stands for (None if unknown).
    """

    span: Span
    line: int
    selectors: tuple[str, ...]
    reach: str
    own: bool = False
    reason: str = ""
    words: tuple[tuple[str, Span, str | None], ...] = ()
    fault: str | None = None
    removal: Edit | None = None


class Hidden(NamedTuple):
    """Why a finding is not reported: the mark and the one of its selectors that took it."""

    mark: Mark
    selector: str


def has_own_marks(text: str) -> bool:
    """Tell whether KG003 could have something to say about a text without findings."""
    return OWN_WORD in text


def unused_marks(
    parts: Sequence[tuple[Suppressions, Sequence[Hidden]]], ran: Callable[[str], bool]
) -> Iterator[tuple[SourceFile, Hit]]:
    """Give the KG003 hits of a file's parts (the cells of a notebook), each with what its marks hid, in one go.

    A mark for the whole file may hide something in any part.
    """
    everywhere = [hidden for _, used in parts for hidden in used if hidden.mark.reach == "file"]
    for suppressions, used in parts:
        for hit in suppressions.unused([*used, *everywhere], ran):
            yield suppressions.source, hit


class Suppressions:
    """The marks of one text: `hides` asks for a finding, `unused` tells which of ours hid nothing."""

    def __init__(self, source: SourceFile, vocabulary: Vocabulary, file_marks: tuple[Mark, ...] = ()) -> None:
        """Read the marks in time linear in the text; without a mark's word in it, that is a plain search.

        For a window into a large file, `file_marks` are those of its first window.
        """
        self.source = source
        self._vocabulary = vocabulary
        self._marks: list[Mark] = []
        self.file_marks = file_marks
        # Marks by line and selector; those above code by the line they lead to, sorted by their own.
        self._on_line: dict[tuple[int, str], Mark] = {}
        self._above: dict[tuple[int, str], list[Mark]] = {}
        self._leads_to: dict[int, int] = {}
        self._strings: list[tuple[int, int]] = []
        if source.part != "output" and source.kind not in _NO_COMMENTS and any(w in source.text for w in _WORDS):
            self._read()

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Every mark in the order of the text."""
        return tuple(self._marks)

    def hides(self, rule: str, first_line: int, last_line: int) -> Hidden | None:
        """Give what hides a finding of a rule on these lines (from 1, as reported), None if it is to be reported.

        A finding inside a string of several lines is hidden where the string is.
        """
        first, last = self._widened(first_line, last_line)
        selectors = [rule[:length] for length in range(len(rule), 1, -1)]
        found: Hidden | None = None
        for selector in selectors:
            for mark in self._candidates(selector, first, last):
                # Ours come first, so that one beside another tool's mark counts as used.
                if mark.own:
                    return Hidden(mark, selector)
                found = found or Hidden(mark, selector)
        return found

    def unused(self, used: Collection[Hidden], ran: Callable[[str], bool], *, whole: bool = True) -> tuple[Hit, ...]:
        """Give a KG003 hit for each of our marks that hid nothing, or cannot hide anything as it is written.

        `used` is what `hides` gave for this text. `ran(rule)` tells whether a rule had its say: it was selected and
        nothing (a syntax error, a file's size) kept it from running. A rule that does not apply to this kind of file
        did run. Marks for the whole file are judged only if the text is the `whole` file.
        """
        taken: dict[Mark, set[str]] = {}
        for hidden in used:
            taken.setdefault(hidden.mark, set()).add(hidden.selector)
        hits: list[Hit] = []
        for mark in self._marks:
            if mark.own and (whole or mark.reach != "file" or mark.fault is not None):
                hits += self._judge(mark, taken.get(mark, set()), ran)
        return tuple(hits)

    def _candidates(self, selector: str, first: int, last: int) -> Iterator[Mark]:
        for line in (first, last) if first != last else (first,):
            mark = self._on_line.get((line, selector))
            if mark is not None:
                yield mark
        target = self._leads_to.get(first, first)
        above = self._above.get((target, selector))
        if above:
            index = bisect_left(above, first, key=lambda mark: mark.line)
            if index:
                yield above[index - 1]
        for mark in self.file_marks:
            if selector in mark.selectors:
                yield mark

    def _widened(self, first: int, last: int) -> tuple[int, int]:
        """Give the lines of the strings of several lines in which a finding begins or ends."""
        index = bisect_left(self._strings, (first + 1,)) - 1
        if index >= 0 and self._strings[index][1] >= first:
            first = self._strings[index][0]
        index = bisect_left(self._strings, (last + 1,)) - 1
        if index >= 0 and self._strings[index][1] >= last:
            last = self._strings[index][1]
        return first, last

    def _read(self) -> None:
        source, text = self.source, self.source.text
        strings: list[Span] = []
        rows = [
            (span, source.position(span.start)[0], source.position(span.end - 1)[0])
            for span in _comments(text, source.kind, strings)
        ]
        self._strings = [
            (first, last)
            for first, last in ((source.position(s.start)[0], source.position(s.end - 1)[0]) for s in strings)
            if first != last
        ]
        first_code = self._first_code_line(rows)
        target = 0
        next_first = -1
        # Backwards, since a comment leads to where the run of comments below it does.
        for span, first, last in reversed(rows):
            alone = self._is_alone(span)
            if alone:
                target = target if next_first == last + 1 else last + 1
                next_first = first
            else:
                next_first = -1
            self._read_comment(span, (first, last), target if alone else None, first_code)
        self._marks.sort(key=lambda mark: mark.span)
        for marks in self._above.values():
            marks.reverse()

    def _is_alone(self, span: Span) -> bool:
        """Tell whether nothing but white space stands on the lines of a comment besides it."""
        text = self.source.text
        before, after = span.start, span.end
        while before and text[before - 1] in " \t\f":
            before -= 1
        while after < len(text) and text[after] in " \t\f":
            after += 1
        return (before == 0 or text[before - 1] in "\r\n") and (after == len(text) or text[after] in "\r\n")

    def _first_code_line(self, rows: list[tuple[Span, int, int]]) -> int:
        """Give the first line with something that is neither white space nor a comment."""
        text, place = self.source.text, 0
        for span, _, _ in rows:
            if text[place : span.start].strip():
                break
            place = span.end
        rest = len(text) - len(text[place:].lstrip()) if place < len(text) else len(text)
        return self.source.position(rest)[0]

    def _read_comment(self, span: Span, lines: tuple[int, int], target: int | None, first_code: int) -> None:
        text = self.source.text
        body = text[span.start : span.end]
        if not any(word in body for word in _WORDS):
            return
        opener, closer = _delimiters(body, self.source.kind)
        body = body[: len(body) - len(closer)]
        found = [*_own_marks(body, opener, span.start, self._vocabulary), *_foreign_marks(body, span.start)]
        wide = lines[1] - lines[0] > _LONGEST_BLOCK
        for mark in sorted(found, key=lambda mark: mark.span, reverse=True):
            line = self.source.position(mark.span.start)[0]
            changes = mark._replace(line=line)
            if mark.own:
                changes = changes._replace(removal=self._removal(mark.span, span, (opener, closer), target is not None))
            if mark.reach == "file":
                if line > _TOP_LINES and line >= first_code:
                    changes = changes._replace(fault="misplaced")
                else:
                    self.file_marks = (*self.file_marks, changes)
            elif mark.reach == "next":
                if target is None:
                    continue
                self._add(line + 1, changes)
            else:
                self._add(line, changes)
                if mark.own and target is not None and not wide:
                    changes = self._lead(changes, lines, target)
            self._marks.append(changes)

    def _add(self, line: int, mark: Mark) -> None:
        for selector in mark.selectors:
            held = self._on_line.get((line, selector))
            if held is None or (mark.own and not held.own):
                self._on_line[line, selector] = mark

    def _lead(self, mark: Mark, lines: tuple[int, int], target: int) -> Mark:
        """Let a mark that stands alone reach the code below it, and the comments in between."""
        for selector in mark.selectors:
            self._above.setdefault((target, selector), []).append(mark)
        line = lines[0]
        while line < target and line not in self._leads_to:
            self._leads_to[line] = target
            line += 1
        return mark

    def _removal(self, mark: Span, comment: Span, form: tuple[str, str], alone: bool) -> Edit | None:  # noqa: FBT001  # private
        """Give the edit that takes a mark and its reason away and leaves the comment's other text as it is."""
        text = self.source.text
        opener, closer = form
        before = text[comment.start : mark.start].strip()
        head = before.upper() == opener.upper() or not before.strip(_OPENING)
        if closer:
            whole = head and not _LINE_BREAK.search(text, comment.start, comment.end)
            return self._without(comment, alone=alone) if whole else None
        end = _part_end(text, mark.end, comment.end, opener)
        if head and end == comment.end:
            return self._without(comment, alone=alone)
        if head:
            while text[end] in " \t":
                end += 1
            return Edit(Span(comment.start, end), "")
        start = mark.start
        for characters in (" \t", _OPENING, " \t"):  # the opening of the mark's own part
            while start > comment.start and text[start - 1] in characters:
                start -= 1
        return Edit(Span(start, end), "")

    def _without(self, comment: Span, *, alone: bool) -> Edit:
        """Remove a whole comment with the white space before it, and with its line if it has that to itself."""
        text, start, end = self.source.text, comment.start, comment.end
        while start and text[start - 1] in " \t":
            start -= 1
        if alone:
            while end < len(text) and text[end] in " \t":
                end += 1
            end += 2 if text[end : end + 2] == "\r\n" else 1 if end < len(text) else 0
        return Edit(Span(start, end), "")

    def _judge(self, mark: Mark, taken: set[str], ran: Callable[[str], bool]) -> Iterator[Hit]:
        if self.source.kind in _SHOWS_CODE and not _is_page_comment(self.source.text, mark.span.start):
            return
        if mark.fault is not None:
            fix = self._fix(mark) if mark.fault == "misplaced" else None
            yield Hit(_UNUSED, mark.span, {"name": self._name(mark)}, case=mark.fault, fix=fix)
            return
        useless: list[tuple[str, Span]] = []
        kept: list[str] = []
        seen: set[str] = set()
        for word, span, selector in mark.words:
            if selector is None:
                near = self._vocabulary.closest(word)
                values = {"name": quote(word), "closest": near or ""}
                yield Hit(_UNUSED, span, values, case="unknown-rule" if near is None else "misspelt-rule")
                kept.append(word)
            elif selector in seen or (selector not in taken and self._ran(selector, ran)):
                useless.append((word, span))
            else:
                kept.append(word)
            seen.add(selector or "")
        if not useless:
            return
        names = ", ".join(word for word, _ in useless)
        if kept:
            inner = Span(mark.words[0][1].start, mark.words[-1][1].end)
            fix = Fix("fix.unused-part", Safety.SAFE, (Edit(inner, ", ".join(kept)),))
            yield Hit(_UNUSED, useless[0][1], {"name": names}, case="comment", fix=fix)
        else:
            yield Hit(_UNUSED, mark.span, {"name": names}, case="comment", fix=self._fix(mark))

    def _ran(self, selector: str, ran: Callable[[str], bool]) -> bool:
        # keyguard's own rules report what happened, not what stands in a text: they do not decide here.
        meant = [rule for rule in self._vocabulary.rules if rule.startswith(selector)]
        meant = [rule for rule in meant if not rule.startswith("KG0")] or [rule for rule in meant if rule != _UNUSED]
        return bool(meant) and all(map(ran, meant))

    def _name(self, mark: Mark) -> str:
        return self.source.text[mark.span.start : mark.span.end].removeprefix(OWN_WORD).partition("[")[0].strip()

    @staticmethod
    def _fix(mark: Mark) -> Fix | None:
        return None if mark.removal is None else Fix("fix.unused-comment", Safety.SAFE, (mark.removal,))


def _own_marks(body: str, opener: str, offset: int, vocabulary: Vocabulary) -> Iterator[Mark]:
    for match in _OWN.finditer(body):
        word, rules, closed = match[1].lower(), match[2], match[3]
        at = Span(offset + match.start(), offset + match.start() + len(match[0].rstrip()))
        if word not in ("ignore", "ignore-file"):
            if word in _MISSPELT or word.startswith("ignor"):
                yield Mark(at, 0, (), "line", own=True, fault="malformed")
            continue
        words = tuple(_rules(rules or "", offset + match.start(2), vocabulary))
        reach = "file" if word == "ignore-file" else "line"
        if closed is None or not words:
            yield Mark(at, 0, (), "line", own=True, fault="malformed" if rules and rules.strip() else "no-rule")
            continue
        selectors = tuple(dict.fromkeys(selector for _, _, selector in words if selector is not None))
        reason = body[match.end() : _part_end(body, match.end(), len(body), opener)].strip()
        yield Mark(at, 0, selectors, reach, own=True, reason=reason, words=words)


def _rules(text: str, offset: int, vocabulary: Vocabulary) -> Iterator[tuple[str, Span, str | None]]:
    for match in re.finditer(r"[^\s,]+", text):
        yield match[0], Span(offset + match.start(), offset + match.end()), vocabulary.resolve(match[0])


def _foreign_marks(body: str, offset: int) -> Iterator[Mark]:
    for match in _PRAGMA.finditer(body):
        reach = "next" if match["next"] else "line"
        yield Mark(_moved(match, offset), 0, (_LEAKS,), reach)
    for match in _ALLOW.finditer(body):
        yield Mark(_moved(match, offset), 0, (_LEAKS,), "line")
    for match in _NOSEC.finditer(body):
        yield Mark(_moved(match, offset), 0, _meant_by_nosec(match[1]), "line")
    for match in _NOQA.finditer(body):
        selectors: list[str] = []
        code = _CODE.match(body, match.end())
        while code:
            upper = code[1].upper()
            selectors += (upper,) if upper.startswith("KG") else _MEANT.get(upper, ())
            code = _CODE.match(body, code.end())
        if selectors:
            yield Mark(_moved(match, offset), 0, tuple(dict.fromkeys(selectors)), "line")


def _meant_by_nosec(text: str) -> tuple[str, ...]:
    """Give the rules a `nosec` means; one that names tests means those, one that names none means them all."""
    words = re.findall(r"\bB[0-9]{3}\b|\b[a-z]{2,40}_[a-z_]{2,40}\b", text)
    if not words:
        return _BARE_NOSEC
    return tuple(dict.fromkeys(rule for word in words for rule in _MEANT.get(word, ())))


def _moved(match: re.Match[str], offset: int) -> Span:
    return Span(offset + match.start(), offset + match.end())


def _part_end(text: str, start: int, end: int, opener: str) -> int:
    """Give where a mark's reason ends: before the next part of the comment (` # noqa: …`), else with its line."""
    end = min(end, _line_end(text, start))
    place = start
    while (place := text.find(opener, place, end)) >= 0:
        after = place + len(opener)
        # `see #12` and `http://…` are part of the reason.
        if text[place - 1] in " \t" and text[after:end].lstrip(" \t")[:1].isalpha():
            while place > start and text[place - 1] in " \t":
                place -= 1
            return place
        place = after
    return end


def _is_page_comment(text: str, offset: int) -> bool:
    """Tell whether a mark on a page of prose stands in the page's own comment and not in code it shows."""
    return text[max(0, offset - _INDENT) : offset].rstrip().endswith(("<!--", ".."))


def _comments(text: str, kind: str, strings: list[Span]) -> Iterator[Span]:
    """Give every comment of a text from its opening mark to its end; strings of several lines go to `strings`.

    One pass that steps over strings, so a mark inside one is none. It knows no grammar: a file with a syntax error
    is read as well as any other.
    """
    pattern, closers = _lexer(kind)
    triple = kind in _TRIPLE_QUOTES
    dead: dict[str, int] = {}
    place = 0
    while match := pattern.search(text, place):
        mark, start = match[0], match.start()
        place = match.end()
        if mark in "\"'`":
            end = _string_end(text, start, triple=triple, dead=dead)
            if end is not None:
                # Elsewhere a lone quote in a pattern could make a string of half the file.
                if triple and _LINE_BREAK.search(text, start, end):
                    strings.append(Span(start, end))
                place = end
        elif _opens(text, start, mark, kind):
            closer = closers[mark.upper()]
            if not closer:
                place = _line_end(text, place)
                yield Span(start, place)
            elif place > dead.get(closer, -1):
                close = text.find(closer, place)
                if close < 0:
                    dead[closer] = len(text)
                else:
                    place = close + len(closer)
                    yield Span(start, place)


@functools.lru_cache(maxsize=64)
def _lexer(kind: str) -> tuple[re.Pattern[str], Mapping[str, str]]:
    """Give the pattern of what opens a comment or string of a kind, and the closing mark of each comment."""
    forms = dict(comment_forms(kind))
    quotes = "" if kind in _PROSE else "\"'`" if kind in _BACKQUOTES else "\"'"
    longest_first = sorted((*forms, *quotes), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE), {k.upper(): v for k, v in forms.items()}


def _opens(text: str, start: int, mark: str, kind: str) -> bool:
    """Tell whether an opening mark is one where it stands: a URL's `//` and a `#` inside a word are not."""
    before = text[start - 1] if start else "\n"
    if mark == "#" and kind in _TRIPLE_QUOTES:
        return True
    if mark in _OPENS_AFTER:
        return _OPENS_AFTER[mark](before)
    # `..`, `REM` and `::` begin a line or, in a batch file, a command of their own.
    line = re.split(r"[\r\n]", text[max(0, start - _INDENT) : start])[-1]
    after = text[start + len(mark) : start + len(mark) + 1]
    code = line.rstrip("@ \t\f")
    return (not code or code.endswith("&")) and (mark == "::" or not after or after.isspace())


_OPENS_AFTER: Mapping[str, Callable[[str], bool]] = {
    "/*": lambda _: True,
    "<!--": lambda _: True,
    "<#": lambda _: True,
    "#": lambda before: before.isspace() or before in "\"')]};,>",
    "//": lambda before: before not in ":/",
    "--": lambda before: before != "-" and not before.isalnum(),
    "%": lambda before: before != "\\",
    ";": str.isspace,
}
_OPENING = "#/-;%*!<"  # what openers are made of
_INDENT = 200  # characters before a mark that may be its indentation


def _string_end(text: str, start: int, *, triple: bool, dead: dict[str, int]) -> int | None:
    """Give the offset after a string's closing quotes, None if what begins here is no string.

    `dead` says up to where a kind of quote is known not to close: looking again from each would be quadratic.
    """
    mark = text[start]
    many = triple and text.startswith(mark * 3, start)
    if not triple and start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        return None  # an apostrophe
    if many:
        mark *= 3
    if start < dead.get(mark, 0):
        return None
    pattern = _STRING_STOPS[mark]
    place = start + len(mark)
    while match := pattern.search(text, place):
        place = match.end()
        if match[0] == mark:
            return place
        if match[0][0] != "\\":
            dead[mark] = place
            return None
    dead[mark] = len(text)
    return None


# A backslash with what it escapes, the closing quote, or a line's end.
_STRING_STOPS = {
    quote: re.compile(r"\\(?:\r\n|[\s\S])|" + re.escape(quote) + (r"|[\r\n]" if quote in ("'", '"') else ""))
    for quote in ('"', "'", "`", '"""', "'''")
}
_LINE_BREAK = regex(r"[\r\n]")


def _line_end(text: str, start: int) -> int:
    match = _LINE_BREAK.search(text, start)
    return match.start() if match else len(text)


def _delimiters(comment: str, kind: str) -> tuple[str, str]:
    upper = comment[:8].upper()
    forms = sorted(comment_forms(kind), key=lambda form: len(form[0]), reverse=True)
    return next((form for form in forms if upper.startswith(form[0].upper())), ("", ""))
