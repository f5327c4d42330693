r"""Finds the scripts in a file (a workflow's steps, a Dockerfile's instructions, recipes, cells) and reads them.

What a format changes in a script (`\"` in a quoted YAML value, `$$` in a Makefile) is undone in a copy of equal
length, so that every offset stays true.
"""

from __future__ import annotations

import re
from itertools import pairwise

from keyguard.checks.shell import Printed, Shell
from keyguard.checks.variables import is_key_variable, is_secret_setting, is_secret_variable
from keyguard.model import Span
from keyguard.patterns import regex
from keyguard.source import is_ci_file, is_compose_file, is_env_template
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.checks.windows import Batch, PowerShell
    from keyguard.source import SourceFile

_VARIABLE = regex(r"[A-Za-z_][A-Za-z0-9_]{3,80}")
_ENV_FILE = regex(r"(?<![\w.*-])(?:[\w.-]*/)?(\.env(?:\.[A-Za-z]\w*)?)(?![\w-])")
_COMMENT_LINE = regex(r"(?m)^[ \t]*(?:#|//|::|rem\b|REM\b)[^\n]*")


def printed_by(source: SourceFile, catalogue: Catalogue) -> list[Printed]:
    """Give every place where a script in the source shows a key, by position; none for files that hold no script."""
    reader = _READERS.get("notebook" if source.cell is not None and source.kind == "python" else source.kind)
    if reader is None or (source.kind == "java" and not is_ci_file(source.path)) or source.part == "output":
        return []
    return sorted(set(reader(_File(source, catalogue))))


class _File:
    """A source with what its scripts may ask: which variables are secrets, and which keys it brings along."""

    def __init__(self, source: SourceFile, catalogue: Catalogue) -> None:
        self.source = source
        self.text = source.text
        self.catalogue = catalogue
        self._judged: dict[str, bool] = {}
        self._names: tuple[str, ...] | None = None

    def is_secret(self, name: str) -> bool:
        known = self._judged.get(name)
        if known is None:
            known = self._judged[name] = is_secret_variable(name, self.catalogue)
        return known

    def held(self) -> Sequence[str]:
        """The key variables that the file names outside comments, else the env file it reads."""
        if self._names is None:
            text = _COMMENT_LINE.sub("", self.text)
            words = dict.fromkeys(found[0] for found in _VARIABLE.finditer(text))
            names = [word for word in words if word.isupper() and is_key_variable(word, self.catalogue)]
            files = dict.fromkeys(found[1] for found in _ENV_FILE.finditer(text) if not is_env_template(found[1]))
            self._names = (*names, *files)
        return self._names

    def shell(self, text: str | None = None, *, fish: bool = False) -> Shell:
        return Shell(self.text if text is None else text, self.is_secret, self.held, fish=fish)

    def powershell(self, text: str | None = None) -> PowerShell:
        from keyguard.checks.windows import PowerShell  # noqa: PLC0415  # 7 ms of patterns, for scripts of Windows

        return PowerShell(self.text if text is None else text, self.is_secret, self.held)

    def batch(self, text: str | None = None) -> Batch:
        from keyguard.checks.windows import Batch  # noqa: PLC0415  # as above

        return Batch(self.text if text is None else text, self.is_secret, self.held)

    def ends_with(self, *endings: str) -> bool:
        return self.source.path.lower().endswith(endings)


def _edited(text: str, edits: Iterable[tuple[int, str]]) -> str:
    """Overwrite pieces of a text, given in order, by pieces of equal length."""
    pieces: list[str] = []
    place = 0
    for start, new in edits:
        if start >= place:
            pieces += (text[place:start], new)
            place = start + len(new)
    pieces.append(text[place:])
    return "".join(pieces)


# -- whole files ------------------------------------------------------------------------------------------------------

_TRACED_SHEBANG = regex(r"#![^\n]*?\b(?:ba|z|k|da)?sh[ \t]+(-[a-wyz]*x[a-z]*)\b")


def _of_shell(file: _File) -> Iterator[Printed]:
    found = _TRACED_SHEBANG.match(file.text)
    shell = file.shell(fish=file.ends_with(".fish"))
    yield from shell.read(0, len(file.text), traced=Span(*found.span(1)) if found else None)


def _of_powershell(file: _File) -> Iterator[Printed]:
    yield from file.powershell().read(0, len(file.text))


def _of_batch(file: _File) -> Iterator[Printed]:
    yield from file.batch().read(0, len(file.text))


# -- YAML -------------------------------------------------------------------------------------------------------------

_LINE = regex(r"[^\n]*")
_ENTRY = regex(r"([ ]*(?:-[ ]+)*)(?:([\"']?)([A-Za-z_][\w.-]*)\2[ \t]*:(?=[ \t\r]|$))?[ \t]*([^\r\n]*)")
_BLOCK = regex(r"[|>][-+0-9]{0,2}[ \t]*(?:#.*)?$")
_SCRIPT_KEYS = frozenset(
    {
        "run", "script", "before_script", "after_script", "before_install", "install", "before_deploy", "after_success",
        "after_failure", "command", "commands", "cmd", "cmds", "entrypoint", "args", "bash", "sh", "shell", "exec",
        "inlinescript", "inline", "test", "build_script", "test_script", "deploy_script", "entry", "action",
    }
)  # fmt: skip
_POWERSHELL_KEYS = frozenset({"pwsh", "powershell", "ps"})
_POWERSHELL = regex(r"\$\{?env:[A-Za-z_]", re.IGNORECASE)
_ALIAS = regex(
    r"(?m)^[ \t]*(?:-[ ]+)?([A-Za-z_]\w*)[ \t]*:[ \t]*[\"']?"
    r"\$(?:\{\{[ \t]*(?:secrets|env)\.(\w+)[ \t]*\}\}|\{?(\w+)\}?)[\"']?[ \t]*\r?$"
)
_MACRO = regex(r"\$\(([A-Z][A-Z0-9_]{2,80})\)")
_FLOW_STRING = regex(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\n]|'')*)'")
_YAML_ESCAPE = regex(r"\\[\"n]")


class _Line(NamedTuple):
    start: int
    end: int
    indent: int  # the column of what the line is about, behind its dashes
    dash: int  # the column of its first dash, -1 without one
    key: str
    value: Span


class _Script(NamedTuple):
    """A script in YAML: its pieces share one shell; `step` are the entries that stand beside it."""

    key: str
    pieces: list[Span]
    step: dict[str, str]


def _of_yaml(file: _File) -> Iterator[Printed]:
    edits: list[tuple[int, str]] = []
    scripts = list(_yaml_scripts(file.text, edits))
    if not scripts:
        return
    edits += _yaml_dollars(file, scripts)
    text = _edited(file.text, sorted(edits))
    shell = file.shell(text)
    powershell: PowerShell | None = None
    for found in _ALIAS.finditer(file.text):
        if file.is_secret(found[2] or found[3]):
            shell.learn(found[1])
    for script in scripts:
        language = script.step.get("shell", "").lower()
        windows = any(_POWERSHELL.search(text, piece.start, piece.end) for piece in script.pieces)
        if windows or language in _POWERSHELL_KEYS or script.key in _POWERSHELL_KEYS:
            powershell = powershell or file.powershell(text)
            for piece in script.pieces:
                yield from powershell.read(piece.start, piece.end)
        elif language.startswith("cmd"):
            batch = file.batch(text)
            for piece in script.pieces:
                yield from batch.read(piece.start, piece.end)
        elif not language.startswith(("python", "node")):
            yield from _read_together(shell, script.pieces)


def _read_together(shell: Shell, pieces: list[Span]) -> Iterator[Printed]:
    """Read the items of a list, which run one after another; tracing goes on from one to the next."""
    traced: Span | None = None
    reported: set[Printed] = set()
    for piece in pieces:
        for found in shell.read(piece.start, piece.end, traced=traced):
            if found not in reported:
                reported.add(found)
                yield found
        traced = shell.tracing


def _yaml_scripts(text: str, edits: list[tuple[int, str]]) -> Iterator[_Script]:
    """The values of keys that hold scripts; `edits` gets what undoes their quoting."""
    lines = list(_yaml_lines(text))
    steps: dict[int, dict[str, str]] = {}
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.dash >= 0:
            for column in [column for column in steps if column > line.dash]:
                del steps[column]
        for column in [column for column in steps if column > line.indent]:
            del steps[column]
        if not line.key:
            continue
        step = steps.setdefault(line.indent, {})
        key = line.key.lower()
        value = text[line.value.start : line.value.end].rstrip()
        step[key] = value.strip("\"'")
        if key not in _SCRIPT_KEYS and key not in _POWERSHELL_KEYS and not key.endswith("script"):
            if _BLOCK.match(value):  # a text in which nothing is a key
                number = _block_end(lines, number, line.indent)
            continue
        pieces, number = _yaml_pieces(text, lines, number, line, edits)
        if pieces:
            yield _Script(key, pieces, step)


def _yaml_lines(text: str) -> Iterator[_Line]:
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        found = _ENTRY.match(text, at, end)
        if found is not None and found[4] is not None:
            dashes = found[1]
            content = text[at + len(dashes) : end].strip()
            if content and not content.startswith("#"):
                dash = dashes.find("-")
                yield _Line(at, end, len(dashes), dash, found[3] or "", Span(*found.span(4)))
        at = end + 1


def _block_end(lines: list[_Line], number: int, indent: int) -> int:
    """The first line from `number` on that is no deeper than `indent`."""
    while number < len(lines) and _depth(lines[number]) > indent:
        number += 1
    return number


def _depth(line: _Line) -> int:
    return line.dash if line.dash >= 0 else line.indent


def _yaml_pieces(
    text: str, lines: list[_Line], number: int, line: _Line, edits: list[tuple[int, str]]
) -> tuple[list[Span], int]:
    """The scripts of one key's value, and the line after it."""
    value = text[line.value.start : line.value.end].rstrip()
    if value and not value.startswith("#"):
        return _yaml_scalar(text, lines, number, line.value, line.indent, edits)
    pieces: list[Span] = []
    dash = lines[number].dash if number < len(lines) else -1
    if dash < (max(line.dash, 0)) or dash < 0 or (line.dash < 0 and dash < line.indent):
        return [], number
    while number < len(lines) and lines[number].dash == dash:
        item = lines[number]
        start = item.start + dash + 1
        start += len(text[start : item.end]) - len(text[start : item.end].lstrip(" "))
        if item.key and not _looks_like_command(text, start, item):
            break  # steps of their own, with keys of their own
        found, number = _yaml_scalar(text, lines, number + 1, Span(start, item.end), dash, edits)
        pieces += found
    return pieces, number


def _looks_like_command(text: str, start: int, item: _Line) -> bool:
    """Tell `- echo "a: b"` from `- name: value`."""
    return " " in text[start : item.value.start].partition(":")[0].strip()


def _yaml_scalar(  # noqa: PLR0913, PLR0917  # where it stands, and what is known of its lines
    text: str, lines: list[_Line], number: int, value: Span, indent: int, edits: list[tuple[int, str]]
) -> tuple[list[Span], int]:
    """The script in one scalar: a block, a quoted or plain text, or a list in brackets; and the line after it."""
    content = text[value.start : value.end].rstrip()
    after = _block_end(lines, number, indent)
    end = lines[after - 1].end if after > number else value.end
    if _BLOCK.match(content):
        return ([Span(lines[number].start, end)] if after > number else []), after
    if content.startswith("["):
        return _flow(text, Span(value.start, end), edits), after
    if content[:1] in {'"', "'"}:
        closing = text.rfind(content[0], value.start + 1, end)
        inside = Span(value.start + 1, closing if closing > value.start else end)
        _unquote(text, inside, content[0], edits)
        return [inside], after
    return [Span(value.start, end)], after


def _flow(text: str, span: Span, edits: list[tuple[int, str]]) -> list[Span]:
    """The script in `["sh", "-c", "…"]`; without a shell nothing expands."""
    strings = list(_FLOW_STRING.finditer(text, span.start, span.end))
    for before, found in pairwise(strings):
        if before[0][1:-1] in {"-c", "-ec", "-lc", "-xc", "-exc", "-cx", "CMD-SHELL", "/c", "-Command"}:
            inside = Span(found.start() + 1, found.end() - 1)
            _unquote(text, inside, found[0][0], edits)
            return [inside]
    return []


def _unquote(text: str, inside: Span, quote: str, edits: list[tuple[int, str]]) -> None:
    if quote == "'":
        edits += ((found.start(), " '") for found in re.compile("''").finditer(text, inside.start, inside.end))
    else:
        new = {'\\"': ' "', "\\n": " \n"}
        edits += ((found.start(), new[found[0]]) for found in _YAML_ESCAPE.finditer(text, inside.start, inside.end))


def _yaml_dollars(file: _File, scripts: list[_Script]) -> Iterator[tuple[int, str]]:
    """`$$` of compose files, and `$(NAME)` of pipelines, which is no command in capitals."""
    compose, ci = is_compose_file(file.source.path), is_ci_file(file.source.path)
    for script in scripts:
        for piece in script.pieces:
            if compose:
                yield from (
                    (at.start(), " $") for at in re.compile(r"\$\$").finditer(file.text, piece.start, piece.end)
                )
            if ci:
                for found in _MACRO.finditer(file.text, piece.start, piece.end):
                    yield found.start(), f"${{{found[1]}}}"


# -- Dockerfile -------------------------------------------------------------------------------------------------------

_INSTRUCTION = regex(r"[ \t]*(?:ONBUILD[ \t]+)?([A-Za-z]+)(?=[ \t]|\\\r?$)", re.IGNORECASE | re.MULTILINE)
_FLAG = regex(r"(?:[ \t]|\\\r?\n)+--[a-z][\w-]*(?:=\S*)?")
_HEREDOC = regex(r"<<-?[\"']?([A-Za-z_]\w*)[\"']?")
_PAIR = regex(r"([A-Za-z_]\w*)=((?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\\.|[^\s\"'\\])*)", re.DOTALL)
_OLD_PAIR = regex(r"[ \t]+([A-Za-z_]\w*)[ \t]+([^\r\n]+)")
_REFERENCE = regex(r"\$\{?[A-Za-z_]")


def _of_dockerfile(file: _File) -> Iterator[Printed]:
    edits: list[tuple[int, str]] = []
    instructions = list(_instructions(file.text, edits))
    shell = file.shell(_edited(file.text, edits))
    for name, span in instructions:
        if name in {"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"}:
            for piece in _docker_command(file.text, name, span):
                yield from shell.read(piece.start, piece.end)
        elif name in {"ENV", "ARG"}:
            yield from _baked(file, name, span)


def _instructions(text: str, edits: list[tuple[int, str]]) -> Iterator[tuple[str, Span]]:
    """Each instruction's name and the span behind it; `edits` gets comments between its lines, which do not end it."""
    at = 0
    while at < len(text):
        found = _INSTRUCTION.match(text, at)
        end = _line_end(text, at)
        if found is None or found.end() > end:
            at = end + 1
            continue
        while text[at:end].rstrip().endswith("\\") and end < len(text):
            at, end = end + 1, _line_end(text, end + 1)
            while text[at:end].lstrip().startswith("#") or not text[at:end].strip():
                if end >= len(text):
                    break
                edits.append((at, " " * (end + 1 - at)))
                at, end = end + 1, _line_end(text, end + 1)
        document = _HEREDOC.search(text, found.end(), end) if found[1].upper() in {"RUN", "COPY", "ADD"} else None
        if document:
            closing = re.compile(rf"(?m)^[ \t]*{document[1]}[ \t]*\r?$").search(text, end)
            end = closing.end() if closing else len(text)
        yield found[1].upper(), Span(found.end(), end)
        at = end + 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _docker_command(text: str, name: str, span: Span) -> list[Span]:
    start = span.start
    while (flag := _FLAG.match(text, start, span.end)) is not None:
        start = flag.end()
    if name == "HEALTHCHECK":
        found = re.compile(r"\s*CMD\b").match(text, start, span.end)
        start = found.end() if found else span.end
    rest = text[start : span.end].lstrip()
    if rest.startswith("["):
        return _flow(text, Span(start, span.end), [])
    if rest.startswith("<<"):  # the whole document is the script
        body = text.find("\n", start, span.end)
        closing = text.rfind("\n", start, span.end)
        return [Span(body + 1, closing)] if 0 <= body < closing else []
    return [Span(start, span.end)]


def _baked(file: _File, name: str, span: Span) -> Iterator[Printed]:
    """Values that become part of the image: references in ENV, and what looks like a key itself."""
    old = _OLD_PAIR.match(file.text, span.start, span.end)
    if old and name == "ENV" and not re.match(r"[ \t]+[A-Za-z_]\w*[ \t]*=", file.text[span.start : span.end]):
        pairs = [old]
    else:
        pairs = list(_PAIR.finditer(file.text, span.start, span.end))
    for pair in pairs:
        variable, value = pair[1], pair[2].strip().strip("\"'")
        if not file.is_secret(variable):
            continue
        if _REFERENCE.search(value) or is_secret_setting(variable, value, file.catalogue):
            yield Printed(Span(pair.start(1), pair.start(1) + len(pair[0].strip())), variable, "image")


# -- make -------------------------------------------------------------------------------------------------------------

_MAKE_DOLLAR = regex(r"\$\$|\$\(([A-Za-z_]\w*)\)")
_MAKE_SAYS = regex(r"(?m)^[ \t]*(\$\((?:info|warning|error))[ \t]([^\n]*)")
_RECIPE = regex(r"(?m)^\t[ \t]*[-@+ ]*((?:[^\\\n]|\\\r?\n|\\.)*)")
_JUST_RECIPE = regex(r"(?m)^[ \t]+[-@]*((?:[^\\\n]|\\\r?\n|\\.)*)")
_CMAKE_SAYS = regex(r"(?i)\bmessage[ \t]*\([^)\n]{0,400}?\$ENV\{([A-Za-z_]\w*)\}")


def _of_make(file: _File) -> Iterator[Printed]:
    text = file.text
    if file.ends_with(".cmake", "cmakelists.txt"):
        for found in _CMAKE_SAYS.finditer(text):
            if file.is_secret(found[1]):
                yield Printed(Span(found.start(1) - len("$ENV{"), found.end()), found[1], "echo")
        return
    if file.ends_with("justfile", ".just"):
        shell = file.shell()
        for found in _JUST_RECIPE.finditer(text):
            yield from shell.read(*found.span(1))
        return
    edits: list[tuple[int, str]] = [(at.start(), _make_dollar(at)) for at in _MAKE_DOLLAR.finditer(text)]
    says = list(_MAKE_SAYS.finditer(text))
    edits += ((found.start(1), "echo".ljust(len(found[1]))) for found in says)
    shell = file.shell(_edited(text, sorted(edits)))
    for found in says:
        yield from shell.read(found.start(1), found.end())
    for found in _RECIPE.finditer(text):
        yield from shell.read(*found.span(1))


def _make_dollar(found: re.Match[str]) -> str:
    """What the shell gets: `$$` is its `$`; a variable of make looks to us like one of its own."""
    return " $" if found[1] is None else f"${{{found[1]}}}"


# -- pipelines in Groovy, and notebooks -------------------------------------------------------------------------------

_STEP = regex(r"\b(sh|bat|powershell|pwsh|echo|println)\b[ \t]*\(?[ \t]*(?:script[ \t]*:[ \t]*)?('''|\"\"\"|'|\")")
_CREDENTIAL = regex(r"\$\{?(?:env\.)?([A-Za-z_]\w*)\}?")


def _of_jenkins(file: _File) -> Iterator[Printed]:
    text = file.text
    shell = file.shell(re.sub(r"\$\{env\.(\w+)\}", r"${\1    }", text))
    at = 0
    while (found := _STEP.search(text, at)) is not None:
        closing = text.find(found[2], found.end())
        closing = len(text) if closing < 0 else closing
        at = closing + len(found[2])
        if found[1] in {"echo", "println"}:
            if '"' in found[2]:
                for name in _CREDENTIAL.finditer(text, found.end(), closing):
                    if file.is_secret(name[1]):
                        yield Printed(Span(*name.span()), name[1], "echo")
        elif found[1] == "sh":
            yield from shell.read(found.end(), closing)
        else:
            reader = file.batch(text) if found[1] == "bat" else file.powershell(text)
            yield from reader.read(found.end(), closing)


_SHELL_LINE = regex(r"(?m)^[ \t]*!{1,2}((?:[^\\\n]|\\\r?\n|\\.)*)")
_ENV_MAGIC = regex(r"(?m)^[ \t]*(%env[ \t]+([A-Za-z_]\w*))[ \t]*\r?$")


def _of_notebook(file: _File) -> Iterator[Printed]:
    """Lines that IPython gives to a shell, and `%env NAME`, which shows one variable."""
    shell = file.shell(_edited(file.text, [(at.start(), " $") for at in re.finditer(r"\$\$", file.text)]))
    for found in _SHELL_LINE.finditer(file.text):
        yield from shell.read(*found.span(1))
    for found in _ENV_MAGIC.finditer(file.text):
        if file.is_secret(found[2]):
            yield Printed(Span(*found.span(1)), found[2], "echo")


_READERS: dict[str, Callable[[_File], Iterator[Printed]]] = {
    "shell": _of_shell,
    "powershell": _of_powershell,
    "batch": _of_batch,
    "yaml": _of_yaml,
    "dockerfile": _of_dockerfile,
    "make": _of_make,
    "java": _of_jenkins,
    "notebook": _of_notebook,
}
