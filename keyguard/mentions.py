"""Where text that is no Python reads, sets or names a variable: env files, scripts, images, CI, configuration, docs."""

from __future__ import annotations

import re
from functools import lru_cache

from keyguard.patterns import regex
from keyguard.source import comment_forms, is_ci_file, is_compose_file
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.source import SourceFile

_BEFORE = 160  # characters of a line before the name that can say what happens to it
_AFTER = 80
_LINE = 4_096  # characters back in which a line's beginning is looked for

# What stands before a name that is read.
_READS = regex(
    r"(?:\$\{?!?#?(?:(?i:env)[:.])?"
    r"|\b(?:env|ENV|secrets|vars|environ|environment|inputs)[ \t]*"
    r"(?:\.|\[[\"']|\.(?:get|fetch|pop)\([ \t]*[\"']|\([ \t]*[\"'])"
    r"|(?i:(?:get|lookup)_?env\w*)\([ \t]*[\"']|\bvar(?:_os)?\([ \t]*[\"']"
    r"|(?i:GetEnvironmentVariable)\([ \t]*[\"']"
    r"|\bprintenv[ \t]+|(?:-v|-[nz][ \t]+\"?\$\{?)[ \t]*"
    r"|secretKeyRef[^\n]{0,80}key:[ \t]*[\"']?"
    r"|\bpassenv[ \t]*=[ \t]*)$"
)
# What stands before a name that gets a value, or loses it.
_SETS = regex(
    r"(?:(?i:set_?env\w*|putenv|SetEnvironmentVariable)\([ \t]*[\"']|(?i:\bsetx[ \t]+(?:/m[ \t]+)?)[\"']?"
    r"|\bset[ \t]+-[A-Za-z]*x[A-Za-z]*[ \t]+"
    r"|%env[ \t]+|\bsetenv[ \t]+|\bunset[ \t]+(?:-v[ \t]+)?|\bsecret[s]?[ \t]+set[ \t]+)$"
)
# A flag that hands a variable on: with `=` behind the name it sets it, without it reads it.
_HANDS_ON = regex(r"(?:^|[ \t\"',\[])(?:-e|--env|--build-arg|--set-env-vars|--env-var)[ \t=]*[\"']?$")
_STATEMENT = regex(
    r"(?:^|[;&|(){},\"'`>\[]|[ \t])(?:(?:export|declare|typeset|local|readonly|ENV|ARG|Environment=|env|set|SET)[ \t]*"
    r"(?:-[a-z]+[ \t]+)*)?[\"']?$"
)
_ASSIGNED = regex(r"[\"']?\]?[ \t]*(?:[?:+]?=(?![=~>])|:=)")
_MEMBER = regex(r"(?:\.|\[[\"'])$")
_KEY = regex(r"^[ \t]*(?:-[ \t]+)?[\"']?$|[{,][ \t]*[\"']?$")
_KEYED = regex(r"[\"']?[ \t]*:(?=[ \t\r\n\"'\[{]|$)[ \t]*([^\r\n]*)")
_NAME_ENTRY = regex(r"\bname[\"']?[ \t]*[:=][ \t]*[\"']?$")
_ITEM = regex(r"^[ \t]*-[ \t]+[\"']?$")
_ALONE = regex(r"[\"']?[ \t]*(?:#|$|[\r\n])")
_DOCKER = regex(r"^[ \t]*(ENV|ARG)[ \t]+$")
_EMPTY = frozenset({"", "null", "~"})
_TABLES = frozenset({"yaml", "json", "toml", "ini"})
_WHERE = {
    "env": "env",
    "shell": "shell",
    "powershell": "shell",
    "batch": "shell",
    "make": "shell",
    "dockerfile": "dockerfile",
    "yaml": "config",
    "json": "config",
    "toml": "config",
    "ini": "config",
    "terraform": "config",
    "xml": "config",
    "markdown": "docs",
    "rst": "docs",
    "html": "docs",
    "tex": "docs",
    "text": "other",
    "csv": "other",
    "lock": "other",
    "map": "other",
    "notebook": "notebook",
}


class Mention(NamedTuple):
    """A name in a text, from `start`: `action` is set, read or named."""

    start: int
    action: str


def where(path: str, kind: str) -> str:
    """Say in which kind of place a file is, as `inventory.Usage` does."""
    if is_compose_file(path):
        return "compose"
    if is_ci_file(path):
        return "ci"
    return _WHERE.get(kind, "code")


def mentions(source: SourceFile, name: str) -> Iterator[Mention]:
    """Find every place of a text that has to do with the variable, at most one of each action a line."""
    text = source.text
    marks = tuple(opening for opening, closing in comment_forms(source.kind) if not closing)
    seen: set[tuple[int, str]] = set()
    for found in whole_name(name).finditer(text):
        start = found.start()
        nearest = max(0, start - _LINE)
        first = max(text.rfind("\n", nearest, start), text.rfind("\r", nearest, start), nearest - 1) + 1
        before = text[max(first, start - _BEFORE) : start]
        line = text[first : first + _BEFORE].lstrip()
        if line.startswith(marks) and source.kind not in {"markdown", "rst"}:
            action = "named"
        else:
            end = re.compile(r"[\r\n]|$").search(text, found.end(), found.end() + _AFTER)
            action = _action(before, text[found.end() : end.start() if end else found.end() + _AFTER], source)
        if (first, action) not in seen:
            seen.add((first, action))
            yield Mention(start, action)


def _action(before: str, after: str, source: SourceFile) -> str:
    assigned = _ASSIGNED.match(after) is not None
    if _SETS.search(before):
        return "set"
    read = _READS.search(before) is not None
    if read or (source.kind == "batch" and before.endswith(("%", "!")) and after[:1] in {"%", "!"}):
        is_target = (
            assigned
            and not before.endswith("{")
            and (source.kind == "powershell" or _MEMBER.search(before) is not None)
        )
        return "set" if is_target else "read"
    docker = _DOCKER.match(before) if source.kind == "dockerfile" else None
    if _HANDS_ON.search(before) or (docker is not None and docker[1] == "ARG"):
        return "set" if assigned else "read"
    if docker is not None or (assigned and _STATEMENT.search(before)):
        return "set"
    return _in_table(before, after, source) if source.kind in _TABLES else "named"


def _in_table(before: str, after: str, source: SourceFile) -> str:
    """What a configuration file does with a name: a key with a value sets it; without, compose files read it."""
    keyed = _KEYED.match(after)
    if keyed is not None and _KEY.search(before):
        value = keyed[1].split(" #")[0].strip().rstrip(",")
        return "read" if value in _EMPTY and is_compose_file(source.path) else "set"
    if _NAME_ENTRY.search(before) and _ALONE.match(after.rstrip(",")):
        return "set"
    if _ITEM.match(before) and _ALONE.match(after) and (is_compose_file(source.path)):
        return "read"
    return "named"


@lru_cache(maxsize=4)
def whole_name(name: str) -> re.Pattern[str]:
    """A pattern for the name where it is no part of a longer one."""
    return re.compile(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])")
