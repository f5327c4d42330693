"""Accuracy next to other tools, in one run: `python -m benchmarks.accuracy [--json] [--no-trees]`.

Three questions: are the keys of every provider found wherever people put them, and attributed rightly (`cases`); is
everything quiet that only looks like a key (`lookalikes`); and what is said on large real code that holds none. Keys
are made at run time and none is ever printed: findings are listed as path, line and rule, for a person to read.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import measure, peers
from benchmarks.cases import Case, cases
from benchmarks.lookalikes import Lookalike, lookalikes
from keyguard.catalogue import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from keyguard.catalogue import Catalogue

# The rules that say "this is a key": the others speak of how a key is handled.
KEY_RULES = ("KG101", "KG102", "KG103", "KG106")

MINIMUM_RECALL, MINIMUM_PROVIDER, MAXIMUM_PER_MILLION = 0.995, 0.98, 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """What one tool says about one line: `rule` is the tool's own name for it, `provider` a provider's id or None."""

    path: str
    line: int
    rule: str
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A tool's result on the cases: found and rightly attributed, of how many; by context and what was missed."""

    found: int
    attributed: int
    of: int
    by_context: Mapping[str, tuple[int, int]]
    missed: Sequence[tuple[str, str]]
    mistaken: Sequence[tuple[str, str, str]]


# The tools ------------------------------------------------------------------------------------------------------------


def keyguard(folder: Path) -> list[Found]:
    """Give keyguard's findings of family KG1, with its default severity and confidence."""
    command = (peers.keyguard(), "check", "--isolated", "--select=KG1", "--output-format=json", ".")
    report = _json(command, folder, codes=(0, 1))
    return [Found(one["path"], one["line"], one["rule"], one["provider"]) for one in report["findings"]]


def detect_secrets(folder: Path) -> list[Found]:
    """Give detect-secrets' findings with its default plug-ins and filters."""
    report = _json((peers.peers() / "detect-secrets", "scan", "--all-files", "."), folder)
    return [Found(path, one["line_number"], one["type"]) for path, found in report["results"].items() for one in found]


def kingfisher(folder: Path) -> list[Found]:
    """Give kingfisher's findings, none of them tried against a service."""
    options = ("--no-validate", "--no-update-check", "--git-history=none", "--redact", "--no-dedup", "--format=json")
    report = _json((peers.peers() / "kingfisher", "scan", *options, "."), folder, codes=(0, 200, 205))
    return [
        Found(_inside(one["finding"]["path"], folder), one["finding"]["line"], one["rule"]["id"])
        for one in report["findings"]
    ]


def credsweeper(folder: Path) -> list[Found]:
    """Give credsweeper's findings with its default rules, filters and model."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place, "found.json")
        options = ("--path", ".", "--save-json", out, "--hashed", "--no-color", "--no-stdout", "--log", "critical")
        _run((peers.peers() / "credsweeper", *options), folder, (0, 1))
        report = json.loads(out.read_text(encoding="utf-8")) if out.exists() else []
    return [
        Found(_inside(line["path"], folder), line["line_num"], one["rule"])
        for one in report
        for line in one["line_data_list"]
    ]


TOOLS: Mapping[str, Callable[[Path], list[Found]]] = {
    "keyguard": keyguard,
    "detect-secrets": detect_secrets,
    "kingfisher": kingfisher,
    "credsweeper": credsweeper,
}


def _run(command: Sequence[str | Path], folder: Path, codes: tuple[int, ...]) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode not in codes:
        # What a tool prints may hold the made keys; they open nothing, but no key is printed here.
        sys.exit(f"{Path(command[0]).name} ended with {done.returncode} in {folder.name}")
    return done.stdout


def _json(command: Sequence[str | Path], folder: Path, codes: tuple[int, ...] = (0,)) -> Any:  # noqa: ANN401  # JSON
    text = _run(command, folder, codes)
    return json.JSONDecoder().raw_decode(text[text.index("{") :])[0]


def _inside(path: str, folder: Path) -> str:
    """A tool's path as one from the folder it ran in."""
    return path.removeprefix(str(folder)).removeprefix(str(folder.resolve())).removeprefix("/").removeprefix("./")


# The cases ------------------------------------------------------------------------------------------------------------


def write_cases(all_cases: Iterable[Case], folder: Path) -> dict[str, Case]:
    """Write each case into a folder of its own and give it by its file's path."""
    written = {}
    for number, case in enumerate(all_cases):
        path = folder / f"{number:04}" / case.file
        path.parent.mkdir(parents=True)
        path.write_bytes(case.text.encode())
        written[f"{number:04}/{case.file}"] = case
    return written


def score(written: Mapping[str, Case], found: Iterable[Found], right: Callable[[Found, Case], bool]) -> Score:
    """Hold findings against the cases: found is any finding on the key's lines, whatever the tool calls it."""
    by_path: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        by_path[one.path].append(one)
    contexts: dict[str, list[bool]] = defaultdict(list)
    missed, mistaken, attributed = [], [], 0
    for path, case in written.items():
        hits = [one for one in by_path[path] if one.line in case.lines or _is_notebook(case)]
        contexts[case.context].append(bool(hits))
        if not hits:
            missed.append((case.shape, case.context))
        elif any(right(one, case) for one in hits):
            attributed += 1
        else:
            mistaken.append((case.shape, case.context, ", ".join(sorted({one.provider or one.rule for one in hits}))))
    by_context = {name: (sum(hits), len(hits)) for name, hits in contexts.items()}
    return Score(len(written) - len(missed), attributed, len(written), by_context, missed, mistaken)


def _is_notebook(case: Case) -> bool:
    """Tell whether lines cannot be compared: some tools count inside cells, some in the file."""
    return case.file.endswith(".ipynb")


def our_attribution(catalogue: Catalogue) -> Callable[[Found, Case], bool]:
    """Judge by the provider keyguard names; where nothing else tells, one with the very same form of key is right."""
    same: dict[str, set[str]] = defaultdict(set)
    for shape in catalogue.shapes.values():
        same[shape.pattern].add(shape.provider)

    def right(found: Found, case: Case) -> bool:
        if found.provider == case.provider:
            return True
        shape = catalogue.shapes.get(case.shape)
        return case.context == "a bare line" and shape is not None and found.provider in same[shape.pattern]

    return right


def their_attribution(catalogue: Catalogue) -> Callable[[Found, Case], bool]:
    """Other tools name rules: right is a rule whose name holds a word of the provider's."""

    def right(found: Found, case: Case) -> bool:
        provider = catalogue.providers[case.provider]
        rule = _plain(found.rule)
        words = {provider.id, *provider.words, *provider.name.split(), *provider.id.split("_")}
        return any(len(_plain(word)) > 1 and _plain(word) in rule for word in words)

    return right


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


# Look-alikes and real code --------------------------------------------------------------------------------------------


def write_lookalikes(kinds: Iterable[Lookalike], folder: Path) -> dict[str, Lookalike]:
    """Write each kind into a folder of its own and give it by its file's path."""
    written = {}
    for number, kind in enumerate(kinds):
        path = folder / f"{number:02}" / kind.file
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(kind.lines) + "\n", encoding="utf-8")
        written[f"{number:02}/{kind.file}"] = kind
    return written


def real_trees() -> dict[str, Path]:
    """The real code, by name: unpacked archives of large packages, and the standard library."""
    stdlib = peers.cache() / "trees" / "stdlib"
    if not stdlib.exists():
        ignore = shutil.ignore_patterns("__pycache__", "site-packages", "*.so", "*.a", "*.pyd")
        shutil.copytree(sysconfig.get_paths()["stdlib"], stdlib, ignore=ignore)
    return {name: peers.tree(name) for name in peers.TREES} | {"standard library": stdlib}


def count_lines(folder: Path) -> int:
    """Count the lines of the text files below a folder."""
    total = 0
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if b"\0" not in data[:8192]:
                total += data.count(b"\n")
    return total


# The run --------------------------------------------------------------------------------------------------------------


def main() -> int:
    """Measure, print, and give 1 if one of the project's own limits is broken."""
    parser = argparse.ArgumentParser(description="Measures keyguard's accuracy next to other tools.")
    parser.add_argument("--json", action="store_true", help="print JSON, not tables")
    parser.add_argument("--no-trees", action="store_true", help="leave out the large real trees (a download)")
    parser.add_argument("--only-keyguard", action="store_true", help="leave out the other tools")
    parser.add_argument("--misses", action="store_true", help="list what keyguard missed or attributed wrongly")
    arguments = parser.parse_args()
    catalogue = load()
    tools = {"keyguard": keyguard} if arguments.only_keyguard else TOOLS
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="keyguard-accuracy-") as place:
        report["cases"] = _judge_cases(Path(place, "cases"), tools, catalogue)
        report["lookalikes"] = _judge_lookalikes(Path(place, "lookalikes"), tools)
    report["trees"] = {} if arguments.no_trees else _judge_trees(tools)
    report["kept"] = _judge(report)
    if arguments.json:
        if not arguments.only_keyguard:
            report["versions"] = peers.versions()
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        _print(report, misses=arguments.misses)
    return 0 if all(report["kept"].values()) else 1


def _judge_cases(
    folder: Path, tools: Mapping[str, Callable[[Path], list[Found]]], catalogue: Catalogue
) -> dict[str, Any]:
    written = write_cases(cases(catalogue), folder)
    _repository(folder)
    ours, theirs = our_attribution(catalogue), their_attribution(catalogue)
    results = {}
    for name, tool in tools.items():
        print("cases:", name, file=sys.stderr)
        found = tool(folder)
        right = ours if name == "keyguard" else theirs
        parts = {}
        for part, published in (("published", True), ("unpublished", False)):
            those = {path: case for path, case in written.items() if case.published is published}
            result = score(those, found, right)
            parts[part] = {
                "recall": result.found / result.of,
                "provider": result.attributed / max(result.found, 1),
                "of": result.of,
                "by_context": result.by_context,
                "missed": result.missed,
                "mistaken": result.mistaken,
            }
        results[name] = parts
    return results


def _judge_lookalikes(folder: Path, tools: Mapping[str, Callable[[Path], list[Found]]]) -> dict[str, Any]:
    written = write_lookalikes(lookalikes(), folder)
    _repository(folder)
    results = {}
    for name, tool in tools.items():
        found = {(one.path, one.line): one.rule for one in tool(folder)}
        results[name] = {
            "lines": len(found),
            "of": sum(len(kind.lines) for kind in written.values()),
            "findings": [f"{written[path].kind}: {path}:{line} {rule}" for (path, line), rule in sorted(found.items())],
        }
    return results


def _judge_trees(tools: Mapping[str, Callable[[Path], list[Found]]]) -> dict[str, Any]:
    results = {}
    for name, folder in real_trees().items():
        print("tree:", name, file=sys.stderr)
        lines = count_lines(folder)
        found = keyguard(folder)
        ours = sorted({f"{one.path}:{one.line}:{one.rule}" for one in found if one.rule in KEY_RULES})
        other = sorted({f"{one.path}:{one.line}:{one.rule}" for one in found if one.rule not in KEY_RULES})
        counts = {"keyguard": len(ours)}
        if "kingfisher" in tools:
            counts["kingfisher"] = len({(one.path, one.line) for one in kingfisher(folder)})
        results[name] = {"lines": lines, "counts": counts, "to_read": ours, "other_rules": other}
    return results


def _judge(report: dict[str, Any]) -> dict[str, bool]:
    ours = report["cases"]["keyguard"]["published"]
    kept = {
        f"recall ≥ {MINIMUM_RECALL}": ours["recall"] >= MINIMUM_RECALL,
        f"right provider ≥ {MINIMUM_PROVIDER}": ours["provider"] >= MINIMUM_PROVIDER,
        "no finding on a look-alike": report["lookalikes"]["keyguard"]["lines"] == 0,
    }
    if report["trees"]:
        lines = sum(tree["lines"] for tree in report["trees"].values())
        count = sum(tree["counts"]["keyguard"] for tree in report["trees"].values())
        # An upper bound: what a person finds to be a real key does not count as false.
        kept[f"key findings per million lines ≤ {MAXIMUM_PER_MILLION:g}"] = count / lines * 1e6 <= MAXIMUM_PER_MILLION
    return kept


def _repository(folder: Path) -> None:
    """Make a git repository of a folder, as a user has it: some tools and rules ask git what is tracked."""
    for arguments in (("init", "-q"), ("add", "-A", "-f")):
        subprocess.run(("git", *arguments), cwd=folder, check=True)


def _print(report: dict[str, Any], *, misses: bool) -> None:
    for part, title in (("published", "Keys of a published form"), ("unpublished", "Keys of no published form")):
        print(_show_cases(title, {name: parts[part] for name, parts in report["cases"].items()}))
    like = report["lookalikes"]
    rows = [[name, str(one["lines"])] for name, one in like.items()]
    of = like["keyguard"]["of"]
    print(f"### Look-alikes: {of} lines, none is a key\n\n{measure.table(['tool', 'lines with a finding'], rows)}\n")
    if report["trees"]:
        print(_show_trees(report["trees"]))
    for line in like["keyguard"]["findings"]:
        print(f"look-alike: {line}")
    if misses:
        _print_misses(report["cases"]["keyguard"].values())
    for what, kept in report["kept"].items():
        print(f"{'kept' if kept else 'BROKEN'}: {what}")


def _show_cases(title: str, scores: Mapping[str, dict[str, Any]]) -> str:
    first = next(iter(scores.values()))
    rows = [[name, f"{one['recall']:.4f}", f"{one['provider']:.4f}"] for name, one in scores.items()]
    whole = measure.table(["tool", "recall", "right provider"], rows)
    rows = [
        [context, *(" / ".join(map(str, one["by_context"][context])) for one in scores.values())]
        for context in first["by_context"]
    ]
    return f"### {title}: {first['of']:,} leaks\n\n{whole}\n\n{measure.table(['found in', *scores], rows)}\n"


def _show_trees(trees: Mapping[str, dict[str, Any]]) -> str:
    tools = list(next(iter(trees.values()))["counts"])
    rows = [
        [name, f"{tree['lines']:,}", *(str(tree["counts"][tool]) for tool in tools)] for name, tree in trees.items()
    ]
    shown = [
        "### Real code",
        "",
        measure.table(["tree", "lines", *(f"findings of {tool}" for tool in tools)], rows),
        "",
    ]
    for name, tree in trees.items():
        shown += [f"to read: {name}: {line}" for line in tree["to_read"]]
        shown += [f"other rules: {name}: {line}" for line in tree["other_rules"]]
    return "\n".join(shown)


def _print_misses(parts: Iterable[dict[str, Any]]) -> None:
    for part in parts:
        for shape, context in part["missed"]:
            print(f"missed: {shape}: {context}")
        for shape, context, said in part["mistaken"]:
            print(f"wrong provider: {shape}: {context}: {said}")


if __name__ == "__main__":
    sys.exit(main())
