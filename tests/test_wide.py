"""A wide prefilter lets through whatever a low voice has to say about requests; a narrow one never pays for it."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from keyguard.catalogue import load
from keyguard.prefilter import NOTHING, WIDE, Prefilter
from tests.checks import test_kg301, test_kg303, test_kg502
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path

NARROW = Prefilter(load())
BROAD = Prefilter(load(), connections=True, wide=True)
CODE = [text for text, *_ in (*test_kg301.LOUD.values(), *test_kg303.LOUD.values(), *test_kg502.LOUD.values())]


@pytest.mark.parametrize("text", CODE, ids=range(len(CODE)))
def test_whatever_the_rules_find_passes(text: str) -> None:
    signals = BROAD.scan(text.encode(), "python", "app.py")
    assert signals
    assert signals.connects or signals.requests


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("from .compat import requests\n", "python"),
        ("from project.compat import (\n    json,\n    requests,\n)\n", "python"),
        ("try:\n    import urllib.request as r\nexcept ImportError:\n    r = None\n", "python"),
        ("import os, http.client\n", "python"),
        ("import ssl\nssl._create_default_https_context = x\n", "python"),
        ('{"cells": [{"source": ["import requests\\n"]}]}', "notebook"),
        ("NODE_TLS_REJECT_UNAUTHORIZED=0 node app.js\n", "shell"),
        ("ENV PYTHONHTTPSVERIFY=0\n", "dockerfile"),
    ],
)
def test_only_a_wide_one_looks_for_requests(text: str, kind: str) -> None:
    assert BROAD.scan(text.encode(), kind, "x").requests
    assert NARROW.scan(text.encode(), kind, "x") == NOTHING


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("# many requests a second\nrequests = 3\n", "python"),
        ("import os\nprint(os.sep)\n", "python"),
        ("import requests\n", "markdown"),
        ("echo done\n", "shell"),
    ],
)
def test_a_wide_one_stops_at_what_sends_nothing(text: str, kind: str) -> None:
    assert BROAD.scan(text.encode(), kind, "x") == NOTHING


def test_a_model_says_more_than_a_request() -> None:
    signals = BROAD.scan(b"import requests\nfrom openai import OpenAI\nOpenAI()\n", "python", "app.py")
    assert (signals.connects, signals.requests) == (True, False)


def test_it_stays_wide_on_its_way_to_a_worker() -> None:
    copy = pickle.loads(pickle.dumps(BROAD))  # noqa: S301  # our own
    assert copy.scan(b"import requests\n", "python", "app.py").requests


@pytest.mark.parametrize(
    ("options", "rules"),
    [
        ((), []),
        (("--min-severity", "low"), ["KG301", "KG502", "KG303"]),
        (("--select", "KG301"), ["KG301"]),
        (("--select", "KG3"), []),
        (("--min-severity", "low", "--ignore", "KG301,KG502"), ["KG303"]),
    ],
    ids=["default", "low", "named", "family", "without"],
)
def test_low_voices_are_heard_where_they_are_asked_for(
    tmp_path: Path, options: tuple[str, ...], rules: list[str]
) -> None:
    tree = Tree(tmp_path)
    tree.write("app.py", "import requests\nrequests.get(u, verify=False)\nrequests.get(u, timeout=None)\n")
    assert tree.check("--isolated", *options).rules == rules
    assert set(rules) <= WIDE
