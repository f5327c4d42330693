"""Sightings become leaks: the rank, whose key, what it reaches, whom it was found with, and what to do in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.audit.ranking import by_urgency, judged, leaks_of
from keyguard.catalogue import load
from keyguard.inventory import KeySource, Peer, Row
from keyguard.leaks import RANKS, STEPS, VERDICTS, Moment, Sighting, Verdict
from keyguard.model import Confidence, Excerpt, Severity
from keyguard.secrets.placeholders import mask
from tests import audits
from tests.keys import make
from tests.report.made import finding

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from keyguard.leaks import Leak

CATALOGUE = load()
EARLY = Moment("a1" * 20, "2023-04-01T08:00:00Z", "Ann", "Add it")
LATER = Moment("b2" * 20, "2023-05-09T08:00:00Z", "Ben", "Remove it")
LATEST = Moment("c3" * 20, "2024-01-31T08:00:00Z", "Cy", "Remove it too")


def seen(path: str = "app/client.py", **changes: Any) -> Sighting:  # noqa: ANN401  # any field of the two
    """A sighting of an OpenAI key in HEAD; what is no field of a sighting is one of its finding."""
    own = {name: changes.pop(name) for name in Sighting._fields if name in changes}
    found = finding(
        **{"path": path, "provider": "openai", "masked": "sk-proj-… (164 characters)", "excerpt": None, **changes}
    )
    return Sighting(found, **{"first": EARLY, "at_head": True, "on_disk": True, **own})


def gone(path: str = "old/client.py", **changes: Any) -> Sighting:  # noqa: ANN401  # as above
    return seen(path, **{"at_head": False, "on_disk": False, "last": LATER, **changes})


def one(*sightings: Sighting, lang: str = "en", rows: Iterable[tuple[str, Row]] = ()) -> Leak:
    [leak] = leaks_of(sightings, CATALOGUE, lang, rows)
    return leak


def kinds(leak: Leak) -> list[str]:
    return [step.kind for step in leak.steps]


# -- which leaks there are ---------------------------------------------------------------------------------------------


def test_nothing_leaked() -> None:
    assert leaks_of((), CATALOGUE, "en") == ()


def test_a_finding_about_anything_but_a_key_is_no_leak() -> None:
    assert leaks_of([seen(key=None, rule="KG301")], CATALOGUE, "en") == ()


def test_one_key_is_one_leak_wherever_it_stands() -> None:
    sightings = [gone("b.py"), seen("a.py", rule="KG106"), seen("a.py", rule="KG201", line=9)]
    leak = one(*sightings)
    assert leak.key == "aa" * 32
    assert [sighting.finding.path for sighting in leak.sightings] == ["a.py", "a.py", "b.py"]
    assert [each.key[:2] for each in leaks_of([seen(), seen(key="bb" * 32)], CATALOGUE, "en")] == ["aa", "bb"]


def test_its_life_is_that_of_all_its_places() -> None:
    leak = one(gone(first=LATER, last=LATEST), gone("a.py"))
    assert (leak.first, leak.last, leak.at_head) == (EARLY, LATEST, False)
    assert one(gone(), seen()).last is None
    assert one(gone(), gone("a.py", last=None, refs=("heads/dev",))).last is None
    assert one(seen(first=None, at_head=False)).first is None


def test_the_most_certain_finding_says_whose_it_is() -> None:
    unsure = seen("a.txt", provider=None, confidence=Confidence.MEDIUM, masked="sk-… (51 characters)")
    sure = seen("b.txt", provider="deepseek", masked="sk-… (35 characters)")
    assert (one(unsure, sure).provider, one(unsure, sure).masked) == ("deepseek", "sk-… (35 characters)")
    # Two that are as certain: what more of them say.
    assert one(sure, seen("c.txt"), seen("d.txt")).provider == "openai"


def test_it_is_as_severe_as_its_worst_place() -> None:
    assert one(seen(severity=Severity.LOW), seen("b.py", severity=Severity.MEDIUM)).severity is Severity.MEDIUM


def test_a_key_that_nobody_masked_is_shown_as_nothing() -> None:
    assert one(seen(masked=None)).masked == "…"
    assert one(seen(masked=None), gone(confidence=Confidence.LOW)).masked == "sk-proj-… (164 characters)"


# -- ranks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sightings", "rank"),
    [
        pytest.param([seen()], "head", id="checked-out"),
        pytest.param([seen(on_disk=False)], "head", id="tip-of-a-bare-repository"),
        pytest.param([seen(at_head=False, first=None)], "head", id="not-committed-yet"),
        pytest.param([gone(), seen("tests/test_a.py")], "head", id="a-test-now-but-not-always"),
        pytest.param([gone()], "history", id="gone"),
        pytest.param([gone(last=None, refs=("heads/dev",))], "history", id="another-branch"),
        pytest.param([seen("commit abc", kind="message", at_head=False, on_disk=False)], "history", id="message"),
        pytest.param([seen("commit abc", kind="message", on_disk=False)], "history", id="message-behind-head"),
        pytest.param([seen("blob abc", first=None, at_head=False, on_disk=False)], "history", id="dangling"),
        pytest.param([seen("tag test_v1", kind="tag", at_head=False, on_disk=False)], "history", id="tag"),
        pytest.param([seen("tests/data.json"), gone("docs/start.md")], "test", id="tests-and-documentation"),
        pytest.param([seen("examples/chat.py"), seen(".env.example")], "test", id="examples"),
        pytest.param([seen(case="public-example", severity=Severity.LOW)], "public", id="published"),
        pytest.param([seen(case="restricted"), seen("b.js", case="restricted")], "public", id="by-design"),
        pytest.param([seen(case="restricted"), seen("b.env", rule="KG106")], "head", id="by-design-and-then-not"),
        pytest.param([seen("tests/a.py", case="public-example")], "public", id="published-in-a-test"),
        pytest.param([seen(rule="KG106", case="malformed")], "malformed", id="fails-its-check"),
        pytest.param([seen(case="malformed")], "malformed", id="fails-its-check-in-python"),
        pytest.param([seen(), seen(rule="KG205", case="cut")], "malformed", id="cut"),
        pytest.param([seen(), seen(rule="KG205", case="checksum")], "malformed", id="checksum"),
        # What has something around it, lacks a prefix or only leaves a doubt can still be used.
        pytest.param([seen(), seen(rule="KG205", case="quotes")], "head", id="quotes-around-it"),
        pytest.param([seen(), seen(rule="KG205", case="prefix")], "head", id="prefix-left-out"),
        pytest.param([seen(rule="KG106", case="unsure")], "head", id="unsure"),
        pytest.param([seen(case="unknown-shape")], "head", id="unknown-shape"),
    ],
)  # fmt: skip
def test_the_rank(sightings: list[Sighting], rank: str) -> None:
    assert one(*sightings).rank == rank


def test_ranks_come_first_in_the_order() -> None:
    made = [
        seen(key="5" * 64, case="malformed"),
        seen(key="4" * 64, case="public-example"),
        seen("tests/a.py", key="3" * 64),
        gone(key="2" * 64),
        seen(key="1" * 64, severity=Severity.LOW),
    ]
    found = leaks_of(made, CATALOGUE, "en")
    assert [(leak.rank, leak.key[0]) for leak in found] == list(zip(RANKS, "12345", strict=True))


def test_inside_a_rank_the_severe_the_sure_the_new_and_the_frequent_come_first() -> None:
    made = [
        seen(key="6" * 64, first=None, at_head=False),
        seen(key="5" * 64),
        seen(key="4" * 64), seen("b.py", key="4" * 64),
        seen(key="3" * 64, first=LATEST),
        seen(key="7" * 64, confidence=Confidence.MEDIUM, first=LATEST),
        seen(key="8" * 64, severity=Severity.MEDIUM, first=LATEST),
    ]  # fmt: skip
    assert [leak.key[0] for leak in leaks_of(made, CATALOGUE, "en")] == ["3", "4", "5", "6", "7", "8"]


def test_what_was_heard_counts_before_all_of_that() -> None:
    made = [seen(key=f"{number}" * 64, severity=Severity(1 + number % 3)) for number in range(5)]
    found = leaks_of(made, CATALOGUE, "en")
    states = {"0": "dead", "1": "live", "2": "restricted", "3": "unknown"}
    heard = judged(found, {name * 64: Verdict(state) for name, state in states.items()}, CATALOGUE, "en")
    assert [leak.key[0] for leak in heard] == ["1", "2", "4", "3", "0"]
    assert by_urgency(reversed(heard)) == heard


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=20)
def test_the_order_of_sightings_does_not_matter(chance: random.Random) -> None:
    made = audits.audit()
    sightings = [sighting for leak in made.leaks for sighting in leak.sightings]
    rows = list(made.rows)
    expected = leaks_of(sightings, CATALOGUE, "en", rows)
    chance.shuffle(sightings)
    chance.shuffle(rows)
    assert leaks_of(sightings, CATALOGUE, "en", rows) == expected


# -- what was heard ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sighting", "state", "rank"),
    [
        (seen("tests/a.py"), "live", "head"),
        (gone("tests/a.py"), "live", "history"),
        (seen("tests/a.py"), "restricted", "head"),
        (seen("tests/a.py"), "unknown", "test"),
        (seen("tests/a.py"), "dead", "test"),
        (seen(case="malformed"), "live", "head"),
        (seen(case="public-example"), "live", "head"),
        (seen(case="restricted"), "live", "head"),
        # A key that is public by design lives, and may not do what it was asked for.
        (seen(case="restricted"), "restricted", "public"),
        (seen(), "dead", "head"),
    ],
)
def test_a_living_key_ranks_by_where_it_stands(sighting: Sighting, state: str, rank: str) -> None:
    verdict = Verdict(state, "api.openai.com", 200)
    [leak] = judged(leaks_of([sighting], CATALOGUE, "en"), {"aa" * 32: verdict}, CATALOGUE, "en")
    assert (leak.rank, leak.verdict) == (rank, verdict)


def test_a_verdict_leaves_the_rest_as_it_was() -> None:
    found = leaks_of([seen(), seen(key="bb" * 32)], CATALOGUE, "en", [("", _row("relay.example"))])
    marked = tuple(leak._replace(is_new=leak.key[0] == "a", hosts=("relay.example",)) for leak in found)
    heard = judged(marked, {"aa" * 32: Verdict("live")}, CATALOGUE, "en")
    assert [leak._replace(verdict=None) for leak in heard] == list(marked)
    assert judged(marked, {}, CATALOGUE, "en") == marked


@pytest.mark.parametrize("state", VERDICTS)
def test_every_verdict_has_its_place_in_the_order(state: str) -> None:
    assert judged(leaks_of([seen()], CATALOGUE, "en"), {"aa" * 32: Verdict(state)}, CATALOGUE, "en")


def test_a_provider_without_pages_of_its_own_has_its_console() -> None:
    steps = {step.kind: step.url for step in one(seen(provider="relay_poloapi", masked="sk-… (51 characters)")).steps}
    assert steps["usage"] == steps["restrict"] == CATALOGUE.providers["relay_poloapi"].console_url


# -- reach -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sighting", "reach"),
    [
        (seen(), "call models at your cost; read and delete uploaded files and tuned models"),
        (
            seen(provider="relay_poloapi", masked="sk-… (51 characters)"),
            "call the models of every vendor that PoloAPI serves, at your cost",
        ),
        (
            seen(masked="sk-admin-… (163 characters)"),
            "make and delete keys and members; read what was used and paid",
        ),
        (seen(provider=None), "call models at whoever issued it"),
        (seen(provider="no-such-provider"), "call models at whoever issued it"),
        (seen(provider="langsmith"), "read recorded prompts and answers"),
        (seen(provider="pinecone"), "read and change stored data"),
        (
            seen(provider="huggingface"),
            "call the models of every vendor that Hugging Face serves, at your cost; read and change repositories",
        ),
        (seen(provider=None, rule="KG108"), "do whatever its owner may do at the service that issued it"),
        (
            seen(provider=None, rule="KG108", case="private-key"),
            "open whatever trusts this key pair: servers, signatures, certificates",
        ),
        (seen(provider=None, rule="KG108", case="basic-auth"), "do whatever its user may do at that address"),
        (seen(provider=None, rule="KG108", case="jwt"), "do whatever it was signed for, until it expires"),
        (seen(case="public-example"), "nothing: it was published as an example"),
        (
            seen(case="restricted"),
            "public by design in some products, and harmless only while it is restricted to them",
        ),
        (seen(case="malformed"), "nothing as it stands: it was mistyped, cut or made up"),
    ],
)  # fmt: skip
def test_the_reach_in_words(sighting: Sighting, reach: str) -> None:
    assert one(sighting).reach == reach


def test_the_reach_in_chinese() -> None:
    assert one(seen(), lang="zh").reach == "调用模型，费用由您承担；读取和删除已上传的文件与微调模型"  # noqa: RUF001  # Chinese


# -- hosts -------------------------------------------------------------------------------------------------------------


def _row(host: str, path: str = "app/client.py", line: int = 3, kind: str = "literal", route: str = "relay") -> Row:
    return Row(path, line, 1, None, "sdk", "Client", "openai", (Peer(host, None, route),), key=KeySource(kind))


def test_a_key_of_its_own_vendor_has_no_other_host() -> None:
    excerpt = Excerpt('OpenAI(base_url="https://api.openai.com/v1", api_key="sk-proj-…")', 54, 62)
    assert one(seen(excerpt=excerpt), rows=[("", _row("api.openai.com"))]).hosts == ()


def test_whose_api_is_written_on_its_line_was_found_with_it() -> None:
    excerpt = Excerpt('OpenAI(base_url="https://api.poloapi.top/v1", api_key="sk-proj-…")  # //docs.example', 54, 62)
    assert one(seen(excerpt=excerpt)).hosts == ("api.poloapi.top",)


def test_where_a_connection_sends_it_was_found_with_it() -> None:
    made = (_row("relay.example"), _row("other.example", kind="variable"), _row("localhost:1", route="local"))
    rows = [("", row) for row in made]
    assert one(seen(), rows=rows).hosts == ("relay.example",)
    assert one(seen(), rows=[("elsewhere", _row("relay.example"))]).hosts == ()
    assert one(gone("app/client.py"), rows=rows).hosts == ()


def test_of_two_keys_in_a_file_only_the_one_on_the_line_is_meant() -> None:
    both = [seen(), seen(key="bb" * 32, line=20)]
    found = leaks_of(both, CATALOGUE, "en", [("", _row("relay.example"))])
    assert [(leak.key[0], leak.hosts) for leak in found] == [("a", ("relay.example",)), ("b", ())]
    assert [leak.hosts for leak in leaks_of(both, CATALOGUE, "en", [("", _row("relay.example", line=7))])] == [(), ()]


def test_the_relay_it_was_taken_for_elsewhere_was_found_with_it() -> None:
    leak = one(seen(), seen("b.py"), seen("c.py", provider="relay_poloapi"))
    assert (leak.provider, leak.hosts) == ("openai", (CATALOGUE.providers["relay_poloapi"].hosts[0],))


# -- what to do --------------------------------------------------------------------------------------------------------


def test_the_steps_of_a_key_in_head() -> None:
    assert [(step.kind, step.text, step.url) for step in one(seen()).steps] == [
        ("revoke", "Revoke it at OpenAI", "https://platform.openai.com/api-keys"),
        ("replace", "Replace it wherever it is read: keyguard connections --env OPENAI_API_KEY", None),
        ("usage", "Look for uses since 2023-04-01 that are not yours", "https://platform.openai.com/usage"),
        (
            "restrict",
            "Limit what the new key may do and what the account may spend",
            "https://platform.openai.com/settings/organization/limits",
        ),
        ("fix", "Move it out of the code: keyguard fix", None),
        (
            "purge",
            "Last, if at all, git filter-repo: forks, clones and caches keep the history",
            "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/removing-sensitive-data-from-a-repository",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sighting", "expected"),
    [
        (gone(), ["revoke", "replace", "usage", "restrict", "purge"]),
        (seen(first=None, at_head=False), ["revoke", "replace", "usage", "restrict", "fix"]),
        (seen("tests/a.py"), ["revoke", "replace", "usage", "restrict", "fix", "purge"]),
        (seen(provider=None, rule="KG108", case="private-key"), ["revoke", "replace", "usage", "fix", "purge"]),
        (seen(case="public-example"), []),
        (seen(case="restricted"), ["restrict"]),
        (seen(case="malformed"), []),
    ],
)
def test_the_kinds_of_steps(sighting: Sighting, expected: list[str]) -> None:
    assert kinds(one(sighting)) == expected


def test_a_dead_key_is_only_looked_after_and_taken_out() -> None:
    [leak] = judged(leaks_of([seen()], CATALOGUE, "en"), {"aa" * 32: Verdict("dead")}, CATALOGUE, "en")
    assert kinds(leak) == ["usage", "fix"]


SEEN = st.builds(
    seen,
    st.sampled_from(["a.py", "tests/b.py", "docs/c.md"]),
    rule=st.sampled_from(["KG101", "KG106", "KG108"]),
    case=st.sampled_from([None, "malformed", "restricted", "jwt"]),
    first=st.sampled_from([None, EARLY]),
    at_head=st.booleans(),
    on_disk=st.booleans(),
)


@given(st.lists(SEEN, min_size=1, max_size=4), st.sampled_from([None, *VERDICTS]))
@settings(deadline=None, max_examples=60)
def test_steps_come_in_their_order_and_nothing_is_purged_before_it_is_revoked(
    sightings: list[Sighting], state: str | None
) -> None:
    leaks = leaks_of(sightings, CATALOGUE, "en")
    if state is not None:
        leaks = judged(leaks, {leak.key: Verdict(state) for leak in leaks}, CATALOGUE, "en")
    for leak in leaks:
        places = [STEPS.index(kind) for kind in kinds(leak)]
        assert places == sorted(set(places))
        assert "purge" not in kinds(leak) or "revoke" in kinds(leak)


@pytest.mark.parametrize(
    ("before", "name"),
    [
        ("export SHOP_OPENAI_KEY=", "SHOP_OPENAI_KEY"),
        ('  "LLM_TOKEN": "', "LLM_TOKEN"),
        ("os.environ['MY_KEY'] = '", "MY_KEY"),
        ('os.getenv("MY_KEY", "', "MY_KEY"),
        ('client = OpenAI(api_key="', "OPENAI_API_KEY"),
        ("apiKey: ", "OPENAI_API_KEY"),
        ("A=", "OPENAI_API_KEY"),
        ("", "OPENAI_API_KEY"),
    ],
)
def test_the_variable_it_stands_under_is_named(before: str, name: str) -> None:
    leak = one(seen(excerpt=Excerpt(f"{before}sk-proj-…", len(before), len(before) + 8)))
    assert leak.steps[1].text == f"Replace it wherever it is read: keyguard connections --env {name}"


def test_what_nobody_issued_is_revoked_where_it_came_from() -> None:
    steps = one(seen(provider=None, rule="KG106", masked="sk-… (51 characters)")).steps
    assert [(step.text, step.url) for step in steps[:2]] == [
        ("Revoke it where it was issued", None),
        ("Replace it wherever it is read, and keep the new one out of the repository", None),
    ]


def test_a_private_key_is_replaced_as_a_pair() -> None:
    [revoke, *_] = one(seen(provider=None, rule="KG108", case="private-key")).steps
    assert revoke.text == "Replace the key pair, and take the old public key away wherever it is trusted"


def test_what_keyguard_cannot_fix_is_taken_out_by_hand() -> None:
    [step] = [step for step in one(seen(rule="KG108", provider=None)).steps if step.kind == "fix"]
    assert step.text == "Take it out of the files by hand"


def test_the_steps_in_chinese() -> None:
    assert [step.text for step in one(gone(), lang="zh").steps] == [
        "在 OpenAI 吊销它",
        "在所有读取它的地方换上新密钥：keyguard connections --env OPENAI_API_KEY",  # noqa: RUF001  # Chinese
        "查看 2023-04-01 以来有没有不是自己的使用记录",
        "限制新密钥的权限和账户的消费额度",
        "最后，如有必要，再用 git filter-repo 清除历史：分叉、克隆和缓存中仍会有它",  # noqa: RUF001  # Chinese
    ]


# -- from the text on --------------------------------------------------------------------------------------------------


def test_real_findings_of_three_repositories() -> None:
    """The audit that the tests of reports share: what the engine finds in small texts, with a made-up history."""
    made = audits.audit()
    sightings = [sighting for leak in made.leaks for sighting in leak.sightings]
    found = leaks_of(sightings, CATALOGUE, "en", made.rows)
    assert {leak.key: leak.sightings for leak in found}.keys() == {sighting.finding.key for sighting in sightings}
    [spread] = [leak for leak in found if leak.provider == "openai" and leak.rank == "head"]
    assert spread.hosts == ("api.poloapi.top",)
    assert [(sighting.repository, sighting.finding.path) for sighting in spread.sightings] == [
        ("infra", "terraform/ai.tfvars"),
        ("shop", "app/assistant.py"),
        ("shop", "app/assistant.py"),
        ("shop", "deploy/prod.env"),
    ]
    assert {leak.provider for leak in found if leak.rank == "test"} == {"openai", "anthropic"}


def test_a_key_to_manage_an_account_is_told_by_its_mask() -> None:
    shape = CATALOGUE.shapes["openai/admin"]
    key = make("openai/admin")
    leak = one(seen(masked=mask(key, shape)))
    assert leak.reach.startswith("make and delete keys")
    assert leak.steps[3].text == "Give programs a key that only calls models, and limit what the account may spend"
    # Without its shape nobody can tell.
    assert one(seen(masked=mask(key))).reach.startswith("call models at your cost")
