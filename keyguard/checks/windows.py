"""Reads PowerShell and batch scripts far enough to tell what they print; what cannot be told counts as not printed."""

from __future__ import annotations

import re

from keyguard.checks.shell import Printed
from keyguard.model import Span
from keyguard.patterns import regex
from keyguard.source import is_env_file, is_env_template
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_FEW = 8  # characters of a key that say no more than whose it is

# -- PowerShell -------------------------------------------------------------------------------------------------------

_PIECE = regex(
    r"""
    (?P<comment>\#[^\n]*|<\#(?:[^\#]|\#(?!>))*(?:\#>)?)
  | (?P<here>@(?P<mark>["'])[ \t]*\r?\n)
  | (?P<expression>\$\{\{[^\n]{0,400}?\}\})
  | (?P<name>\$\{?(?:[Ee][Nn][Vv]:)?(?P<of>[A-Za-z_][A-Za-z0-9_]*)\}?)
  | (?P<getter>GetEnvironmentVariable\(\s*["'](?P<got>[A-Za-z_][A-Za-z0-9_]*)["'])
  | (?P<joined>`\r?\n)
  | (?P<escaped>`.)
  | (?P<quote>["'])
  | (?P<deeper>\$?\()
  | (?P<back>\))
  | (?P<block>[{}])
  | (?P<pipe>\|)
  | (?P<end>[\n;])
  | (?P<other>[^\#<@$`"'(){}|\n;G]+|.)
    """,
    re.VERBOSE,
)
_IN_STRING = regex(
    r"""
    (?P<expression>\$\{\{[^\n]{0,400}?\}\})
  | (?P<name>\$\{?(?:[Ee][Nn][Vv]:)?(?P<of>[A-Za-z_][A-Za-z0-9_]*)\}?)
  | (?P<deeper>\$\()
  | (?P<escaped>`.|"")
  | (?P<quote>")
  | (?P<other>[^$`"]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SECRET = regex(r"(?:secrets|env|vars)\.([A-Za-z_][A-Za-z0-9_]*)")
_PRINTING = regex(
    r"\s*(?:&\s*)?(?:(?:write-(?:host|output|information|verbose|warning|error|debug)|echo|write|out-host)(?![\w-])"
    r"|\[(?:system\.)?console\]::(?:error\.)?write(?:line)?\b)",
    re.IGNORECASE,
)
_DUMP = regex(
    r"[\s(]*(?:get-childitem|gci|dir|ls|get-item|gi)\s+(?:-path\s+)?[\"']?env:[\\/]?(?P<of>[A-Za-z0-9_]*)(?P<star>\*?)",
    re.IGNORECASE,
)
_SHOWN_FILE = regex(
    r"[\s(]*(?:get-content|gc|cat|type|more)\s+(?:-(?:path|raw|literalpath|encoding\s+\w+)\s+)*[\"']?(?P<path>[^\s\"'|;)]+)",
    re.IGNORECASE,
)
_ASSIGNED = regex(
    r"\s*(?:\[[A-Za-z.]+\]\s*)?\$(?:\{?(?:env|script|global|local):)?([A-Za-z_]\w*)\}?\s*[-+]?=(?!=)", re.IGNORECASE
)
_TO_FILE = regex(r"(?<![-0-9*=])(?:[16*])?>{1,2}(?!&)")
_PASSES = regex(
    r"\s*(?:out-host|out-string|out-default|format-\w+|f[tl]|select-object|select|select-string|sls|sort-object|sort"
    r"|where-object|where|\?|foreach-object|%|tee-object|tee|findstr|more|write-(?:host|output|information|verbose))\b",
    re.IGNORECASE,
)
_JUDGED = regex(r"\s*\)?\s*-(?:c|i)?(?:eq|ne|like|notlike|match|notmatch|is|isnot|in|gt|lt)\b", re.IGNORECASE)
_TESTED = regex(r"(?:isnullor(?:empty|whitespace)\(\s*|\[bool\]\s*\(?\s*|-not\s+\(?\s*|![\s(]*)$", re.IGNORECASE)
_SHORT = regex(
    r"\.length\b|\.count\b|\.substring\(\s*0\s*,\s*[1-8]\s*\)|\[\s*0\s*\.\.\s*[0-7]\s*\]|\.gethashcode|\.startswith\(|\.remove\(\s*[0-8]\s*\)"
    r"|\s*-replace\b|\.contains\(",
    re.IGNORECASE,
)
_CONDITION = regex(r"\s*(?:if|elseif|while|switch|until|foreach|for)\b", re.IGNORECASE)


class _Ref(NamedTuple):
    span: Span
    name: str
    environment: bool


class PowerShell:
    """The PowerShell of one file; variables that got a secret are remembered from one `read` to the next."""

    def __init__(self, text: str, is_secret: Callable[[str], bool], held: Callable[[], Sequence[str]]) -> None:
        """Take the whole text; `held` names the keys that are in the environment as far as the file tells."""
        self._text = text
        self._by_name = is_secret
        self._held = held
        self._learnt: set[str] = set()

    def is_secret(self, name: str) -> bool:
        """Tell whether a variable holds a secret: by its name in any case, or because it was given one."""
        constant = _snake(name)
        # Names in capitals are no habit here, so that a bare `$token` is as often a parser's.
        return name.lower() in self._learnt or self._by_name(name) or ("_" in constant and self._by_name(constant))

    def read(self, start: int, end: int) -> list[Printed]:
        """Give what the script between two offsets prints, by position."""
        found: list[Printed] = []
        for stages, refs, inside in self._statements(start, end):
            found += self._judge(stages, refs, inside=inside)
        return sorted(set(found))

    def _statements(  # noqa: C901, PLR0912  # one branch for each sign of the language
        self, start: int, end: int
    ) -> Iterator[tuple[list[Span], list[_Ref], bool]]:
        """The statements: the spans of their pipeline's stages, what they refer to, whether they stand in a block."""
        text, at = self._text, start
        begin, stages, refs = start, list[Span](), list[_Ref]()
        depth = blocks = 0
        piped = False
        while at < end:
            piece = _PIECE.match(text, at, end)
            if piece is None:
                at += 1
                continue
            kind, at = piece.lastgroup, piece.end()
            if kind in {"here", "mark"} or piece["here"]:
                closing = text.find(f"\n{piece['mark']}@", at - 1, end)
                closing = end if closing < 0 else closing
                if piece["mark"] == '"':
                    refs += self._refs(at, closing)
                at = min(closing + 3, end)
            elif piece["quote"]:
                at = self._string(piece["quote"], at, end, refs)
            elif piece["expression"] or piece["name"] or piece["getter"]:
                refs += self._ref(piece, bare=True)
            elif piece["deeper"]:
                depth += 1
            elif piece["back"]:
                depth = max(0, depth - 1)
            elif piece["pipe"] and not depth:
                stages.append(Span(begin, piece.start()))
                begin, piped = at, True
                continue
            elif piece["block"] or (piece["end"] and not depth):
                if piece["end"] == "\n" and piped and not text[begin : piece.start()].strip():
                    continue
                stages.append(Span(begin, piece.start()))
                yield stages, refs, blocks > 0
                begin, stages, refs = at, [], []
                if piece["block"]:
                    depth = 0
                    blocks = blocks + 1 if piece["block"] == "{" else max(0, blocks - 1)
            if (piece["other"] or "x").strip() or piece["quote"]:
                piped = False
        stages.append(Span(begin, end))
        yield stages, refs, blocks > 0

    def _string(self, quote: str, at: int, end: int, refs: list[_Ref]) -> int:
        """Read a string from behind its opening quote; give where it ends."""
        if quote == "'":
            close = self._text.find("'", at, end)
            close = end if close < 0 else close
            if "${{" in self._text[at:close]:
                refs += self._refs(at, close)
            return min(close + 1, end)
        depth = 0
        while at < end:
            piece = _IN_STRING.match(self._text, at, end)
            if piece is None:
                break
            at = piece.end()
            if piece["quote"] and not depth:
                return at
            if piece["deeper"]:
                depth += 1
            elif piece["name"] or piece["expression"]:
                refs += self._ref(piece, bare=depth > 0)
            elif piece["other"] and depth:
                depth = max(0, depth - piece["other"].count(")") + piece["other"].count("("))
        return at

    def _refs(self, start: int, end: int) -> Iterator[_Ref]:
        for piece in _IN_STRING.finditer(self._text, start, end):
            if piece["name"] or piece["expression"]:
                yield from self._ref(piece, bare=False)

    def _ref(self, piece: re.Match[str], *, bare: bool) -> Iterator[_Ref]:
        """The variable a piece stands for, unless what follows leaves a few characters of it or only judges it."""
        span = Span(piece.start(), piece.end())
        if piece["expression"]:
            found = _SECRET.fullmatch(piece["expression"][3:-2].strip())
            if found:
                yield _Ref(span, found[1], environment=False)
            return
        groups = piece.groupdict()
        name = groups["of"] or groups.get("got") or ""
        after, before = self._text[span.end : span.end + 60], self._text[max(0, span.start - 40) : span.start]
        if bare and (_SHORT.match(after) or _JUDGED.match(after) or _TESTED.search(before)):
            return
        yield _Ref(span, name, environment="env:" in piece[0].lower() or bool(groups.get("got")))

    def _judge(self, stages: list[Span], refs: list[_Ref], *, inside: bool) -> Iterator[Printed]:
        first = self._text[stages[0].start : stages[0].end]
        assigned = _ASSIGNED.match(first)
        if assigned:
            if any(self.is_secret(ref.name) for ref in refs if ref.span.start >= stages[0].start + assigned.end()):
                self._learnt.add(assigned[1].lower())
            return
        if _CONDITION.match(first) or not self._is_shown(stages):
            return
        start = stages[0].start + len(first) - len(first.lstrip())
        found, shown = _DUMP.match(first), _SHOWN_FILE.match(first)
        if found:
            yield from self._dumped(found, Span(start, stages[0].start + found.end()), stages[0].end)
        elif shown:
            yield from _file_shown(shown["path"], Span(start, stages[0].start + shown.end()))
        elif _PRINTING.match(first):
            yield from (Printed(ref.span, ref.name, "echo") for ref in refs if self.is_secret(ref.name))
        elif not inside and refs and refs[0].environment and refs[0].span == Span(start, start + len(first.strip())):
            # A value that nothing takes is shown.
            yield from (Printed(ref.span, ref.name, "echo") for ref in refs[:1] if self.is_secret(ref.name))

    def _dumped(self, found: re.Match[str], span: Span, stage_end: int) -> Iterator[Printed]:
        """The environment as a drive: one variable of it, or all unless only names are picked."""
        if found["of"] and not found["star"]:
            if self.is_secret(found["of"]):
                yield Printed(span, found["of"], "echo")
            return
        rest = self._text[stage_end : stage_end + 120].partition("\n")[0].lower()
        if "name" not in rest or "value" in rest:
            yield from (Printed(span, name, "environment") for name in self._held()[:1])

    def _is_shown(self, stages: list[Span]) -> bool:
        """Tell whether a pipeline ends before a reader's eyes, and not in a file or a command that uses it."""
        texts = [re.sub(r"\"[^\"\n]*\"|'[^'\n]*'", "", self._text[stage.start : stage.end]) for stage in stages]
        return not any(map(_TO_FILE.search, texts)) and all(_PASSES.match(text) for text in texts[1:])


def _file_shown(path: str, span: Span) -> Iterator[Printed]:
    path = path.replace("\\", "/")
    if is_env_file(path) and not is_env_template(path):
        yield Printed(span, path.rpartition("/")[2], "file")


def _snake(name: str) -> str:
    """`ApiKey` as `API_KEY`: PowerShell's names do not tell capitals apart."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


# -- batch ------------------------------------------------------------------------------------------------------------

_ECHO = regex(r"(?:^|(?<=[\s@(]))echo(?=[\s.:;,/(]|$)", re.IGNORECASE)
_VALUE = regex(r"%([A-Za-z_][A-Za-z0-9_]*)(:[^%\n]{0,80})?%|!([A-Za-z_][A-Za-z0-9_]*)(:[^!\n]{0,80})?!")
_REMARK = regex(r"[ \t@]*(?:rem\b|::)", re.IGNORECASE)
_SET = regex(r"[\s@(]*(?:if\s.{0,200}?\s)?(set)(?:[ \t]+([A-Za-z_][A-Za-z0-9_]*))?\s*$", re.IGNORECASE)
_SET_VALUE = regex(r"[\s@(]*set\s+\"?([A-Za-z_][A-Za-z0-9_]*)=", re.IGNORECASE)
_TYPE = regex(r"[\s@(]*(?:type|more)\s+\"?([^\s\"|&<>]+)", re.IGNORECASE)
_OUT = regex(r"(?<!\^)(?:\b[12])?>{1,2}[ \t]*(&?[^\s&|)]*)")
_PIPED = regex(r"[\s]*(?:more|findstr|find|sort)\b", re.IGNORECASE)
_SEPARATOR = regex(r"\"[^\"\n]*\"|\^.|((?<!>)&&?|\|\||\||[()])")


class Batch:
    """The batch script of one file."""

    def __init__(self, text: str, is_secret: Callable[[str], bool], held: Callable[[], Sequence[str]]) -> None:
        """Take the whole text; `held` names the keys that are in the environment as far as the file tells."""
        self._text = text
        self._by_name = is_secret
        self._held = held
        self._learnt: set[str] = set()

    def is_secret(self, name: str) -> bool:
        """Tell whether a variable holds a secret: by its name in any case, or because it was given one."""
        return name.upper() in self._learnt or self._by_name(name.upper())

    def read(self, start: int, end: int) -> list[Printed]:  # noqa: C901  # one branch for each sign between commands
        """Give what the script between two offsets prints, by position."""
        found: list[Printed] = []
        opened: list[int] = []
        text = self._text
        for line in self._lines(start, end):
            if _REMARK.match(text, line.start, line.end):
                continue
            place, piped = line.start, len(found)
            for sign in (*_SEPARATOR.finditer(text, line.start, line.end), None):
                if sign is not None and sign[1] is None:
                    continue
                stop = sign.start() if sign is not None else line.end
                found += self._command(place, stop)
                place = sign.end() if sign is not None else stop
                if sign is None or sign[1] not in {"|", "(", ")"}:
                    piped = len(found)
                elif sign[1] == "|":
                    if not _PIPED.match(text, place, line.end):
                        del found[piped:]
                elif sign[1] == "(":
                    opened.append(len(found))
                elif opened:
                    first = opened.pop()
                    target = re.compile(r"[ \t]*>{1,2}[ \t]*([^\s&|)]+)").match(text, place, line.end)
                    if target is not None and not _is_screen(target[1]):
                        del found[first:]
        return sorted(set(found))

    def _lines(self, start: int, end: int) -> Iterator[Span]:
        """Lines, joined where a caret ends them."""
        begin = start
        while begin < end:
            stop = begin
            while True:
                stop = self._text.find("\n", stop, end)
                stop = end if stop < 0 else stop
                if stop == end or not self._text[max(begin, stop - 2) : stop].rstrip("\r").endswith("^"):
                    break
                stop += 1
            yield Span(begin, stop)
            begin = stop + 1

    def _command(self, start: int, end: int) -> Iterator[Printed]:  # noqa: C901  # one branch for each command
        text = self._text[start:end]
        if all(not _is_screen(target[1]) for target in _OUT.finditer(text)) and _OUT.search(text):
            return
        given = _SET_VALUE.match(text)
        if given:
            if any(
                self.is_secret(value[1] or value[3]) and not (value[2] or value[4]) for value in _VALUE.finditer(text)
            ):
                self._learnt.add(given[1].upper())
            return
        echo, dump, shown = _ECHO.search(text), _SET.match(text), _TYPE.match(text)
        if echo:
            for value in _VALUE.finditer(text, echo.end()):
                if self.is_secret(value[1] or value[3]) and not _cut(value[2] or value[4]):
                    yield Printed(Span(start + value.start(), start + value.end()), value[1] or value[3], "echo")
        elif dump:
            span = Span(start + dump.start(1), start + len(text.rstrip()))
            if dump[2] is None:
                yield from (Printed(span, name, "environment") for name in self._held()[:1])
            elif self.is_secret(dump[2]):
                yield Printed(span, dump[2], "echo")
        elif shown:
            yield from _file_shown(shown[1], Span(start + len(text) - len(text.lstrip()), start + shown.end()))


def _is_screen(target: str) -> bool:
    return target.lower() in {"&1", "&2", "con"}


def _cut(operation: str | None) -> bool:
    """`%NAME:~0,4%` shows a few characters; a replacement with stars shows none."""
    found = re.fullmatch(r":~\s*(?:0\s*,\s*(\d+)|-(\d+))", operation or "")
    return found is not None and int((found[1] or found[2])[:4]) <= _FEW
