"""An audit as Markdown: a job summary that says what to do, and that no text can break out of."""

from __future__ import annotations

import re
from textwrap import dedent

from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.leaks import Audit
from keyguard.report.audit import render_audit
from tests import audits
from tests.report.audit.made import CLEAN, FULL, IN_HEAD, IN_TEST, SHOP, in_test, leak
from tests.report.made import CHINESE, ODD, OPTIONS, finding


def markdown(made: Audit) -> str:
    return render_audit(made, "markdown", OPTIONS)


def test_a_clean_audit() -> None:
    assert markdown(CLEAN) == dedent(
        """\
        ### keyguard audit

        Read shop (main): 48 commits, 310 versions of files (1.0 MB), 120 files checked out.

        Found no leaked key.
        """
    )


def test_a_summary() -> None:
    assert markdown(FULL) == dedent(
        r"""
        ### keyguard audit

        Read 3 repositories: 1,951 commits, 9,751 versions of files (90 MB), 431 files checked out.

        Found 3 leaked keys: 1 in what is checked out, 1 in the history only, 1 in tests, examples or documentation. 1 is new.

        #### In what is checked out (1)

        **1. Acme AI key ak-… (40 characters)** (high, new)

        2023-04-01 a1b2c3d Ann in shop:app/client.py → still in HEAD · shop:main, shop:origin/dev, shop:v1.2, +5

        * live: it is accepted (x-left 99), 2026-10-30
        * reach: calls models at its account's cost
        * found with: `relay.example`
        * in: `shop:app/client.py:3:18`
        * elsewhere in: `lab:deploy/.env:1:14` (lab:stash\@\{0\}, +4)

        1. Revoke it at Acme AI: <https://acme.example/keys>
        2. Look for uses since 2023-04-01 that are not yours
        3. Move it out of the code: keyguard fix
        4. Last, if at all, git filter-repo: <https://docs.example/purge>

        #### In the history only (1)

        **2. Acme AI key ak-… (40 characters)** (high)

        2023-05-02 b2c3d4e 李雷 in infra:deploy/.env → 2023-05-09 d4e5f6a removed

        * reach: calls models at its account's cost
        * once in: `infra:deploy/.env:1:14` (2023-05-02 to 2023-05-09)

        1. Revoke it at Acme AI: <https://acme.example/keys>
        2. Look for uses since 2023-04-01 that are not yours
        3. Move it out of the code: keyguard fix
        4. Last, if at all, git filter-repo

        #### In tests, examples or documentation (1)

        | severity | key | place |
        | --- | --- | --- |
        | medium | Acme AI key ak-… (40 characters) | `shop:tests/test_1.py:3:18` +1 |

        #### Other findings (1)

        | count | severity | rule |
        | --- | --- | --- |
        | 1 | medium | [KG104 key-in-output](https://keyguard.example/rules/KG104) |

        #### Connections to model APIs (2)

        | host | provider | route | connections | files | keys sent there | problems |
        | --- | --- | --- | --- | --- | --- | --- |
        | relay.example | Relay One | relay | 2 | 2 | ACME\_API\_KEY | KG104 |

        #### Not read, or not to its end

        * lab: 14 objects are not here: fetch them and audit again
        * infra: older commits were never fetched: git fetch --unshallow
        * infra: interrupted before its end
        * legacy: is no git repository

        **warning**: `lab`: what was written meanwhile was not read

        Next: `keyguard fix`

        Which keys live: `keyguard audit --verify`

        A page to hand on: `keyguard audit --output-format html --output-file audit.html`
        """  # noqa: E501  # a paragraph is one line
    ).removeprefix("\n")


def test_chinese() -> None:
    shown = render_audit(FULL, "markdown", CHINESE)
    assert shown.startswith("### keyguard 审计\n\n已读取 3 个仓库")
    assert "\n#### 只在历史中 (1)\n\n**2. 顶点智能 密钥 ak-… （40 个字符）** (高)\n" in shown  # noqa: RUF001  # Chinese
    assert "\n| 中 | 顶点智能 密钥 ak-… （40 个字符） | `shop:tests/test_1.py:3:18` +1 |\n" in shown  # noqa: RUF001  # as above


def test_many_keys_are_told_in_part() -> None:
    urgent = tuple(leak(key=f"{number:064x}") for number in range(30))
    tests = tuple(IN_TEST._replace(key=f"f{number:063x}", sightings=(in_test(number),)) for number in range(130))
    shown = markdown(Audit((SHOP,), urgent + tests))
    assert [number for number in range(40) if f"**{number}. " in shown] == list(range(1, 21))
    assert shown.count("| high | Acme AI key") == 10
    assert shown.count("| medium | Acme AI key") == 100
    assert "… and 30 more rows." in shown


def test_many_places_are_told_in_part() -> None:
    places = tuple(IN_HEAD._replace(finding=finding(path=f"{number:02}.py")) for number in range(25))
    shown = markdown(Audit((SHOP,), (leak(*places),)))
    assert "`09.py:3:18`\n* +15\n" in shown
    assert "10.py" not in shown


def test_a_thousand_keys_fit_a_job_summary() -> None:
    assert len(markdown(audits.large()).encode()) < 1 << 20


@given(st.text(max_size=30))
@settings(deadline=None, max_examples=60)
def test_no_text_breaks_out_of_its_line(odd: str) -> None:
    plain = hostile("x")
    lines = hostile(odd).split("\n")
    assert len(lines) == len(plain.split("\n"))
    for line in lines:
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in {4, 8}
    assert not any("\x1b" in line for line in lines)


def test_odd_text_stays_in_its_line() -> None:
    assert len(hostile(ODD).split("\n")) == len(hostile("x").split("\n"))


def hostile(odd: str) -> str:
    made = audits.hostile(odd)
    # The ids of rules are our own.
    others = tuple(one._replace(finding=one.finding._replace(rule="KG104")) for one in made.others)
    return markdown(made._replace(others=others))
