"""A rule's page as Markdown: the same text is the help in SARIF and the answer of `explain`."""

from __future__ import annotations

from keyguard.lang import texts
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.catalogue import Example, Rule

_LANGUAGES = {
    "py": "python",
    "ipynb": "json",
    "md": "markdown",
    "yml": "yaml",
    "js": "javascript",
    "ts": "typescript",
    "sh": "shell",
    "ps1": "powershell",
    "bat": "batch",
}


def rule_markdown(rule: Rule, lang: str, *, title: bool = True) -> str:
    """Write the page under the six headings; headings without text are left out.

    Keys in examples stay the placeholders they are in the rules (`<openai-key>`).
    """
    say = texts(lang).say
    chinese = lang == "zh"
    docs = rule.docs_zh if chinese and rule.docs_zh is not None else rule.docs
    remedy = rule.remedy_zh if chinese and rule.remedy_zh else rule.remedy
    parts: list[str] = []
    if title:
        severity, confidence = say(f"severity.{rule.severity.label}"), say(f"severity.{rule.confidence.label}")
        parts += [f"# {rule.id} {rule.name}", say("page.defaults", severity=severity, confidence=confidence)]
    for heading, text in (("what", docs.what), ("why", docs.why)):
        if text.strip():
            parts += [f"## {say(f'page.{heading}')}", _reflow(text)]
    # A remedy with values to fill in is a sentence of a finding, not of a page.
    if remedy.strip() and "{" not in remedy:
        parts += [f"## {say('page.remedy')}", remedy.strip()]
    parts += _examples(rule, lang)
    if docs.fix_safety.strip():
        parts += [f"## {say('page.fix_safety')}", _reflow(docs.fix_safety)]
    parts += [f"## {say('page.options')}", "\n".join(f"- `{option}`" for option in docs.options or rule.docs.options)]
    parts.append(say("page.ignoring", rule=rule.id))
    references = docs.references or rule.docs.references
    if references:
        parts += [f"## {say('page.references')}", "\n".join(f"- {_entry(reference)}" for reference in references)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _examples(rule: Rule, lang: str) -> list[str]:
    """Show the first example that is found, with its fix, and the first that stays quiet."""
    say = texts(lang).say
    parts: list[str] = []
    found = next((example for example in rule.examples if example.lines), None)
    if found is not None:
        parts += [f"## {say('page.example')}", _fenced(found, found.source)]
        if found.fixed is not None:
            parts += [say("page.instead"), _fenced(found, found.fixed)]
    quiet = next((example for example in rule.examples if not example.lines), None)
    if quiet is not None:
        # The reasons are written in English only.
        reason = say("page.quiet.why", why=quiet.why) if quiet.why and lang == "en" else say("page.quiet")
        parts += [reason, _fenced(quiet, quiet.source)]
    return parts


def _fenced(example: Example, source: str) -> str:
    longest = max(_backticks(source), default=0)
    fence = "`" * max(3, longest + 1)
    ending = example.filename.rpartition(".")[2]
    return f"{fence}{_LANGUAGES.get(ending, ending if ending.isalnum() else '')}\n{source.strip(chr(10))}\n{fence}"


def _backticks(text: str) -> Iterator[int]:
    run = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        yield run


def _reflow(text: str) -> str:
    """Join lines that break between two Chinese characters: Markdown would put a space there."""
    joined: list[str] = []
    for line in text.strip().split("\n"):
        if joined and joined[-1] and line and not joined[-1][-1].isascii() and not line[0].isascii():
            joined[-1] += line
        else:
            joined.append(line)
    return "\n".join(joined)


def _entry(entry: str) -> str:
    return f"<{entry}>" if entry.startswith(("http://", "https://")) and " " not in entry else entry
