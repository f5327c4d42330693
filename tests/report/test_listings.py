"""`rules`, `explain`, `providers` and `identify`."""

from __future__ import annotations

import json
import re
from textwrap import dedent

import pytest

from keyguard.catalogue import Docs, Example, Rule, load
from keyguard.errors import UsageError
from keyguard.model import Confidence, Severity
from keyguard.report.listings import (
    LISTING_FORMATS,
    Identity,
    Owner,
    render_identity,
    render_providers,
    render_rule,
    render_rules,
)
from keyguard.report.page import rule_markdown
from tests.report.made import CATALOGUE, CHINESE, OPTIONS, RULES, options


def test_rules() -> None:
    expected = """\
        rule   name           severity  confidence  fix
        KG101  hardcoded-key  high      high        yes
        KG104  key-in-output  medium    high
        KG106  key-in-file    high      high
        """
    assert render_rules(CATALOGUE, OPTIONS) == dedent(expected)


def test_rules_in_chinese_stay_in_columns() -> None:
    lines = render_rules(CATALOGUE, CHINESE).splitlines()
    assert lines[0].startswith("规则   名称           严重度")
    assert lines[1].startswith("KG101  hardcoded-key  高      高      是")


def test_rules_as_json() -> None:
    first = json.loads(render_rules(CATALOGUE, OPTIONS, "json"))[0]
    assert first == {
        "rule": "KG101",
        "name": "hardcoded-key",
        "severity": "high",
        "confidence": "high",
        "message": "{provider} key {masked} is written into the code",
        "fixable": True,
        "url": "https://keyguard.example/rules/KG101",
    }


def test_rules_as_markdown() -> None:
    assert "| KG101 | hardcoded-key | high | high | yes |\n" in render_rules(CATALOGUE, OPTIONS, "markdown")


def test_a_page_has_its_headings_in_order() -> None:
    expected = """\
        # KG101 hardcoded-key

        severity high, confidence high

        ## What it does

        Reports a key in code.

        ## Why is this bad

        Whoever reads the code can use it.

        ## Example

        ```python
        key = "<acme-key>"
        ```

        Use instead:

        ```python
        key = os.environ["ACME_API_KEY"]
        ```

        Not reported (read from the environment):

        ```python
        key = os.environ["ACME_API_KEY"]
        ```

        ## Fix safety

        Safe.

        ## Options

        - `exclude`

        To accept one finding, write `# keyguard: ignore[KG101] reason` on its line.

        ## References

        - <https://cwe.mitre.org/data/definitions/798.html>
        """
    assert render_rule(RULES["KG101"], OPTIONS) == dedent(expected)


def test_a_chinese_page_joins_lines_and_borrows_what_needs_no_translation() -> None:
    page = render_rule(RULES["KG101"], CHINESE)
    assert "报告代码中的密钥，无论写法。" in page  # noqa: RUF001  # Chinese
    assert "https://cwe.mitre.org/data/definitions/798.html" in page


def test_a_page_on_a_terminal_is_rendered() -> None:
    shown = render_rule(RULES["KG101"], options(color=True, width=60))
    assert "\x1b[" in shown
    assert "##" not in shown
    assert "<acme-key>" in re.sub(r"\x1b\[[0-9;]*m", "", shown)


def test_a_page_as_json() -> None:
    assert json.loads(render_rule(RULES["KG101"], OPTIONS, "json"))["page"].startswith("# KG101 hardcoded-key\n")


def test_a_fence_is_longer_than_what_it_holds() -> None:
    rule = Rule(
        id="KG999",
        name="x",
        severity=Severity.LOW,
        confidence=Confidence.LOW,
        message="",
        message_zh="",
        docs=Docs("what", "why"),
        examples=(Example(source="```sh\nls\n```\n", filename="README.md", lines=(1,)),),
    )
    assert "````markdown\n```sh\nls\n```\n````" in rule_markdown(rule, "en")


def test_providers() -> None:
    expected = """\
        id         provider   key  variable      host
        acme       Acme AI         ACME_API_KEY  api.acme.example
        relay_one  Relay One       ONE_API_KEY   relay.example

        2 providers
        """
    assert render_providers(CATALOGUE, OPTIONS) == dedent(expected)


def test_every_variable_and_host_when_verbose_or_for_machines() -> None:
    assert "ACME_API_KEY, ACME_KEY" in render_providers(CATALOGUE, options(verbose=True))
    assert "ACME\\_API\\_KEY, ACME\\_KEY" in render_providers(CATALOGUE, OPTIONS, "markdown")
    first = json.loads(render_providers(CATALOGUE, OPTIONS, "json"))[0]
    assert first["env"] == ["ACME_API_KEY", "ACME_KEY"]
    assert first["hosts"] == ["api.acme.example", "eu.acme.example"]


@pytest.mark.parametrize("word", ["ACME", "顶点", "eu.acme", "acme_key", "Acme AI"])
def test_a_word_picks_by_id_name_variable_or_host(word: str) -> None:
    shown = render_providers(CATALOGUE, OPTIONS, word=word)
    assert "\nacme " in shown
    assert "relay_one" not in shown


def test_a_word_that_picks_nothing() -> None:
    shown = render_providers(CATALOGUE, OPTIONS, word="\x1bnobody")
    assert shown == "No provider matches '\\\\x1bnobody': `keyguard providers` lists them all.\n"


def test_a_key_with_one_owner() -> None:
    owner = Owner(
        "Acme AI",
        "project key",
        whole=True,
        hosts=("api.acme.example",),
        env=("ACME_API_KEY",),
        console_url="https://acme.example/keys",
    )
    expected = """\
        ak-… (40 characters)
        This looks like a key of Acme AI.
          kind        project key
          whole       yes
          variable    ACME_API_KEY
          host        api.acme.example
          revoke at   https://acme.example/keys
          confidence  high
        """
    assert render_identity(Identity("ak-…", 40, (owner,)), OPTIONS) == dedent(expected)


def test_a_key_with_several_owners_and_one_that_is_cut() -> None:
    shown = render_identity(Identity("ak-…", 7, (Owner("A", whole=False, reason="3 are missing"), Owner("B"))), OPTIONS)
    assert "This could be a key of 2 providers" in shown
    assert "  whole       no: 3 are missing\n" in shown
    assert "  whole       cannot be told offline\n" in shown


def test_a_text_that_is_no_key() -> None:
    shown = render_identity(Identity("hell…", 11), OPTIONS)
    assert shown.startswith("hell… (11 characters)\nNo kind of key keyguard knows.")


def test_an_identity_as_json() -> None:
    assert json.loads(render_identity(Identity("ak-…", 7, (Owner("A"),)), OPTIONS, "json")) == {
        "masked": "ak-…",
        "length": 7,
        "owners": [
            {
                "provider": "A",
                "kind": None,
                "confidence": "high",
                "whole": None,
                "reason": None,
                "env": [],
                "hosts": [],
                "console_url": None,
            }
        ],
        "notes": [],
    }


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="text, json, markdown"):
        render_rules(CATALOGUE, OPTIONS, "sarif")


@pytest.mark.parametrize("format_", LISTING_FORMATS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_real_catalogue_renders(format_: str, lang: str) -> None:
    catalogue = load()
    made = options(catalogue=catalogue, lang=lang)
    assert "KG101" in render_rules(catalogue, made, format_)
    assert render_providers(catalogue, made, format_)
    for rule in catalogue.rules.values():
        assert rule.id in render_rule(rule, made, format_)
