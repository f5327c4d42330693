"""Small audits made by hand that the tests of every format share; no text in them is a key."""

from __future__ import annotations

from typing import Any

from keyguard.inventory import KeySource, Peer, Row, Wait
from keyguard.leaks import Audit, Audited, Leak, Moment, Sighting, Step, Verdict
from keyguard.model import Notice, Severity
from tests.report.made import FIXABLE, OUTPUT, SAME_KEY, finding

SHOP = Audited("shop", "/srv/git/shop", "main", files=120, commits=48, blobs=310, size=1_048_576, refs=3)
CLEAN = Audit((SHOP,))
NO_HISTORY = Audit((Audited("shop", "/srv/git/shop", "main", files=1),))
ADDED = Moment("a1b2c3d4" * 5, "2023-04-01T08:00:00Z", "Ann", "Add a client")
MOVED = Moment("b2c3d4e5" * 5, "2023-05-02T08:00:00Z", "李雷", "Move it")
REMOVED = Moment("d4e5f6a7" * 5, "2023-05-09T08:00:00Z", "Ben", "Remove the key")

IN_HEAD = Sighting(
    FIXABLE._replace(masked="ak-… (40 characters)"),
    blob="8e" * 20,
    first=ADDED,
    at_head=True,
    on_disk=True,
    refs=("heads/main", "remotes/origin/dev", "tags/v1.2"),
    ref_count=3,
)
GONE = Sighting(SAME_KEY._replace(masked="ak-… (40 characters)"), blob="9f" * 20, first=MOVED, last=REMOVED)
STEPS = (
    Step("revoke", "Revoke it at Acme AI", "https://acme.example/keys"),
    Step("usage", "Look for uses since 2023-04-01 that are not yours", "https://acme.example/keys"),
    Step("fix", "Move it out of the code: keyguard fix"),
    Step("purge", "Last, if at all, git filter-repo", "https://docs.example/purge"),
)


def leak(*sightings: Sighting, **changes: Any) -> Leak:  # noqa: ANN401  # any field of a leak
    made = Leak(
        key="aa" * 32,
        rank="head",
        provider="acme",
        masked="ak-… (40 characters)",
        severity=Severity.HIGH,
        sightings=sightings or (IN_HEAD, GONE),
        reach="calls models at its account's cost",
        first=ADDED,
        at_head=True,
        steps=STEPS,
    )
    return made._replace(**changes)


def in_test(number: int = 1) -> Sighting:
    return IN_HEAD._replace(finding=finding(path=f"tests/test_{number}.py", key=f"{number:064x}"))


IN_TEST = leak(
    in_test(), in_test(2), key="cc" * 32, rank="test", severity=Severity.MEDIUM, steps=(), reach="calls models"
)
OTHER = Sighting(OUTPUT, first=ADDED, at_head=True, on_disk=True)
ROW = Row(
    "app/client.py",
    3,
    10,
    None,
    "sdk",
    "acme.Client",
    "acme",
    (Peer("relay.example", "relay_one", "relay", "argument"),),
    key=KeySource("variable", ("ACME_API_KEY",)),
    models=("m-1",),
    waits=(Wait("limited", 30.0, "client"),),
    attempts=(2,),
    calls=((None, 5),),
    problems=("KG104",),
)
FULL = Audit(
    (
        SHOP,
        Audited("lab", "/srv/git/lab.git", "c3" * 20, 0, 1_902, 9_440, 88_700_000, 9, missing=14),
        Audited("infra", "/srv/git/infra", "main", 311, 1, 1, 812, 4, is_shallow=True, is_complete=False),
        Audited("legacy", "/srv/git/legacy", error="is no git repository"),
    ),
    (
        leak(
            IN_HEAD._replace(repository="shop"),
            GONE._replace(repository="lab", refs=("stash@{0}",), ref_count=5),
            is_new=True,
            hosts=("relay.example",),
            verdict=Verdict(
                "live", "api.acme.example", 200, "it is accepted", (("x-left", "99"),), "2026-10-30T09:00:00Z"
            ),
        ),
        leak(
            GONE._replace(repository="infra"),
            key="bb" * 32,
            rank="history",
            at_head=False,
            last=REMOVED,
            first=MOVED,
            is_new=False,
        ),
        IN_TEST._replace(sightings=tuple(one._replace(repository="shop") for one in IN_TEST.sightings)),
    ),
    (OTHER._replace(repository="shop"),),
    (("shop", ROW), ("lab", ROW)),
    (Notice("what was written meanwhile was not read", "lab"),),
)
SMALL = Audit((SHOP,), (leak(),))
