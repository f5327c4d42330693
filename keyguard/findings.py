"""A hit and its rule's words become a finding: messages, names, places, and excerpts in which every key is masked."""

from __future__ import annotations

from bisect import bisect_left

from keyguard.fingerprint import context_before, fingerprint, key_id
from keyguard.lang import texts
from keyguard.model import Excerpt, Finding, Related, Span
from keyguard.patterns import regex
from keyguard.secrets.placeholders import looks_random, mask
from keyguard.secrets.shapes import keys_in_text
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from keyguard.catalogue import Case, Catalogue, Rule
    from keyguard.lang import Texts
    from keyguard.model import Fix, Hit
    from keyguard.source import SourceFile

_MARGIN = 160  # characters of a long line shown on each side of a finding
_WIDEST = 400  # characters of an excerpt in all: a minified line has millions
_BEYOND = 4_400  # characters beyond the margin that are masked before they are cut, so that no half of a key remains
# What may be a key no rule of this run looked for: a long run with a digit in it is masked in an excerpt if it looks
# random. Names of variables have no digits as a rule.
_RUN = regex(r"[A-Za-z0-9_\-+/.~]{20,4096}")
# A URL's host is no secret, its path may hold one.
_HOST = regex(r"//[A-Za-z0-9.-]{1,253}(?=[/?#:\"'\s]|$)")
_PIECE = regex(r"[A-Za-z0-9_\-+/=.]{6,}")
_LENGTH = regex(r"\(([0-9]+) characters\)$")  # what `mask` says in English after the prefix
_LEAST = 6  # characters of the shortest secret that is searched for in texts; shorter ones are words


class Speaker(NamedTuple):
    """Turns hits into findings in one language; the keys of fixes stay behind unless somebody writes them."""

    catalogue: Catalogue
    lang: str = "en"
    keeps_moves: bool = False

    def finding(self, hit: Hit, source: SourceFile, place: str, secrets: Mapping[str, str]) -> Finding:
        """Say a hit in words.

        `place` is the file's path from the project's root, which names a finding about a short secret; `secrets`
        are the values known in this file with their masked forms; no text of the finding will hold one.
        """
        rule = self.catalogue.rules[hit.rule]
        case = rule.cases.get(hit.case) if hit.case else None
        values = self._values(hit)
        line, column = source.position(hit.span.start)
        end_line, end_column = source.position(max(hit.span.end, hit.span.start))
        secret = hit.secret.value if hit.secret else None
        context = context_before(source.text, hit.span.start) if secret else ""
        known = {**secrets, secret: hit.values.get("masked") or mask(secret)} if secret else secrets
        message, remedy = (_scrub(text.format_map(values), known) for text in self._words(rule, case))
        return Finding(
            rule=hit.rule,
            path=source.path,
            span=hit.span,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
            message=message,
            severity=case.severity if case and case.severity is not None else rule.severity,
            confidence=case.confidence if case and case.confidence is not None else rule.confidence,
            fingerprint=fingerprint(
                hit.rule, secret=secret, statement=hit.statement, role=source.role, path=place, context=context
            ),
            key=key_id(secret, rule=hit.rule, path=place, context=context) if secret else None,
            provider=hit.secret.provider if hit.secret else None,
            case=hit.case,
            remedy=remedy or None,
            cell=source.cell,
            part=None if source.cell is None else ("output" if source.part == "output" else "source"),
            excerpt=_excerpt(source, hit.span, known, self.catalogue),
            related=tuple(
                self._related(where, span, _scrub(self._aside(text, values), known))
                for where, span, text in (*((source, *one) for one in hit.related), *hit.elsewhere)
            ),
            fix=hit.fix and self._fix(hit.fix, values, known),
            masked=known[secret] if secret else None,
        )

    def _values(self, hit: Hit) -> Mapping[str, str]:
        values = _Values(hit.values)
        if self.lang == "zh":
            # What has words of its own in Chinese comes in both languages.
            values.update((name[:-3], word) for name, word in hit.values.items() if name.endswith("_zh"))
        said = texts(self.lang)
        provider = self.catalogue.providers.get((hit.secret and hit.secret.provider) or values.get("provider") or "")
        values["provider"] = provider.label(self.lang) if provider else said.say("some-provider")
        owner = self.catalogue.providers.get(values.get("owner", ""))
        values["owner"] = owner.label(self.lang) if owner else said.say("some-provider")
        values["console_url"] = (provider and provider.console_url) or said.say("no-console")
        if "masked" in values:
            values["masked"] = said_mask(values["masked"], self.lang)
        if not values.get("env"):
            values["env"] = provider.variable if provider else "API_KEY"
        return values

    def _fix(self, fix: Fix, values: Mapping[str, str], secrets: Mapping[str, str]) -> Fix | None:
        """A fix with its title in words, which it names; None if its edits would show a key."""
        if any(len(secret) >= _LEAST and secret in edit.text for edit in fix.edits for secret in secrets):
            return None
        if not self.keeps_moves:
            fix = fix._replace(moves=())
        said = _moving_texts(self.lang) if fix.title.startswith("move.") else texts(self.lang)
        title = texts(self.lang).say("fix.join").join(said.say(name, **_Values(values)) for name in fix.title.split())
        return fix._replace(title=_scrub(title, secrets))

    def _words(self, rule: Rule, case: Case | None) -> tuple[str, str]:
        """Choose message and remedy: the case's own words win, in the language asked for."""
        chinese = self.lang == "zh"
        message = (case and (case.message_zh if chinese else case.message)) or (
            rule.message_zh if chinese else rule.message
        )
        remedy = (case and (case.remedy_zh if chinese else case.remedy)) or (rule.remedy_zh if chinese else rule.remedy)
        return message, remedy

    def _aside(self, text: str, values: Mapping[str, str]) -> str:
        return texts(self.lang).say(f"related.{text}", name=values["name"])

    @staticmethod
    def _related(source: SourceFile, span: Span, message: str) -> Related:
        return Related(source.path, *source.position(span.start), *source.position(span.end), message, source.cell)


def _moving_texts(lang: str) -> Texts:
    from keyguard.lang import moving  # noqa: PLC0415  # only where a key can be moved

    return moving.texts(lang)


def said_mask(masked: str, lang: str) -> str:
    """Say the length behind a masked key, which `mask` writes in English, in `lang`."""
    count = _LENGTH.search(masked)
    return masked if count is None else masked[: count.start()] + texts(lang).say("length", count=int(count[1]))


def file_finding(  # noqa: PLR0913, PLR0917  # one word for each thing that is known of a file that has no text
    catalogue: Catalogue, rule: str, path: str, place: str, reason: str, lang: str, case: str | None = None
) -> Finding:
    """Make a finding about a file as a whole, such as one that could not be read; it points at line 1."""
    from keyguard.model import Hit  # noqa: PLC0415  # a name at run time only here
    from keyguard.source import SourceFile  # noqa: PLC0415  # as above

    hit = Hit(rule, Span(0, 0), {"reason": reason, "name": reason}, case=case)
    return Speaker(catalogue, lang).finding(hit, SourceFile(path, ""), place, {})


def is_leak(rule: str) -> bool:
    """Tell whether a rule reports a secret that stands in a text (and not one that is printed or tracked)."""
    return rule in _PRECEDENCE


# One text, one leak finding: the first that applies (rules.md). KG104 and KG107 say something else and stand beside.
_PRECEDENCE = ("KG105", "KG103", "KG102", "KG101", "KG110", "KG106", "KG109", "KG108")


def one_leak_a_text(hits: Iterable[Hit]) -> list[Hit]:
    """Keep, of the leak hits on overlapping text, the one whose rule comes first; others stay as they are.

    The result is ordered by position, then rule. Linear but for the sort.
    """
    ordered = sorted(hits, key=_rank)
    taken = _Taken()
    kept = []
    for hit in ordered:
        if is_leak(hit.rule):
            if taken.overlaps(hit.span):
                continue
            taken.add(hit.span)
        kept.append(hit)
    return sorted(kept, key=lambda hit: (hit.span, hit.rule, hit.case or ""))


def _rank(hit: Hit) -> tuple[int, Span, str]:
    return _PRECEDENCE.index(hit.rule) if hit.rule in _PRECEDENCE else len(_PRECEDENCE), hit.span, hit.rule


class _Taken:
    """Disjoint spans in order, asked for overlap by bisection."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def overlaps(self, span: Span) -> bool:
        index = bisect_left(self._starts, max(span.end, span.start + 1))
        return index > 0 and self._ends[index - 1] > span.start

    def add(self, span: Span) -> None:
        index = bisect_left(self._starts, span.start)
        self._starts.insert(index, span.start)
        self._ends.insert(index, span.end)


class _Values(dict[str, str]):
    """Message values in which a missing name shows as an ellipsis: a report is better short of a word than lost."""

    def __missing__(self, key: str) -> str:
        return "…"


def _scrub(text: str, secrets: Mapping[str, str]) -> str:
    """Mask every known secret inside a text of ours."""
    for secret, masked in secrets.items():
        if len(secret) >= _LEAST and secret in text:
            text = text.replace(secret, _short(masked))
    return text


def hidden_keys(text: str, secrets: Mapping[str, str], catalogue: Catalogue) -> str:
    """Mask in a whole text what is or may be a key, and every piece of the secrets that are known."""
    pieces: list[str] = []
    place = 0
    for hidden in _spans_to_mask(text, Span(0, len(text)), secrets, catalogue, pieces=True):
        pieces += (text[place : hidden.start], _short(secrets.get(text[hidden.start : hidden.end], "")))
        place = hidden.end
    return "".join((*pieces, text[place:]))


def _short(masked: str) -> str:
    """Cut the length off a masked key: beside the source line it would only be in the way."""
    return masked.partition("…")[0] + "…"


def _excerpt(source: SourceFile, span: Span, secrets: Mapping[str, str], catalogue: Catalogue) -> Excerpt | None:
    """Cut the finding's first line out of the source, mask whatever is or may be a secret, and place the carets."""
    line, _ = source.position(span.start)
    whole = source.line_span(line)
    if whole.start == whole.end:
        return None
    end = min(span.end, whole.end)
    low = max(whole.start, span.start - _MARGIN - _BEYOND)
    high = min(whole.end, max(end, span.start) + _MARGIN + _BEYOND, span.start + _WIDEST + _BEYOND)
    text = source.text[low:high]
    masked = _spans_to_mask(text, Span(span.start - low, min(end, high) - low), secrets, catalogue)
    pieces: list[str] = []
    place = 0
    start, stop = span.start - low, min(end, high) - low
    moved_start, moved_stop = start, stop
    for hidden in masked:
        shown = _short(secrets.get(text[hidden.start : hidden.end], ""))
        pieces += (text[place : hidden.start], shown)
        change = len(shown) - (hidden.end - hidden.start)
        new = sum(map(len, pieces)) - len(shown)
        if hidden.end <= start:
            moved_start += change
        elif hidden.start < start:
            moved_start = new
        if hidden.end <= stop:
            moved_stop += change
        elif hidden.start < stop:
            moved_stop = new + len(shown)
        place = hidden.end
    pieces.append(text[place:])
    return _trimmed(
        "".join(pieces), moved_start, max(moved_stop, moved_start), cut=(low, high) != (whole.start, whole.end)
    )


def _trimmed(text: str, start: int, end: int, *, cut: bool) -> Excerpt:
    """Keep a margin around the carets; what was beyond the masked part is always cut away."""
    if not cut and len(text) <= _WIDEST:
        return Excerpt(text, start, end)
    first = max(0, start - _MARGIN)
    last = min(len(text), max(end, start) + _MARGIN, first + _WIDEST)
    before, after = "…" if first else "", "…" if last < len(text) else ""
    shift = len(before) - first
    return Excerpt(before + text[first:last] + after, start + shift, min(end, last) + shift)


def _spans_to_mask(
    text: str, span: Span, secrets: Mapping[str, str], catalogue: Catalogue, *, pieces: bool = False
) -> list[Span]:
    found: list[Span] = []
    inside = text[span.start : span.end]
    for secret in secrets:
        if len(secret) < _LEAST:
            continue
        at = text.find(secret)
        while at >= 0:
            found.append(Span(at, at + len(secret)))
            at = text.find(secret, at + len(secret))
    verbatim = any(hidden.overlaps(span) for hidden in found)
    # Keys are not known where the rules that report them were not asked for.
    found += (key.span for key in keys_in_text(text, catalogue))
    found += (
        Span(*match.span())
        for match in _RUN.finditer(_HOST.sub(lambda host: " " * len(host[0]), text))
        if any(map(str.isdigit, match[0])) and looks_random(match[0])
    )
    if secrets and (pieces or not verbatim):
        # The key is put together here from pieces: hide each that is part of it, forwards or backwards.
        for match in _PIECE.finditer(inside):
            piece = match[0]
            if any(piece in secret or piece[::-1] in secret for secret in secrets):
                found.append(Span(span.start + match.start(), span.start + match.end()))
    return _merged(found)


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged
