"""An audit for people: the urgent first, one story a key, what to do in order, and what to type next."""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from keyguard.leaks import Audit, Audited, Sighting
from keyguard.report import RenderOptions
from keyguard.report.audit import render_audit
from keyguard.report.audit.words import size_in_words
from keyguard.report.safe import cells
from tests import audits
from tests.report.audit.made import CLEAN, FULL, GONE, IN_HEAD, IN_TEST, NO_HISTORY, SHOP, SMALL, in_test, leak
from tests.report.made import CATALOGUE, CHINESE, ODD, finding, options

STYLE = re.compile(r"\x1b\[[0-9;]*m")
PUBLIC = leak(IN_HEAD, rank="public", steps=(), reach="nothing: it was published as an example")


def text(made: Audit, **changes: object) -> str:
    return render_audit(made, "text", options(**changes))


def dedented(expected: str) -> str:
    return dedent(expected).removeprefix("\n")


def test_a_clean_audit_says_so_kindly() -> None:
    assert text(CLEAN) == dedented(
        """
        Read shop (main): 48 commits, 310 versions of files (1.0 MB), 120 files checked
        out.
        Found no leaked key.
        """
    )
    assert render_audit(CLEAN, "text", CHINESE) == dedented(
        """
        已读取 shop (main)：48 个提交、310 个文件版本（1.0 MB）、检出的 120 个文件。
        没有发现泄漏的密钥。
        """
    )


def test_without_a_history_nothing_is_said_of_it() -> None:
    assert text(NO_HISTORY) == "Read shop (main): 1 file checked out.\nFound no leaked key.\n"


def test_an_empty_repository_is_read_too() -> None:
    assert text(Audit((Audited("new", "new"),))) == "Read new: 0 files checked out.\nFound no leaked key.\n"


def test_what_could_not_be_read_is_no_clean_repository() -> None:
    assert text(Audit((Audited("shop", "x", error="is no git repository"),))) == dedented(
        """
        Nothing could be read.
        Found no leaked key in what could be read.

        Not read, or not to its end
          shop: is no git repository
        """
    )


def test_a_notice_that_tells_the_error_is_enough() -> None:
    assert text(audits.NOTHING_READ).count("is no git repository") == 1
    told = text(audits.audit())
    assert told.count("the object store is damaged") == 1


def test_nothing_but_what_is_public() -> None:
    shown = text(Audit((SHOP,), (PUBLIC, PUBLIC._replace(key="bb" * 32, sightings=(GONE,)))))
    assert shown.partition("out.\n")[2] == dedented(
        """
        Found 2 leaked keys: 2 public by design or published.

        Public by design or published (2)
          high  Acme AI key ak-… (40 characters)  app/client.py:3:18
          high  Acme AI key ak-… (40 characters)  deploy/.env:1:14

        A page to hand on: keyguard audit --output-format html --output-file audit.html
        """
    )


def test_one_key() -> None:
    assert text(SMALL) == dedented(
        """
        Read shop (main): 48 commits, 310 versions of files (1.0 MB), 120 files checked
        out.
        Found 1 leaked key: 1 in what is checked out.

        In what is checked out (1)
        1. high  Acme AI key ak-… (40 characters)
           2023-04-01 a1b2c3d Ann in app/client.py → still in HEAD · main, origin/dev,
           v1.2
           reach: calls models at its account's cost
           in app/client.py:3:18
           once in deploy/.env:1:14 (2023-05-02 to 2023-05-09)
           1) Revoke it at Acme AI: https://acme.example/keys
           2) Look for uses since 2023-04-01 that are not yours
           3) Move it out of the code: keyguard fix
           4) Last, if at all, git filter-repo: https://docs.example/purge

        Next: keyguard fix
        Which keys live: keyguard audit --verify
        A page to hand on: keyguard audit --output-format html --output-file audit.html
        """
    )


def test_everything_at_once() -> None:
    assert text(FULL) == dedented(
        """
        Read 3 repositories: 1,951 commits, 9,751 versions of files (90 MB), 431 files
        checked out.
        Found 3 leaked keys: 1 in what is checked out, 1 in the history only, 1 in
        tests, examples or documentation. 1 is new.

        In what is checked out (1)
        1. high  Acme AI key ak-… (40 characters)  new
           live: it is accepted (x-left 99), 2026-10-30
           2023-04-01 a1b2c3d Ann in shop:app/client.py → still in HEAD · shop:main,
           shop:origin/dev, shop:v1.2, +5
           reach: calls models at its account's cost
           found with: relay.example
           in shop:app/client.py:3:18
           elsewhere in lab:deploy/.env:1:14 (lab:stash@{0}, +4)
           1) Revoke it at Acme AI: https://acme.example/keys
           2) Look for uses since 2023-04-01 that are not yours
           3) Move it out of the code: keyguard fix
           4) Last, if at all, git filter-repo: https://docs.example/purge

        In the history only (1)
        2. high  Acme AI key ak-… (40 characters)
           2023-05-02 b2c3d4e 李雷 in infra:deploy/.env → 2023-05-09 d4e5f6a removed
           reach: calls models at its account's cost
           once in infra:deploy/.env:1:14 (2023-05-02 to 2023-05-09)
           1) Revoke it at Acme AI: https://acme.example/keys
           2) Look for uses since 2023-04-01 that are not yours
           3) Move it out of the code: keyguard fix
           4) Last, if at all, git filter-repo

        In tests, examples or documentation (1)
          medium  Acme AI key ak-… (40 characters)  shop:tests/test_1.py:3:18 +1

        Other findings (1)
          1  KG104  key-in-output
          In what is checked out: keyguard check --select KG104

        Connections to model APIs (2)
          host           provider   route  connections  problems
          relay.example  Relay One  relay  2            KG104

        Not read, or not to its end
          lab: 14 objects are not here: fetch them and audit again
          infra: older commits were never fetched: git fetch --unshallow
          infra: interrupted before its end
          legacy: is no git repository
          warning: lab: what was written meanwhile was not read

        Next: keyguard fix
        Which keys live: keyguard audit --verify
        A page to hand on: keyguard audit --output-format html --output-file audit.html
        """
    )


def test_chinese() -> None:
    assert render_audit(FULL, "text", CHINESE) == dedented(
        """
        已读取 3 个仓库：1,951 个提交、9,751 个文件版本（90 MB）、检出的 431 个文件。
        发现 3 个泄漏的密钥：检出的内容中 1 个，只在历史中 1 个，测试、示例或文档中 1
        个。其中 1 个是新的。

        检出的内容中 (1)
        1. 高  顶点智能 密钥 ak-… （40 个字符）  新
           有效：it is accepted（x-left 99），2026-10-30
           2023-04-01 a1b2c3d Ann，shop:app/client.py → 仍在 HEAD 中 · shop:main、
           shop:origin/dev、shop:v1.2、+5
           影响: calls models at its account's cost
           一同出现: relay.example
           位于 shop:app/client.py:3:18
           另见于 lab:deploy/.env:1:14 （lab:stash@{0}、+4）
           1) Revoke it at Acme AI：https://acme.example/keys
           2) Look for uses since 2023-04-01 that are not yours
           3) Move it out of the code: keyguard fix
           4) Last, if at all, git filter-repo：https://docs.example/purge

        只在历史中 (1)
        2. 高  顶点智能 密钥 ak-… （40 个字符）
           2023-05-02 b2c3d4e 李雷，infra:deploy/.env → 2023-05-09 d4e5f6a 删除
           影响: calls models at its account's cost
           曾位于 infra:deploy/.env:1:14 （2023-05-02 至 2023-05-09）
           1) Revoke it at Acme AI：https://acme.example/keys
           2) Look for uses since 2023-04-01 that are not yours
           3) Move it out of the code: keyguard fix
           4) Last, if at all, git filter-repo

        测试、示例或文档中 (1)
          中  顶点智能 密钥 ak-… （40 个字符）  shop:tests/test_1.py:3:18 +1

        其他问题 (1)
          1  KG104  key-in-output
          查看检出的内容中的问题：keyguard check --select KG104

        到模型 API 的连接 (2)
          主机           提供商     途径    连接  问题
          relay.example  Relay One  中转站  2     KG104

        未读取或未读完
          lab：有 14 个对象不在本地：请获取后重新审计
          infra：没有获取更早的提交：git fetch --unshallow
          infra：中途被打断
          legacy：is no git repository
          警告: lab: what was written meanwhile was not read

        下一步：keyguard fix
        哪些密钥仍有效：keyguard audit --verify
        生成可转交的页面：keyguard audit --output-format html --output-file audit.html
        """
    )


def life(*sightings: object, **changes: object) -> str:
    """The line of a leak with dates in it."""
    made = Audit((SHOP,), (leak(*sightings, **{"steps": (), **changes}),))  # type: ignore[arg-type]  # any field
    lines = text(made, width=200).split("\n")
    return lines[lines.index("   reach: calls models at its account's cost") - 1].strip()


@pytest.mark.parametrize(
    ("changes", "refs", "expected"),
    [
        ({"at_head": False, "on_disk": True}, (), "on disk, no longer in HEAD"),
        ({"at_head": False, "on_disk": False}, ("heads/dev",), "still on dev"),
        ({"at_head": False, "on_disk": False}, (), "on no branch any more"),
        ({}, (), "still in HEAD"),
        ({}, ("heads/main",), "still in HEAD · main"),
        ({}, ("heads/main", "heads/a", "heads/b", "heads/c", "heads/d"), "still in HEAD · main, a, b, +2"),
    ],
)
def test_what_became_of_a_key(changes: dict[str, bool], refs: tuple[str, ...], expected: str) -> None:
    sighting = IN_HEAD._replace(refs=refs, ref_count=len(refs), **changes)
    start = "2023-04-01 a1b2c3d Ann in app/client.py → "
    assert life(sighting, at_head=sighting.at_head) == start + expected


def test_a_key_that_no_commit_held() -> None:
    sighting = IN_HEAD._replace(first=None, at_head=False, refs=(), ref_count=0)
    assert life(sighting, first=None, at_head=False) == "on disk; no commit that was read holds it"


def test_a_key_in_a_message_names_whose_it_is() -> None:
    message = GONE._replace(kind="message", finding=GONE.finding._replace(path=f"commit {'a1b2c3d4' * 5}"))
    tag = GONE._replace(kind="tag", finding=GONE.finding._replace(path="tag v1.0"), repository="shop")
    shown = text(Audit((SHOP,), (leak(message, tag, rank="history", at_head=False, first=message.first),)))
    assert "   2023-05-02 b2c3d4e 李雷 in message of commit a1b2c3d →" in shown
    assert "   once in message of commit a1b2c3d:1:14 (2023-05-02 to 2023-05-09)\n" in shown
    assert "     shop:message of tag v1.0:1:14 (2023-05-02 to 2023-05-09)\n" in shown


def test_a_message_in_the_history_of_head_stands_elsewhere() -> None:
    message = GONE._replace(
        kind="message", finding=GONE.finding._replace(path="commit a1b2c3d"), last=None, at_head=True
    )
    made = leak(message, rank="history", at_head=False, first=message.first)
    assert "   elsewhere in message of commit a1b2c3d:1:14\n" in text(Audit((SHOP,), (made,)))
    assert life(message, rank="history", at_head=False, first=message.first).endswith("→ still in HEAD")


def test_a_dangling_blob_has_no_life() -> None:
    blob = Sighting(GONE.finding._replace(path="blob 8e1c"), blob="8e" * 20)
    assert life(blob, rank="history", first=None, at_head=False) == "on no branch any more"
    assert "   once in blob 8e1c:1:14\n" in text(
        Audit((SHOP,), (leak(blob, rank="history", first=None, at_head=False),))
    )


def test_a_secret_that_is_no_model_api_key_is_named_by_its_finding() -> None:
    other = IN_HEAD._replace(finding=finding(rule="KG108", provider=None, message="AWS Access Key found: AKIA…"))
    assert "1. high  AWS Access Key found: AKIA…\n" in text(Audit((SHOP,), (leak(other, provider=None),)))
    unknown = IN_HEAD._replace(finding=finding(rule="KG106", provider=None))
    assert "1. high  API key ak-… (40 characters)\n" in text(Audit((SHOP,), (leak(unknown, provider=None),)))


def many(count: int) -> Audit:
    places = tuple(IN_HEAD._replace(finding=finding(path=f"app/{number:02}.py")) for number in range(9))
    urgent = tuple(leak(*places, key=f"{number:064x}") for number in range(count))
    tests = tuple(IN_TEST._replace(key=f"f{number:063x}", sightings=(in_test(number),)) for number in range(count))
    return Audit((SHOP,), urgent + tests)


def test_many_keys_and_many_places_are_told_in_part() -> None:
    shown = text(many(40))
    assert [number for number in range(50) if f"\n{number}. high" in shown] == list(range(1, 21))
    assert "   in app/00.py:3:18\n     app/01.py:3:18\n" in shown
    assert "     app/04.py:3:18\n   and 4 more (--verbose lists them)\n" in shown
    assert "\n\n  high  Acme AI key ak-… (40 characters)  app/00.py:3:18 +8\n" in shown
    # 20 in full and 10 in a line each of the urgent, 10 in a line each of the others.
    assert shown.count("  and 10 more (--verbose lists them)\n") == 1
    assert shown.count("  and 30 more (--verbose lists them)\n") == 1


def test_verbose_tells_everything() -> None:
    shown = text(many(40), verbose=True)
    assert "\n40. high" in shown
    assert shown.count("     app/08.py:3:18\n") == 40
    assert "tests/test_39.py" in shown
    assert "--verbose" not in shown


def test_quiet_tells_the_keys_alone() -> None:
    shown = text(FULL, quiet=True)
    assert shown.startswith("In what is checked out (1)\n1. high")
    assert shown.endswith("shop:tests/test_1.py:3:18 +1\n")
    assert text(CLEAN, quiet=True) == ""


def test_colour_changes_nothing_but_colour() -> None:
    coloured = text(FULL, color=True)
    assert "\x1b[1;31mhigh\x1b[0m" in coloured
    assert [line.rstrip() for line in STYLE.sub("", coloured).split("\n")] == text(FULL).split("\n")


def test_a_narrow_encoding_gets_ascii_marks() -> None:
    shown = text(SMALL, unicode=False)
    assert "   2023-04-01 a1b2c3d Ann in app/client.py -> still in HEAD | main, origin/dev,\n   v1.2\n" in shown
    assert shown.isascii()


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [50, 60, 70])
def test_lines_fit_the_terminal_but_for_what_is_copied(lang: str, width: int) -> None:
    *lines, last, _ = text(SMALL, lang=lang, width=width).split("\n")
    assert last.endswith("keyguard audit --output-format html --output-file audit.html")
    # A place and what is said of it part before a place is broken.
    assert [line for line in lines if cells(line) > width] == []


def test_a_long_place_stays_whole() -> None:
    path = f"{'folder/' * 15}deploy.env"
    gone = GONE._replace(finding=GONE.finding._replace(path=path))
    shown = text(Audit((SHOP,), (leak(gone, rank="history", at_head=False),)))
    assert f"   once in {path}:1:14\n           (2023-05-02 to 2023-05-09)\n" in shown


def test_a_wide_author_is_cut_by_cells() -> None:
    first = IN_HEAD.first._replace(author="王" * 30) if IN_HEAD.first else None
    shown = text(Audit((SHOP,), (leak(IN_HEAD._replace(first=first), first=first),)), width=200)
    assert f" a1b2c3d {'王' * 11}… in app/client.py" in shown


def test_hostile_text_is_spelled_out() -> None:
    shown = text(audits.hostile(ODD), catalogue=CATALOGUE)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[31m" in shown


def test_a_thousand_keys_are_told_shortly() -> None:
    shown = render_audit(audits.large(), "text", RenderOptions())
    assert shown.count("\n") < 1_000
    assert "Found 1,000 leaked keys" in shown


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (12_345, "12 kB"),
        (504_100_000, "504 MB"),
        (10**18, "1000000 TB"),
    ],
)
def test_sizes(size: int, said: str) -> None:
    assert size_in_words(size) == said
