"""Python text → a LibCST tree and the spans of chosen nodes, or the reason why not; depth is measured first."""

from __future__ import annotations

import bisect
import re
from functools import cache

from msgspec import Struct, field

from keyguard.model import Span
from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from typing import Any

    import libcst as cst

    from keyguard.python.bodies import Choice
    from keyguard.source import SourceFile

MAX_DEPTH = 200  # CPython's own limit on nested brackets; LibCST 1.9 crashes the process at about 1,500
MAX_INDENTS = 100  # CPython's own limit on nested blocks
MAX_SEARCHED = 64  # nodes whose text is searched for; for more, one pass over the tree is cheaper
MAX_SIZE = 1_200_000  # characters: LibCST takes 105 bytes of memory for each, and a process has 200 MB
MAX_CHAIN = 1_000  # links (operators, dots, calls, adjacent strings, elifs) that one tree path may hold


class ParseFailure(Struct, frozen=True):
    """Why a text has no tree; `line` counts from 1.

    `reason` names a text `python.…` of `lang.reading`, which `values` fill. `kind` is too-deep, too-large, syntax,
    python2, template or merge-conflict.
    """

    reason: str
    line: int
    kind: str
    values: Mapping[str, object] = field(default_factory=dict)


class Part(Struct, frozen=True):
    """One source inside a joined text: `start` is where its text begins there."""

    source: SourceFile
    start: int


class Offsets(Struct, frozen=True):
    """A monotone map from offsets of the text that was parsed to offsets of the text that was given.

    `starts[i]` is an offset of the parsed text from which on `shifts[i]` is added.
    """

    starts: tuple[int, ...] = (0,)
    shifts: tuple[int, ...] = (0,)

    def source(self, offset: int) -> int:
        """Map one offset of the parsed text."""
        return offset + self.shifts[bisect.bisect_right(self.starts, offset) - 1]

    def span(self, start: int, end: int) -> Span:
        """Map a range of the parsed text; its last character decides where it ends."""
        return Span(self.source(start), self.source(end - 1) + 1 if end > start else self.source(start))


class Module(Struct, frozen=True, eq=False):
    """A parsed text: `tree` spells exactly `code`, and `offsets` leads from `code` back to `text`.

    `parts` are the sources `text` was joined from: one file, or the code cells of a notebook in order.
    `comments` are their spans in `text`, those on lines that follow each other as one; `stepped` are spans of `text`
    that were stepped over: notebook magics, cells that do not parse.
    """

    text: str
    code: str
    tree: cst.Module
    offsets: Offsets
    parts: tuple[Part, ...]
    stepped: tuple[Span, ...] = ()
    comments: tuple[Span, ...] = ()
    _spans: dict[int, Span] = field(default_factory=dict)
    _starts: dict[int, int] = field(default_factory=dict)

    @property
    def source(self) -> SourceFile:
        """The file, or the first cell of the notebook."""
        return self.parts[0].source

    def place(self, span: Span) -> tuple[SourceFile, Span]:
        """Tell which source a span of `text` lies in, and where it lies inside that source."""
        index = bisect.bisect_right([part.start for part in self.parts], span.start) - 1
        part = self.parts[max(index, 0)]
        limit = len(part.source.text)
        start = min(span.start - part.start, limit)
        return part.source, Span(start, min(max(span.end - part.start, start), limit))

    def span(self, node: cst.CSTNode) -> Span:
        """Return one node's span in `text`: see `spans`."""
        return self.spans((node,))[id(node)]

    def spans(self, nodes: Iterable[cst.CSTNode]) -> Mapping[int, Span]:
        """Return the syntactic spans in `text` of `nodes` by `id`, as LibCST's PositionProvider means them.

        Parentheses, white space and comments around an expression are left out. Ask for all nodes at once: at worst
        one pass over the tree answers them (28,000 lines a second), at best (text that stands only once) none.
        """
        missing = {id(node): node for node in nodes if id(node) not in self._spans}
        if missing:
            self._spans.update(_locate(self, missing))
        return self._spans

    def start(self, statement: cst.CSTNode) -> int | None:
        """Where in `text` a statement or its first decorator begins, told by lines alone; None where they do not tell.

        Of a statement with a long block that costs far less than its span.
        """
        start = self.line(statement)
        return None if start is None else self.offsets.source(start)

    def line(self, statement: cst.CSTNode) -> int | None:
        """The same in `code`."""
        if not self._starts:
            self._starts.update(_first_lines(self.tree, self.code))
            self._starts.setdefault(0, 0)  # no node: this was done
        return self._starts.get(id(statement))


def parse(source: SourceFile) -> Module | ParseFailure:
    """Parse one file; text LibCST cannot survive is measured first and refused."""
    return parse_parts((source,))


def parse_parts(
    sources: Sequence[SourceFile],
    leave_out: frozenset[int] = frozenset(),
    choice: Choice | None = None,
) -> Module | ParseFailure:
    """Parse the code cells of one notebook as one module, in order, so that later cells see earlier names.

    With a `choice`, the bodies of functions that it does not want are left out of a file: parsing is what costs, and
    of a file with one line about keys a seventh has to do with it.

    IPython magics are stepped over; cells in another language (`%%bash`) are left out whole, and so are those
    whose `id` is in `leave_out`. A failure's line counts in the joined text, where every cell starts on its own line.
    """
    from keyguard.source import python_text  # noqa: PLC0415  # 1 ms, only for Python

    parts: list[Part] = []
    texts: list[str] = []
    length = 0
    for source in sources:
        parts.append(Part(source, length))
        text = source.text
        if len(sources) > 1 and not text.endswith(("\n", "\r")):
            text += "\n"
        texts.append(text)
        length += len(text)
    text = "".join(texts)
    stepped: list[Span] = []
    codes: list[str] = []
    for part, chunk in zip(parts, texts, strict=True):
        other = part.source.cell is not None and part.source.kind != "python"
        if other or id(part.source) in leave_out:
            code = re.sub(r"[^\r\n]", " ", chunk)
        else:
            code = python_text(part.source) + chunk[len(part.source.text) :]
        if not other:
            stepped += _stepped_over(part, chunk, code)
        codes.append(code)
    whole = "".join(codes)
    if choice is not None and len(parts) == 1 and "\x0c" not in whole:
        from keyguard.python.bodies import outline  # noqa: PLC0415  # where bodies are left out

        code, starts, shifts = outline(whole, choice(whole))
        module = _parse(text, code, tuple(parts), tuple(stepped), Offsets(starts, shifts))
        if isinstance(module, Module):
            return module
    return _parse(text, whole, tuple(parts), tuple(stepped))


def _parse(
    text: str, code: str, parts: tuple[Part, ...], stepped: tuple[Span, ...], outlined: Offsets | None = None
) -> Module | ParseFailure:
    code, offsets = (code, outlined) if outlined is not None else _without_form_feeds(code)
    if len(code) > MAX_SIZE:
        return ParseFailure("too-large", 1, "too-large", {"size": MAX_SIZE})
    deep, comments = _scan(code)
    if deep is not None:
        return ParseFailure("too-deep", deep, "too-deep", {"depth": MAX_DEPTH, "chain": MAX_CHAIN})
    from keyguard.python.nodes import libcst  # noqa: PLC0415  # 30 ms: only for text that is parsed

    cst = libcst()
    try:
        tree = cst.native.parse_module(code, encoding="utf-8")
    except cst.ParserSyntaxError as error:
        return _failure(code, error.raw_line, error.message)
    except UnicodeEncodeError:
        # A lone surrogate cannot travel to the native parser; "?" is one character too.
        return _parse(text, code.encode("utf-8", "replace").decode("utf-8"), parts, stepped, outlined)
    except (KeyboardInterrupt, SystemExit, MemoryError, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001  # LibCST's panics are no Exception; one file must not end the run
        return ParseFailure("gave-up", 1, "syntax", {"error": type(error).__name__})
    blocks = tuple(offsets.span(start, end) for start, end in _blocks_of_comments(code, comments))
    return Module(text, code, tree, offsets, parts, stepped, blocks)


def _without_form_feeds(code: str) -> tuple[str, Offsets]:
    """Drop a byte order mark and indents up to a form feed: LibCST does not spell them back."""
    cuts: list[tuple[int, int]] = []
    if code.startswith("\ufeff"):
        cuts.append((0, 1))
    if "\x0c" in code:
        cuts.extend(match.span() for match in re.finditer(r"(?:(?<=[\r\n])|\A)[ \t]*\x0c[ \t\x0c]*(?<=\x0c)", code))
    if not cuts:
        return code, Offsets()
    return cut(code, cuts)


def cut(code: str, cuts: Iterable[tuple[int, int]]) -> tuple[str, Offsets]:
    """Leave out ranges of a text (ascending, disjoint); the map leads back to it."""
    pieces: list[str] = []
    starts, shifts = [0], [0]
    position = length = 0
    for start, end in cuts:
        pieces.append(code[position:start])
        length += start - position
        position = end
        if starts[-1] == length:
            shifts[-1] = position - length
        else:
            starts.append(length)
            shifts.append(position - length)
    pieces.append(code[position:])
    return "".join(pieces), Offsets(tuple(starts), tuple(shifts))


def _stepped_over(part: Part, chunk: str, code: str) -> list[Span]:
    """The lines of a cell that were blanked because they are IPython's, not Python's."""
    spans: list[Span] = []
    if chunk == code:
        return spans
    for match in re.finditer(r"[^\r\n]+", chunk):
        if code[match.start() : match.end()] != match[0]:
            spans.append(Span(part.start + match.start(), part.start + match.end()))  # noqa: PERF401  # reads better
    return spans


# The guard: one linear pass over the characters, before LibCST sees them -----------------------------------------

# A string as far as it goes: of several lines, or of one.
_STRING = (
    r"""'''(?:[^'\\]+|\\[\s\S]|'(?!''))*(?:''')?"""
    r'''|"""(?:[^"\\]+|\\[\s\S]|"(?!""))*(?:""")?|'(?:[^'\\\r\n]|\\(?:\r\n|[\s\S]))*'?|"(?:[^"\\\r\n]|\\(?:\r\n|[\s\S]))*"?'''
)
_TOKEN = regex(
    r"""(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>,)|(?P<newline>\r\n?|\n)|(?P<semicolon>;)"""
    r"""|\#[^\r\n]*|(?P<join>\\(?:\r\n?|\n))"""
    rf"""|(?P<string>(?:\b[A-Za-z]{{1,3}})?(?:{_STRING}))"""
    r"""|(?P<link>[-+*/%@&|^~<>=!.]|\b(?:and|or|not|if|else|lambda|await|for|in|is|yield)\b)"""
)
# The same without what only counts: all up to the next bracket, string, comment or line end is one piece.
_PIECE = regex(
    r"""[^()\[\]{}'"\#\\\r\n]*(?:(?P<newline>\r\n?|\n)|(?P<open>[(\[{])|(?P<close>[)\]}])"""
    rf"""|(?P<comment>\#[^\r\n]*)|\\(?:\r\n?|\n|)|\Z|(?P<string>{_STRING}))"""
)
_WIDE_INDENT = regex(rf"^[ \t]{{{MAX_INDENTS}}}", re.MULTILINE)
_ELIF = regex(r"^([ \t]*)(elif\b|else\b|(?=[^\s#]))", re.MULTILINE)


def too_deep(code: str) -> int | None:
    """Return the line (from 1) at which brackets nest deeper than 200 or a chain has more than 1,000 links, else None.

    A link counts for every level of the tree it may add: brackets, operators, dots, calls, keywords, adjacent strings.
    """
    return _scan(code)[0]


def _scan(code: str) -> tuple[int | None, list[tuple[int, int]]]:
    """The line at which a text is too deep, and where its comments stand."""
    comments: list[tuple[int, int]] = []
    counted = [_deep_line(code, *place) for place in _worth_counting(code, comments)]
    found = [number for number in (_deep_blocks(code), *counted) if number is not None]
    return min(found, default=None), comments


def _worth_counting(code: str, comments: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the logical lines that may be too deep: a line of fewer characters than links are allowed is not.

    Notes the comments on the way. Telling them so takes a third of the time that counting takes.
    """
    start = depth = said = 0  # `said` are characters of strings, each of which is one link, and of comments
    is_deep = False
    for piece in _PIECE.finditer(code):
        kind = piece.lastgroup
        if kind == "newline":
            if not depth:
                end = piece.end()
                if is_deep or end - start - said > MAX_CHAIN:
                    yield start, end
                start, said, is_deep = end, 0, False
        elif kind == "open":
            depth += 1
            is_deep = is_deep or depth > MAX_DEPTH
        elif kind == "close":
            depth = max(depth - 1, 0)
        elif kind == "string":
            at, end = piece.span("string")
            said += end - at - 1
            # A long one with a prefix may nest brackets of its own.
            is_deep = is_deep or (end - at > MAX_DEPTH and code[at - 1].isalpha())
        elif kind == "comment":
            at, end = piece.span("comment")
            said += end - at
            comments.append((at, end))
    if start < len(code):
        yield start, len(code)


def _deep_line(code: str, start: int, end: int) -> int | None:  # noqa: C901  # one arm a kind of token
    """Return the line (from 1) at which brackets nest too deep, or a chain is too long, in one logical line of code."""
    links = 0  # on the path to the current place, over all open brackets
    outer: list[int] = []  # what `links` was where the element around each open bracket began
    base = 0
    line_start = start
    for match in _TOKEN.finditer(code, start, end):
        kind = match.lastgroup
        if kind == "link":
            links += 1
        elif kind == "open":
            links += 1
            outer.append(base)
            base = links
            if len(outer) > MAX_DEPTH:
                return _line_of(code, match.start())
        elif kind == "close":
            if outer:
                links = base
                base = outer.pop()
        elif kind == "comma":
            links = base
        elif kind in {"newline", "semicolon"}:
            if not outer:
                links = base = 0
            line_start = match.end()
        elif kind == "string":
            links += 1
            if match.end() - match.start() > MAX_DEPTH and _inner_depth(match[0]) + len(outer) > MAX_DEPTH:
                return _line_of(code, match.start())
        if links > MAX_CHAIN:
            return _line_of(code, line_start)
    return None


def _inner_depth(literal: str) -> int:
    """Return how deep brackets nest inside the replacement fields of an f-string, chains counted like brackets."""
    quote = min((literal.find(mark) for mark in "'\"" if mark in literal), default=0)
    prefix = literal[:quote].lower()
    if not ("f" in prefix or "t" in prefix) or "{" not in literal:
        return 0
    depth = deepest = chain = 0
    for match in re.finditer(r"[{(\[]|[})\]]|[-+*/%.~]", literal.replace("{{", "  ").replace("}}", "  ")):
        mark = match[0]
        if mark in "{([":
            if depth or mark == "{":
                depth += 1
                deepest = max(deepest, depth)
        elif mark in "})]":
            depth = max(depth - 1, 0)
            if not depth:
                chain = 0
        elif depth:
            chain += 1
            if chain > MAX_CHAIN:
                return MAX_DEPTH + 1
    return deepest


def _deep_blocks(code: str) -> int | None:
    wide = _WIDE_INDENT.search(code) is not None
    if not wide and code.count("elif") <= MAX_CHAIN:
        return None
    indents: list[tuple[int, int]] = []  # (width, elifs in the chain that is open there)
    elifs = 0
    for match in _ELIF.finditer(code):
        width = len(match[1].expandtabs(8))
        while indents and indents[-1][0] > width:
            elifs -= indents.pop()[1]
        chain = 0
        if indents and indents[-1][0] == width:
            chain = indents.pop()[1]
        elifs -= chain
        if match[2] == "elif":
            chain += 1
        elif match[2] != "else":
            chain = 0
        elifs += chain
        indents.append((width, chain))
        if elifs > MAX_CHAIN or (wide and len(indents) > MAX_INDENTS + 1):
            return _line_of(code, match.start())
    return None


def _line_of(code: str, offset: int) -> int:
    return 1 + len(re.findall(r"\r\n?|\n", code[:offset]))


# Why it does not parse --------------------------------------------------------------------------------------------

_CONFLICT = regex(r"^(?:<{7} |={7}\s*$|>{7} )", re.MULTILINE)
_TEMPLATE = regex(r"\{%-?\s*\w|\{\{[ -]*[\w.]+(?:\s*\|[^}\n]*)?[ -]*\}\}|^\s*<%|\$\{[\w.]+\}", re.MULTILINE)
_PYTHON_2 = regex(
    r"^[ \t]*(?:print[ \t]+[^\s=(.,\[:]|print[ \t]*\([^\n]*\)[ \t]*%|print[ \t]*>>|exec[ \t]+[\"'\w]"
    r"|raise[ \t]+[\w.]+[ \t]*,"
    r"|except[ \t]+[\w.()]+[ \t]*,[ \t]*\w+[ \t]*:)|<>|\b0[0-7]+[lL]?\b|\b\d+[lL]\b|\b[uU][rR][\"']|`[^`\n]+`",
    re.MULTILINE,
)


def _line_told_by_python(code: str) -> int | None:
    """Where CPython stops: LibCST's tokenizer says line 1 of every error. Depth was measured, so parsing is safe."""
    import ast  # noqa: PLC0415  # loaded with LibCST
    import warnings  # noqa: PLC0415  # as above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an escape such as "\d" is no business of ours
        try:
            compile(code, "<text>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        except SyntaxError as error:
            return error.lineno
        except (ValueError, MemoryError, RecursionError):  # NUL bytes, surrogates, older Pythons at their limits
            return None
    return None


def _failure(code: str, line: int, message: str) -> ParseFailure:
    """Name what a text that is no Python 3 most likely is; the parser's own words say where."""
    conflict = _CONFLICT.search(code)
    if conflict is not None and code.startswith("<", conflict.start()):
        return ParseFailure("conflict", _line_of(code, conflict.start()), "merge-conflict")
    lines = re.split(r"\r\n?|\n", code)
    told = re.search(r"error at (\d+):\d+", message)  # `raw_line` is one off, now before, now behind
    number = max(1, min(int(told[1]) if told else _line_told_by_python(code) or line, len(lines)))
    near = "\n".join(lines[max(number - 2, 0) : number + 1])
    if _TEMPLATE.search(near) and not _PYTHON_2.search(near):
        return ParseFailure("template", number, "template")
    if _PYTHON_2.search(near):
        return ParseFailure("2", number, "python2")
    if lines and number == len(lines) and not lines[-1].strip():
        return ParseFailure("ends", number, "syntax")
    tokenizer = re.search(r"tokenizer error: (.{0,80})", message)
    if tokenizer is None:
        return ParseFailure("unfinished", number, "syntax")
    # What LibCST quotes could be a key.
    words = re.sub(r"[\"'].*[\"']", "a sign", tokenizer[1]).strip()
    return ParseFailure("token", number, "syntax", {"words": words})


def _blocks_of_comments(code: str, comments: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Put comments on lines that follow each other together."""
    start = end = -1
    for first, last in comments:
        between = code[end:first] if end >= 0 and first - end <= 2 * MAX_INDENTS else "x"
        if not between.strip() and len(re.findall(r"\r\n?|\n", between)) == 1:
            end = last
            continue
        if start >= 0:
            yield start, end
        start, end = first, last
    if start >= 0:
        yield start, end


# Where a node stands ----------------------------------------------------------------------------------------------


@cache
def _recorder() -> Any:  # noqa: ANN401, C901  # its classes can only be made once LibCST is loaded
    """Make the class of LibCST code generators' states that count characters and note where the wanted nodes stand.

    Once: three classes take 0.2 ms, and a class that is garbage keeps what its functions know until it is looked for.
    """
    from libcst._nodes.internal import CodegenState  # noqa: PLC0415  # loaded with LibCST

    class Plain:
        """Nothing to record."""

        def __enter__(self) -> None:
            return None

        def __exit__(self, *_: object) -> None:
            return None

    plain = Plain()

    class Recording:
        """Record one node's syntactic span, or borrow its ends from two of its children."""

        __slots__ = ("ends", "node", "start", "state")

        def __init__(self, state: Recorder, node: cst.CSTNode, ends: tuple[Any, Any]) -> None:
            self.state, self.node, self.ends = state, node, ends
            self.start = 0

        def __enter__(self) -> None:
            self.start = self.state.length
            for end in self.ends:
                if end is not None:
                    self.state.wanted.setdefault(id(end), end)

        def __exit__(self, *_: object) -> None:
            first, last = self.ends
            found = self.state.found
            start = found[id(first)][0] if first is not None else self.start
            end = found[id(last)][1] if last is not None else self.state.length
            self.state.note(self.node, start, end)

    class Recorder(CodegenState):
        """LibCST spells the tree; this counts."""

        def __init__(self, tree: cst.Module, wanted: dict[int, cst.CSTNode]) -> None:
            super().__init__(tree.default_indent, tree.default_newline)
            self.length = 0
            self.found: dict[int, tuple[int, int]] = {}
            self.wanted: dict[int, Any] = dict(wanted)
            self.begun: dict[int, int] = {}

        def begin(self, held: Iterable[int], indents: Iterable[str]) -> None:
            """Spell something else, below these indents, in which these nodes are wanted."""
            self.tokens.clear()
            self.indent_tokens[:] = indents
            self.length = 0
            self.wanted = dict.fromkeys(held)

        def add_indent_tokens(self) -> None:
            for token in self.indent_tokens:
                self.tokens.append(token)
                self.length += len(token)

        def add_token(self, value: str) -> None:
            self.tokens.append(value)
            self.length += len(value)

        def before_codegen(self, node: cst.CSTNode) -> None:
            if id(node) in self.wanted:
                self.begun[id(node)] = self.length

        def after_codegen(self, node: cst.CSTNode) -> None:
            if id(node) in self.wanted and id(node) not in self.found:
                self.note(node, self.begun[id(node)], self.length)

        def note(self, node: cst.CSTNode, start: int, end: int) -> None:
            self.found[id(node)] = (start, end)

        def record_syntactic_position(self, node: cst.CSTNode, *, start_node: Any = None, end_node: Any = None) -> Any:  # noqa: ANN401  # LibCST's own signature
            return Recording(self, node, (start_node, end_node)) if id(node) in self.wanted else plain

        def pop_trailing_newline(self) -> None:
            if self.tokens:
                self.length -= len(self.tokens.pop())

    return Recorder


def _locate(module: Module, nodes: dict[int, cst.CSTNode]) -> dict[int, Span]:
    tree, code = module.tree, module.code
    spans: dict[int, Span] = {}
    rest: dict[int, cst.CSTNode] = nodes if len(nodes) > MAX_SEARCHED else {}
    for key, node in nodes.items() if rest is not nodes else ():
        spelled = _spelling(tree, node)
        start = -1 if not spelled or "\n" in spelled or "\r" in spelled else code.find(spelled)
        if start < 0 or code.find(spelled, start + 1) >= 0:
            rest[key] = node
        else:
            spans[key] = module.offsets.span(start, start + len(spelled))
    placed = _placed_by_statement(module, rest)
    spans.update((key, module.offsets.span(*place)) for key, place in placed.items())
    rest = {key: node for key, node in rest.items() if key not in placed}
    if not rest:
        return spans
    state = _recorder()(tree, rest)
    found = state.found
    try:
        tree._codegen(state)  # noqa: SLF001  # the one way to positions without the metadata wrapper's second tree
    except RecursionError:
        found = {}
    # LibCST forgets a last line end that is a lone carriage return.
    exact = bool(found) and "".join(state.tokens).rstrip("\r\n") == code.rstrip("\r\n")
    for key, node in rest.items():
        if exact and key in found:
            spans[key] = module.offsets.span(*found[key])
        else:
            spans[key] = _guess(module, node)
    return spans


class _Holder(NamedTuple):
    """A statement, the indents above it, and the statement in whose block it stands."""

    statement: Any
    indents: tuple[str, ...]
    outer: _Holder | None


def _placed_by_statement(module: Module, nodes: Mapping[int, cst.CSTNode]) -> dict[int, tuple[int, int]]:
    """Where nodes stand in `code`, by the smallest statement whose text stands there once, or at that statement's line.

    Spelling costs twelve times what a walk does, and most nodes that are asked for lie in a statement of a line or two.
    """
    tree, code = module.tree, module.code
    state = _recorder()(tree, {})
    found = state.found
    placed: dict[int, tuple[int, int]] = {}
    holders = _holders(tree, nodes.keys()) if nodes else {}
    while holders:
        outer: dict[int, _Holder] = {}
        for holder, held in _by_statement(holders):
            state.begin(held, holder.indents)
            try:
                holder.statement._codegen(state)  # noqa: SLF001  # see `_locate`
            except RecursionError:
                continue
            text = "".join(state.tokens)
            if not tree.has_trailing_newline:
                text = text.rstrip("\r\n")
            start = code.find(text)
            if start >= 0 and code.find(text, start + 1) >= 0:
                start = _last_around(code, text, module.line(holder.statement))
            if start >= 0:
                placed.update((key, (start + found[key][0], start + found[key][1])) for key in held if key in found)
            elif holder.outer is not None:
                outer.update(dict.fromkeys(held, holder.outer))
            found.clear()
        holders = outer
    return placed


def _holders(tree: cst.Module, wanted: AbstractSet[int]) -> dict[int, _Holder]:
    """The innermost statement around each wanted node, or the outermost that is wanted itself and spelled anyway."""
    found: dict[int, _Holder] = {}
    # Statements before what they hold: what is asked for most often are imports.
    queue: list[tuple[Any, _Holder, bool]] = [(one, _Holder(one, (), None), False) for one in tree.body]
    for node, holder, whole in queue:
        if len(found) == len(wanted):
            break
        if id(node) in wanted:
            found[id(node)] = holder
            whole = whole or node is holder.statement  # noqa: PLW2901  # of this node
        if type(node).__name__ == "IndentedBlock" and not whole:
            inside = (*holder.indents, tree.default_indent if node.indent is None else node.indent)
            queue += [(one, _Holder(one, inside, holder), False) for one in node.body]
        else:
            # Half of all nodes are names and numbers, which hold nothing.
            below = children(node)
            queue += [(one, holder, whole) for one in below if type(one).__name__ in FIELDS or id(one) in wanted]
    return found


def _last_around(code: str, text: str, place: int | None) -> int:
    """Where a text begins that stands around a place, or -1."""
    start = -1 if place is None else code.rfind(text, 0, place + len(text))
    return start if place is not None and start + len(text) > place else -1


# What a line begins with that goes on with a statement or holds none; how statements with a block begin.
_GOES_ON = regex(r"[ \t\f]*(?:[#\r\n]|\Z|(?:elif|else|except|finally)\b)")
_INDENT = regex(r"[ \t\f]*")
_OPENED = {
    "ClassDef": ("@", "class"),
    "For": ("for", "async"),
    "FunctionDef": ("@", "def", "async"),
    "If": ("if",),
    "Match": ("match",),
    "MatchCase": ("case",),
    "Try": ("try",),
    "TryStar": ("try",),
    "While": ("while",),
    "With": ("with", "async"),
}
_BLOCKS = {
    **dict.fromkeys(("ClassDef", "Else", "ExceptHandler", "ExceptStarHandler", "Finally", "FunctionDef"), ("body",)),
    **dict.fromkeys(("IndentedBlock", "MatchCase", "With"), ("body",)),
    **dict.fromkeys(("For", "If", "While"), ("body", "orelse")),
    **dict.fromkeys(("Try", "TryStar"), ("body", "handlers", "orelse", "finalbody")),
    "Match": ("cases",),
}


def _first_lines(tree: cst.Module, code: str) -> dict[int, int]:
    """Where the code of each statement begins, by `id`; nothing where lines and statements are not the same number."""
    from keyguard.python.bodies import logical_lines  # noqa: PLC0415  # only where lines must tell

    starts: list[int] = []
    is_decorator = False
    for line, _ in logical_lines(code):
        if _GOES_ON.match(code, line) is None:
            start = _INDENT.match(code, line).end()  # type: ignore[union-attr]  # matches anywhere
            if not is_decorator:
                starts.append(start)
            is_decorator = code[start] == "@"
    statements = list(_statements(tree))
    if len(starts) != len(statements):
        return {}
    found = {}
    for node, start in zip(statements, starts, strict=True):
        opened = _OPENED.get(type(node).__name__)
        if opened is not None and not code.startswith(opened, start):
            return {}
        found[id(node)] = start
    return found


def _statements(tree: cst.Module) -> Iterator[Any]:
    """Yield what begins a line of its own, in source order: statements at any depth, and the cases of a `match`."""
    stack: list[tuple[Any, bool]] = [(one, True) for one in reversed(tree.body)]
    while stack:
        node, begins = stack.pop()
        kind = type(node).__name__
        if begins and (kind == "SimpleStatementLine" or kind in _OPENED):
            yield node
        below: list[Any] = []
        for name in _BLOCKS.get(kind, ()):
            block = getattr(node, name)
            below += block if isinstance(block, (list, tuple)) else [] if block is None else [block]
        # What stands behind `elif` is an `if` of its own here.
        stack += [(one, kind != "If" or type(one).__name__ != "If") for one in reversed(below)]


def _by_statement(holders: Mapping[int, _Holder]) -> Iterable[tuple[_Holder, set[int]]]:
    """Put nodes together that lie in the same statement."""
    statements: dict[int, tuple[_Holder, set[int]]] = {}
    for key, holder in holders.items():
        statements.setdefault(id(holder.statement), (holder, set()))[1].add(key)
    return statements.values()


def _spelling(tree: cst.Module, node: cst.CSTNode) -> str:
    """Return a node's text between its own parentheses; empty when it cannot be spelled."""
    value = getattr(node, "value", None)
    if isinstance(value, str) and type(node).__name__ in {"SimpleString", "Name", "Comment"}:
        return value
    if type(node).__name__ in {"Annotation", "Param"}:
        return ""  # LibCST spells these only as parts of something
    state = _recorder()(tree, {id(node): node})
    try:
        node._codegen(state)  # noqa: SLF001  # see `_locate`
    except RecursionError:
        return ""
    start, end = state.found.get(id(node), (0, state.length))
    return "".join(state.tokens)[start:end]


def _guess(module: Module, node: cst.CSTNode) -> Span:
    """Place a node of a tree too deep to be spelled: by the first place its text, or its first leaf's, stands."""
    spelled = _spelling(module.tree, node)
    if not spelled:
        spelled = next((leaf.value for leaf in walk(node) if type(leaf).__name__ in {"SimpleString", "Name"}), "")
    start = max(module.code.find(spelled), 0) if spelled else 0
    return module.offsets.span(start, start + len(spelled))


# A walk without recursion -----------------------------------------------------------------------------------------

# Child fields that mean something, in source order; white space, commas, brackets and operators are left out.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "AnnAssign": ("target", "annotation", "value"),
    "Annotation": ("annotation",),
    "Arg": ("keyword", "value"),
    "AsName": ("name",),
    "Assert": ("test", "msg"),
    "Assign": ("targets", "value"),
    "AssignTarget": ("target",),
    "Attribute": ("value", "attr"),
    "AugAssign": ("target", "value"),
    "Await": ("expression",),
    "BinaryOperation": ("left", "right"),
    "BooleanOperation": ("left", "right"),
    "Call": ("func", "args"),
    "ClassDef": ("decorators", "name", "type_parameters", "bases", "keywords", "body"),
    "CompFor": ("target", "iter", "ifs", "inner_for_in"),
    "CompIf": ("test",),
    "Comparison": ("left", "comparisons"),
    "ComparisonTarget": ("comparator",),
    "ConcatenatedString": ("left", "right"),
    "Decorator": ("decorator",),
    "Del": ("target",),
    "Dict": ("elements",),
    "DictComp": ("key", "value", "for_in"),
    "DictElement": ("key", "value"),
    "Element": ("value",),
    "Else": ("body",),
    "ExceptHandler": ("type", "name", "body"),
    "ExceptStarHandler": ("type", "name", "body"),
    "Expr": ("value",),
    "Finally": ("body",),
    "For": ("target", "iter", "body", "orelse"),
    "FormattedString": ("parts",),
    "FormattedStringExpression": ("expression", "format_spec"),
    "From": ("item",),
    "FunctionDef": ("decorators", "name", "type_parameters", "params", "returns", "body"),
    "GeneratorExp": ("elt", "for_in"),
    "Global": ("names",),
    "If": ("test", "body", "orelse"),
    "IfExp": ("body", "test", "orelse"),
    "Import": ("names",),
    "ImportAlias": ("name", "asname"),
    "ImportFrom": ("module", "names"),
    "IndentedBlock": ("body",),
    "Index": ("value",),
    "Lambda": ("params", "body"),
    "LazyImport": ("names",),
    "LazyImportFrom": ("module", "names"),
    "List": ("elements",),
    "ListComp": ("elt", "for_in"),
    "Match": ("subject", "cases"),
    "MatchAs": ("pattern", "name"),
    "MatchCase": ("pattern", "guard", "body"),
    "MatchClass": ("cls", "patterns", "kwds"),
    "MatchKeywordElement": ("key", "pattern"),
    "MatchList": ("patterns",),
    "MatchMapping": ("elements", "rest"),
    "MatchMappingElement": ("key", "pattern"),
    "MatchOr": ("patterns",),
    "MatchOrElement": ("pattern",),
    "MatchSequenceElement": ("value",),
    "MatchStar": ("name",),
    "MatchTuple": ("patterns",),
    "MatchValue": ("value",),
    "Module": ("body",),
    "NameItem": ("name",),
    "NamedExpr": ("target", "value"),
    "Nonlocal": ("names",),
    "Param": ("name", "annotation", "default"),
    "Parameters": ("posonly_params", "params", "star_arg", "kwonly_params", "star_kwarg"),
    "ParamSpec": ("name",),
    "Raise": ("exc", "cause"),
    "Return": ("value",),
    "Set": ("elements",),
    "SetComp": ("elt", "for_in"),
    "SimpleStatementLine": ("body",),
    "SimpleStatementSuite": ("body",),
    "Slice": ("lower", "upper", "step"),
    "StarredDictComp": ("value", "for_in"),
    "StarredDictElement": ("value",),
    "StarredElement": ("value",),
    "Subscript": ("value", "slice"),
    "SubscriptElement": ("slice",),
    "TemplatedString": ("parts",),
    "TemplatedStringExpression": ("expression", "format_spec"),
    "Try": ("body", "handlers", "orelse", "finalbody"),
    "TryStar": ("body", "handlers", "orelse", "finalbody"),
    "Tuple": ("elements",),
    "TypeAlias": ("name", "type_parameters", "value"),
    "TypeParam": ("param", "default"),
    "TypeParameters": ("params",),
    "TypeVar": ("name", "bound"),
    "TypeVarTuple": ("name",),
    "UnaryOperation": ("expression",),
    "While": ("test", "body", "orelse"),
    "With": ("items", "body"),
    "WithItem": ("item", "asname"),
    "Yield": ("value",),
}


def children(node: cst.CSTNode) -> list[Any]:
    """Return the child nodes that mean something, in source order."""
    result: list[Any] = []
    for name in FIELDS.get(type(node).__name__, ()):
        child = getattr(node, name)
        kind = type(child)
        if kind is list or kind is tuple:
            result.extend(child)
        elif child is not None and kind is not str and kind.__name__ != "MaybeSentinel":
            result.append(child)
    return result


def walk(node: cst.CSTNode, descend: Callable[[cst.CSTNode], bool] | None = None) -> Iterator[Any]:
    """Yield a node and everything below it in source order, without recursion; `descend` may hold a subtree back."""
    stack: list[Any] = [node]
    while stack:
        current = stack.pop()
        yield current
        if descend is None or descend(current):
            stack.extend(reversed(children(current)))
