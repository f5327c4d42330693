"""Fixes that could change what a program means are offered as unsafe, or only shown."""

from __future__ import annotations

import pytest

from keyguard.model import Safety
from tests.keys import fill
from tests.moving.made import moved, run

OS = "import os\n"
NAMED = {"OPENAI_API_KEY": "openai-key", "OPENAI_API_KEY_2": "openai-key-2", "OPENAI_API_KEY_3": "openai-key-3"}


@pytest.mark.parametrize(
    "last",
    [
        pytest.param('os.environ.get("OPENAI_API_KEY") or "<openai-key-2>"', id="or"),
        pytest.param(
            'os.environ["OPENAI_API_KEY"] if "OPENAI_API_KEY" in os.environ else "<openai-key-2>"', id="choice"
        ),
    ],
)
def test_a_fallback_that_another_key_would_win_over_is_unsafe(last: str) -> None:
    fixed = moved(OS + f'a = os.getenv("OPENAI_API_KEY", "<openai-key>")\nb = {last}\n')
    assert [fix.safety for fix in fixed.fixes] == [Safety.SAFE, Safety.UNSAFE]
    assert set(fixed.moves) == {"OPENAI_API_KEY", "OPENAI_API_KEY_2"}


@pytest.mark.parametrize(
    "expression",
    [
        '(os.getenv("A_KEY") or os.getenv("B_KEY")) or "<openai-key>"',
        '((os.getenv("A_KEY") or os.getenv("B_KEY")) or os.getenv("C_KEY")) or "<openai-key>"',
        '(os.getenv("A_KEY") or os.getenv("B_KEY") or "<openai-key>")',
        'os.getenv("A_KEY") or (os.getenv("B_KEY") or "<openai-key>")',
    ],
)
def test_brackets_in_a_chain_of_fallbacks_stay_in_pairs(expression: str) -> None:
    before = OS + f"sink({expression})\n"
    fixed = moved(before)  # parses what it made
    assert run(fixed.text, fixed.moves) == run(fill(before), {})
    assert run(fixed.text, {**fixed.moves, "A_KEY": "mine"}) == run(fill(before), {"A_KEY": "mine"})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('def f(key: str | None = "<openai-key>"):\n    sink(key)\n', id="annotation"),
        pytest.param('def f(key="<openai-key>"):\n    if key is not None:\n        sink(key)\n', id="is-not-none"),
        pytest.param('def f(key="<openai-key>"):\n    if key:\n        sink(key)\n', id="truth"),
        pytest.param('def f(key="<openai-key>"):\n    sink(not key)\n', id="not"),
        pytest.param('def f(key="<openai-key>"):\n    sink(key or "none")\n', id="or"),
        pytest.param('def f(key="<openai-key>"):\n    sink(key)\n\n\nf(None)\n', id="given"),
        pytest.param('import os\n\n\ndef f(key="<openai-key>"):\n    sink(key)\n\n\nf(os.getenv("A"))\n', id="read"),
        pytest.param(
            'class A:\n    def __init__(self, key="<openai-key>"):\n        self.key = key\n\n\nA(key=None)\n',
            id="class",
        ),
    ],
)
def test_a_default_is_moved_only_on_demand_where_none_means_something(text: str) -> None:
    assert moved(text).safety == "unsafe"


def test_a_default_is_moved_where_none_means_nothing() -> None:
    text = (
        'def f(key="<openai-key>", other=None):\n    if other is None:\n        sink(key)\n\n\nf(other=None)\nf("a")\n'
    )
    assert moved(text).safety == "safe"


@pytest.mark.parametrize("default", ['["<openai-key>"]', '{"api_key": "<openai-key>"}', '{"<openai-key>"}'])
def test_what_all_calls_share_stays_shared(default: str) -> None:
    text = f"def f(acc={default}):\n    sink(acc)\n    acc.clear()\n\n\nf()\nf()\n"
    (fix,) = moved(text).fixes
    assert fix.safety == Safety.SHOWN
    assert "share" in fix.title


FIELD = 'from dataclasses import dataclass, fields\n\n\n@dataclass\nclass A:\n    key: str = "<openai-key>"\n'


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("\n    @classmethod\n    def f(cls):\n        return cls.key\n", id="cls"),
        pytest.param("\n    def f(self):\n        return type(self).key\n", id="type"),
        pytest.param("\n    def f(self):\n        return self.__class__.key\n", id="class"),
        pytest.param("\n\nclass B(A):\n    pass\n", id="subclass"),
        pytest.param("\n\nsink([f.default for f in fields(A)])\n", id="fields"),
        pytest.param("\n\nsink(A.__dataclass_fields__)\n", id="raw-fields"),
    ],
)
def test_a_field_whose_class_is_asked_is_moved_only_on_demand(more: str) -> None:
    assert moved(FIELD + more).safety == "unsafe"


def test_a_field_that_only_objects_have_is_moved() -> None:
    assert moved(FIELD + "\n\nsink(A().key)\n").safety == "safe"


WRITE = 'os.environ["OPENAI_API_KEY"] = "<openai-key>"'


@pytest.mark.parametrize(
    ("other", "safety"),
    [
        ('os.environ["OPENAI_API_KEY"] = "<openai-key-2>"', [Safety.UNSAFE, Safety.UNSAFE]),
        ('os.environ["OPENAI_API_KEY"] = sink()', [Safety.UNSAFE]),
        ('os.environ.pop("OPENAI_API_KEY")', [Safety.UNSAFE]),
        ('os.environ.update({"OPENAI_API_KEY": sink()})', [Safety.UNSAFE]),
        ('sink(os.environ["OPENAI_API_KEY"] == 1)', [Safety.SAFE]),
    ],
)
def test_a_variable_that_is_written_twice_is_left_alone_unless_asked(other: str, safety: list[Safety]) -> None:
    fixed = moved(OS + f"\n\ndef f():\n    {WRITE}\n\n\ndef g():\n    {other}\n")
    assert [fix.safety for fix in fixed.fixes] == safety


def test_a_variable_that_is_written_twice_in_a_row_gets_both_keys() -> None:
    before = OS + f"{WRITE}\nsink(os.environ['OPENAI_API_KEY'])\n{WRITE.replace('-key>', '-key-2>')}\n"
    before += "sink(os.environ['OPENAI_API_KEY'])\n"
    fixed = moved(before)
    assert fixed.safety == "unsafe"
    assert run(fixed.text, fixed.moves) == run(fill(before), {})


def test_a_key_whose_variable_is_read_in_any_case_is_named_first() -> None:
    before = '# old: <openai-key-3>\nimport os\na = "<openai-key-2>"\nb = os.getenv("OPENAI_API_KEY", "<openai-key>")\n'
    fixed = moved(before + "sink(a, b)\n")
    keys = {name: fill(f"<{key}>") for name, key in NAMED.items()}
    assert fixed.moves == keys
    assert fixed.safety == "safe"
    assert run(fixed.text, fixed.moves) == run(fill(before + "sink(a, b)\n"), {})


def test_a_dead_key_in_a_comment_leaves_the_name_to_the_code() -> None:
    fixed = moved('# OPENAI_API_KEY=<openai-key-2>\na = "<openai-key>"\n')
    assert fixed.moves["OPENAI_API_KEY"] == fill("<openai-key>")
