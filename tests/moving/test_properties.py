"""Whatever a program puts its key into, and however it is written: fixed, it does the same, and the key is gone."""

from __future__ import annotations

import ast

import hypothesis
from hypothesis import strategies as st

from keyguard.model import Safety
from tests.keys import make
from tests.moving.made import moved, run

KEY, OTHER = make("openai"), make("groq")

# Text that may stand around a key in a literal, spelled for a literal in double quotes.
AROUND = st.text(st.sampled_from("ab {}%'\\n:/é "), max_size=8).map(
    lambda text: text.replace("\\", "\\\\").replace("\n", "\\n")
)
LITERALS = st.sampled_from(
    [
        '"{0}"',
        "'{0}'",
        'r"{0}"',
        'u"{0}"',
        '"""{0}"""',
        '"Bearer {0}"',
        "'x {0} y'",
        'f"{0}"',
        'f"Bearer {0} {{1}}"',
        '("{1}" + "{2}")',
        '("{1}"\n    "{2}")',
        '("a {1}"\n    "{2} b")',
        '"".join(["{1}", "{2}"])',
        '"{3}"[::-1]',
        '"{{}}".format("{0}")',
        '"%s" % "{0}"',
        'b"{0}".decode()',
        'b"x {0} y".decode()',
    ]
)
PLACES = st.sampled_from(
    [
        "sink({})",
        "sink(key={})",
        "sink([{}, 1])",
        'sink({{"a": {}}})',
        "key = {}\nsink(key)",
        "key: str = {}\nsink(key)",
        "class A:\n    key = {}\n\n\nsink(A.key)",
        "def f():\n    return {}\n\n\nsink(f())",
        "def f(key={}):\n    return key\n\n\nsink(f(), f(1))",
        'def f(a, key={}, *b, **c):\n    """Doc."""\n    return key\n\n\nsink(f(0), f.__doc__)',
        "def f(*, key={}):\n    # a comment\n    def g():\n        return key\n    return g()\n\n\nsink(f())",
        "f = lambda: {}\nsink(f())",
        "if 1:\n\tsink({})",
        "sink({} if 1 else 2)",
        "sink(None or {})",
        'import os\nsink(os.getenv("MY_OPENAI_KEY", {}))',
        'import os\nsink(os.environ.get("MY_OPENAI_KEY") or {})',
        'import os\nos.environ["MY_OPENAI_KEY"] = {}\nsink(os.environ["MY_OPENAI_KEY"])',
        "try:\n    pass\nfinally:\n    sink({})",
        "with open(__import__('os').devnull) as x:\n    sink({})",
        "sink({}); sink(2)",
        "for x in ({},):\n    sink(x)",
        "async def f(key={}):\n    return key\n\n\nimport asyncio\nsink(asyncio.run(f()))",
    ]
)
HEADS = st.sampled_from(
    [
        "",
        '"""Doc."""\n\n',
        "#!/usr/bin/env python\n",
        "from __future__ import annotations\n",
        "import sys\nimport abc\n\n",
        "import os\n",
        "os = 1\n",
        "from os import environ\n",
        "import os as system\n\n\n",
        "# Copyright of nobody\n\nfrom typing import Any\n",
        '"""Doc."""; x = 1\n',
        "\x0c\nimport sys\n",
        "if 1:\n    import os\n",
    ]
)


def spelled(literal: str) -> str:
    half = len(KEY) // 2
    return literal.format(KEY, KEY[:half], KEY[half:], KEY[::-1])


@hypothesis.settings(max_examples=150, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(st.data())
def test_a_fixed_program_does_what_it_did(data: st.DataObject) -> None:
    head = data.draw(HEADS)
    parts = [(data.draw(PLACES), spelled(data.draw(LITERALS))) for _ in range(data.draw(st.integers(1, 3)))]
    # A program that puts something else than the key into the key's own variable is beyond what safe can mean.
    hypothesis.assume(all("] = {}" not in place or eval(literal) == KEY for place, literal in parts))  # noqa: S307  # the literals above
    body = "\n".join(place.format(literal) for place, literal in parts)
    text = head + body + data.draw(st.sampled_from(["\n", ""]))
    newline = data.draw(st.sampled_from(["\n", "\r\n"]))
    text = text.replace("\n", newline)
    fixed = moved(text, least=Safety.SAFE)
    ast.parse(fixed.text)
    if not fixed.left:
        assert KEY not in fixed.text
        assert moved(fixed.text, least=Safety.SAFE).text == fixed.text
    # That is what safe means: a variable that is set now may be read in other places too.
    assert run(fixed.text, fixed.moves) == run(text, fixed.moves)
    assert newline not in text or newline == "\n" or "\n" not in fixed.text.replace("\r\n", "")


@hypothesis.settings(max_examples=150, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(AROUND, AROUND, AROUND, st.sampled_from(["", "r", "b", "rb", "u", "f"]), st.booleans())
def test_the_text_around_a_key_stays(before: str, between: str, after: str, prefix: str, triple: bool) -> None:  # noqa: FBT001  # hypothesis gives it
    body = f"{before} {KEY} {between} {OTHER} {after}"
    if "f" in prefix:
        body = body.replace("{", "{{").replace("}", "}}")
    if "b" in prefix:
        body = body.replace("é", "e")
    quote = '"""' if triple else '"'
    text = f"sink({prefix}{quote}{body}{quote})\n"
    hypothesis.assume(_parses(text))
    fixed = moved(text)
    assert not fixed.left
    assert KEY not in fixed.text
    assert OTHER not in fixed.text
    assert run(fixed.text, fixed.moves) == run(text, {})


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True
