"""The command line: every command, option and help text, and errors that name the closest option."""

from __future__ import annotations

import argparse
from contextlib import contextmanager

from keyguard import __version__
from keyguard.errors import UsageError
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors name the closest option."""

    def error(self, message: str) -> NoReturn:
        """Raise what the user did wrong, with a suggestion where an option was misspelt."""
        unknown = message.removeprefix("unrecognized arguments: ").split(" ")[0]
        hint = ""
        if unknown.startswith("-") and unknown != message:
            import difflib  # noqa: PLC0415  # 3 ms, for a misspelt option only

            known = [option for action in self._every_action() for option in action.option_strings]
            near = difflib.get_close_matches(unknown.split("=")[0], known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
        msg = f"{_without_keys(message)}{hint} (see `{self.prog} --help`)"
        raise UsageError(msg)

    def _every_action(self) -> list[argparse.Action]:
        actions = list(self._actions)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  # argparse offers no other way to them
                for parser in action.choices.values():
                    actions += parser._actions  # noqa: SLF001  # as above
        return actions


def _without_keys(message: str) -> str:
    """Shorten the words of an error that may be a key: people paste one as an argument."""
    import re  # noqa: PLC0415  # 4 ms, for a wrong argument only

    from keyguard.settings import may_be_key  # noqa: PLC0415  # as above

    def shown(found: re.Match[str]) -> str:
        word = found[0]
        return f"{word[:4]}… ({len(word)} characters)" if may_be_key(word) else word

    return re.sub(r"[^\s'\"=,]{17,}", shown, message)


def _list(value: str) -> tuple[str, ...]:
    """Split a comma-separated option."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _positive(value: str) -> int:
    number = int(value)
    if number < 1:
        raise ValueError
    return number


def _add_selection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which rules")
    group.add_argument("--select", type=_list, metavar="RULES", help="run only these rules (KG101, KG1, a name, ALL)")
    group.add_argument("--extend-select", type=_list, metavar="RULES", help="run these rules too")
    group.add_argument("--ignore", type=_list, metavar="RULES", help="do not run these rules")
    group.add_argument(
        "--per-file-ignores",
        action="append",
        default=None,
        metavar="PATTERN:RULES",
        help="ignore rules in files that match (may be given again)",
    )
    group.add_argument("--min-severity", choices=("low", "medium", "high"), help="hide findings below this severity")
    group.add_argument("--min-confidence", choices=("low", "medium", "high"), help="hide findings we are less sure of")


def _add_files(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which files")
    _add_paths(group)
    group.add_argument("--staged", action="store_true", help="check what the git index holds, not what lies on disk")
    group.add_argument("--range", metavar="A..B", help="check what any commit of the range adds")
    group.add_argument("--stdin-filename", metavar="NAME", help="read standard input as this file")


def _add_paths(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "paths", nargs="*", metavar="PATH", help="files and folders (default: the working folder; -: stdin)"
    )
    group.add_argument("--exclude", type=_list, metavar="PATTERNS", help="skip these instead of the default excludes")
    group.add_argument("--extend-exclude", type=_list, metavar="PATTERNS", help="skip these too")
    group.add_argument("--force-exclude", action="store_true", default=None, help="skip excluded files even when named")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings")
    _add_sources(group)
    group.add_argument("--baseline", metavar="FILE", help="accept what this baseline holds")
    group.add_argument("--show-settings", action="store_true", help="show the settings in force and stop")
    group.add_argument("--show-files", action="store_true", help="show the files that would be checked and stop")
    group.add_argument("--no-cache", action="store_true", help="check every file, whatever earlier runs found in it")


def _add_sources(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--config", metavar="FILE", help="read settings from this file only")
    group.add_argument("--isolated", action="store_true", help="read no settings file and no baseline")
    group.add_argument("--jobs", type=_positive, metavar="N", help="worker processes (default: one a core)")


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--output-format", metavar="FORMAT", help="text, json, sarif, github … (see docs/ci.md)")
    group.add_argument("--output-file", metavar="FILE", help="write the report to this file")
    group.add_argument("--exit-zero", action="store_true", help="exit 0 in spite of findings")
    group.add_argument("--statistics", action="store_true", help="count findings by rule")
    group.add_argument(
        "--show-ignored", action="store_true", default=None, help="list what comments and the baseline hide"
    )
    _add_voice(group)


def _add_voice(group: argparse._ArgumentGroup | argparse.ArgumentParser) -> None:
    group.add_argument("--lang", choices=("en", "zh"), help="language of the texts")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colours (default: auto)")
    group.add_argument("-q", "--quiet", action="store_true", help="findings only")
    group.add_argument("-v", "--verbose", action="store_true", help="every place and every notice")


def _add_fixing(parser: argparse.ArgumentParser, *, fixes: bool) -> None:
    group = parser.add_argument_group("fixing")
    if not fixes:
        group.add_argument(
            "--fix", action="store_true", help="repair what can be repaired safely, then report the rest"
        )
    parser.set_defaults(fix=fixes)
    group.add_argument(
        "--unsafe-fixes",
        action="store_true",
        default=None,
        help="also apply fixes that may change what the program does",
    )
    group.add_argument("--fix-only", action="store_true", help="repair, and do not report what is left")
    group.add_argument("--diff", action="store_true", help="show what would change, keys masked, and write nothing")
    group.add_argument("--show-fixes", action="store_true", help="list every fix that was made")
    group.add_argument(
        "--key-store", metavar="STORE", help="where keys go: env-file, keyring, vault … (default: env-file)"
    )


def _check(parser: argparse.ArgumentParser) -> None:
    _add_files(parser)
    _add_selection(parser)
    _add_fixing(parser, fixes=False)
    _add_settings(parser)
    _add_output(parser)


def _fix(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Exits 1 when files were rewritten or findings are left, so that a commit stops; 0 when all was clean."
    )
    parser.set_defaults(staged=False, range=None, stdin_filename=None)
    _add_paths(parser.add_argument_group("which files"))
    _add_selection(parser)
    _add_fixing(parser, fixes=True)
    _add_settings(parser)
    _add_output(parser)


def _baseline(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("create", "update", "show"), help="what to do with the baseline")
    _add_files(parser)
    _add_selection(parser)
    _add_settings(parser)
    _add_voice(parser)


_LISTS = ("text", "json", "markdown")


def _rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output-format", choices=_LISTS, default="text", help="how to list them")
    _add_voice(parser)


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rule", metavar="RULE", help="an id such as KG101, or a name such as hardcoded-key")
    parser.add_argument("--output-format", choices=_LISTS, default="text", help="how to show it")
    _add_voice(parser)


def _providers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("word", nargs="?", help="only those whose name, host or variable holds this word")
    parser.add_argument("--output-format", choices=_LISTS, default="text", help="how to list them")
    _add_voice(parser)


def _identify(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exits 0 when the kind of key is known, 1 when it is not."
    parser.add_argument("key", nargs="*", help=argparse.SUPPRESS)  # taken to be refused without being shown
    parser.add_argument("--env", metavar="NAME", help="read the key from this environment variable")
    parser.add_argument("--output-format", choices=("text", "json"), default="text", help="how to show it")
    _add_voice(parser)


def _init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", default=".", help="the project's folder (default: the working folder)")
    parser.add_argument("-y", "--yes", action="store_true", help="ask nothing")
    _add_voice(parser)


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exits 0 when nothing is wrong, 1 when something is; notes do not count."
    parser.set_defaults(
        staged=False,
        range=None,
        stdin_filename=None,
        exclude=None,
        extend_exclude=None,
        force_exclude=None,
        exit_zero=False,
    )
    parser.add_argument("path", nargs="?", default=".", help="the project's folder (default: the working folder)")
    parser.add_argument(
        "--explain", metavar="ERROR", help="say what leads to an error: 400, 401, 402, 403, 404, 429, timeout or ssl"
    )
    asking = parser.add_argument_group("asking providers")
    asking.add_argument(
        "--verify", action="store_true", help="send one harmless request a key; says first what goes where"
    )
    asking.add_argument("-y", "--yes", action="store_true", help="do not ask before keys are sent (for CI)")
    _add_sources(parser.add_argument_group("settings"))
    output = parser.add_argument_group("output")
    output.add_argument("--output-format", choices=("text", "json"), default="text", help="how to show it")
    output.add_argument("--output-file", metavar="FILE", help="write the report to this file")
    _add_voice(output)


def _connections(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exits 0 whatever is found; `keyguard check` is the command that judges."
    parser.set_defaults(staged=False, range=None, stdin_filename=None)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--hosts", action="store_true", help="sum up by host: how often, and which keys are sent there")
    group.add_argument("--env", metavar="NAME", help="list every place that sets, reads or names this variable")
    _add_paths(parser.add_argument_group("which files"))
    _add_sources(parser.add_argument_group("settings"))
    output = parser.add_argument_group("output")
    output.add_argument(
        "--output-format", choices=("text", "json", "csv", "markdown"), default="text", help="how to list them"
    )
    output.add_argument("--output-file", metavar="FILE", help="write the list to this file")
    _add_voice(output)


def _audit(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exits 1 when something was found, 0 when nothing was. A baseline accepts nothing here."
    parser.set_defaults(staged=False, range=None, stdin_filename=None)
    group = parser.add_argument_group("what to audit")
    group.add_argument(
        "path", nargs="?", default=".", metavar="PATH", help="a work tree, a bare repository or a mirror"
    )
    group.add_argument("--no-history", dest="history", action="store_false", help="look at the files on disk only")
    group.add_argument("--since", metavar="DATE", help="only commits since then, such as 2024-01-31 or '3 months ago'")
    group.add_argument(
        "--branch", action="append", metavar="NAME", help="only what this branch or tag reaches (may be given again)"
    )
    group.add_argument("--max-commits", type=_positive, metavar="N", help="only the newest N commits")
    group.add_argument(
        "--unreachable", action="store_true", help="objects, too, that no branch, tag or reflog reaches any more"
    )
    group.add_argument("--exclude", type=_list, metavar="PATTERNS", help="skip these instead of the default excludes")
    group.add_argument("--extend-exclude", type=_list, metavar="PATTERNS", help="skip these too")
    _add_selection(parser)
    many = parser.add_argument_group("many repositories")
    many.add_argument(
        "--repos",
        action="append",
        metavar="LIST",
        help="a file that lists repositories, one a line, or a folder of clones and mirrors (may be given again)",
    )
    many.add_argument("--cluster", metavar="ADDRESS", help="do the work on the Dask cluster with this scheduler")
    many.add_argument(
        "--store", metavar="FILE", help="keep the audit in this SQLite file (of many: audit.sqlite by default)"
    )
    many.add_argument("--parquet", metavar="FOLDER", help="write the store's tables into this folder, too, as Parquet")
    many.add_argument(
        "--compare", metavar="LAST", help="tell what is new since an earlier audit: its store, or its JSON report"
    )
    asking = parser.add_argument_group("asking providers")
    asking.add_argument(
        "--verify", action="store_true", help="ask who issued each key whether it lives; says before what is sent where"
    )
    asking.add_argument("-y", "--yes", action="store_true", help="send it without asking, as in CI")
    settings = parser.add_argument_group("settings")
    _add_sources(settings)
    settings.add_argument(
        "--no-cache", action="store_true", help="read everything, whatever earlier audits found in it"
    )
    output = parser.add_argument_group("output")
    # Under a name of its own: the setting `output-format` is for findings, and knows other formats.
    output.add_argument(
        "--output-format",
        dest="audit_format",
        default="text",
        metavar="FORMAT",
        help="text, json, jsonl, csv, markdown, sarif or html",
    )
    output.add_argument("--output-file", metavar="FILE", help="write the report to this file")
    output.add_argument("--exit-zero", action="store_true", help="exit 0 in spite of findings")
    _add_voice(output)


_COMMANDS = (
    ("check", "Find leaked keys in files, folders, the git index or a range of commits.", _check),
    ("fix", "Repair what was found: keys move out of the code, and nothing is lost.", _fix),
    ("baseline", "Accept today's findings, so that only new ones are reported.", _baseline),
    ("connections", "List every connection to a model API: whom the code talks to, and how.", _connections),
    ("rules", "List every rule.", _rules),
    ("explain", "Explain a rule: what it reports, why, and what to do.", _explain),
    ("providers", "List the providers keyguard knows.", _providers),
    ("identify", "Tell whose a key is and whether it is whole; the key is read from standard input.", _identify),
    ("audit", "Audit a repository with its whole history: every key that leaked, and what to do first.", _audit),
    ("doctor", "Look at the environment: which keys and base URLs are set, and what makes calls fail.", _doctor),
    ("init", "Set keyguard up in this project: hook, settings, ignore lines, a baseline if it leaks.", _init),
)


def _checking(prog: str) -> argparse.HelpFormatter:
    """What argparse checks each option's form with; one without a width asks the terminal, with modules of 2 ms."""
    return argparse.HelpFormatter(prog, width=80)


def build(argv: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Build the parser; `command` in its result is the name of the command.

    When `argv` begins with a command, only that one gets its options: the others' would cost 5 ms of every hook.
    """
    with _untranslated():
        return _built(argv)


@contextmanager
def _untranslated() -> Iterator[None]:
    """Leave argparse's own words as they are: for each it looks for files of translations, which Python has none of.

    That and the locales it asks about take 1.5 ms of every hook.
    """
    translate = vars(argparse).get("_")
    vars(argparse)["_"] = lambda text: text
    try:
        yield
    finally:
        vars(argparse)["_"] = translate


def _built(argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="keyguard",
        description="Stops model-API keys from leaking and model-API calls from failing, before the commit.",
        formatter_class=_checking,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"keyguard {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    known = {name for name, _, _ in _COMMANDS}
    wanted = argv[0] if argv and argv[0] in known else None
    for name, summary, options in _COMMANDS:
        if wanted is None or name == wanted:
            made = commands.add_parser(
                name, help=summary, description=summary, allow_abbrev=False, formatter_class=_checking
            )
            options(made)
            made.formatter_class = argparse.HelpFormatter
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    return parser
