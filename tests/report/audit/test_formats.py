"""What holds for every format of an audit: nothing raises, equal input gives equal bytes, no key is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.audit.ranking import judged, leaks_of
from keyguard.catalogue import load
from keyguard.errors import UsageError
from keyguard.report import RenderOptions
from keyguard.report.audit import AUDIT_FORMATS, render_audit
from tests import audits
from tests.report.audit.made import CLEAN, FULL, NO_HISTORY, SMALL
from tests.report.made import ODD, OPTIONS, options
from tests.report.test_formats import READERS
from tests.test_no_leak import assert_hidden

if TYPE_CHECKING:
    from keyguard.leaks import Audit

# The page is tested where it is made.
FORMATS = [name for name in AUDIT_FORMATS if name != "html"]
CHANGES = st.fixed_dictionaries(
    {
        "lang": st.sampled_from(["en", "zh"]),
        "color": st.booleans(),
        "width": st.none() | st.integers(1, 120),
        "unicode": st.booleans(),
        "verbose": st.booleans(),
        "quiet": st.booleans(),
        "exit_code": st.integers(0, 3),
    }
)
TEXT = st.text(st.characters() | st.sampled_from("\n\r\t\x1b|`'\"<>&%:,=@[]{}\\\u202e\ud800\udcff中🔑"), max_size=25)


def test_the_formats_of_this_version() -> None:
    assert AUDIT_FORMATS == ("text", "json", "jsonl", "csv", "markdown", "sarif", "html")


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown output format 'junit' for an audit: use one of text, json, jsonl"):
        render_audit(CLEAN, "junit", OPTIONS)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("made", [CLEAN, NO_HISTORY, SMALL, FULL, audits.NOTHING_READ, audits.hostile(ODD)])
def test_equal_input_gives_equal_bytes_that_end_a_line(format_: str, made: Audit) -> None:
    shown = render_audit(made, format_, OPTIONS)
    assert shown == render_audit(made, format_, OPTIONS)
    assert shown.endswith("\n")


@pytest.mark.parametrize("format_", FORMATS)
@given(odd=TEXT, changes=CHANGES)
@settings(deadline=None, max_examples=30)
def test_nothing_raises_everything_encodes_and_machines_can_read_it(
    format_: str, odd: str, changes: dict[str, Any]
) -> None:
    shown = render_audit(audits.hostile(odd), format_, options(**changes))
    shown.encode("utf-8")
    if not (changes["color"] and format_ == "text"):
        assert "\x1b" not in shown
    if format_ in READERS:
        READERS[format_](shown)


@pytest.mark.parametrize("format_", FORMATS)
@given(changes=CHANGES)
@settings(deadline=None, max_examples=8)
def test_no_format_holds_a_planted_key(format_: str, changes: dict[str, Any]) -> None:
    """The findings are the engine's, of texts that hold the keys; ranks, reach and steps are ours."""
    catalogue = load()
    lang = changes["lang"]
    made = audits.audit(lang)
    found = leaks_of((one for each in made.leaks for one in each.sightings), catalogue, lang, made.rows)
    heard = judged(found, {each.key: each.verdict for each in made.leaks if each.verdict}, catalogue, lang)
    shown = render_audit(made._replace(leaks=heard), format_, RenderOptions(catalogue=catalogue, **changes))
    for shape, key in audits.planted():
        assert_hidden(shown, key, shape)
