"""Handmade reports that the tests of every format share; no text in them is a key."""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from keyguard.catalogue import Docs, Example, Provider, Rule
from keyguard.model import (
    Confidence,
    Edit,
    Excerpt,
    FileReport,
    Finding,
    Fix,
    Notice,
    Related,
    Report,
    Safety,
    Severity,
    Span,
)
from keyguard.report import RenderOptions

if TYPE_CHECKING:
    from keyguard.catalogue import Catalogue

RULES = {
    "KG101": Rule(
        id="KG101",
        name="hardcoded-key",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        message="{provider} key {masked} is written into the code",
        message_zh="代码中写有 {provider} 密钥 {masked}",
        remedy="Read it from {env}",
        docs=Docs(
            what="Reports a key in code.",
            why="Whoever reads the code can use it.",
            fix_safety="Safe.",
            options=("exclude",),
            references=("https://cwe.mitre.org/data/definitions/798.html",),
        ),
        docs_zh=Docs(what="报告代码中的密钥，\n无论写法。", why="谁都能用。"),
        examples=(
            Example(source='\nkey = "<acme-key>"\n', lines=(1,), fixed='\nkey = os.environ["ACME_API_KEY"]\n'),
            Example(source='\nkey = os.environ["ACME_API_KEY"]\n', why="read from the environment"),
        ),
    ),
    "KG106": Rule(
        id="KG106",
        name="key-in-file",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        message="{provider} key {masked} stands in a file",
        message_zh="文件中有 {provider} 密钥 {masked}",
        docs=Docs(what="Reports a key in a text file.", why="It is read."),
    ),
    "KG104": Rule(
        id="KG104",
        name="key-in-output",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        message="{name} holds a key and is written to {where}",
        message_zh="{name} 里是密钥，却会输出到 {where}",
        docs=Docs(what="Reports a key in output.", why="Logs are shared."),
    ),
}
PROVIDERS = {
    "acme": Provider(
        id="acme",
        name="Acme AI",
        name_zh="顶点智能",
        kind="vendor",
        env=("ACME_API_KEY", "ACME_KEY"),
        hosts=("api.acme.example", "eu.acme.example"),
        console_url="https://acme.example/keys",
        words=("acme",),
    ),
    "relay_one": Provider(
        id="relay_one", name="Relay One", kind="relay", hosts=("relay.example",), env=("ONE_API_KEY",)
    ),
}
NAMES = {rule.id: rule.name for rule in RULES.values()}
CATALOGUE = cast("Catalogue", SimpleNamespace(rules=RULES, rule_names=NAMES, providers=PROVIDERS))
OPTIONS = RenderOptions(catalogue=CATALOGUE, version="1.2.3", docs_url="https://keyguard.example/rules/{rule}")
CHINESE = OPTIONS._replace(lang="zh")


def options(**changes: Any) -> RenderOptions:  # noqa: ANN401  # any field of the options
    return OPTIONS._replace(**changes)


def finding(**changes: Any) -> Finding:  # noqa: ANN401  # any field of a finding
    made = Finding(
        rule="KG101",
        path="app/client.py",
        span=Span(40, 58),
        line=3,
        column=18,
        end_line=3,
        end_column=36,
        message="Acme AI key ak-…(40) is written into the code",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        fingerprint="f1" * 32,
        key="aa" * 32,
        provider="acme",
        remedy="Read it from ACME_API_KEY, and revoke this key: https://acme.example/keys",
        excerpt=Excerpt('client = Client("ak-…(40)")', 16, 24),
    )
    return made._replace(**changes)


def report(*findings: Finding, **changes: Any) -> Report:  # noqa: ANN401  # any field of a report
    paths = sorted({made.path for made in findings})
    files = tuple(FileReport(path, tuple(made for made in findings if made.path == path)) for path in paths)
    return Report(files, checked=42)._replace(**changes)


KEY = finding()
SAME_KEY = finding(
    rule="KG106", path="deploy/.env", line=1, column=14, end_line=1, end_column=32, fingerprint="f2" * 32, excerpt=None
)
OUTPUT = finding(
    rule="KG104",
    path="app/log.py",
    span=Span(100, 112),
    line=9,
    column=7,
    end_line=9,
    end_column=19,
    message="key holds a key and is written to the log",
    severity=Severity.MEDIUM,
    fingerprint="f3" * 32,
    key=None,
    provider=None,
    remedy=None,
    excerpt=Excerpt("\tprint(key, secret)", 7, 10),
    related=(Related("app/log.py", 2, 1, 2, 9, "the key is read here"),),
)
CELL = finding(
    path="notes/try it.ipynb",
    line=2,
    column=5,
    end_line=2,
    end_column=23,
    cell=3,
    part="source",
    fingerprint="f4" * 32,
    key="bb" * 32,
    fix=Fix("read ACME_API_KEY", Safety.SAFE, (Edit(Span(5, 23), 'os.environ["ACME_API_KEY"]'),)),
)
FIXABLE = finding(
    fix=Fix(
        "read ACME_API_KEY",
        Safety.SAFE,
        (Edit(Span(40, 58), 'os.environ["ACME_API_KEY"]'), Edit(Span(0, 0), "import os\n")),
    )
)
EMPTY = report()
SMALL = report(KEY)
FULL = Report(
    files=(
        FileReport("app/client.py", (FIXABLE,), ignored=(finding(line=7, end_line=7, fingerprint="e1" * 32),)),
        FileReport("app/log.py", (OUTPUT,), accepted=(finding(path="app/log.py", line=4, fingerprint="e2" * 32),)),
        FileReport("deploy/.env", (SAME_KEY,)),
        FileReport("logo.png", skipped="binary"),
        FileReport("notes/try it.ipynb", (CELL,)),
    ),
    checked=42,
    hidden={"low": 12},
    notices=(
        Notice("could not be read: give yourself permission", "secret.txt", error=True),
        Notice("an old baseline"),
    ),
    unused_ignores=1,
)
ODD = "a|b`c\\d<e>&\"f'\x1b[31m\r\n::error::%0A]]>\u202e\u2028中\udcff=1,\t[x](y){0}"
HOSTILE = report(
    finding(path=ODD, message=ODD, remedy=ODD, excerpt=Excerpt(ODD, 3, 9), provider=ODD, key=ODD, fingerprint=ODD),
    finding(
        path="=cmd|' /C calc'!A0", message="@SUM(1)", remedy="+1", fix=Fix(ODD, Safety.UNSAFE, (Edit(Span(1, 2), ODD),))
    ),
    notices=(Notice(ODD, ODD), Notice(ODD, error=True)),
)
