"""Writes the rule and provider pages of `docs/` from `rules/`; `--check` names the pages that are stale and exits 1."""
# ruff: noqa: RUF001  # half of the pages are Chinese, and so is their punctuation

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from keyguard.catalogue import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keyguard.catalogue import Case, Catalogue, Docs, Example, KeyShape, Provider, Rule
    from keyguard.model import Confidence, Severity

ROOT = Path(__file__).resolve().parent.parent
_NOTICE = "<!-- Written by tools/docs.py from rules/: change the rules, then run `python tools/docs.py`. -->"
_SHOWN = 4  # loud examples on a page: the rest are variations that only the tests need

_FENCES = {
    ".py": "python",
    ".yml": "yaml",
    ".yaml": "yaml",
    ".json": "json",
    ".ipynb": "json",
    ".sh": "sh",
    ".ps1": "powershell",
    ".md": "markdown",
    ".ts": "ts",
    ".css": "css",
    ".ini": "ini",
    ".lock": "toml",
}

# The words of a page by language: a heading is what a reader looks for, so both languages have the same ones.
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "severity": "Severity",
        "confidence": "confidence",
        "low": "low",
        "medium": "medium",
        "high": "high",
        "fixable": "can be fixed",
        "what": "What it does",
        "why": "Why is this bad",
        "example": "Example",
        "reported": "Reported",
        "line": "line",
        "lines": "lines",
        "quiet": "Not reported",
        "message": "Message",
        "remedy": "What to do",
        "cases": "Cases",
        "case": "Case",
        "fix": "Fix safety",
        "options": "Options",
        "options_text": "See [the settings](../settings.md): {names}.",
        "ignoring": "To accept one finding, write `# keyguard: ignore[{id}] reason` on its line"
        " ([more ways](../suppressing.md)).",
        "references": "References",
        "rules": "Rules",
        "rules_text": "Reported by default: severity medium and up, confidence medium and up;"
        " `--min-severity low` shows the rest. `keyguard explain {id}` shows a page in the terminal.",
        "rule": "Rule",
        "name": "Name",
        "reports": "Reports",
        "other": "[中文](../zh/rules/{page})",
        "settings": "../settings.md",
        "suppressing": "../suppressing.md",
    },
    "zh": {
        "severity": "严重度",
        "confidence": "置信度",
        "low": "低",
        "medium": "中",
        "high": "高",
        "fixable": "可自动修复",
        "what": "检查什么",
        "why": "为什么有问题",
        "example": "示例",
        "reported": "会报告",
        "line": "行",
        "lines": "行",
        "quiet": "不会报告",
        "message": "提示信息",
        "remedy": "处理办法",
        "cases": "情形",
        "case": "情形",
        "fix": "修复的安全性",
        "options": "设置",
        "options_text": "见[设置](../../settings.md)：{names}。",
        "ignoring": "要接受某一处，请在该行写上 `# keyguard: ignore[{id}] 原因`（[其他办法](../../suppressing.md)）。",
        "references": "参考",
        "rules": "规则",
        "rules_text": "默认只报告严重度和置信度都在“中”以上的问题；`--min-severity low` 显示其余的。"
        "`keyguard explain {id} --lang zh` 可在终端查看说明。",
        "rule": "规则",
        "name": "名称",
        "reports": "报告内容",
        "other": "[English](../../rules/{page})",
        "settings": "../../settings.md",
        "suppressing": "../../suppressing.md",
    },
}


def pages(catalogue: Catalogue) -> dict[str, str]:
    """Every generated page: its path under `docs/`, and its text."""
    rules = sorted(catalogue.rules.values(), key=lambda rule: rule.id)
    texts = {"providers/README.md": "\n".join(_providers(catalogue)) + "\n"}
    for lang, folder in (("en", "rules"), ("zh", "zh/rules")):
        texts[f"{folder}/README.md"] = "\n".join(_rules(rules, lang)) + "\n"
        for rule in rules:
            texts[f"{folder}/{rule.id}.md"] = "\n".join(_rule(rule, lang)) + "\n"
    return texts


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write the pages, or with `--check` compare them: 1 when a page is stale, missing or left over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; name the stale pages and exit 1")
    check = parser.parse_args(argv).check
    docs = root / "docs"
    texts = pages(load(root / "rules"))
    stale = [page for page, text in texts.items() if not _holds(docs / page, text)]
    left_over = [
        path.relative_to(docs).as_posix()
        for folder in ("rules", "zh/rules", "providers")
        for path in sorted((docs / folder).glob("*.md"))
        if path.relative_to(docs).as_posix() not in texts
    ]
    for page in stale + left_over:
        if check:
            sys.stdout.write(f"docs/{page}: stale; run python tools/docs.py\n")
        elif page in texts:
            (docs / page).parent.mkdir(parents=True, exist_ok=True)
            (docs / page).write_text(texts[page], encoding="utf-8", newline="\n")
        else:
            (docs / page).unlink()
    return int(check and bool(stale or left_over))


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _rules(rules: Iterable[Rule], lang: str) -> Iterator[str]:
    words = _WORDS[lang]
    rules = list(rules)
    yield from (_NOTICE, "", f"# {words['rules']}", "", words["other"].format(page="README.md"), "")
    yield words["rules_text"].format(id=rules[0].id if rules else "KG101")
    yield from (
        "",
        _row(words["rule"], words["name"], words["severity"], words["confidence"].capitalize(), words["reports"]),
    )
    yield _row(*["---"] * 5)
    for rule in rules:
        docs = _docs(rule, lang)
        level, sure = words[rule.severity.label], words[rule.confidence.label]
        yield _row(f"[{rule.id}]({rule.id}.md)", rule.name, level, sure, _gist(docs.what))


def _rule(rule: Rule, lang: str) -> Iterator[str]:
    words, docs = _WORDS[lang], _docs(rule, lang)
    yield from (_NOTICE, "", f"# {rule.name} ({rule.id})", "")
    facts = [_levels(rule.severity, rule.confidence, lang)]
    facts += [words["fixable"]] if rule.fixable else []
    yield " · ".join([*facts, words["other"].format(page=f"{rule.id}.md")])
    yield from ("", f"## {words['what']}", "", docs.what.strip())
    yield from ("", f"## {words['why']}", "", docs.why.strip())
    if rule.examples:
        yield from ("", f"## {words['example']}")
        yield from _examples(rule.examples, lang)
    yield from ("", f"## {words['message']}", "")
    yield from _messages(rule, lang)
    yield from ("", f"## {words['fix']}", "", docs.fix_safety.strip())
    yield from ("", f"## {words['options']}", "")
    options = rule.docs.options
    if options:
        names = "、" if lang == "zh" else ", "
        yield words["options_text"].format(names=names.join(f"`{option}`" for option in options))
    yield words["ignoring"].format(id=rule.id)
    if rule.docs.references:
        yield from ("", f"## {words['references']}", "")
        yield from (f"* <{reference}>" for reference in rule.docs.references)


def _examples(examples: Iterable[Example], lang: str) -> Iterator[str]:
    words, comma = _WORDS[lang], "：" if lang == "zh" else ":"
    examples = list(examples)
    loud = [example for example in examples if example.lines][:_SHOWN]
    quiet = [example for example in examples if not example.lines]
    for example in loud:
        numbers = ", ".join(map(str, example.lines))
        place = f"{words['line' if len(example.lines) == 1 else 'lines']} {numbers}"
        place = f"第 {numbers} 行" if lang == "zh" else place
        yield from ("", f"{words['reported']} ({place}){comma}", "", *_code(example))
    for example in quiet:
        why = f" ({example.why})" if lang == "en" and example.why else ""
        yield from ("", f"{words['quiet']}{why}{comma}", "", *_code(example))


def _code(example: Example) -> Iterator[str]:
    path = Path(example.filename)
    fence = _FENCES.get(
        path.suffix, "dockerfile" if path.name == "Dockerfile" else "sh" if ".env" in path.name else "text"
    )
    ticks = "````" if "```" in example.source else "```"
    if example.filename != "example.py":
        yield from (f"`{example.filename}`", "")
    yield from (f"{ticks}{fence}", example.source.rstrip("\n"), ticks)


def _messages(rule: Rule, lang: str) -> Iterator[str]:
    words = _WORDS[lang]
    yield from (
        _row(words["case"], words["severity"], words["confidence"].capitalize(), words["message"], words["remedy"]),
    )
    yield _row(*["---"] * 5)
    for case in (None, *rule.cases.values()):
        severity = (case and case.severity) or rule.severity
        confidence = (case and case.confidence) or rule.confidence
        level, sure = words[severity.label], words[confidence.label]
        message, remedy = _wording(rule, case, lang)
        if case is None or (message, remedy, severity, confidence) != (
            *_wording(rule, None, lang),
            rule.severity,
            rule.confidence,
        ):
            yield _row(case.id if case else "", level, sure, message, remedy)


def _wording(rule: Rule, case: Case | None, lang: str) -> tuple[str, str]:
    if lang == "zh":
        message = (case and case.message_zh) or rule.message_zh
        remedy = (case and case.remedy_zh) or rule.remedy_zh
    else:
        message = (case and case.message) or rule.message
        remedy = (case and case.remedy) or rule.remedy
    return _placeholders(message), _placeholders(remedy)


def _placeholders(text: str) -> str:
    """A message as a reader sees it, with `*name*` where a value goes."""
    text = re.sub(
        r"(?<!\{)\{([a-z_]+)\}(?!\})|\{\{\{([a-z_]+)\}",
        lambda found: f"*{found[1]}*" if found[1] else f"{{*{found[2]}*",
        text,
    )
    return text.replace("{{", "{").replace("}}", "}").replace("_", " ")


def _docs(rule: Rule, lang: str) -> Docs:
    return rule.docs_zh if lang == "zh" and rule.docs_zh is not None else rule.docs


def _levels(severity: Severity, confidence: Confidence, lang: str) -> str:
    words = _WORDS[lang]
    level, sure = words[severity.label], words[confidence.label]
    if lang == "zh":
        return f"{words['severity']}：{level} · {words['confidence']}：{sure}"
    return f"{words['severity']} {level} · {words['confidence']} {sure}"


def _gist(text: str) -> str:
    """What a rule reports, short enough for a table: the first sentence without what is in brackets."""
    flat = re.sub(r" ?[(（][^()（）]*[)）]", "", " ".join(text.split()))
    gist = re.match(r"(?:`[^`]*`|[^`.:。：]|[.:](?!\s|$))*", flat)
    return re.sub(r"^(?:Reports |报告)", "", gist[0] if gist else flat)


def _providers(catalogue: Catalogue) -> Iterator[str]:
    known = sorted(
        (p for p in catalogue.providers.values() if p.curated), key=lambda p: (p.kind == "relay", p.name.lower())
    )
    yield from (_NOTICE, "", "# Providers / 提供商", "")
    yield (
        "Whose key it is follows from the key's structure, else from the host, the variable or the words near it"
        " ([how it decides](../how-it-decides.md)). A shape that *needs context* is reported only when one of these"
        " says that the text is a key. A provider is one file in `rules/providers/`."
    )
    yield ""
    yield (
        "密钥属于谁，先看它自身的结构，再看附近的主机、变量名和文字。"
        "标有 *needs context* 的形状，只有在上下文表明它是密钥时才报告。"
        "每个提供商对应 `rules/providers/` 里的一个文件。"
    )
    yield from ("", _row("Provider", "中文名", "Kind", "Keys", "Variables", "Hosts"), _row(*["---"] * 6))
    for provider in known:
        name = f"[{provider.name}]({provider.console_url})" if provider.console_url else provider.name
        yield _row(
            name,
            provider.name_zh or "",
            provider.kind,
            "<br>".join(map(_shape, provider.shapes)) or "no known shape",
            "<br>".join(f"`{variable}`" for variable in provider.env),
            "<br>".join(_hosts(provider)),
        )


def _hosts(provider: Provider) -> Iterator[str]:
    few = 4  # a page that lists every region's host is a page nobody reads
    yield from (f"`{host}`" for host in provider.hosts[:few])
    if len(provider.hosts) > few:
        yield f"and {len(provider.hosts) - few} more"


def _shape(shape: KeyShape) -> str:
    """A shape as prefix and length: enough to know one's key by, and nothing a scanner could take for one."""
    low, high = shape.min_length, shape.max_length
    length = "" if low is None else f", {low}" if low == high else f", {low} to {high}" if high else f", {low} and more"
    start = " or ".join(f"`{prefix}…`" for prefix in shape.prefixes) or f"`{shape.charset}`"
    notes = [f"{shape.confidence.label} confidence"] if shape.confidence.label != "high" else []
    notes += ["needs context"] if shape.needs_context else []
    notes += ["public by design in some products"] if shape.often_public else []
    notes += ["retired"] if shape.retired else []
    return f"{start}{length}{' characters' if length else ''}" + (f" *({', '.join(notes)})*" if notes else "")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
