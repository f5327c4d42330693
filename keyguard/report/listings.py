"""The answers of `rules`, `explain`, `providers` and `identify`: what keyguard knows, as tables and pages."""

from __future__ import annotations

from dataclasses import dataclass

from keyguard.errors import UsageError
from keyguard.lang import texts
from keyguard.report.common import rule_url
from keyguard.report.excerpt import CUT, ELLIPSIS
from keyguard.report.markdown import escape
from keyguard.report.page import rule_markdown
from keyguard.report.paint import paint
from keyguard.report.safe import cells, pad, visible, wrap
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from keyguard.catalogue import Catalogue, Provider, Rule
    from keyguard.report.options import RenderOptions
    from keyguard.report.paint import Line

LISTING_FORMATS = ("text", "json", "markdown")
_GAP = "  "
_FEW = 3  # variables and hosts of an owner that are shown
_MAX_NAME = 36  # characters: the longest names say things in brackets


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose key it can be: `hosts` and `env` are those that belong to it, `whole` is None when nothing can tell.

    `reason` says why a key is not whole. `kind` is the kind of key in the provider's own words.
    """

    provider: str
    kind: str = ""
    confidence: str = "high"
    whole: bool | None = None
    reason: str = ""
    hosts: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    console_url: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What a key is known by: its masked form, its length in characters and its possible owners, likeliest first.

    `notes` are sentences about it beyond its owners.
    """

    masked: str
    length: int
    owners: tuple[Owner, ...] = ()
    notes: tuple[str, ...] = ()


def render_rules(catalogue: Catalogue, options: RenderOptions, format: str = "text") -> str:  # noqa: A002  # the option's own name
    """List every rule with its defaults, in the order of ids."""
    _known(format)
    rules = [catalogue.rules[rule] for rule in sorted(catalogue.rules)]
    if format == "json":
        return json_text([_rule_object(rule, options) for rule in rules])
    say = texts(options.lang).say
    head = [say(f"table.{name}") for name in ("rule", "name", "severity", "confidence", "fix")]
    rows = [
        [
            rule.id,
            rule.name,
            say(f"severity.{rule.severity.label}"),
            say(f"severity.{rule.confidence.label}"),
            say("yes") if rule.fixable else "",
        ]
        for rule in rules
    ]
    if format == "markdown":
        return markdown_table(head, rows)
    styles = [["rule", "", rule.severity.label, "", "good"] for rule in rules]
    return paint(table(head, rows, styles), color=options.color)


def render_rule(rule: Rule, options: RenderOptions, format: str = "text") -> str:  # noqa: A002  # the option's own name
    """Give a rule's page: Markdown, rendered when it goes to a terminal (`color`)."""
    _known(format)
    if format == "json":
        return json_text(_rule_object(rule, options, page=True))
    page = rule_markdown(rule, options.lang)
    if format == "markdown" or not options.color:
        return page
    import io  # noqa: PLC0415  # loaded anyway, named here beside its only use

    from rich.console import Console  # noqa: PLC0415  # rich: 36 ms, for a terminal only
    from rich.markdown import Markdown  # noqa: PLC0415  # 90 ms with its parser and pygments, as above

    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="standard", width=min(options.width or 80, 100))
    console.print(Markdown(page, code_theme="ansi_dark", hyperlinks=False))
    return out.getvalue()


def render_providers(
    catalogue: Catalogue,
    options: RenderOptions,
    format: str = "text",  # noqa: A002  # the option's own name
    word: str | None = None,
) -> str:
    """List providers with their variables and hosts; `word` picks those whose id, name, variable or host has it."""
    _known(format)
    providers = [provider for provider in catalogue.providers.values() if word is None or _matches(provider, word)]
    if format == "json":
        return json_text([_provider_object(provider) for provider in providers])
    say = texts(options.lang).say
    if not providers:
        return say("providers.none", word=visible(word or "")) + "\n"
    head = [say(f"table.{name}") for name in ("id", "provider", "key", "env", "host")]
    brief = format == "text" and not options.verbose
    rows = [_provider_row(provider, options, brief=brief) for provider in providers]
    if format == "markdown":
        return markdown_table(head, rows)
    if not options.unicode:
        rows = [[cell.replace(ELLIPSIS, CUT) for cell in row] for row in rows]
    lines = table(head, rows, [["rule", "", "", "", ""]] * len(rows))
    lines += [[], [(say("providers.count", count=len(providers)), "dim")]]
    return paint(lines, color=options.color)


def render_identity(identity: Identity, options: RenderOptions, format: str = "text") -> str:  # noqa: A002  # the option's own name
    """Say whose a key is and what belongs to it; the key itself is not there to be shown."""
    _known(format)
    if format == "json":
        return json_text(
            {
                "masked": identity.masked,
                "length": identity.length,
                "owners": [_owner_object(owner) for owner in identity.owners],
                "notes": list(identity.notes),
            }
        )
    say = texts(options.lang).say
    size = say("identify.characters", count=identity.length)
    sentences = list(identity.notes)
    if len(identity.owners) == 1:
        sentences.insert(0, say("identify.owner", provider=visible(identity.owners[0].provider)))
    elif identity.owners:
        sentences.insert(0, say("identify.owners", count=len(identity.owners)))
    lines: list[Line] = [[(f"{visible(identity.masked)} ({size})", "key")]]
    for sentence in sentences or [say("identify.none")]:
        lines += [[(part, "")] for part in wrap(sentence, options.width)]
    for owner in identity.owners:
        if len(identity.owners) > 1:
            lines += [[], [(visible(owner.provider), "title")]]
        facts = [(name, value) for name, value in _facts(owner, options) if value]
        width = max(cells(name) for name, _ in facts)
        lines += [[(_GAP + pad(name, width) + _GAP, "dim"), (visible(value), "")] for name, value in facts]
    return paint(lines, color=options.color)


def _facts(owner: Owner, options: RenderOptions) -> list[tuple[str, str]]:
    say = texts(options.lang).say
    if owner.whole is None:
        whole = say("identify.whole.unknown")
    elif owner.whole:
        whole = say("identify.whole.yes")
    else:
        whole = say("identify.whole.no", reason=owner.reason)
    return [
        (say("identify.kind"), owner.kind),
        (say("identify.whole"), whole),
        (say("identify.env"), _few(owner.env, options)),
        (say("identify.host"), _few(owner.hosts, options)),
        (say("identify.console"), owner.console_url or ""),
        (say("identify.confidence"), say(f"severity.{owner.confidence}")),
    ]


def _few(items: tuple[str, ...], options: RenderOptions) -> str:
    """The first of a list, which are those people use; all with `verbose`."""
    most = len(items) if options.verbose else _FEW
    rest = [ELLIPSIS if options.unicode else CUT] if len(items) > most else []
    return ", ".join([*items[:most], *rest])


def _owner_object(owner: Owner) -> dict[str, Any]:
    return {
        "provider": owner.provider,
        "kind": owner.kind or None,
        "confidence": owner.confidence,
        "whole": owner.whole,
        "reason": owner.reason or None,
        "env": list(owner.env),
        "hosts": list(owner.hosts),
        "console_url": owner.console_url,
    }


def _known(format: str) -> None:  # noqa: A002  # the option's own name
    if format not in LISTING_FORMATS:
        msg = f"unknown output format {format!r} for a list: use one of {', '.join(LISTING_FORMATS)}"
        raise UsageError(msg)


def json_text(data: object) -> str:
    """Give plain data as JSON for people and programs."""
    import json  # noqa: PLC0415  # 8 ms, for this format only

    return json.dumps(data, indent=2) + "\n"


def _rule_object(rule: Rule, options: RenderOptions, *, page: bool = False) -> dict[str, Any]:
    chinese = options.lang == "zh"
    data: dict[str, Any] = {
        "rule": rule.id,
        "name": rule.name,
        "severity": rule.severity.label,
        "confidence": rule.confidence.label,
        "message": rule.message_zh if chinese else rule.message,
        "fixable": rule.fixable,
        "url": rule_url(rule.id, options),
    }
    if page:
        data["page"] = rule_markdown(rule, options.lang)
    return data


def _provider_object(provider: Provider) -> dict[str, Any]:
    return {
        "id": provider.id,
        "name": provider.name,
        "name_zh": provider.name_zh,
        "kind": provider.kind,
        "keys": [{"id": shape.id, "name": shape.name, "prefix": shape.prefix or None} for shape in provider.shapes],
        "env": list(provider.env),
        "hosts": list(provider.hosts),
        "base_urls": {name: list(urls) for name, urls in provider.base_urls.items()},
        "console_url": provider.console_url,
    }


def _provider_row(provider: Provider, options: RenderOptions, *, brief: bool) -> list[str]:
    """Give a provider's cells; `brief` keeps the first of each list and a name that fits."""
    prefixes = tuple(dict.fromkeys(f"{shape.prefix}…" for shape in provider.shapes if shape.prefix))
    name = provider.label(options.lang)
    if brief and len(name) > _MAX_NAME:
        name = name[: _MAX_NAME - len(CUT)].rstrip() + CUT
    lists = [(items[:1] if brief else items) for items in (prefixes, provider.env, provider.hosts)]
    return [provider.id, name, *(", ".join(items) for items in lists)]


def _matches(provider: Provider, word: str) -> bool:
    names = (provider.id, provider.name, provider.name_zh or "", *provider.env, *provider.hosts, *provider.words)
    return any(word.casefold() in name.casefold() for name in names)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[Sequence[str]]) -> list[Line]:
    """Lay out a table by cells; the last column is not padded."""
    sizes = table_sizes([head, *rows])
    lines: list[Line] = [table_row(head, sizes, ["dim"] * len(head))]
    lines += [table_row(row, sizes, row_styles) for row, row_styles in zip(rows, styles, strict=True)]
    return lines


def table_sizes(rows: Sequence[Sequence[str]]) -> list[int]:
    """Give the width of each column in terminal cells."""
    return [max(cells(visible(row[column])) for row in rows) for column in range(len(rows[0]))]


def table_row(row: Sequence[str], sizes: Sequence[int], styles: Sequence[str]) -> Line:
    """Lay out one row of a table."""
    line: Line = []
    for cell, size, style in zip(row, sizes, styles, strict=True):
        text = visible(cell)
        line += [(text, style), (" " * (size - cells(text)) + _GAP, "")]
    return line[:-1]


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Give a table in Markdown."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(escape(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"
