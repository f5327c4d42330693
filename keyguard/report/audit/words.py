"""What an audit's reports for people say alike: what was read and found, whose key it is, where it stood and when."""

from __future__ import annotations

from collections import Counter

from keyguard.findings import said_mask
from keyguard.inventory import hosts
from keyguard.lang import texts
from keyguard.leaks import RANKS
from keyguard.report.common import place, provider_name
from keyguard.report.connections import peer_order
from keyguard.report.safe import cut, visible
from keyguard.report.summary import join
from keyguard.typed import TYPE_CHECKING, NamedTuple
from keyguard.verify.words import say_verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keyguard.inventory import HostSummary
    from keyguard.leaks import Audit, Audited, Leak, Moment, Sighting
    from keyguard.model import Notice
    from keyguard.report.options import RenderOptions

URGENT = ("head", "history")
"""The ranks that are told in full."""
_COMMIT = 7  # characters of a commit's id, as git shows it
_AUTHOR = 24  # cells of an author's name
_REFS = 3  # branches and tags that are named; --verbose names all that are known
_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1_000
_SMALL = 10  # below, a size has one decimal


# -- the audit as a whole ----------------------------------------------------------------------------------------------


def headline(audit: Audit, options: RenderOptions) -> str:
    """Say in one sentence what was read."""
    say = texts(options.lang).say
    read = [one for one in audit.repositories if one.error is None]
    commits, blobs, files = (sum(getattr(one, name) for one in read) for name in ("commits", "blobs", "files"))
    parts = [say("audit.commits", count=commits)] if commits else []
    if blobs:
        parts.append(say("audit.blobs", count=blobs, size=size_in_words(sum(one.size for one in read))))
    if files or not parts:
        parts.append(say("audit.files", count=files))
    joined = join(parts, options.lang)
    if not read:
        return say("audit.read.nothing")
    if len(audit.repositories) > 1:
        return say("audit.read.many", count=len(read), parts=joined)
    [one] = read
    name = f"{visible(one.name)} ({visible(one.head)})" if one.head else visible(one.name)
    return say("audit.read", name=name, parts=joined)


def found(audit: Audit, options: RenderOptions) -> str:
    """Say in one sentence how many keys leaked, by rank."""
    say = texts(options.lang).say
    if not audit.leaks:
        return say("audit.clean" if audit.is_complete else "audit.clean.partly")
    counts = Counter(leak.rank for leak in audit.leaks)
    parts = [say(f"ranked.{rank}", count=counts[rank]) for rank in RANKS if counts[rank]]
    sentence = say("audit.found", count=len(audit.leaks), parts=say("connections.and").join(parts))
    new = sum(leak.is_new is True for leak in audit.leaks)
    return say("audit.found.new", found=sentence, new=say("audit.new", count=new)) if new else sentence


def gaps(audit: Audit, options: RenderOptions) -> list[str]:
    """Say of each repository what of it was not read; what a notice of the audit says already is left out."""
    say = texts(options.lang).say
    lines: list[str] = []
    for one in audit.repositories:
        name = visible(one.name)
        if one.error is not None:
            if not _is_told(one, audit.notices):
                lines.append(say("gap.error", name=name, reason=visible(one.error)))
            continue
        if one.missing:
            lines.append(say("gap.missing", name=name, count=one.missing))
        if one.is_shallow:
            lines.append(say("gap.shallow", name=name))
        if not one.is_complete:
            lines.append(say("gap.interrupted", name=name))
    return lines


def _is_told(one: Audited, notices: Iterable[Notice]) -> bool:
    return any(notice.message == one.error and notice.path in {one.name, one.path} for notice in notices)


def size_in_words(size: int) -> str:
    """Say a number of bytes in the unit that fits, a thousand of the one below."""
    amount, unit = float(size), 0
    while amount >= _THOUSAND and unit < len(_UNITS) - 1:
        amount, unit = amount / _THOUSAND, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if unit and amount < _SMALL else f"{amount:.0f} {_UNITS[unit]}"


def by_rank(audit: Audit) -> Iterator[tuple[str, list[tuple[int, Leak]]]]:
    """Give the leaks of each rank that has any, in the order of the audit, each with its number from 1."""
    numbered = list(enumerate(sorted(audit.leaks, key=lambda leak: RANKS.index(leak.rank)), start=1))
    for rank in RANKS:
        members = [(number, leak) for number, leak in numbered if leak.rank == rank]
        if members:
            yield rank, members


def connected(audit: Audit, options: RenderOptions) -> list[HostSummary]:
    """Sum the connections up by host; equal paths of two repositories are two files."""
    rows = (row._replace(path=f"{name}/{row.path}" if name else row.path) for name, row in audit.rows)
    return hosts(rows, lambda peer: peer_order(peer, options))


class Command(NamedTuple):
    """What to type next, and the name of the text that says what it does."""

    name: str
    line: str


def commands(audit: Audit) -> list[Command]:
    """Give what to type next: what takes keys out, what asks which of them live, what is handed on."""
    found_ones = []
    if any(step.kind == "fix" for leak in audit.leaks if leak.rank in URGENT for step in leak.steps):
        found_ones.append(Command("audit.next.fix", "keyguard fix"))
    if any(leak.verdict is None for leak in audit.leaks if leak.rank in {*URGENT, "test"}):
        found_ones.append(Command("audit.next.verify", "keyguard audit --verify"))
    if audit.leaks:
        found_ones.append(Command("audit.next.page", "keyguard audit --output-format html --output-file audit.html"))
    return found_ones


# -- one leak ----------------------------------------------------------------------------------------------------------


def title(leak: Leak, options: RenderOptions) -> str:
    """Say what leaked; of a secret that is no model-API key its finding says best what it is."""
    say = texts(options.lang).say
    finding = leak.sightings[0].finding
    if leak.provider is None and finding.rule == "KG108":
        return visible(finding.message)
    name = say("some-provider") if leak.provider is None else provider_name(leak.provider, options)
    return visible(say("audit.key", provider=name, masked=said_mask(leak.masked, options.lang)))


def verdict(leak: Leak, options: RenderOptions) -> str | None:
    """Say what its provider said of a key, and when; None when it was not asked."""
    if leak.verdict is None:
        return None
    said = visible(say_verdict(leak.verdict, options.lang))
    when = visible(leak.verdict.at[:10])
    return texts(options.lang).say("audit.asked", verdict=said, date=when) if when else said


def life(leak: Leak, options: RenderOptions) -> str:
    """Tell the life of a key in one line: who brought it in when and where, and what became of it."""
    start = ""
    if leak.first is not None:
        brought = next((one for one in leak.sightings if one.first == leak.first), leak.sightings[0])
        start = _came("life.first.in", leak.first, _file(brought, options), options)
    return _joined(start, leak.sightings, leak.last, options)


def stay(sighting: Sighting, options: RenderOptions) -> str:
    """Tell in one line how long a key, or anything else, stood at its place."""
    start = "" if sighting.first is None else _came("life.first", sighting.first, "", options)
    return _joined(start, [sighting], sighting.last, options)


def _came(name: str, moment: Moment, where_it_was: str, options: RenderOptions) -> str:
    author = cut(visible(moment.author), _AUTHOR)
    values = {"date": day(moment), "commit": _short(moment.commit), "author": author, "place": where_it_was}
    return texts(options.lang).say(name, **values)


def _joined(start: str, sightings: Sequence[Sighting], last: Moment | None, options: RenderOptions) -> str:
    arrow, dot = (" → ", " · ") if options.unicode else (" -> ", " | ")
    end = [_end(sightings, last, options)]
    refs = _refs_of(sightings, options)
    if refs:
        # Behind "still in HEAD" the names alone say the same of them.
        at_head = any(one.at_head for one in sightings)
        end.append(refs if at_head else texts(options.lang).say("life.refs", refs=refs))
    return arrow.join(filter(None, (start, dot.join(filter(None, end)))))


def _end(sightings: Sequence[Sighting], last: Moment | None, options: RenderOptions) -> str:
    say = texts(options.lang).say
    if any(one.at_head for one in sightings):
        return say("life.head")
    if any(one.on_disk for one in sightings):
        return say("life.disk.again" if any(one.first is not None for one in sightings) else "life.disk")
    if last is not None:
        return say("life.removed", date=day(last), commit=_short(last.commit))
    return "" if any(one.refs for one in sightings) else say("life.lost")


def _refs_of(sightings: Iterable[Sighting], options: RenderOptions) -> str:
    """Name the branches and tags that hold a key."""
    refs: dict[str, None] = {}
    more = 0
    for one in sightings:
        more = max(more, one.ref_count - len(one.refs))
        refs.update(dict.fromkeys(_in_repository(one, _ref(ref)) for ref in one.refs))
    shown = list(refs) if options.verbose else list(refs)[:_REFS]
    more += len(refs) - len(shown)
    return visible(join([*shown, *([f"+{more}"] if more and shown else [])], options.lang))


def _ref(ref: str) -> str:
    """The name of a branch or tag as people say it: without the folder that git keeps it in."""
    return next((ref.removeprefix(folder) for folder in ("heads/", "remotes/", "tags/") if ref.startswith(folder)), ref)


def _short(commit: str) -> str:
    return visible(commit[:_COMMIT])


def day(moment: Moment) -> str:
    """Give the day of a commit, harmless to print."""
    return visible(moment.date[:10])


def steps(leak: Leak, options: RenderOptions, known: set[str]) -> list[str]:
    """Say what to do and where; one page is often where several things are done, and named once.

    `known` are pages that were named before, for any leak; what is about no one key is added to it.
    """
    told: list[str] = []
    seen = {"", *known}
    for step in leak.steps:
        text, url = visible(step.text), visible(step.url or "")
        told.append(text if url in seen else texts(options.lang).say("step.at", text=text, url=url))
        seen.add(url)
        if step.kind == "purge":
            known.add(url)
    return told


# -- its places --------------------------------------------------------------------------------------------------------


class Places(NamedTuple):
    """Places of one leak that are alike: `name` is a text that says how (`place.now` …).

    Each of `shown` is a place and, in brackets, what is to be said of it, such as the branches that hold it there.
    """

    name: str
    shown: tuple[tuple[str, str], ...]


def places(sightings: Sequence[Sighting], options: RenderOptions, most: int | None) -> tuple[list[Places], int]:
    """Give the first `most` places (None: all) in groups, and how many more there are.

    What is checked out comes first, then what other branches and tags hold, then what is gone.
    """
    together: dict[str, dict[tuple[str, str], None]] = {"place.now": {}, "place.elsewhere": {}, "place.gone": {}}
    for one in sightings:
        if one.is_present:
            name, note = "place.now", ""
        elif one.refs or one.at_head:
            name, note = "place.elsewhere", _refs_of([one], options)
        else:
            name, note = "place.gone", _span(one, options)
        note = note and texts(options.lang).say("place.note", note=note)
        together[name][where(one, options), note] = None
    total = sum(map(len, together.values()))
    left = total if most is None else most
    groups = []
    for name, members in together.items():
        shown = tuple(members)[:left]
        left -= len(shown)
        if shown:
            groups.append(Places(name, shown))
    return groups, total - sum(len(group.shown) for group in groups)


def where(sighting: Sighting, options: RenderOptions) -> str:
    """Give a sighting's place, harmless to print: `[repository:]path:line:column`, or whose message it is."""
    finding = sighting.finding
    if sighting.kind == "file":
        return visible(_in_repository(sighting, place(finding, options)))
    return f"{_file(sighting, options)}:{finding.line}:{finding.column}"


def _file(sighting: Sighting, options: RenderOptions) -> str:
    """Give the file a sighting is in, or whose message it is."""
    path = sighting.finding.path
    if sighting.kind != "file":
        say = texts(options.lang).say
        name = path.removeprefix(f"{'commit' if sighting.kind == 'message' else 'tag'} ")
        if sighting.kind == "message":
            path = say("place.message", commit=name[:_COMMIT])
        else:
            path = say("place.tag", name=name)
    return visible(_in_repository(sighting, path))


def _in_repository(sighting: Sighting, name: str) -> str:
    return f"{sighting.repository}:{name}" if sighting.repository else name


def _span(sighting: Sighting, options: RenderOptions) -> str:
    if sighting.first is None or sighting.last is None:
        return ""
    return texts(options.lang).say("place.span", first=day(sighting.first), last=day(sighting.last))
