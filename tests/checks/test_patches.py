"""Patches: changes to nodes become edits that leave everything else as it was."""

from __future__ import annotations

import ast
import textwrap
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.checks.patches import (
    Patch,
    RemoveArgument,
    RenameArgument,
    Replace,
    SetArgument,
    Wrap,
    fix_of,
)
from keyguard.checks.spots import Spot, hits_of
from keyguard.findings import Speaker
from keyguard.model import Safety
from keyguard.python.module import ParseFailure, parse, parse_parts, walk
from keyguard.source import SourceFile
from tests.fixes import apply

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyguard.checks.patches import Change
    from keyguard.model import Fix
    from keyguard.python.module import Module


def _module(text: str) -> Module:
    found = parse(SourceFile("app.py", text, kind="python"))
    assert not isinstance(found, ParseFailure), found
    return found


def _call(module: Module, name: str = "f") -> Any:  # noqa: ANN401  # a LibCST node
    return next(
        node
        for node in walk(module.tree)
        if type(node).__name__ == "Call" and getattr(node.func, "value", None) == name
    )


def _fix(text: str, *make: Callable[[Any], Change]) -> Fix:
    module = _module(text)
    call = _call(module)
    patch = Patch("set", Safety.UNSAFE, tuple(one(call) for one in make))
    return fix_of(patch, module, module.spans(patch.nodes))


def _patched(text: str, *make: Callable[[Any], Change]) -> str:
    fix = _fix(text, *make)
    if fix.safety is Safety.SHOWN:
        return fix.title.partition("fix.why.")[2]
    made = apply(text, fix.edits)
    ast.parse(made)
    return made


def _set(name: str = "t", text: str = "30") -> Callable[[Any], Change]:
    return lambda call: SetArgument(call, name, text)


def _remove(argument: object) -> Callable[[Any], Change]:
    return lambda call: RemoveArgument(call, call.args[argument].value if isinstance(argument, int) else argument)


SET = {
    "no argument": ("f()", "f(t=30)"),
    "no argument, blanks": ("f( )", "f(t=30)"),
    "one": ("f(a)", "f(a, t=30)"),
    "one, trailing comma": ("f(a,)", "f(a, t=30,)"),
    "blanks before the bracket": ("f( a )", "f( a, t=30 )"),
    "parenthesised function": ("(f)(a)", "(f)(a)"),
    "replaced": ("f(a, t=None, b=1)", "f(a, t=30, b=1)"),
    "replaced between parentheses": ("f(t = (None))", "f(t = (30))"),
    "replaced in a call with stars": ("f(*a, t=0, **k)", "f(*a, t=30, **k)"),
    "replaced over lines": ("f(t=g(\n    1,\n), b=1)", "f(t=30, b=1)"),
    "hanging": ("f(\n    a,\n    b\n)", "f(\n    a,\n    b,\n    t=30\n)"),
    "hanging, trailing comma": ("f(\n    a,\n    b,\n)", "f(\n    a,\n    b,\n    t=30,\n)"),
    "hanging, one": ("f(\n    a,\n)", "f(\n    a,\n    t=30,\n)"),
    "hanging, in a row": ("f(\n    a, b\n)", "f(\n    a, b, t=30\n)"),
    "hanging, in a row, trailing comma": ("f(\n    a, b,\n)", "f(\n    a, b, t=30,\n)"),
    "aligned": ("f(a,\n  b)", "f(a,\n  b,\n  t=30)"),
    "aligned, tabs": ("f(a,\n\t\tb)", "f(a,\n\t\tb,\n\t\tt=30)"),
    "tabs": ("if x:\n\tf(\n\t\ta,\n\t)", "if x:\n\tf(\n\t\ta,\n\t\tt=30,\n\t)"),
    "carriage returns": ("f(\r\n    a,\r\n    b,\r\n)\r\n", "f(\r\n    a,\r\n    b,\r\n    t=30,\r\n)\r\n"),
    "non-ASCII": ("s = '密钥𝕏'; f('é𝕏')", "s = '密钥𝕏'; f('é𝕏', t=30)"),
    "comment behind the last": ("f(\n    a,  # why\n)", "f(\n    a,  # why\n    t=30,\n)"),
    "comment behind the last, no comma": ("f(\n    a,\n    b  # why\n)", "f(\n    a,\n    b,  # why\n    t=30\n)"),
    "comment below the last": ("f(\n    a,\n    # b,\n)", "f(\n    a,\n    t=30,\n    # b,\n)"),
    "comments above": ("f(\n    # 1\n    a,\n    # 2\n    b,\n)", "f(\n    # 1\n    a,\n    # 2\n    b,\n    t=30,\n)"),
    "block at the end": ("f(u, json={\n    'a': 1,\n})", "f(u, json={\n    'a': 1,\n}, t=30)"),
    "block, listed": ("f(\n  u,\n  json={\n    'a': 1,\n  },\n)", "f(\n  u,\n  json={\n    'a': 1,\n  },\n  t=30,\n)"),
    "generator between parentheses": ("f((x for x in y))", "f((x for x in y), t=30)"),
    "comma in a comment": ("f(\n    a  # b, c\n    ,\n)", "f(\n    a  # b, c\n    ,\n    t=30,\n)"),
    "hash in a text": ("f('#')", "f('#', t=30)"),
    "inside another call": ("g(f(a), b)", "g(f(a, t=30), b)"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SET.values(), ids=SET.keys())
def test_an_argument_is_set_in_the_layout_of_its_call(text: str, expected: str) -> None:
    if text == "(f)(a)":
        module = _module(text)
        call = next(node for node in walk(module.tree) if type(node).__name__ == "Call")
        patch = Patch("set", Safety.UNSAFE, (SetArgument(call, "t", "30"),))
        assert apply(text, fix_of(patch, module, module.spans(patch.nodes)).edits) == "(f)(a, t=30)"
    else:
        assert _patched(text, _set()) == expected


REFUSED_SET = {
    "mapping": ("f(a, **k)", "star"),
    "sequence": ("f(*a)", "star"),
    "generator": ("f(x for x in y)", "generator"),
    "comment alone": ("f(\n    # nothing yet\n)", "comment"),
    "there already": ("f(t=30)", "done"),
}


@pytest.mark.parametrize(("text", "why"), REFUSED_SET.values(), ids=REFUSED_SET.keys())
def test_an_argument_is_not_set_where_it_may_be_given_or_harm(text: str, why: str) -> None:
    assert _patched(text, _set()) == why


REMOVED = {
    "alone": ("f(t=1)", "t", "f()"),
    "alone, hanging": ("f(\n    t=1,\n)", "t", "f()"),
    "first": ("f(t=1, b=2)", "t", "f(b=2)"),
    "middle": ("f(a, t=1, b=2)", "t", "f(a, b=2)"),
    "last": ("f(a, t=1)", "t", "f(a)"),
    "last, trailing comma": ("f(a, t=1,)", "t", "f(a,)"),
    "first, aligned": ("f(t=1,\n  b=2)", "t", "f(b=2)"),
    "middle, aligned": ("f(a,\n  t=1,\n  b=2)", "t", "f(a,\n  b=2)"),
    "last, aligned": ("f(a,\n  t=1)", "t", "f(a)"),
    "first, hanging": ("f(\n    t=1,\n    b=2,\n)", "t", "f(\n    b=2,\n)"),
    "middle, hanging": ("f(\n    a,\n    t=1,\n    b=2,\n)", "t", "f(\n    a,\n    b=2,\n)"),
    "last, hanging": ("f(\n    a,\n    t=1,\n)", "t", "f(\n    a,\n)"),
    "last, hanging, no comma": ("f(\n    a,\n    t=1\n)", "t", "f(\n    a\n)"),
    "over lines": ("f(\n    a,\n    t=g(\n        1,\n    ),\n    b=2,\n)", "t", "f(\n    a,\n    b=2,\n)"),
    "end of a row": ("f(\n    a, t=1,\n    b=2,\n)", "t", "f(\n    a,\n    b=2,\n)"),
    "beginning of a row": ("f(\n    a,\n    t=1, b=2,\n)", "t", "f(\n    a,\n    b=2,\n)"),
    "comment on the line before": ("f(\n    a,  # why\n    t=1,\n    b=2,\n)", "t", "f(\n    a,  # why\n    b=2,\n)"),
    "comment on the line before, last": ("f(\n    a,  # why\n    t=1\n)", "t", "f(\n    a  # why\n)"),
    "comment above the next": ("f(\n    t=1,\n    # why\n    b=2,\n)", "t", "f(\n    # why\n    b=2,\n)"),
    "comment behind the bracket": ("f(  # why\n    t=1,\n    b=2,\n)", "t", "f(  # why\n    b=2,\n)"),
    "carriage returns": ("f(\r\n\ta,\r\n\tt=1,\r\n)", "t", "f(\r\n\ta,\r\n)"),
    "before a mapping": ("f(t=1, **k)", "t", "f(**k)"),
    "by position, last": ("f(a, 1)", 1, "f(a)"),
    "by position, before names": ("f(a, 1, b=2)", 1, "f(a, b=2)"),
    "by position, before a mapping": ("f(a, 1, **k)", 1, "f(a, **k)"),
}


@pytest.mark.parametrize(("text", "argument", "expected"), REMOVED.values(), ids=REMOVED.keys())
def test_an_argument_goes_with_its_comma_and_line(text: str, argument: object, expected: str) -> None:
    assert _patched(text, _remove(argument)) == expected


NOT_REMOVED = {
    "comment behind it": ("f(\n    a,\n    t=1,  # why\n)", "t", "comment"),
    "comment before its comma": ("f(\n    a,\n    t=1  # why\n    ,\n)", "t", "comment"),
    "comment behind it, no comma": ("f(\n    a,\n    t=1  # why\n)", "t", "comment"),
    "comment above it": ("f(\n    a,\n    # why\n    t=1,\n)", "t", "comment"),
    "comment in a row": ("f(a, t=1,  # why\n  b=2)", "t", "comment"),
    "comment above the next, first": ("f(t=1,\n  # why\n  b=2)", "t", "comment"),
    "alone with a comment": ("f(  # why\n    t=1,\n)", "t", "comment"),
    "positions shift": ("f(1, b)", 0, "position"),
    "stars shift": ("f(1, *b)", 0, "position"),
    "line that goes on": ("f(a, \\\n  t=1)", "t", "layout"),
    "not given": ("f(a)", "t", "elsewhere"),
}


@pytest.mark.parametrize(("text", "argument", "why"), NOT_REMOVED.values(), ids=NOT_REMOVED.keys())
def test_an_argument_stays_where_a_comment_or_a_position_would_lose_its_meaning(
    text: str, argument: object, why: str
) -> None:
    assert _patched(text, _remove(argument)) == why


def test_an_argument_is_renamed_and_may_get_another_value() -> None:
    assert _patched("f(a, old = 1)", lambda call: RenameArgument(call, "old", "new")) == "f(a, new = 1)"
    assert _patched("f(old=1, b=2)", lambda call: RenameArgument(call, "old", "new", "3")) == "f(new=3, b=2)"
    assert _patched("f(old=1, new=2)", lambda call: RenameArgument(call, "old", "new")) == "star"
    assert _patched("f(old=1, **k)", lambda call: RenameArgument(call, "old", "new")) == "star"


def test_changes_of_one_call_are_made_together() -> None:
    assert _patched("f(a)", _set("b", "1"), _set("c", "2")) == "f(a, b=1, c=2)"
    assert _patched("f(\n    a,\n)", _set("b", "1"), _set("c", "2")) == "f(\n    a,\n    b=1,\n    c=2,\n)"
    assert _patched("f(t=1)", _remove("t"), _set("b", "1")) == "f(b=1)"
    assert _patched("f(a, t=1)", _remove("t"), _set("b", "1")) == "f(a, b=1)"
    assert _patched("f(a, x=1, y=2)", _remove("x"), _remove("y")) == "f(a)"
    assert _patched("f(\n    a,\n    t=1,\n)", _remove("t"), _set("b", "1")) == "f(\n    a,\n    b=1,\n)"


def test_what_stays_is_in_no_edit() -> None:
    """An edit's text never holds a key, so it never repeats what was there."""
    fix = _fix("f(\n    t=None,\n    key='secret',\n)", _set(), _set("b", "1"))
    assert [edit.text for edit in fix.edits] == ["30", "\n    b=1,"]


REPLACED = {
    "argument": ("g(f())", "a if b else c", "g(a if b else c)"),
    "statement": ("f()", "await g()", "await g()"),
    "attribute of it": ("f().x", "a or b", "(a or b).x"),
    "attribute of a number": ("f().x", "30", "(30).x"),
    "operand": ("f() * 2", "a + b", "(a + b) * 2"),
    "operand that binds": ("f() + 2", "g()", "g() + 2"),
    "own parentheses": ("(f()).x", "a or b", "(a or b).x"),
    "between words": ("x = 1 if(f())else 2", "a", "x = 1 if(a)else 2"),
    "f-string": ("s = f'{f()}'", "e['X']", "s = f'{e[\"X\"]}'"),
    "f-string, other quotes": ('s = f"{f()}"', 'e["X"]', "s = f\"{e['X']}\""),
    "f-string, brace": ("s = f'{f()}'", "{1}", "s = f'{ {1}}'"),
    "f-string, conditional": ("s = f'{f()!r}'", "a if b else c", "s = f'{(a if b else c)!r}'"),
}


@pytest.mark.parametrize(("text", "new", "expected"), REPLACED.values(), ids=REPLACED.keys())
def test_an_expression_is_replaced_with_parentheses_where_they_are_needed(text: str, new: str, expected: str) -> None:
    assert _patched(text, lambda call: Replace(call, new)) == expected


def test_an_expression_is_not_replaced_where_its_quotes_cannot_stand() -> None:
    assert _patched("s = f'{f()}'", lambda call: Replace(call, "'a\\n'")) == "string"
    assert _patched("s = f'''{f()} {f'{1}'}'''", lambda call: Replace(call, "g('\"')")) == "string"


def test_a_literal_in_a_row_takes_only_another_literal() -> None:
    module = _module("s = 'a' 'b'\n")
    node = next(one for one in walk(module.tree) if getattr(one, "value", None) == "'b'")
    for new, expected in (('"c"', "s = 'a' \"c\"\n"), ("x", None)):
        patch = Patch("set", Safety.SAFE, (Replace(node, new),))
        fix = fix_of(patch, module, module.spans(patch.nodes))
        assert (apply(module.text, fix.edits) if fix.edits else None) == expected


def test_words_stay_apart() -> None:
    module = _module("x = 1 if'a'else 2\n")
    node = next(one for one in walk(module.tree) if getattr(one, "value", None) == "'a'")
    patch = Patch("set", Safety.SAFE, (Replace(node, "b"),))
    assert apply(module.text, fix_of(patch, module, module.spans(patch.nodes)).edits) == "x = 1 if b else 2\n"


WRAPPED = {
    "method": ("g(f())", "", ".strip()", "g(f().strip())"),
    "await": ("f(1)", "await ", "", "await f(1)"),
    "await, attribute": ("f(1).x", "await ", "", "(await f(1)).x"),
    "function": ("x = f() + 1", "float(", ")", "x = float(f()) + 1"),
    "own parentheses": ("(f())", "", ".strip()", "(f().strip())"),
}


@pytest.mark.parametrize(("text", "before", "after", "expected"), WRAPPED.values(), ids=WRAPPED.keys())
def test_an_expression_is_wrapped(text: str, before: str, after: str, expected: str) -> None:
    assert _patched(text, lambda call: Wrap(call, before, after)) == expected


def test_a_loose_expression_gets_parentheses_before_a_method() -> None:
    for text, expected in (("x = a or b\n", "x = (a or b).strip()\n"), ("x = (a or b)\n", "x = ((a or b).strip())\n")):
        module = _module(text)
        node = next(one for one in walk(module.tree) if type(one).__name__ == "BooleanOperation")
        patch = Patch("set", Safety.SAFE, (Wrap(node, "", ".strip()"),))
        assert apply(text, fix_of(patch, module, module.spans(patch.nodes)).edits) == expected


def test_spans_are_of_the_text_as_it_was_given() -> None:
    """Form feeds and magics are not in the tree, but in the text."""
    assert _patched("\x0c\ndef g():\n    f(a)\n", _set()) == "\x0c\ndef g():\n    f(a, t=30)\n"
    cells = [
        SourceFile("n.ipynb", "!pip install x\nx = 1", kind="python", cell=1),
        SourceFile("n.ipynb", "f(a)", kind="python", cell=2),
    ]
    module = parse_parts(cells)
    assert not isinstance(module, ParseFailure)
    patch = Patch("set", Safety.SAFE, (SetArgument(_call(module), "t", "30"),))
    fix = fix_of(patch, module, module.spans(patch.nodes))
    assert apply(module.text, fix.edits) == "!pip install x\nx = 1\nf(a, t=30)\n"


# -- any call ------------------------------------------------------------------------------------------------------

_VALUES = st.sampled_from(
    ["a", "'é,#)'", "g(1, b=2)", "(x for x in y)", "[\n1,  # two\n2]", "lambda: 0", "x if y else z", "(yield)", "-1"]
)
_BLANKS = st.sampled_from(["", " ", "\n    ", "  # note, (\n\t", "\r\n  ", " \\\n ", "\n    # above\n    "])


@st.composite
def _calls(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A call in any layout, and the names it gives."""
    positional = draw(st.lists(_VALUES, max_size=2))
    names = draw(st.lists(st.sampled_from(["b", "c", "t", "u"]), max_size=4, unique=True))
    items = positional + [f"{name}{draw(st.sampled_from(['=', ' = ']))}{draw(_VALUES)}" for name in names]
    if draw(st.booleans()) and draw(st.booleans()):
        items.append("**k")
    text = "".join(
        f"{draw(_BLANKS)}{item}{draw(_BLANKS)}" + ("," if number + 1 < len(items) or draw(st.booleans()) else "")
        for number, item in enumerate(items)
    )
    prefix = draw(st.sampled_from(["", "s = '𝕏密'; ", "if 1:\n    ", "@"]))
    suffix = "\ndef h(): pass" if prefix == "@" else ""
    return f"{prefix}f({text}{draw(_BLANKS)}){suffix}\n", names


def _arguments(text: str) -> tuple[list[str], dict[str | None, str]]:
    call: ast.Call = next(
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and ast.unparse(node.func) == "f"
    )
    return [ast.dump(item) for item in call.args], {item.arg: ast.dump(item.value) for item in call.keywords}


def _parsed(text: str) -> None:
    try:
        ast.parse(textwrap.dedent(text))
    except SyntaxError:
        assume(condition=False)


def _comments(text: str) -> list[str]:
    return [line.partition("# ")[2] for line in text.splitlines() if "# " in line]


@given(_calls())
@settings(deadline=None, max_examples=300)
def test_setting_an_argument_changes_nothing_else(made: tuple[str, list[str]]) -> None:
    text, _ = made
    _parsed(text)
    fix = _fix(text, _set())
    if fix.safety is Safety.SHOWN:
        return
    changed = apply(text, fix.edits)
    positional, named = _arguments(text)
    assert _arguments(changed) == (positional, {**named, "t": ast.dump(ast.Constant(30))})
    assert set(_comments(text)) - {"two"} <= set(_comments(changed))
    assert _fix(changed, _set()).edits == (), "what is done is done"


@given(_calls(), st.sampled_from(["b", "c", "t", "u"]))
@settings(deadline=None, max_examples=300)
def test_removing_an_argument_changes_nothing_else(made: tuple[str, list[str]], name: str) -> None:
    text, names = made
    assume(name in names)
    _parsed(text)
    fix = _fix(text, _remove(name))
    if fix.safety is Safety.SHOWN:
        return
    changed = apply(text, fix.edits)
    positional, named = _arguments(text)
    del named[name]
    assert _arguments(changed) == (positional, named)
    assert len(_comments(changed)) >= len(_comments(text)) - text.count("# two")


def test_titles_are_told_in_both_languages() -> None:
    for lang, expected in (
        ("en", ["set t=30", "set t=30: by hand, since * or ** may give the argument too"]),
        ("zh", ["设置 t=30", "设置 t=30：* 或 ** 可能也传入了该参数，请手动修改"]),  # noqa: RUF001  # Chinese
    ):
        titles = []
        for text in ("f(a)", "f(**k)"):
            module = _module(text)
            call = _call(module)
            patch = Patch("set", Safety.UNSAFE, (SetArgument(call, "t", "30"),), {"new": "t=30"})
            (hit,) = hits_of([Spot("KG301", call, patch=patch)], module)
            finding = Speaker(load(), lang).finding(hit, module.source, "app.py", {})
            assert finding.fix is not None
            titles.append(finding.fix.title)
        assert titles == expected


def test_a_fix_whose_edit_would_show_a_key_is_dropped() -> None:
    module = _module("f(a)")
    call = _call(module)
    patch = Patch("set", Safety.UNSAFE, (SetArgument(call, "t", "'what-is-secret'"),))
    (hit,) = hits_of([Spot("KG301", call, patch=patch)], module)
    finding = Speaker(load(), "en").finding(hit, module.source, "app.py", {"what-is-secret": "w…"})
    assert finding.fix is None
