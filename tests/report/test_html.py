"""The page of an audit: what it says, what it never says, and how it behaves in a real browser."""

from __future__ import annotations

import base64
import functools
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import threading
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.lang import texts
from keyguard.leaks import RANKS, Leak, Moment, Sighting
from keyguard.model import Excerpt, Severity
from keyguard.report import RenderOptions
from keyguard.report.html import lifelines, render
from keyguard.report.html.view import MOST_PLACES, MOST_PLACES_OF_ONE, link, marked
from tests import audits
from tests.browser import Browser, browser
from tests.keys import make, shape_ids
from tests.test_no_leak import assert_hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keyguard.leaks import Audit

ROOT = Path(__file__).parents[2]
OPTIONS = RenderOptions(catalogue=load(), version="1.2.3", scan_time="2026-10-30T09:00:00")
CHINESE = OPTIONS._replace(lang="zh")
HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onclick='alert(1)",
    "javascript:alert(1)",
    "--><!--",
    "</style>]]></title></pre>",
    "{{ 7*7 }}{% raw %}",
    "\u202etxt.exe\u2066\u200b",
    "\udcff\x00\x1b[31m\r\n\t\u2028",
    "&lt;b&gt;\\u003cimg\\u003e",
)


class Element:
    """One element of a page with its attributes and all the text in it."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        """Start without a text."""
        self.tag = tag
        self.attributes = attributes
        self.parts: list[str] = []

    @property
    def text(self) -> str:
        """Its text on one line."""
        return " ".join("".join(self.parts).split())

    @property
    def classes(self) -> list[str]:
        """Its classes."""
        return self.attributes.get("class", "").split()


class Reader(HTMLParser):
    """Reads a page into its elements, in order; every element must be closed where it should be."""

    VOID = frozenset({"meta", "link", "input", "br"})
    BLOCKS = frozenset(
        {"p", "li", "dt", "dd", "div", "td", "th", "tr", "h1", "h2", "h3", "h4", "h5", "label", "button"}
    )

    def __init__(self, page: str) -> None:
        """Read it all."""
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(page)
        self.close()
        assert not self._open, [one.tag for one in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open one; no attribute stands there twice."""
        assert len({name for name, _ in attrs}) == len(attrs), attrs
        found = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(found)
        if tag not in self.VOID:
            self._open.append(found)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a part of a drawing."""
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Close it, with a space behind what stands on lines of its own."""
        if tag in self.BLOCKS:
            self.handle_data(" ")
        assert self._open, tag
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        """Note a text."""
        for one in self._open:
            one.parts.append(data)

    def all(self, tag: str, name: str = "") -> list[Element]:
        """Every element of a kind, with a class."""
        return [one for one in self.elements if one.tag == tag and (not name or name in one.classes)]

    def one(self, name: str) -> Element:
        """The element with an id."""
        (found,) = (one for one in self.elements if one.attributes.get("id") == name)
        return found

    @property
    def ids(self) -> list[str]:
        """Every id."""
        return [one.attributes["id"] for one in self.elements if "id" in one.attributes]

    @property
    def data(self) -> Any:  # noqa: ANN401  # JSON
        """What the script is given."""
        return json.loads("".join(self.one("data").parts))


@functools.cache
def rich(lang: str = "en") -> str:
    return render(audits.audit(lang), OPTIONS._replace(lang=lang))


@functools.cache
def rich_read() -> Reader:
    return Reader(rich())


def one_leak(**changes: Any) -> Audit:  # noqa: ANN401  # any field of a leak
    """The sample's first leak, changed, in an audit of its own."""
    leak = audits.audit().leaks[0]._replace(**changes)
    return audits.EMPTY._replace(leaks=(leak,))


# Quiet cases ---------------------------------------------------------------------------------------------------------


def test_an_empty_audit_says_so_and_shows_nothing_else() -> None:
    page = Reader(render(audits.EMPTY, OPTIONS))
    assert page.all("h1")[0].text == "No leaked keys"
    assert page.one("leaks").text.endswith("No key was found in anything that was read. Nothing matches these filters.")
    assert "hidden" in page.one("nothing").attributes
    assert page.all("details", "leak") == []
    assert not {"lines", "connections", "rules", "others", "notices"} & set(page.ids)
    assert page.data["items"] == []


def test_a_whole_audit_is_not_called_incomplete() -> None:
    assert "Not everything was read" not in render(audits.EMPTY, OPTIONS)
    assert Reader(render(audits.EMPTY, OPTIONS)).all("div", "warning") == []


def test_a_repository_that_could_not_be_read_is_not_called_clean_in_silence() -> None:
    (warning,) = Reader(render(audits.NOTHING_READ, OPTIONS)).all("div", "warning")
    assert warning.text == "Not everything was read could not be read: is no git repository"


def test_one_repository_is_named_once_and_offers_no_choice_of_it() -> None:
    page = Reader(render(audits.EMPTY, OPTIONS))
    assert page.all("p", "brow")[0].text == "keyguard audit · shop"
    assert [one.attributes["name"] for one in page.all("select")] == []
    assert page.all("span", "repo") == []


def test_nothing_is_said_of_newness_or_verdicts_that_nobody_asked_for() -> None:
    page = Reader(render(one_leak(verdict=None, is_new=None), OPTIONS))
    assert page.all("span", "chip")[0].text == "in HEAD"
    assert page.all("span", "new") == []
    assert "new since the last audit" not in page.one("summary").text
    assert all(one.attributes["type"] != "checkbox" for one in page.all("input"))


def test_a_time_that_nobody_told_is_left_out() -> None:
    (made,) = Reader(render(audits.EMPTY, RenderOptions(version="1.2.3"))).all("p", "made")
    assert made.text == "keyguard 1.2.3 · keys are masked"


def test_without_a_catalogue_ids_stand_in() -> None:
    page = Reader(render(audits.audit(), RenderOptions()))
    assert page.all("h4")[0].text == "high severity: openai sk-proj-… (56 characters) live"


# What it says --------------------------------------------------------------------------------------------------------


def test_the_summary_counts_leaks_by_rank_and_what_was_read() -> None:
    page = rich_read()
    assert page.all("h1")[0].text == "18 leaked keys in 4 repositories"
    (figures,) = page.all("ul", "figures")
    ranks = [texts("en").say(f"rank.{rank}") for rank in RANKS]
    assert re.findall(rf"(\d+) ({'|'.join(ranks)})", figures.text) == [
        ("5", "In what is checked out"),
        ("9", "In the history only"),
        ("2", "In tests, examples or documentation"),
        ("1", "Public by design or published"),
        ("1", "Not whole"),
    ]
    (totals,) = page.all("dl", "totals")
    assert "Repositories 4 places 21 new since the last audit 5 commits 6,340 blobs 42,050 files 1,515" in totals.text
    assert totals.text.endswith("read 504 MB")


def test_what_was_missing_or_incomplete_is_told_of_each_repository() -> None:
    (warning,) = rich_read().all("div", "warning")
    assert warning.text == (
        "Not everything was read models-lab: 14 objects are not here infra: the audit was stopped before its end "
        "infra: a shallow clone: older commits were never fetched "
        "legacy: could not be read: the object store is damaged: run git fsck"
    )


def test_leaks_stand_in_groups_the_most_urgent_first() -> None:
    page = rich_read()
    cards = [one for one in page.all("details") if "leak" in one.classes]
    assert [one.classes[1] for one in cards] == [leak.rank for leak in audits.audit().leaks]
    assert [one.attributes["id"] for one in page.all("section", "group")] == [
        f"rank-{rank}" for rank in ("head", "history", "test", "public", "malformed")
    ]


def test_a_leak_tells_all_that_is_known_of_it() -> None:
    card = rich_read().all("details", "leak")[0].text
    for said in (
        "high severity: OpenAI sk-proj-… (56 characters) live",
        "app/assistant.py:6:66 and 2 more places",
        "2024-02-11 → still there",
        "Revoke the key at OpenAI. platform.openai.com/api-keys",
        "urgency In what is checked out",
        "severity high",
        "could reach Every model of the account, at the account's cost",
        "found with api.poloapi.top",
        "live · api.openai.com answered 200 (2026-10-30 09:00:00 UTC)",
        "x-ratelimit-remaining-requests: 9999",
        "first seen 2024-02-11 Mara Lind",
        "Answer customers with a model",
        "3 places",
    ):
        assert said in card


def test_steps_stand_in_their_order_with_their_links() -> None:
    leak = audits.audit().leaks[0]
    steps = rich_read().all("ol", "steps")[0]
    assert steps.text == " ".join(f"{step.text} {(step.url or '')[8:]}".strip() for step in leak.steps)


def test_a_place_has_its_line_its_commits_its_refs_and_its_repository() -> None:
    place = next(one for one in rich_read().all("li", "sighting") if one.text.startswith("config/settings.yaml"))
    assert re.fullmatch(
        r"config/settings\.yaml:3:21 shop KG106 key-in-file deepseek_api_key: sk-… "
        r"added 2025-02-03 J\. Okafor [0-9a-f]{10} DeepSeek for the cheap half "
        r"taken away 2025-09-18 J\. Okafor [0-9a-f]{10} Read settings from the environment "
        r"held by heads/release/2\.1, heads/release/2\.2, tags/v2\.1\.0, tags/v2\.1\.1, tags/v2\.2\.0",
        place.text,
    )


def test_more_refs_than_are_named_are_counted() -> None:
    place = next(one for one in rich_read().all("li", "sighting") if one.text.startswith("deploy/prod.env"))
    assert place.text.endswith("heads/main, remotes/origin/main, tags/v2.4.0 and 31 more")


def test_messages_and_tags_are_told_from_files() -> None:
    texts = [one.text for one in rich_read().all("li", "sighting")]
    assert any(text.startswith("commit 9f2c41d07a:3:26 shop commit message") for text in texts), texts
    assert any(text.startswith("tag v0.3:3:36 models-lab tag message") for text in texts), texts


def test_what_several_rules_say_of_one_place_is_one_place() -> None:
    leak = audits.audit().leaks[0]
    rules = [one.finding.rule for one in leak.sightings if one.finding.path == "app/assistant.py"]
    assert rules == ["KG101", "KG201"]
    (place,) = (one for one in rich_read().all("li", "sighting") if one.text.startswith("app/assistant.py"))
    assert "KG101 hardcoded-key, KG201 wrong-key-for-host" in place.text


def test_what_stands_there_still_comes_before_what_is_gone() -> None:
    first = audits.audit().leaks[0].sightings[0]
    gone = first._replace(finding=first.finding._replace(path="gone.py"), at_head=False, on_disk=False)
    page = Reader(render(one_leak(sightings=(gone, first)), OPTIONS))
    assert [one.text.split(":")[0] for one in page.all("li", "sighting")] == ["app/assistant.py", "gone.py"]


@pytest.mark.parametrize(
    ("excerpt", "expected"),
    [
        (Excerpt("key = sk-…", 6, 10), ("key = ", "sk-…", "")),
        (Excerpt("    a=b # c", 4, 5), ("", "a", "=b # c")),
        (Excerpt("中文 = 'sk-…'", 6, 10), ("中文 = '", "sk-…", "'")),
        (Excerpt("\tx\x1b[0m\u202e", 1, 2), ("", "x", r"\x1b[0m\u202e")),
        (Excerpt("", 0, 0), ("", "", "")),
    ],
    ids=["end", "indented", "wide", "controls", "empty"],
)
def test_an_excerpt_marks_what_was_found(excerpt: Excerpt, expected: tuple[str, str, str]) -> None:
    assert marked(excerpt) == expected


def test_a_long_line_is_cut_around_what_was_found() -> None:
    found = marked(Excerpt("a" * 5_000 + "sk-…" + "b" * 5_000, 5_000, 5_004))
    assert found.marked == "sk-…"
    assert found.before.startswith("...")
    assert found.after.endswith("...")
    assert len("".join(found)) <= 110


def test_connections_are_listed_by_provider_and_host() -> None:
    page = rich_read()
    assert "api.poloapi.top PoloAPI relay 1 1 OPENAI_API_KEY KG202, KG402" in page.one("connections").text
    rows = [one.text for one in page.all("tr") if one.attributes.get("id", "").startswith("row-")]
    assert rows[0].startswith("models-lab serve/claude.py:3 anthropic.Anthropic")
    assert len(rows) == len(audits.audit().rows)
    heads = [one.text for one in page.all("tr", "whom")]
    assert heads[0] == "Anthropic official api.anthropic.com"
    assert heads[-1] == "Host not known unknown"


def test_rules_are_counted_over_leaks_places_and_other_findings() -> None:
    page = rich_read()
    rows = [one.text for one in page.elements if one.tag == "tr" and "KG101" in one.text and "row-" not in one.text]
    assert "KG101 hardcoded-key 5 5" in rows
    assert "KG402 retries-disabled 1" in [one.text for one in page.all("tr")]


def test_other_findings_and_notices_are_there() -> None:
    page = rich_read()
    other = page.one("other-0").text
    assert other.startswith("medium severity: KG202 key-sent-elsewhere")
    assert "app/relay.py:4:" in other
    assert page.one("notices").text.endswith("error legacy the object store is damaged: run git fsck")


def test_chinese_is_chinese() -> None:
    page = Reader(rich("zh"))
    assert page.all("html")[0].attributes["lang"] == "zh-CN"
    assert page.all("h1")[0].text == "18 个泄漏的密钥 （4 个仓库）"  # noqa: RUF001  # Chinese
    assert page.all("h4")[0].text == "严重程度高：OpenAI sk-proj-… （56 个字符） 有效"  # noqa: RUF001  # Chinese
    assert [one.text for one in page.all("h2")][:3] == ["概要", "泄漏 18", "时间线"]


def test_equal_audits_give_equal_bytes_in_every_process() -> None:
    code = (
        "import hashlib; from tests import audits; from tests.report.test_html import OPTIONS, render;"
        "print(hashlib.sha256(render(audits.audit(), OPTIONS).encode()).hexdigest())"
    )
    environ = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    assert done.stdout.strip() == hashlib.sha256(rich().encode()).hexdigest()


def test_headings_leave_out_no_level_and_ids_are_unique() -> None:
    page = rich_read()
    levels = [int(one.tag[1]) for one in page.elements if re.fullmatch("h[1-6]", one.tag)]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    assert len(set(page.ids)) == len(page.ids)
    for one in page.elements:
        for name in ("aria-labelledby", "aria-controls"):
            assert one.attributes.get(name, page.ids[0]) in page.ids
        if one.attributes.get("href", "").startswith("#"):
            assert one.attributes["href"][1:] in page.ids


def test_every_field_has_a_label() -> None:
    page = rich_read()
    fields = [one for one in page.elements if one.tag in {"input", "select"}]
    labelled = [one for one in page.elements if one.tag == "label"]
    assert len(fields) == len(labelled) == 9
    assert all(one.text for one in labelled)


# Large audits --------------------------------------------------------------------------------------------------------


@functools.cache
def large() -> str:
    return render(audits.large(), OPTIONS)


def test_a_large_audit_shows_part_of_its_places_and_says_how_many_it_left_out() -> None:
    assert len(large().encode()) < 10 << 20
    assert large().count('<details class="leak') == 1_000
    shown = large().count('<li class="sighting">')
    assert 1_000 <= shown <= MOST_PLACES
    left = re.findall(
        r">And ([\d,]+) more places?, which this page leaves out: the JSON report has (?:it|them)\.<", large()
    )
    assert sum(int(count.replace(",", "")) for count in left) == 20_000 - shown
    assert f"{20_000 - shown:,} places are not on this page, so the search does not see them." in large()


def test_one_leak_in_many_places_shows_the_first_of_them() -> None:
    leak = audits.large(1, 200).leaks[0]
    page = Reader(render(audits.EMPTY._replace(leaks=(leak,)), OPTIONS))
    assert len(page.all("li", "sighting")) == MOST_PLACES_OF_ONE
    (said,) = (one.text for one in page.all("p", "left-out") if one.text.startswith("And"))
    assert said == "And 150 more places, which this page leaves out: the JSON report has them."


def test_leaks_findings_and_connections_that_are_left_out_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_LEAKS", "MOST_OTHERS", "MOST_ROWS"):
        monkeypatch.setattr(f"keyguard.report.html.view.{name}", 3)
    page = Reader(render(audits.audit(), OPTIONS))
    rest = "which this page leaves out: the JSON report has"
    assert [one.text for one in page.all("p", "left-out")] == [
        "15 places are not on this page, so the search does not see them.",
        f"And 15 more leaks, {rest} them.",
        f"And 3 more connections, {rest} them.",
        f"And 1 more finding, {rest} it.",
    ]
    assert page.all("h1")[0].text == "18 leaked keys in 4 repositories"


def test_an_audit_of_usual_size_leaves_nothing_out() -> None:
    assert rich_read().all("p", "left-out") == []


# Life lines ----------------------------------------------------------------------------------------------------------


def leak_of(first: str | None, last: str | None = None, *more: str) -> Leak:
    finding = audits.audit().leaks[0].sightings[0].finding

    def moment(date: str) -> Moment:
        return Moment("c0ffee", date, "A", "s")

    places = tuple(Sighting(finding, first=moment(date)) for date in more)
    return Leak(
        "aa" * 32, "head", None, "…", Severity.HIGH, places, first=first and moment(first), last=last and moment(last)
    )  # fmt: skip


def test_a_line_goes_from_the_first_commit_to_the_last_and_stays_open_while_the_key_is_held() -> None:
    leaks = [leak_of("2020-01-01T00:00:00Z", "2022-01-01T00:00:00Z"), leak_of("2021-01-01T00:00:00Z")]
    over = lifelines.scale(leaks, "2024-01-01T00:00:00")
    assert over is not None
    assert lifelines.line(leaks[0], over) == lifelines.Line(0.0, 50.03)
    assert lifelines.line(leaks[1], over) == lifelines.Line(25.05, None)


def test_a_key_that_no_commit_held_has_no_line() -> None:
    over = lifelines.Scale(0, 100)
    assert lifelines.line(leak_of(None), over) is None
    assert lifelines.line(leak_of("yesterday"), over) is None
    assert lifelines.scale([leak_of(None), leak_of("yesterday")], "") is None


def test_further_places_are_marked_once_they_can_be_told_apart() -> None:
    leak = leak_of("2020-01-01", None, "2020-01-01", "2020-01-02", "2021-01-01", "2021-01-02", "2023-06-01")
    over = lifelines.scale([leak], "2024-01-01")
    assert over is not None
    assert lifelines.line(leak, over) == lifelines.Line(0.0, None, (25.05, 85.35))


def test_a_commit_from_the_future_makes_the_time_longer() -> None:
    over = lifelines.scale([leak_of("2020-01-01", "2031-01-01")], "2024-01-01")
    assert over is not None
    assert over.last == lifelines.day_of("2031-01-01")


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("2024-03-01", "2024-03-02", ["2024-03-01", "2024-03-02"]),
        ("2024-03-01", "2024-03-19", ["2024-03-01", "2024-03-05", "2024-03-09", "2024-03-13", "2024-03-17"]),
        ("2023-11-20", "2024-04-20", ["2023-12", "2024-01", "2024-02", "2024-03", "2024-04"]),
        ("2023-01-20", "2024-12-31", ["2023-07", "2024-01", "2024-07"]),
        ("2021-05-04", "2026-10-30", ["2022", "2023", "2024", "2025", "2026"]),
        ("1970-01-01", "2026-10-30", ["1980", "1990", "2000", "2010", "2020"]),
    ],
)  # fmt: skip
def test_ticks_are_few_and_at_round_dates(first: str, last: str, labels: list[str]) -> None:
    over = lifelines.scale([leak_of(first, last)], "")
    assert over is not None
    found = [tick.label for tick in lifelines.ticks(over)]
    assert found == labels


@given(st.integers(1, 3_650_000), st.integers(1, 60_000))
def test_ticks_of_any_time_are_in_order_and_inside(first: int, days: int) -> None:
    found = lifelines.ticks(lifelines.Scale(first, min(first + days, 3_652_059)))
    places = [tick.at for tick in found]
    assert places == sorted(places)
    assert all(0 <= at <= 100 for at in places)
    assert len(found) <= 9


def test_the_area_counts_the_keys_that_stood_at_each_time() -> None:
    lines = [lifelines.Line(0.0, 50.0), lifelines.Line(25.0, None), lifelines.Line(25.0, 25.0)]
    assert lifelines.standing(lines) == (2, "M0,100H0V100H0V50H25V0H50V50H100V100Z")


# What it never says --------------------------------------------------------------------------------------------------


def assert_harmless(page: str) -> Reader:
    """A page whose elements are all ours, that loads nothing and whose data can be read."""
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff]", page)
    found = Reader(page)
    tags = {one.tag for one in found.elements}
    assert tags <= {one.tag for one in rich_read().elements}, tags
    for one in found.elements:
        for name, value in one.attributes.items():
            assert not name.startswith("on"), name
            assert name not in {"style", "src", "srcset", "action", "formaction", "srcdoc", "data", "poster"}, name
            if name == "href":
                assert value.startswith(("#", "https://", "data:image/svg+xml,")), value
                assert one.tag == ("link" if value.startswith("data:") else "a")
            if name == "href" and value.startswith("https://"):
                assert one.attributes["rel"] == "noreferrer noopener"
    assert [one.attributes.get("type") for one in found.all("script")] == ["application/json", None]
    assert found.data["items"] or not found.all("details", "leak")
    return found


@pytest.mark.parametrize("odd", HOSTILE)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_comes_from_a_repository_stays_text(odd: str, lang: str) -> None:
    page = render(audits.hostile(odd), OPTIONS._replace(lang=lang))
    found = assert_harmless(page)
    expected = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in odd
    ).replace(r"\t", "    ")
    assert " ".join(expected.split()) in found.all("h4")[0].text
    assert found.data["items"][0]["repository"] == [expected]


@given(st.text(st.characters(exclude_characters="\r"), max_size=40))
@example("https://evil.example")
@example("a.example/x?y#z")
@settings(max_examples=40, deadline=None)
def test_no_text_whatever_becomes_more_than_text(odd: str) -> None:
    assert_harmless(render(audits.hostile(odd), OPTIONS))


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "http://example.com/keys",
        "javascript:alert(1)",
        "https://user:password@example.com/",
        "https://example.com\\@evil.example",
        "https://exa mple.com",
        'https://example.com/"><script>',
        "https://example.com/\n",
        "https://localhost/",
        "HTTPS://EXAMPLE.COM",
        "//example.com",
        "data:text/html,x",
    ],
)
def test_what_is_no_plain_https_address_is_no_link(url: str | None) -> None:
    assert link(url) is None


def test_every_link_is_an_address_of_the_catalogue_or_a_page_of_a_rule() -> None:
    known = {provider.console_url for provider in load().providers.values()}
    hrefs = {one.attributes["href"] for one in rich_read().all("a")}
    links = {href for href in hrefs if not href.startswith("#")}
    rules = {href for href in links if re.fullmatch(r"https://github\.com/keyguard/keyguard/.*/KG\d+\.md", href)}
    assert links - rules
    assert links - rules <= known


def test_nothing_is_loaded_and_the_policy_allows_nothing_else() -> None:
    page = assert_harmless(rich())
    first = [one for one in page.elements if one.tag in {"meta", "script", "style", "link"}][:2]
    assert first[0].attributes == {"charset": "utf-8"}
    assert first[1].attributes["http-equiv"] == "Content-Security-Policy"
    policy = dict(part.strip().split(" ", 1) for part in first[1].attributes["content"].split(";"))

    def digest(element: Element) -> str:
        return base64.b64encode(hashlib.sha256("".join(element.parts).encode()).digest()).decode()

    (style,), script = page.all("style"), page.all("script")[1]
    assert policy == {
        "default-src": "'none'",
        "script-src": f"'sha256-{digest(script)}'",
        "style-src": f"'sha256-{digest(style)}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert not re.search(r"@import|url\(|image-set|expression", "".join(style.parts))
    assert not re.search(
        r"innerHTML|eval|Function\(|fetch|XMLHttp|storage|cookie|document\.write", "".join(script.parts)
    )


def test_no_planted_key_is_on_the_page() -> None:
    for shape, key in audits.planted():
        for page in (rich(), rich("zh")):
            assert_hidden(page, key, shape)


_PLACES: dict[str, Callable[[str], str]] = {
    "app.py": lambda key: f'from openai import OpenAI\nclient = OpenAI(api_key="{key}")\nprint(client, "{key}")\n',
    ".env": lambda key: f"OPENAI_API_KEY={key}\nOTHER_API_KEY={key}\n",
    "notes.md": lambda key: f"Use the api key {key} again.\n",
    "call.sh": lambda key: f'curl "https://api.example.com/v1?api_key={key}" -H "Authorization: Bearer {key}"\n',
}


@given(
    st.sampled_from(shape_ids()), st.integers(0, 1_000), st.sampled_from(sorted(_PLACES)), st.sampled_from(["en", "zh"])
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_key_of_any_shape_is_on_the_page(shape: str, seed: int, path: str, lang: str) -> None:
    key = make(shape, seed)
    page = render(audits.of_text(path, _PLACES[path](key), lang), OPTIONS._replace(lang=lang))
    assert_hidden(page, key, shape)


# Colours -------------------------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(theme: int) -> None:
    style = "".join(rich_read().all("style")[0].parts)
    colours = {
        name: (light, dark)[theme]
        for name, light, dark in re.findall(r"--([a-z]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", style)
    }
    ranks = ("head", "history", "test", "public", "malformed")
    pairs = [(front, back) for front in ("ink", "soft", "link", *ranks) for back in ("paper", "card", "sunk")]
    for front, back in [*pairs, ("ink", "mark"), ("head", "mark"), ("paper", "head"), ("paper", "ink")]:
        low, high = sorted((luminance(colours[front]), luminance(colours[back])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{front} on {back}"
    low, high = sorted((luminance(colours["edge"]), luminance(colours["paper"])))
    assert (high + 0.05) / (low + 0.05) >= 3, "edges of fields"


# In a browser --------------------------------------------------------------------------------------------------------

real = pytest.mark.xdist_group("browser")  # one worker starts one browser


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The rich page as a file."""
    return written(tmp_path_factory.mktemp("page"), rich())


@pytest.fixture
def window(chromium: Browser) -> Iterator[Browser]:
    """A window of a desktop, light and on screen; what the page says or asks for in the end fails the test."""
    chromium.size(1280)
    chromium.media()
    yield chromium
    assert chromium.said() == []
    asked = chromium.asked_for()
    assert [url for url in asked if not url.startswith(("file:", "data:image/svg+xml,"))] == []


def written(folder: Path, page: str) -> str:
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


VISIBLE = """
    return [...document.querySelectorAll(arguments[0])]
      .filter((one) => one.checkVisibility({contentVisibilityAuto: false})).map((one) => one.id || one.dataset.of)
"""
COUNT = "return document.getElementById('count').textContent"


def cards(window: Browser) -> list[str]:
    """The ids of the leaks that can be seen, in their order."""
    found: list[str] = window.run(VISIBLE, ".leak")
    return found


def choose(window: Browser, name: str, value: object) -> None:
    """Set a field as a person does, and wait until the page has followed."""
    window.run(
        """
        const field = document.forms[0].elements.namedItem(arguments[0]);
        if (field.type === "checkbox") field.checked = arguments[1]; else field.value = arguments[1];
        field.dispatchEvent(new Event("input", {bubbles: true}));
        """,
        name,
        value,
    )
    settle(window)


def settle(window: Browser) -> None:
    """Wait until what was typed has had its effect: the page waits 120 ms for more to be typed."""
    window.driver.execute_async_script("setTimeout(arguments[0], 140)")  # type: ignore[no-untyped-call]


def ids_of(fits: Callable[[Leak], bool]) -> list[str]:
    return [f"leak-{leak.key[:12]}" for leak in audits.audit().leaks if fits(leak)]


@real
@pytest.mark.parametrize("odd", ["", *HOSTILE])
def test_a_page_runs_without_a_word_and_without_a_request(window: Browser, tmp_path: Path, odd: str) -> None:
    page = render(audits.hostile(odd), OPTIONS)
    window.open(written(tmp_path, page))
    assert len(cards(window)) == 2
    assert window.run(COUNT) == "2 of 2 leaks"
    assert window.run("return document.images.length + document.querySelectorAll('iframe, object, embed').length") == 0
    assert len(window.asked_for()) <= 2  # the file, and its icon, which is in it


@real
def test_a_server_is_asked_for_the_page_alone(window: Browser) -> None:
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(rich().encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        window.open(f"http://127.0.0.1:{server.server_port}/audit")
        choose(window, "rank", "head")
        assert window.run("return location.hash") == "#rank=head"
        assert window.said() == []
    finally:
        window.asked_for()
        window.driver.get("about:blank")
        server.shutdown()
        server.server_close()
        thread.join()
    assert asked == ["/audit"]


@real
def test_the_policy_stops_what_is_not_the_pages_own(window: Browser, address: str) -> None:
    window.open(address)
    window.run("const s = document.createElement('style'); s.textContent = 'body{}'; document.head.append(s)")
    said = window.said()
    assert len(said) == 1
    assert "style-src" in said[0]
    assert window.run("try { document.body.innerHTML = ''; return false } catch { return true }")
    assert "TrustedHTML" in "".join(window.said())


@real
def test_no_planted_key_is_in_the_document(window: Browser, address: str) -> None:
    window.open(address)
    document = window.run("return document.documentElement.outerHTML + document.documentElement.textContent")
    for shape, key in audits.planted():
        assert_hidden(document, key, shape)


@real
def test_leaks_are_folded_until_they_are_asked_for(window: Browser, address: str) -> None:
    window.open(address)
    assert cards(window) == ids_of(lambda _: True)
    assert window.run("return document.querySelectorAll('.leak[open]').length") == 0
    window.run("document.getElementById('expand').click()")
    assert window.run("return document.querySelectorAll('.leak[open]').length") == 18
    window.run("document.getElementById('collapse').click()")
    assert window.run("return document.querySelectorAll('.leak[open]').length") == 0


FILTERS: tuple[tuple[str, object, Callable[[Leak], bool]], ...] = (
    ("rank", "history", lambda leak: leak.rank == "history"),
    ("provider", "anthropic", lambda leak: leak.provider == "anthropic"),
    ("repository", "infra", lambda leak: any(one.repository == "infra" for one in leak.sightings)),
    ("rule", "KG101", lambda leak: any(one.finding.rule == "KG101" for one in leak.sightings)),
    ("severity", "low", lambda leak: leak.severity == Severity.LOW),
    ("verdict", "live", lambda leak: leak.verdict is not None and leak.verdict.state == "live"),
    ("verdict", "-", lambda leak: leak.verdict is None),
    ("new", True, lambda leak: leak.is_new is True),
    ("q", "Ortiz", lambda leak: any(one.first and "Ortiz" in one.first.author for one in leak.sightings)),
    ("q", "prod.ENV", lambda leak: any("prod.env" in one.finding.path for one in leak.sightings)),
    ("q", "release/2.1 deepseek", lambda leak: leak.provider == "deepseek"),
    ("q", "陈晓明", lambda leak: any(one.first and one.first.author == "陈晓明" for one in leak.sightings)),
)


@real
@pytest.mark.parametrize(("name", "value", "fits"), FILTERS, ids=[f"{name} {value}" for name, value, _ in FILTERS])
def test_a_filter_leaves_what_fits_in_the_list_and_in_the_life_lines(
    window: Browser, address: str, name: str, value: object, fits: Callable[[Leak], bool]
) -> None:
    expected = ids_of(fits)
    assert 0 < len(expected) < 18
    window.open(address)
    choose(window, name, value)
    assert cards(window) == expected
    assert window.run(COUNT).split(" · ")[0] == f"{len(expected)} of 18 leaks"
    assert sorted(window.run(VISIBLE, "[data-of]")) == sorted(expected)
    groups = {leak.rank for leak in audits.audit().leaks if fits(leak)}
    assert {one.removeprefix("rank-") for one in window.run(VISIBLE, ".group")} == groups
    window.run("document.querySelector('button[type=reset]').click()")
    settle(window)
    assert window.run(COUNT) == "18 of 18 leaks"
    assert window.run("return location.hash") == ""


@real
def test_a_filter_also_holds_for_other_findings_and_connections(window: Browser, address: str) -> None:
    window.open(address)
    choose(window, "repository", "models-lab")
    assert window.run(COUNT) == "6 of 18 leaks · 0 of 4 other findings · 3 of 6 connections"
    heads = window.run(
        "return [...document.querySelectorAll('[data-whom]:not([hidden])')].map((one) => one.textContent.trim())"
    )
    assert [head.split(" ")[0] for head in heads] == ["Anthropic", "Ollama", "Host"]


@real
def test_filters_go_together(window: Browser, address: str) -> None:
    window.open(address)
    choose(window, "rank", "history")
    choose(window, "provider", "openai")
    choose(window, "verdict", "dead")
    fits = ids_of(lambda leak: leak.rank == "history" and leak.provider == "openai" and leak.verdict is not None)
    assert cards(window) == fits
    assert window.run("return location.hash") == "#rank=history&provider=openai&verdict=dead"


@real
def test_nothing_found_is_said(window: Browser, address: str) -> None:
    window.open(address)
    assert window.run(VISIBLE, "#nothing") == []
    choose(window, "q", "no such text")
    assert cards(window) == []
    assert window.run(VISIBLE, "#nothing") == ["nothing"]
    assert window.run(COUNT).startswith("0 of 18 leaks")
    assert window.run("return document.getElementById('count').getAttribute('aria-live')") == "polite"


@real
def test_the_steps_are_not_searched_since_all_leaks_share_them(window: Browser, address: str) -> None:
    window.open(address)
    choose(window, "q", "filter-repo")
    assert cards(window) == []


@real
def test_leaks_can_be_sorted_and_put_back(window: Browser, address: str) -> None:
    window.open(address)
    choose(window, "sort", "first")
    leaks = {f"leak-{leak.key[:12]}": leak for leak in audits.audit().leaks}
    days = [leak.first.date[:10] if leak.first else "9" for leak in (leaks[name] for name in cards(window))]
    assert len(days) == 18
    assert days == sorted(days)
    assert window.run(VISIBLE, ".group") == []
    choose(window, "sort", "places")
    assert cards(window)[0] == ids_of(lambda _: True)[0]
    choose(window, "sort", "")
    assert cards(window) == ids_of(lambda _: True)


@real
def test_an_address_brings_its_filters_back(window: Browser, address: str) -> None:
    window.open(f"{address}#rank=history&q=okafor&sort=first&new=1")
    values = window.run(
        "const f = document.forms[0].elements; return [f.rank.value, f.q.value, f.sort.value, f.new.checked]"
    )
    assert values == ["history", "okafor", "first", True]
    assert window.run(COUNT).startswith("1 of 18 leaks")


@real
def test_an_address_with_a_value_that_is_not_there_filters_nothing(window: Browser, address: str) -> None:
    window.open(f"{address}#rank=none&provider=%3Cimg%3E&sort=x")
    assert window.run(COUNT) == "18 of 18 leaks"


@real
def test_an_address_of_a_leak_opens_it(window: Browser, address: str) -> None:
    name = ids_of(lambda leak: leak.provider == "deepseek")[0]
    window.open(f"{address}#{name}")
    assert window.run("return [...document.querySelectorAll('.leak[open]')].map((one) => one.id)") == [name]
    settle(window)
    edge = "return document.querySelector(arguments[0]).getBoundingClientRect()[arguments[1]]"
    assert window.run(edge, "#filters", "bottom") <= window.run(edge, ".leak[open]", "top") < 400
    choose(window, "rank", "head")
    assert name not in cards(window)
    window.run("location.hash = arguments[0]", name)
    settle(window)
    assert name in cards(window)
    assert window.run("return location.hash") == f"#{name}"


@real
def test_it_can_be_used_by_the_keyboard_alone(window: Browser, address: str) -> None:
    window.open(address)
    focus = "return document.activeElement.className || document.activeElement.name || document.activeElement.tagName"
    window.keys("TAB")
    assert window.run(focus) == "skip"
    window.keys("ENTER", "TAB")
    assert window.run(focus) == "q"
    window.keys("hugging")
    settle(window)
    assert cards(window) == ids_of(lambda leak: leak.provider == "huggingface")
    assert window.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    for _ in range(20):
        window.keys("TAB")
        if window.run("return document.activeElement.matches('.leak > summary')"):
            break
    window.keys("ENTER")
    assert window.run("return document.querySelectorAll('.leak[open]').length") == 1


@real
def test_it_is_dark_for_who_prefers_dark_and_for_who_asks(window: Browser, address: str) -> None:
    background = "return getComputedStyle(document.body).backgroundColor"
    pressed = "return document.getElementById('theme').getAttribute('aria-pressed')"
    window.open(address)
    assert (window.run(background), window.run(pressed)) == ("rgb(250, 249, 247)", "false")
    window.run("document.getElementById('theme').click()")
    assert (window.run(background), window.run(pressed)) == ("rgb(19, 20, 23)", "true")
    window.media(dark=True)
    window.open(address)
    assert (window.run(background), window.run(pressed)) == ("rgb(19, 20, 23)", "true")
    window.run("document.getElementById('theme').click()")
    assert (window.run(background), window.run(pressed)) == ("rgb(250, 249, 247)", "false")


@real
def test_paper_shows_everything_and_its_addresses(window: Browser, address: str) -> None:
    window.open(address)
    window.run(
        "addEventListener('beforeprint',"
        " () => { window.folded = document.querySelectorAll('details:not([open])').length })"
    )
    paper = base64.b64decode(window.tell("Page.printToPDF")["data"])
    assert paper.startswith(b"%PDF")
    assert window.run("return window.folded") == 0
    assert window.run("return document.querySelectorAll('.leak[open]').length") == 0
    window.media("print", dark=True)
    assert window.run(VISIBLE, "nav, #theme, #filters, .skip") == []
    assert window.run("return getComputedStyle(document.body).color") == "rgb(28, 26, 23)"
    content = "return getComputedStyle(document.querySelector(arguments[0]), arguments[1]).content"
    assert (
        window.run(content, "#rules a", "::after")
        == '" <https://github.com/keyguard/keyguard/blob/main/docs/rules/KG101.md>"'
    )
    assert window.run(content, ".steps a", "::before") == '"https://"'


@real
@pytest.mark.parametrize("odd", ["W" * 300, "/srv/" + "long-name/" * 40, "长" * 200, "a b " * 100])
def test_a_phone_never_scrolls_sideways(window: Browser, tmp_path: Path, odd: str) -> None:
    window.size(360, 740)
    window.open(written(tmp_path, render(audits.hostile(odd), OPTIONS)))
    window.run("for (const one of document.querySelectorAll('details')) one.open = true")
    assert window.run("return document.documentElement.scrollWidth") == 360


@real
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_its_window(window: Browser, tmp_path: Path, lang: str, width: int) -> None:
    window.size(width)
    window.open(written(tmp_path, rich(lang)))
    window.run("for (const one of document.querySelectorAll('details')) one.open = true")
    assert window.run("return document.documentElement.scrollWidth") <= width


@real
def test_without_its_script_everything_is_open_and_nothing_offers_to_filter(window: Browser, address: str) -> None:
    window.tell("Emulation.setScriptExecutionDisabled", value=True)
    try:
        window.open(address)
        assert window.run("return document.querySelectorAll('details:not([open])').length") == 0
        assert cards(window) == ids_of(lambda _: True)
        assert window.run(VISIBLE, "#filters, #theme") == []
    finally:
        window.tell("Emulation.setScriptExecutionDisabled", value=False)


@real
def test_a_thousand_leaks_are_filtered_and_searched(window: Browser, tmp_path: Path) -> None:
    window.open(written(tmp_path, large()))
    choose(window, "rank", "history")
    in_history = sum(leak.rank == "history" for leak in audits.large().leaks)
    assert window.run(COUNT) == f"{in_history} of 1,000 leaks"
    choose(window, "q", "settings_200.py")
    assert window.run(COUNT) == "1 of 1,000 leaks"
