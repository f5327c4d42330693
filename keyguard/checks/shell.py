"""Reads shell scripts far enough to tell what they print: quotes, expansions, pipes, redirections, groups, functions.

One pass, linear in the text; nothing is run. What cannot be told counts as not printed.
"""

from __future__ import annotations

import re

from keyguard.model import Span
from keyguard.patterns import regex
from keyguard.source import is_env_file, is_env_template
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_DEEPEST = 50  # groups in groups; scripts nest five deep, Python's stack holds some hundred such levels
_CARRIED = 64  # secrets followed through one pipeline; more would make it cost its length squared
_FEW = 8  # characters of a key that say no more than whose it is

_NAME = regex(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = regex(r"[^\s\"'\\$`;&|()<>]+")
_IN_DOUBLE = regex(r"[^\"\\$`]+")
_IN_BRACES = regex(r"[^}\"\\$`]+")
_IN_DOCUMENT = regex(r"[^\\$`]+")
_BLANK = regex(r"(?:[ \t\f\v\r]|\\\r?\n)+")
_LINE = regex(r"[^\n]*")
_KEYWORD = regex(
    r"(?:\{|\}|!|if|then|elif|else|fi|while|until|for|select|do|done|case|esac|function|time|coproc|\[\[)"
    r"(?=[\s;&|()<>]|$)"
)
_REDIRECTION = regex(r"(?:([0-9]{1,2})|(&))?(<<<|<<-?|<&|<>|<(?!\()|>>|>\||>&|>(?!\())")
_PARAMETER = regex(r"\$\{([#!]?)([A-Za-z_][A-Za-z0-9_]*|[0-9@*]+)(?:\[[^\]\n]{0,80}\])?")
_EXPRESSION = regex(r"\$\{\{([^\n]{0,400}?)\}\}")
_SECRET_OF_EXPRESSION = regex(
    r"\s*(?:secrets|env|vars)\s*(?:\.\s*([A-Za-z_][\w-]*)|\[\s*['\"]([A-Za-z_][\w-]*)['\"]\s*\])\s*(?:\|\|.*)?"
)
_EVERY_SECRET = regex(r"toJSON\(\s*secrets\s*\)", re.IGNORECASE)
_ASSIGNMENT = regex(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[[^\]\n]{0,80}\])?\+?=")
_FUNCTION = regex(r"(?m)^[ \t]*(?:function[ \t]+([A-Za-z_][\w:.-]*)|([A-Za-z_][\w:.-]*)[ \t]*\([ \t]*\))")
_SLICE = regex(r":\s*(?:(-?)\s*\(?(-?)([0-9]+)\)?|0)?\s*(?::\s*([^}]*))?$")
_TAIL = regex(r"#\$\{[A-Za-z_]\w*%\?{1,8}\}$")
_STARS = regex(r"[*xX#.\u2022-]+")
_PRECISION = regex(r"%[-+ #0]*(?:[0-9]+|\*)?(?:\.([0-9]+))?[sqbc]")
_MASKING_SED = regex(r"\.\*[/|#,:]|[/|#,:][*xX\u2022]+[/|#,:]|\]\*[/|#,:][*xX\u2022]")

# What a build service takes off the log again.
_MASK_COMMANDS = ("::add-mask::", "##vso[task.setvariable", "##vso[task.setsecret", "::set-output", "::save-state")
_PRINTERS = frozenset({"echo", "printf", "print"})
_WRAPPERS = frozenset(
    {"sudo", "doas", "command", "builtin", "eval", "exec", "time", "nohup", "nice", "stdbuf", "unbuffer", "caffeinate"}
)
_OPTIONS_WITH_VALUE = {"sudo": {"-u", "-g", "-h", "-p"}, "nice": {"-n"}, "stdbuf": {"-o", "-e", "-i"}}
_CONTAINERS = frozenset({"docker", "podman", "nerdctl", "kubectl", "oc", "docker-compose", "podman-compose", "flyctl"})
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash"})
_SHOWERS = frozenset({"cat", "bat", "batcat", "less", "more", "head", "tail", "tac", "nl", "type"})
_DECLARERS = frozenset({"export", "declare", "typeset", "local", "readonly"})
# Commands that hand on what they are given; any other one on the right of a pipe has a use for it.
_GREPS = frozenset({"grep", "egrep", "fgrep", "rg", "ag"})
_SEDS, _AWKS = frozenset({"sed", "gsed"}), frozenset({"awk", "gawk", "mawk"})
_ENCODERS = frozenset({"base64", "base32", "xxd", "od", "hexdump", "rev", "fold", "tr", "cut"})
_LISTERS = frozenset(
    {"tee", "sort", "uniq", "column", "jq", "yq", "fmt", "pr", "expand", "strings", "ts", "pv", "xargs"}
)
_FILTERS = _SHOWERS | _GREPS | _SEDS | _AWKS | _ENCODERS | _LISTERS
# A function with such a name gives its result by printing it.
_GIVERS = (
    "build",
    "create",
    "format",
    "generate",
    "get",
    "make",
    "read",
    "render",
    "fetch",
    "load",
    "resolve",
    "find",
    "lookup",
    "current",
    "ask",
    "prompt",
    "retrieve",
)
_SHOWN_FILES = (
    "/dev/stdout",
    "/dev/stderr",
    "/dev/tty",
    "/proc/self/fd/1",
    "/proc/self/fd/2",
    "/dev/fd/1",
    "/dev/fd/2",
)


class Printed(NamedTuple):
    """A text that shows a secret: where, whose variable (or file), and the rule's case."""

    span: Span
    name: str
    case: str


class _Item(NamedTuple):
    """Something on its way out, on standard output (1) or error (2)."""

    span: Span
    name: str
    case: str
    stream: int = 1


_CALL, _ARGUMENT = "call", "argument"  # cases that stand for a function's output, and for what it was given


class _Word:
    def __init__(self, start: int, end: int = 0) -> None:
        self.start = start
        self.end = end
        self.text = ""  # without quotes, expansions as written
        self.refs: list[tuple[str, Span]] = []
        self.inner: list[_Item] = []  # what commands in the word print


class _Stage:
    """One command of a pipeline; `keeps` tells whether something it is given comes out again."""

    def __init__(
        self,
        items: Sequence[_Item] = (),
        keeps: Callable[[_Item], bool] = lambda _: False,
        stdout: int | None = 1,
    ) -> None:
        self.items = [*items]
        self.keeps = keeps
        self.stdout = stdout


class Shell:
    """The scripts of one file; variables that got a secret are remembered from one `read` to the next.

    `is_secret` judges a variable by its name, `held` names the keys that are in the environment as far as the file
    tells, and is asked when all of it is printed. `fish` says that `set -x` exports.
    """

    def __init__(
        self, text: str, is_secret: Callable[[str], bool], held: Callable[[], Sequence[str]], *, fish: bool = False
    ) -> None:
        """Take the whole text; `read` gets the ranges that are scripts."""
        self._text = text
        self._by_name = is_secret
        self._held = held
        self._fish = fish
        self._learnt: set[str] = set()
        self._at = self._end = self._depth = 0
        self._trace: Span | None = None
        self._traced: dict[Span, str] = {}
        self._in_document = False
        self._documents: dict[int, int] = {}  # where a line ends: where its here-documents end
        self._line_end = -1
        self._functions: dict[str, list[_Item]] = {}
        self._named: frozenset[str] = frozenset()
        self._called: set[str] = set()
        self._speakers: set[str] = set()

    def is_secret(self, name: str) -> bool:
        """Tell whether a variable holds a secret: by its name, or because it was given one."""
        return name in self._learnt or self._by_name(name)

    def learn(self, name: str) -> None:
        """Remember that a variable holds a secret."""
        self._learnt.add(name)

    @property
    def tracing(self) -> Span | None:
        """Where the last script was told to trace, if it still does at its end."""
        return self._trace

    def read(self, start: int, end: int, *, traced: Span | None = None) -> list[Printed]:
        """Give what the script between two offsets prints, by position; `traced` is where it was told to trace."""
        self._at, self._end, self._depth = start, end, 0
        self._trace, self._traced, self._line_end = traced, {}, -1
        self._functions, self._called, self._speakers, self._documents = {}, set(), set(), {}
        self._named = frozenset(
            name for found in _FUNCTION.finditer(self._text, start, end) for name in found.groups() if name
        )
        found = self._resolved(self._list(""))
        found |= {Printed(span, name, "trace") for span, name in self._traced.items()}
        return sorted(found)

    def _resolved(self, items: Sequence[_Item]) -> set[Printed]:
        """Replace calls by what the functions print; one that nobody here calls is printed unless it gives a value."""
        found: set[Printed] = set()
        waiting = list(items)
        for name, own in self._functions.items():
            if name not in self._called and not name.lower().lstrip("_").startswith(_GIVERS):
                waiting += own
            else:
                waiting += [item for item in own if item.stream > 1]
        done: set[str] = set()
        while waiting:
            span, name, case, _ = waiting.pop()
            if case == _CALL:
                if name not in done:
                    done.add(name)
                    waiting += self._functions.get(name, ())
            elif case != _ARGUMENT:
                found.add(Printed(span, name, case))
        return found

    # -- lists and pipelines -----------------------------------------------------------------------------------------

    def _list(self, closer: str) -> list[_Item]:  # noqa: C901, PLR0912  # one branch for each sign between commands
        """Read commands up to what closes them."""
        items: list[_Item] = []
        text = self._text
        while True:
            self._blank()
            if self._at >= self._end:
                return items
            char = text[self._at]
            if char == "\n":
                self._newline()
            elif char == "#":
                self._skip_line()
            elif char in ";&|":
                ends = char == ";" and text[self._at + 1 : self._at + 2] in {";", "&"}
                self._at += 2 if ends else 1
                if ends and closer == ";;":
                    return items
            elif char == ")":
                self._at += 1
                if closer == ")":
                    return items
            else:
                keyword = self._keyword()
                if keyword and keyword == closer:
                    self._at += len(keyword)
                    return items
                if keyword == "esac" and closer == ";;":
                    return items
                if keyword in {"then", "elif", "else", "do", "!", "time", "coproc", "fi", "done", "esac", "}"}:
                    self._at += len(keyword)
                else:
                    items += self._pipeline()

    def _keyword(self) -> str:
        found = _KEYWORD.match(self._text, self._at, self._end)
        return found[0] if found else ""

    def _pipeline(self) -> list[_Item]:
        carried: list[_Item] = []
        while True:
            before = self._at
            stage = self._command()
            if self._at == before:
                self._at += 1  # nothing a command can begin with
            carried = carried[:_CARRIED]
            carried = [
                *(item for item in carried if item.stream > 1),
                *_sent((item for item in carried if item.stream == 1 and stage.keeps(item)), {1: stage.stdout}),
                *stage.items,
            ]
            self._blank()
            if self._at >= self._end or self._text[self._at] != "|" or self._text.startswith("||", self._at):
                return carried
            self._at += 1
            if self._text.startswith("&", self._at):
                self._at += 1
                carried = [item._replace(stream=1) for item in carried]
            while self._blank() or self._text.startswith(("\n", "#"), self._at):
                if self._at >= self._end:
                    break
                if self._text[self._at] == "#":
                    self._skip_line()
                elif self._text[self._at] == "\n":
                    self._newline()

    def _command(self) -> _Stage:  # noqa: PLR0911  # one way out for each form of a command
        text = self._text
        if self._depth >= _DEEPEST:
            return self._simple()
        if text.startswith("((", self._at):
            self._arithmetic(2)
            return _Stage()
        if text.startswith("(", self._at):
            self._at += 1
            return self._group(")", own_shell=True)
        keyword = self._keyword()
        if keyword in {"if", "while", "until", "{"}:
            self._at += len(keyword)
            return self._group({"if": "fi", "{": "}"}.get(keyword, "done"))
        if keyword in {"for", "select"}:
            self._at += len(keyword)
            self._header()
            return self._group("done")
        if keyword == "case":
            return self._case()
        if keyword == "function":
            self._at += len(keyword)
            self._blank()
            name = self._word().text
            self._blank()
            if text.startswith("(", self._at):
                self._at += 1
                self._blank()
                self._at += text.startswith(")", self._at)
            return self._define(name)
        if keyword == "[[":
            self._test()
            return _Stage()
        return self._simple()

    def _group(self, closer: str, *, own_shell: bool = False) -> _Stage:
        self._depth += 1
        trace = self._trace
        items = self._list(closer)
        if own_shell:
            self._trace = trace
        self._depth -= 1
        return _Stage(_sent(items, self._redirections()))

    def _header(self) -> None:
        """Step over the words of a `for`; they are given, not shown."""
        self._blank()
        if self._text.startswith("((", self._at):
            self._arithmetic(2)
            return
        while self._at < self._end and self._text[self._at] not in ";\n":
            self._step()

    def _test(self) -> None:
        """Step over `[[ … ]]`."""
        while self._at < self._end:
            self._blank()
            if self._text.startswith("]]", self._at):
                self._at += 2
                return
            if self._text.startswith("\n", self._at):
                self._newline()
            else:
                self._step()

    def _step(self) -> None:
        """Step over a word, or over one character that is none."""
        self._blank()
        before = self._at
        self._word()
        if self._at == before:
            self._at += 1

    def _case(self) -> _Stage:
        self._at += len("case")
        self._depth += 1
        items: list[_Item] = []
        while self._at < self._end:  # the value and `in`
            self._blank()
            if self._at >= self._end or self._text[self._at] in "\n;":
                break
            word_start = self._at
            self._step()
            if self._text[word_start : self._at] == "in":
                break
        while self._at < self._end:
            if self._blank() or self._text.startswith("\n", self._at):
                if self._text.startswith("\n", self._at):
                    self._newline()
                continue
            if self._text.startswith("#", self._at):
                self._skip_line()
            elif self._keyword() == "esac":
                self._at += len("esac")
                break
            else:
                while self._at < self._end and self._text[self._at] not in ")\n":
                    self._step()
                self._at += 1
                items += self._list(";;")
        self._depth -= 1
        return _Stage(_sent(items, self._redirections()))

    def _define(self, name: str) -> _Stage:
        """Read a function's body and keep what it prints for where it is called."""
        while self._blank() or self._text.startswith("\n", self._at):
            if self._at >= self._end:
                return _Stage()
            if self._text.startswith("\n", self._at):
                self._newline()
        trace = self._trace
        self._depth += 1
        items = self._command().items
        self._depth -= 1
        self._trace = trace
        if any(item.case == _ARGUMENT for item in items):
            self._speakers.add(name)
        self._functions[name] = [item for item in items if item.case != _ARGUMENT]
        return _Stage()

    # -- commands ----------------------------------------------------------------------------------------------------

    def _redirections(self) -> dict[int, int | None]:
        """Read what follows a group: where its output goes."""
        sent: dict[int, int | None] = {1: 1, 2: 2}
        while True:
            self._blank()
            found = _REDIRECTION.match(self._text, self._at, self._end)
            if found is None:
                return sent
            self._redirect(found, sent)

    def _redirect(self, found: re.Match[str], sent: dict[int, int | None]) -> _Word | None:
        """Take one redirection into account; give what it feeds to the command, if it does."""
        number, both, sign = found.groups()
        self._at = found.end()
        if sign in {"<<", "<<-"}:
            return self._document()
        self._blank()
        word = self._word() if not self._text.startswith(("<(", ">("), self._at) else self._process()
        if sign == "<<<":
            return word
        if sign.startswith("<"):
            return None
        source = int(number) if number else 1
        if sign == ">&" and word.text.isdigit():
            sent[source] = sent.get(int(word.text))
        elif sign != ">&" or word.text != "-":
            target = _target(word)
            sent[source] = target
            if both or sign == ">&":
                sent[2] = target
        return None

    def _simple(self) -> _Stage:  # noqa: C901  # one branch for each thing that can stand in a command
        text = self._text
        words: list[_Word] = []
        sent: dict[int, int | None] = {1: 1, 2: 2}
        fed: list[_Word] = []
        while True:
            self._blank()
            if self._at >= self._end:
                break
            char = text[self._at]
            found = _REDIRECTION.match(text, self._at, self._end)
            if found is not None:
                given = self._redirect(found, sent)
                fed += [given] if given is not None else []
            elif char in "\n;|&)":
                break
            elif char == "#":
                self._skip_line()
                break
            elif char == "(":
                self._at += 1
                self._blank()
                if text.startswith(")", self._at):
                    self._at += 1
                    if len(words) == 1 and self._depth < _DEEPEST:
                        return self._define(words[0].text)
            elif text.startswith(("<(", ">("), self._at):
                words.append(self._process())
            else:
                word = self._word()
                if word.end > word.start:
                    words.append(word)
                else:
                    self._at += 1
        return self._run(words, fed, sent)

    def _run(  # noqa: C901, PLR0912  # one branch for each command that can show a secret
        self, words: list[_Word], fed: list[_Word], sent: dict[int, int | None]
    ) -> _Stage:
        """Judge one simple command."""
        loud = [item for word in (*words, *fed) for item in word.inner if item.stream > 1]
        while words and (found := _ASSIGNMENT.match(words[0].text)):
            self._learn(found[1], words[0])
            words = words[1:]
        words = _unwrapped(words)
        if not words:
            return _Stage(loud)
        name = words[0].text.rpartition("/")[2]
        arguments = words[1:]
        options = [word.text for word in arguments]
        items: list[_Item] = []
        if name in _PRINTERS:
            items = self._printed(name, arguments)
        elif name in self._named or name in self._functions:
            self._called.add(name)
            items = self._shown(arguments) if name in self._speakers else []
            items.append(_Item(Span(words[0].start, words[0].end), name, _CALL))
        elif name == "printenv":
            items = self._of_names(words[0], [word for word in arguments if not word.text.startswith("-")])
        elif name == "env":
            items = self._env(words[0], arguments)
        elif name == "set":
            items = self._set(words)
        elif name in _DECLARERS:
            items = self._declare(words)
        elif name in _SHOWERS:
            items = _files_shown(words)
        elif name in _SHELLS:
            items = self._shell(arguments)
        elif name in _CONTAINERS:
            items = self._in_container(arguments)
        if name in _FILTERS:
            items += self._shown(fed)
        stdout = sent.get(1)
        keeps = self._filter(name, options) if name in _FILTERS else lambda _: False
        if fed:
            items = [item for item in items if item.case == "file" or name not in _FILTERS or keeps(item)]
        return _Stage([*loud, *_sent(items, sent)], keeps, stdout)

    def _learn(self, name: str, word: _Word) -> None:
        """Remember that a variable got a secret, or that it got something else."""
        given = [item for item in word.inner if item.stream == 1]
        given += [one for item in given if item.case == _CALL for one in self._functions.get(item.name, ())]
        if any(self.is_secret(ref) for ref, _ in word.refs) or any(
            item.case not in {_CALL, _ARGUMENT} for item in given
        ):
            self._learnt.add(name)
        else:
            self._learnt.discard(name)

    def _printed(self, name: str, arguments: list[_Word]) -> list[_Item]:
        if any(command in word.text for word in arguments for command in _MASK_COMMANDS):
            return []
        if name == "printf" and arguments:
            if arguments[0].text == "-v":
                return []
            lengths = [found[1] for found in _PRECISION.finditer(arguments[0].text)]
            if lengths and all(length and int(length[:4]) <= _FEW for length in lengths):
                return self._shown(arguments[:1])
        return self._shown(arguments)

    def _shown(self, words: Iterable[_Word]) -> list[_Item]:
        """The secrets among what some words expand to."""
        items: list[_Item] = []
        for word in words:
            for name, span in word.refs:
                if name == "secrets" or self.is_secret(name):
                    items.append(_Item(span, name, "echo"))
                elif not name[0].isalpha() and name[0] != "_":
                    items.append(_Item(span, name, _ARGUMENT))
            items += (item for item in word.inner if item.stream == 1)
        return items

    def _everything(self, span: Span) -> list[_Item]:
        """The whole environment, if a key is in it."""
        return [_Item(span, name, "environment") for name in self._held()[:1]]

    def _of_names(self, command: _Word, names: list[_Word]) -> list[_Item]:
        """`printenv`: of some variables by name, or all of them."""
        if not names:
            return self._everything(Span(command.start, command.end))
        return [_Item(Span(command.start, word.end), word.text, "echo") for word in names if self.is_secret(word.text)]

    def _env(self, command: _Word, arguments: list[_Word]) -> list[_Item]:
        """`env` with nothing to run prints them all; the words of what it runs were unwrapped before."""
        if any(word.text in {"-i", "-", "--ignore-environment", "--help", "--version"} for word in arguments):
            return []
        return self._everything(Span(command.start, command.end))

    def _set(self, words: list[_Word]) -> list[_Item]:
        span = Span(words[0].start, words[-1].end)
        if self._fish:
            return []
        if len(words) == 1:
            return self._everything(span)
        texts = [word.text for word in words[1:]]
        for place, option in enumerate(texts):
            if option == "--" or option[:1] not in {"-", "+"}:
                break
            longer = option[1:].endswith("o") and texts[place + 1 : place + 2] == ["xtrace"]
            if "x" in option[1:] or longer:
                self._trace = span if option[0] == "-" else None
        return []

    def _declare(self, words: list[_Word]) -> list[_Item]:
        """`export -p`, `declare -x`, and assignments by such commands."""
        options = [word.text for word in words[1:] if word.text.startswith("-")]
        names = [word for word in words[1:] if not word.text.startswith("-")]
        for word in names:
            found = _ASSIGNMENT.match(word.text)
            if found:
                self._learn(found[1], word)
        shows = any("p" in option for option in options)
        if names:
            return self._of_names(words[0], names) if shows else []
        if words[0].text in {"export", "declare", "typeset"} and (shows or not options or options == ["-x"]):
            return self._everything(Span(words[0].start, words[-1].end))
        return []

    def _shell(self, arguments: list[_Word]) -> list[_Item]:
        """`bash -c '…'`: read the text as a script of its own."""
        traced = None
        for place, word in enumerate(arguments):
            option = word.text
            if option[:1] != "-":
                return []
            if "x" in option and not option.startswith("--"):
                traced = Span(word.start, word.end)
            if option.endswith("c") and place + 1 < len(arguments) and self._depth < _DEEPEST:
                return self._inside(arguments[place + 1], traced)
        return []

    def _inside(self, word: _Word, traced: Span | None) -> list[_Item]:
        """Read a quoted word as a script."""
        if self._text[word.start : word.start + 1] not in {"'", '"'}:
            return []
        at, end, trace = self._at, self._end, self._trace
        self._at, self._end, self._trace = word.start + 1, word.end - 1, traced or trace
        self._depth += 1
        items = self._list("")
        self._depth -= 1
        self._at, self._end, self._trace = at, end, trace
        return items

    def _in_container(self, arguments: list[_Word]) -> list[_Item]:
        """`docker exec web printenv KEY`: the same commands, run elsewhere."""
        for place, word in enumerate(arguments):
            if word.text == "printenv":
                return self._of_names(word, arguments[place + 1 :])
            if word.text == "env" and place + 1 == len(arguments) and place:
                return self._everything(Span(word.start, word.end))
            if word.text in {"cat", "head", "tail"}:
                return _files_shown(arguments[place:])
            if word.text in _SHELLS:
                return self._shell(arguments[place + 1 :])
        return []

    def _filter(self, name: str, options: list[str]) -> Callable[[_Item], bool]:
        """How a filter treats what it is given: the answer tells whether a secret comes out again."""
        if name in _GREPS:
            return _grep(options, self._held)
        keeps = _hands_on(name, options)
        return lambda _: keeps

    # -- words -------------------------------------------------------------------------------------------------------

    def _word(self) -> _Word:
        text = self._text
        word = _Word(self._at)
        pieces: list[str] = []
        while self._at < self._end:
            found = _PLAIN.match(text, self._at, self._end)
            if found is not None:
                pieces.append(found[0])
                self._at = found.end()
                continue
            char = text[self._at]
            if char == "(" and pieces and pieces[-1][-1:] in {"=", "@", "!", "?", "*", "+"}:
                self._at += 1
                self._array(word)
            elif char == "\\" and not text.startswith(("\\\n", "\\\r\n"), self._at):
                pieces.append(text[self._at + 1 : self._at + 2])
                self._at = min(self._at + 2, self._end)
            elif char == "'":
                self._single(word, pieces)
            elif char == '"':
                self._double(word, pieces)
            elif char == "`":
                self._backticks(word)
            elif char == "$":
                self._dollar(word, pieces, quoted=False)
            else:
                break
        word.end = self._at
        word.text = "".join(pieces)
        return word

    def _array(self, word: _Word) -> None:
        """Read the words of `name=( … )`."""
        while self._at < self._end:
            self._blank()
            if self._at >= self._end:
                return
            char = self._text[self._at]
            if char == ")":
                self._at += 1
                return
            if char == "\n":
                self._newline()
            elif char == "#":
                self._skip_line()
            elif self._depth >= _DEEPEST:
                self._at += 1
            else:
                self._depth += 1
                before = self._at
                part = self._word()
                self._depth -= 1
                word.refs += part.refs
                word.inner += part.inner
                if self._at == before:
                    self._at += 1

    def _single(self, word: _Word, pieces: list[str]) -> None:
        """Nothing expands in single quotes but what a build service puts there before."""
        close = self._text.find("'", self._at + 1, self._end)
        close = self._end if close < 0 else close
        inside = self._text[self._at + 1 : close]
        if "${{" in inside:
            for found in _EXPRESSION.finditer(self._text, self._at + 1, close):
                self._expression(found, word)
        pieces.append(inside)
        self._at = min(close + 1, self._end)

    def _double(self, word: _Word, pieces: list[str]) -> None:
        self._at += 1
        while self._at < self._end:
            found = _IN_DOUBLE.match(self._text, self._at, self._end)
            if found is not None:
                pieces.append(found[0])
                self._at = found.end()
                continue
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return
            self._special(word, pieces, char)

    def _special(self, word: _Word, pieces: list[str], char: str) -> None:
        """What means the same in double quotes, braces and here-documents: backslash, backtick, dollar."""
        if char == "\\":
            pieces.append(self._text[self._at + 1 : self._at + 2])
            self._at = min(self._at + 2, self._end)
        elif char == "`":
            self._backticks(word)
        else:
            self._dollar(word, pieces, quoted=True)

    def _backticks(self, word: _Word) -> None:
        start = self._at + 1
        close = start
        while (close := self._text.find("`", close, self._end)) > 0 and self._text[close - 1] == "\\":
            close += 1
        close = self._end if close < 0 else close
        self._at = start
        if self._depth < _DEEPEST and not self._in_document:
            end, trace = self._end, self._trace
            self._end = close
            self._depth += 1
            word.inner += self._list("")
            self._depth -= 1
            self._end, self._trace = end, trace
        self._at = min(close + 1, self._end)

    def _dollar(self, word: _Word, pieces: list[str], *, quoted: bool) -> None:  # noqa: C901  # one branch a form
        text, start = self._text, self._at
        after = text[start + 1 : start + 2] if start + 1 < self._end else ""
        if text.startswith("${{", start):
            found = _EXPRESSION.match(text, start, self._end)
            self._at = found.end() if found else start + 3
            if found:
                self._expression(found, word)
        elif text.startswith("$((", start):
            self._arithmetic(3)
        elif self._depth >= _DEEPEST and after in {"(", "{"}:
            self._at += 2
        elif after == "(":
            self._at += 2
            self._substitute(word)
        elif after == "{":
            self._parameter(word)
        elif after == "'" and not quoted:
            self._ansi(pieces)
            return
        elif after == '"' and not quoted:
            self._at += 1
            return
        elif (found := _NAME.match(text, start + 1, self._end)) is not None:
            self._at = found.end()
            self._refer(found[0], start, word)
        else:
            self._at += 1
            if after and after in "0123456789@*":
                self._at += 1
                self._refer(after, start, word)
        pieces.append(text[start : self._at])

    def _substitute(self, word: _Word) -> None:
        trace = self._trace
        self._depth += 1
        word.inner += self._list(")")
        self._depth -= 1
        self._trace = trace

    def _parameter(self, word: _Word) -> None:
        """`${name}` and its operators, some of which leave nothing of the value."""
        start = self._at
        found = _PARAMETER.match(self._text, start, self._end)
        inner = _Word(start)
        self._at = found.end() if found else start + 2
        after = self._at
        self._depth += 1
        while self._at < self._end:
            plain = _IN_BRACES.match(self._text, self._at, self._end)
            if plain is not None:
                self._at = plain.end()
                continue
            char = self._text[self._at]
            if char == "}":
                break
            if char == '"':
                self._double(inner, [])
            else:
                self._special(inner, [], char)
        self._depth -= 1
        operation = self._text[after : min(self._at, after + 400)]
        self._at = min(self._at + 1, self._end)
        if operation.startswith((":+", "+", ":-", "-", ":=", "=", ":?", "?")):
            word.refs += inner.refs
        word.inner += inner.inner
        if found is not None and not found[1] and not _masks(operation):
            self._refer(found[2], start, word)

    def _expression(self, found: re.Match[str], word: _Word) -> None:
        """An expression of a build service, which stands for its value wherever it stands."""
        simple = _SECRET_OF_EXPRESSION.fullmatch(found[1])
        if simple:
            self._refer(simple[1] or simple[2], found.start(), word, end=found.end())
        elif _EVERY_SECRET.search(found[1]):
            self._refer("secrets", found.start(), word, end=found.end())

    def _refer(self, name: str, start: int, word: _Word, end: int | None = None) -> None:
        word.refs.append((name, Span(start, self._at if end is None else end)))
        seen = self._trace is None or self._in_document or self._trace in self._traced
        if not seen and self._trace is not None and self.is_secret(name):
            self._traced[self._trace] = name

    def _ansi(self, pieces: list[str]) -> None:
        start = self._at = self._at + 2
        while self._at < self._end and self._text[self._at] != "'":
            self._at += 2 if self._text[self._at] == "\\" else 1
        pieces.append(self._text[start : self._at])
        self._at = min(self._at + 1, self._end)

    def _process(self) -> _Word:
        """`<( … )` and `>( … )`: what is printed there goes to the command, not to the reader."""
        word = _Word(self._at)
        name = self._text[self._at : self._at + 2]
        self._at += 2
        if self._depth < _DEEPEST:
            self._depth += 1
            items = self._list(")")
            self._depth -= 1
            word.inner = [item for item in items if item.stream > 1]
        word.end = self._at
        word.text = name + self._text[word.start + 2 : word.start + 6].strip()
        return word

    def _arithmetic(self, opening: int) -> None:
        """Step over `(( … ))`; numbers are no secrets."""
        self._at += opening
        depth = 2
        while self._at < self._end and depth:
            char = self._text[self._at]
            depth += (char == "(") - (char == ")")
            self._at += 1

    def _document(self) -> _Word:
        """Read a here-document at once, from where it begins after the line; the line's end will step over it."""
        self._blank()
        before = self._at
        name = self._word()
        quoted = any(sign in self._text[before : self._at] for sign in "'\"\\")
        if self._line_end < self._at:
            self._line_end = self._end_of_line(self._at)
        start = self._documents.get(self._line_end, min(self._line_end + 1, self._end))
        closing = re.compile(rf"(?m)^[ \t]*{re.escape(name.text)}[ \t]*\r?$")
        found = closing.search(self._text, start, self._end) if name.text else None
        body_end = found.start() if found else self._end
        self._documents[self._line_end] = found.end() if found else self._end
        word = _Word(start, body_end)
        if not quoted:
            at, end, inside = self._at, self._end, self._in_document
            self._at, self._end, self._in_document = start, body_end, True
            while self._at < self._end:
                plain = _IN_DOCUMENT.match(self._text, self._at, self._end)
                if plain is not None:
                    self._at = plain.end()
                else:
                    self._special(word, [], self._text[self._at])
            self._at, self._end, self._in_document = at, end, inside
        elif "${{" in self._text[start:body_end]:
            for expression in _EXPRESSION.finditer(self._text, start, body_end):
                self._expression(expression, word)
        return word

    def _end_of_line(self, place: int) -> int:
        while True:
            end = self._text.find("\n", place, self._end)
            if end < 0:
                return self._end
            if self._text[end - 1] != "\\":
                return end
            place = end + 1

    # -- white space -------------------------------------------------------------------------------------------------

    def _blank(self) -> bool:
        found = _BLANK.match(self._text, self._at, self._end)
        if found is None:
            return False
        self._at = found.end()
        return True

    def _newline(self) -> None:
        self._at = max(self._documents.get(self._at, 0), self._at + 1)

    def _skip_line(self) -> None:
        found = _LINE.match(self._text, self._at, self._end)
        self._at = found.end() if found else self._end


def _sent(items: Iterable[_Item], sent: dict[int, int | None]) -> list[_Item]:
    """Where things go once a command's output is redirected; what goes to a file is gone."""
    return [
        item._replace(stream=target) for item in items if (target := sent.get(item.stream, item.stream)) is not None
    ]


def _target(word: _Word) -> int | None:
    """Where a redirection goes: 1 and 2 are what a reader sees, None is a file."""
    text = word.text
    if text.startswith(">(") and "tee" in text:
        return 1
    if "GITHUB_STEP_SUMMARY" in text or text == "/dev/stdout":
        return 1
    return 2 if text.startswith(_SHOWN_FILES) else None


def _masks(operation: str) -> bool:
    """Tell whether an operator of `${name…}` leaves nothing of the value, or a few characters."""
    if not operation:
        return False
    if operation.startswith((":+", "+")):
        return True
    if operation[0] == ":" and operation[1:2] not in {"-", "=", "?"}:
        return _slices(operation)
    if operation.startswith("%%"):
        return operation.endswith("*")
    if operation[0] == "/":
        replacement = operation.rpartition("/")[2]
        return bool(_STARS.fullmatch(replacement)) and operation.count("/") > 1
    return bool(_TAIL.match(operation))


def _slices(operation: str) -> bool:
    """`:0:4` and `: -4` show a few characters; what cannot be counted is given the benefit of the doubt."""
    offset, _, length = operation[1:].partition(":")
    offset, length = offset.strip(" ()"), length.strip(" ()")
    if length:
        return not length.startswith("-") and (not length.isdigit() or int(length[:4]) <= _FEW)
    if offset.startswith("-"):
        return not offset[1:].isdigit() or int(offset[1:][:4]) <= _FEW
    return not offset.isdigit()


def _unwrapped(words: list[_Word]) -> list[_Word]:
    """Take away what only says how to run a command: `sudo -E`, `env A=b`, `timeout 10`."""
    while words:
        name = words[0].text.rpartition("/")[2]
        if name in {"timeout", "retry"} and len(words) > 2:  # noqa: PLR2004  # its time, and the command
            words = words[2:]
            continue
        rest = words[1:]
        if name == "env":
            while rest and (rest[0].text.startswith("-") or _ASSIGNMENT.match(rest[0].text)):
                rest = rest[2:] if rest[0].text in {"-u", "-C", "--unset", "--chdir"} else rest[1:]
        elif name in _WRAPPERS:
            valued = _OPTIONS_WITH_VALUE.get(name, set())
            while rest and (rest[0].text.startswith("-") or _ASSIGNMENT.match(rest[0].text)):
                rest = rest[2:] if rest[0].text in valued else rest[1:]
        else:
            return words
        if not rest:
            return words if name == "env" else []
        words = rest
    return words


def _files_shown(words: list[_Word]) -> list[_Item]:
    """Env files among a command's arguments."""
    items: list[_Item] = []
    for word in words[1:]:
        path = word.text.replace("\\", "/")
        if not word.text.startswith("-") and is_env_file(path) and not is_env_template(path):
            items.append(_Item(Span(words[0].start, word.end), path.rpartition("/")[2], "file"))
    return items


def _hands_on(name: str, options: list[str]) -> bool:
    """Tell whether a filter lets a secret through, whatever it looks for."""
    joined = " ".join(options)
    if name == "cut":
        keeps = not re.search(r"-(?:c|b)\s*(?:1?-)?[1-8](?:\s|$)|--(?:characters|bytes)=1?-?[1-8](?:\s|$)", joined)
        keeps = keeps and not re.search(r"(?:-f|--fields=)\s*1(?:\s|$)", joined)
    elif name in {"head", "tail"}:
        keeps = not re.search(r"(?:-c|--bytes=)\s*[+-]?[0-8](?:\s|$)", joined)
    elif name in _SEDS:
        keeps = not _MASKING_SED.search(joined)
    elif name in _AWKS:
        keeps = "substr" not in joined and not ("$1" in joined and not re.search(r"\$(?:[02-9]|NF)", joined))
    elif name == "tr":
        keeps = not (options and _STARS.fullmatch(options[-1]))
    elif name == "xargs":
        command = [option for option in options if not option.startswith("-") and not option.isdigit()]
        keeps = not command or command[0] == "echo"
    else:
        keeps = True
    return keeps


def _grep(options: list[str], held: Callable[[], Sequence[str]]) -> Callable[[_Item], bool]:
    """Lines picked by a pattern: of the whole environment, only those that may be a key's."""
    flags = "".join(option for option in options if option.startswith("-") and not option.startswith("--"))
    long = {option for option in options if option.startswith("--")}
    pattern = next((option for option in options if not option.startswith("-")), "")
    if set("qcl") & set(flags) or long & {"--quiet", "--silent", "--count"}:
        return lambda _: False
    if "o" in flags and not re.search(r"\.[*+]", pattern):
        return lambda _: False
    pieces = [piece.strip("^$=\\().*\"'[]+?") for piece in re.split(r"\\?\|", pattern.upper())]
    secret = ("KEY", "TOKEN", "SECRET", "PASS", "API", "CRED", "AUTH")

    def keeps(item: _Item) -> bool:
        if item.case not in {"environment", "file"}:
            return True
        if "v" in flags:
            return not any(word in piece for word in secret for piece in pieces)
        names = [item.name.upper(), *(name.upper() for name in held())]
        picks = any(piece and any(piece in name for name in names) for piece in pieces) or any(
            word in piece for word in secret for piece in pieces
        )
        return picks or not pattern

    return keeps
