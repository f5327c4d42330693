"""Fixed programs do what they did: each is run as it was, fixed, and run again with its variables set."""

from __future__ import annotations

import pytest

from tests.keys import fill
from tests.moving.made import moved, run

HEAD = "from openai import OpenAI\n"
OS = "import os\n"

# Everything that arrives at `sink`, or at a client, must be the same before and after.
PROGRAMS: dict[str, str] = {
    # arguments, variables, attributes
    "argument": HEAD + 'OpenAI(api_key="<openai-key>")\n',
    "argument on its own line": HEAD + 'OpenAI(\n    api_key="<openai-key>",  # mine\n    timeout=3,\n)\n',
    "argument in brackets": HEAD + 'OpenAI(api_key=(\n    "<openai-key>"\n))\n',
    "argument beside a comment in brackets": HEAD + 'OpenAI(api_key=(\n    # mine\n    "<openai-key>"\n))\n',
    "positional argument": 'import requests\nrequests.get("https://api.groq.com/openai/v1/models", "<groq-key>")\n',
    "variable": 'key = "<openai-key>"\nsink(key)\n',
    "annotated variable": 'from typing import Final\nKEY: Final = "<openai-key>"\nsink(KEY)\n',
    "chained assignment": 'a = b = "<openai-key>"\nsink(a, b)\n',
    "unpacked": 'a, b = "<openai-key>", 1\nsink(a, b)\n',
    "unpacked from a list": '[a, b] = ["<openai-key>", "<groq-key>"]\nsink(a, b)\n',
    "walrus": 'if (key := "<openai-key>"):\n    sink(key)\n',
    "augmented": 'head = "Bearer "\nhead += "<openai-key>"\nsink(head)\n',
    "class attribute": 'class A:\n    key = "<openai-key>"\n\n\nsink(A.key, A().key)\n',
    "instance attribute": 'class A:\n    def __init__(self):\n        self.key = "<openai-key>"\n\n\nsink(A().key)\n',
    "module setting": 'import openai\nopenai.api_key = "<openai-key>"\nsink(openai.api_key)\n',
    "named tuple": 'from typing import NamedTuple\n\n\nclass A(NamedTuple):\n    key: str = "<openai-key>"\n\n\nsink(A().key)\n',
    "return": 'def f():\n    return "<openai-key>"\n\n\nsink(f())\n',
    "return without a space": 'def f():\n    return"<openai-key>"\n\n\nsink(f())\n',
    "return of a header without a space": 'def f():\n    return"Bearer <openai-key>"\n\n\nsink(f())\n',
    "yield": 'def f():\n    yield "<openai-key>"\n\n\nsink(list(f()))\n',
    "lambda": 'f = lambda: "<openai-key>"\nsink(f())\n',
    "comprehension": 'sink([x + "<openai-key>" for x in "ab"])\n',
    "comparison": 'sink("x" == "<openai-key>", "<openai-key>" in {"<openai-key>"})\n',
    "comparison without a space": 'sink("x"if 1 else"<openai-key>")\n',
    "assertion": 'try:\n    assert not 1, "<openai-key>"\nexcept AssertionError as e:\n    sink(str(e))\n',
    "decorator": 'def d(key):\n    sink(key)\n    return lambda f: f\n\n\n@d("<openai-key>")\ndef f():\n    pass\n',
    "subscript": 'd = {}\nd["key"] = "<openai-key>"\nsink(d)\n',
    "conditional": 'sink("<openai-key>" if len("a") else None)\n',
    "or": 'def f(key=None):\n    return key or "<openai-key>"\n\n\nsink(f(), f("mine"))\n',
    "one line": 'key = "<openai-key>"; sink(key)\n',
    "no line end": 'key = "<openai-key>"\nsink(key)',
    "carriage returns": 'key = "<openai-key>"\r\nsink(key)\r\n',
    "tabs": 'if True:\n\tkey = "<openai-key>"\n\tsink(key)\n',
    "with a docstring": '"""Ask."""\n\nfrom __future__ import annotations\n\nkey = "<openai-key>"\nsink(key, __doc__)\n',
    "shebang": '#!/usr/bin/env python\n# -*- coding: utf-8 -*-\nsink("<openai-key>")\n',
    "os is something else": 'os = "system"\nsink(os, "<openai-key>")\n',
    "os is a parameter": 'import os\n\n\ndef f(os):\n    return os, "<openai-key>"\n\n\nsink(f(1))\n',
    "os by another name": 'import os as o\nsink(o.sep, "<openai-key>")\n',
    "environ by its name": 'from os import environ\nsink(len(environ) > 0, "<openai-key>")\n',
    "os imported in a function": 'def f():\n    import os\n    return os.sep\n\n\nsink(f(), "<openai-key>")\n',
    "two keys": 'sink("<openai-key>", "<openai-key-2>")\n',
    "one key twice": 'sink("<openai-key>")\nsink("<openai-key>")\n',
    "two providers": 'sink("<openai-key>", "<anthropic-key>")\n',
    # literals
    "single quotes": "sink('<openai-key>')\n",
    "triple quotes": 'sink("""<openai-key>""")\n',
    "raw": 'sink(r"<openai-key>")\n',
    "unicode": 'sink(u"<openai-key>", u"Bearer <openai-key>")\n',
    "bytes": 'sink(b"<openai-key>")\n',
    "raw bytes": 'sink(rb"<openai-key>", Rb"\\d <openai-key>")\n',
    "bytes in more": 'sink(b"Bearer <openai-key>", b"<openai-key>!", b"a <openai-key> b")\n',
    "bytes in more, with a method": 'sink(b"Bearer <openai-key>".decode())\n',
    "continued line": 'key = \\\n    "<openai-key>"\nsink(key)\n',
    "header": 'sink({"Authorization": "Bearer <openai-key>"})\n',
    "header in single quotes": "sink({'Authorization': 'Bearer <openai-key>'})\n",
    "text around": 'sink("a <openai-key> b")\n',
    "twice in one text": 'sink("a <openai-key> b <openai-key>")\n',
    "two keys in one text": 'sink("a <openai-key> b <groq-key>")\n',
    "braces around": 'sink("{a} <openai-key> {b}")\n',
    "braces beside": 'sink("{<openai-key>}")\n',
    "escapes around": 'sink("a\\n\\t\\x41\\u00e9 <openai-key> \\\\")\n',
    "named characters": 'sink("\\N{BULLET} <openai-key> {}")\n',
    "raw with braces": 'sink(r"\\N{x} <openai-key> {}")\n',
    "json": """sink('{"a": {"b": "<openai-key>"}, "c": {"d": [{}]}, "e": {}}')\n""",
    "json in more": """sink('{"a": {"b": "<openai-key>"}, "c": {"d": [{}]}, "e": {}}'.upper())\n""",
    "json in triple quotes": 'sink(\'\'\'{\n  "a": {"b": "<openai-key>"}, "c": {}, "d": {}\n}\'\'\')\n',
    "long text": 'sink("""\n' + "lorem ipsum {dolor}\n" * 12 + 'key: <openai-key>\n""")\n',
    "percent": 'sink("%s: Bearer <openai-key>" % "a", "Bearer %s" % "<openai-key>", "%%s <openai-key>%s" % 1)\n',
    "format": 'sink("{}: Bearer <openai-key>".format("a"), "Bearer {}".format("<openai-key>"))\n',
    "f-string": 'x = 1\nsink(f"Bearer <openai-key> {x!r:>4}")\n',
    "f-string that is a key": 'sink(f"<openai-key>")\n',
    "f-string in single quotes": "x = 1\nsink(f'{x} <openai-key>')\n",
    "f-string with a literal in it": """x = 1\nsink(f"{x} {'<openai-key>'}")\n""",
    "f-string with braces": 'x = 1\nsink(f"{{ <openai-key> }} {x}")\n',
    "raw f-string": 'x = 1\nsink(rf"\\d <openai-key> {x}")\n',
    "implicit concatenation": 'sink("Bearer " "<openai-key>", ("a " "<openai-key>" " b"))\n',
    # pieces and encodings
    "sum of pieces": 'sink("<openai-key|head>" + "<openai-key|tail>")\n',
    "sum of pieces with more": 'sink("Bearer " + "<openai-key|head>" + "<openai-key|tail>" + "!")\n',
    "sum whose first piece has more": 'sink("Bearer <openai-key|head>" + "<openai-key|tail>")\n',
    "sum whose last piece has more": 'sink("<openai-key|head>" + "<openai-key|tail> !")\n',
    "sum whose pieces have more": 'sink("a <openai-key|head>" + "<openai-key|tail> {}")\n',
    "pieces side by side": 'sink("<openai-key|head>" "<openai-key|tail>")\n',
    "pieces on lines": 'key = (\n    "<openai-key|head>"\n    "<openai-key|tail>"\n)\nsink(key)\n',
    "pieces on lines with more": 'sink(\n    "Bearer <openai-key|head>"\n    "<openai-key|tail> {x}"\n)\n',
    "pieces joined": 'sink("".join(["<openai-key|head>", "<openai-key|tail>"]))\n',
    "pieces joined by a hyphen": 'sink("~".join(["a", "b"]), "<openai-key|dashed>".replace("~", ""))\n',
    "pieces in an f-string": """sink(f"<openai-key|head>{'<openai-key|tail>'}")\n""",
    "pieces by format": 'sink("{}{}".format("<openai-key|head>", "<openai-key|tail>"))\n',
    "reversed": 'sink("<openai-key|reversed>"[::-1])\n',
    "base64": 'import base64\nsink(base64.b64decode("<groq-key|base64>").decode())\n',
    "base64 as bytes": 'import base64\nsink(base64.b64decode("<groq-key|base64>"))\n',
    "hexadecimal": 'sink(bytes.fromhex("<groq-key|hex>").decode())\n',
    "numbers": "sink(''.join(chr(n) for n in <numbers>))\n",
    # environment
    "environment": OS + 'os.environ["OPENAI_API_KEY"] = "<openai-key>"\nsink(os.environ["OPENAI_API_KEY"])\n',
    "environment of a block": (
        OS + 'def f():\n    os.environ["OPENAI_API_KEY"] = "<openai-key>"\n\n\nf()\nsink(os.getenv("OPENAI_API_KEY"))\n'
    ),
    "environment on one line": OS
    + 'if 1: os.environ["GROQ_API_KEY"] = "<groq-key>"\nsink(os.getenv("GROQ_API_KEY"))\n',
    "environment among statements": (
        OS + 'x = 1; os.environ["GROQ_API_KEY"] = "<groq-key>"; y = 2\nsink(os.getenv("GROQ_API_KEY"), x, y)\n'
    ),
    "environment last among statements": (
        OS + 'x = 1; os.environ["GROQ_API_KEY"] = "<groq-key>"\nsink(os.getenv("GROQ_API_KEY"), x)\n'
    ),
    "environment by update": OS
    + 'os.environ.update({"GROQ_API_KEY": "<groq-key>"})\nsink(os.getenv("GROQ_API_KEY"))\n',
    "environment by update with a name": (
        OS + 'os.environ.update(GROQ_API_KEY="<groq-key>")\nsink(os.getenv("GROQ_API_KEY"))\n'
    ),
    "environment twice": (
        OS + 'os.environ["OPENAI_API_KEY"] = os.environ["GROQ_API_KEY"] = "<openai-key>"\n'
        'sink(os.getenv("GROQ_API_KEY"), os.getenv("OPENAI_API_KEY"))\n'
    ),
    "environment at a relay": (
        OS + HEAD + 'os.environ["OPENAI_API_KEY"] = "<openai-key>"\n'
        'OpenAI(base_url="https://api.poloapi.top/v1", api_key=os.environ["OPENAI_API_KEY"])\n'
    ),
    # defaults of reads
    "fallback of getenv": OS + 'sink(os.getenv("OPENAI_API_KEY", "<openai-key>"))\n',
    "fallback by name": OS + 'sink(os.getenv("OPENAI_API_KEY", default="<openai-key>"))\n',
    "fallback of get": OS + 'sink(os.environ.get("OPENAI_API_KEY", "<openai-key>"))\n',
    "fallback with more": OS + 'sink(os.environ.get("OPENAI_AUTH", "Bearer <openai-key>"))\n',
    "fallback behind or": OS + 'sink(os.environ.get("OPENAI_API_KEY") or "<openai-key>")\n',
    "fallback behind or in brackets": OS + 'sink((os.getenv("OPENAI_API_KEY")\n      or "<openai-key>").strip())\n',
    "fallback behind two": OS + 'sink(os.getenv("MY_KEY") or os.getenv("OPENAI_API_KEY") or "<openai-key>")\n',
    "fallback before another": OS + 'sink(os.getenv("OPENAI_API_KEY") or "<openai-key>" or None)\n',
    "fallback behind if": OS + 'sink(os.environ["GROQ_API_KEY"] if "GROQ_API_KEY" in os.environ else "<groq-key>")\n',
    "fallback of setdefault": (
        OS + 'os.environ.setdefault("GROQ_API_KEY", "<groq-key>")\nsink(os.environ["GROQ_API_KEY"])\n'
    ),
    "fallback of setdefault, used": OS + 'sink(os.environ.setdefault("GROQ_API_KEY", "<groq-key>"))\n',
    "fallback of pop": OS + 'sink(os.environ.pop("GROQ_API_KEY", "<groq-key>"))\n',
    "fallbacks of two keys": (
        OS
        + 'sink(os.getenv("A_KEY", "<openai-key>"), os.getenv("B_KEY", "<openai-key>"), os.getenv("C_KEY", "<groq-key>"))\n'
    ),
    # parameters
    "parameter": 'def f(key="<openai-key>"):\n    return key\n\n\nsink(f(), f("a"))\n',
    "parameter with a docstring": 'def f(key="<openai-key>"):\n    """Doc."""\n    return key\n\n\nsink(f(), f.__doc__)\n',
    "parameter with only a docstring": 'def f(key="<openai-key>"):\n    """Doc."""\n\n\nsink(f(), f.__doc__)\n',
    "parameter with a comment": 'def f(key="<openai-key>"):\n    # first\n    return key\n\n\nsink(f())\n',
    "parameter by name": 'def f(*, key: str = "<openai-key>", x=1):\n    return key, x\n\n\nsink(f(), f(key="a"))\n',
    "parameter by position": 'def f(key="<openai-key>", /):\n    return key\n\n\nsink(f(), f("a"))\n',
    "parameter with Optional": (
        'from typing import Optional\n\n\ndef f(a: Optional[int] = None, key: str = "<openai-key>"):\n'
        "    return a, key\n\n\nsink(f())\n"
    ),
    "parameter with a union": 'def f(a: int | None = None, key: str = "<openai-key>"):\n    return a, key\n\n\nsink(f())\n',
    "parameter with a quoted annotation": 'def f(key: "str" = "<openai-key>"):\n    return key\n\n\nsink(f())\n',
    "parameter of a method": (
        'class A:\n    def __init__(self, key: str = "<openai-key>") -> None:\n        self.key = key\n\n\nsink(A().key)\n'
    ),
    "parameter of a static method": (
        'class A:\n    @staticmethod\n    def f(key="<openai-key>"):\n        return key\n\n\nsink(A.f(), A().f("a"))\n'
    ),
    "parameter of a nested function": (
        'def f():\n    def g(key="<openai-key>"):\n        return key\n    return g()\n\n\nsink(f())\n'
    ),
    "parameter of a coroutine": (
        'import asyncio\n\n\nasync def f(key="<openai-key>"):\n    return key\n\n\nsink(asyncio.run(f()))\n'
    ),
    "parameter of a generator": 'def f(key="<openai-key>"):\n    yield key\n\n\nsink(list(f()))\n',
    "parameter used in an inner function": (
        'def f(key="<openai-key>"):\n    def g():\n        return key\n    return g()\n\n\nsink(f())\n'
    ),
    "parameter with more": 'def f(auth="Bearer <openai-key>"):\n    return auth\n\n\nsink(f())\n',
    "parameter on lines": (
        'def f(\n    a,\n    key=(\n        "<openai-key|head>"\n        "<openai-key|tail>"\n    ),\n):\n'
        "    return a, key\n\n\nsink(f(1))\n"
    ),
    "parameter in pieces on lines": (
        'def f(\n    a,\n    auth="Bearer "\n    "<openai-key>",\n):\n    return a, auth\n\n\nsink(f(1))\n'
    ),
    "parameters": 'def f(a="<openai-key>", b="<groq-key>"):\n    return a, b\n\n\nsink(f(), f("x"), f(b="y"))\n',
    "parameter beside os": 'def f(os="<openai-key>"):\n    return os\n\n\nsink(f())\n',
    "parameter that makes a client": HEAD
    + 'def f(client=OpenAI(api_key="<openai-key>")):\n    return client\n\n\nsink(f())\n',
    "parameter with tabs": 'def f(key="<openai-key>"):\n\tx = 1\n\treturn key\n\n\nsink(f())\n',
    "parameter with carriage returns": 'def f(key="<openai-key>"):\r\n    return key\r\n\r\n\r\nsink(f())\r\n',
    "parameter with body at the end": 'sink()\ndef f(key="<openai-key>"):\n    """Doc."""',
    "parameter of partial": ('from functools import partial\nsink(partial(dict, key="<openai-key>")())\n'),
    # options
    "argparse": (
        "import argparse\np = argparse.ArgumentParser()\n"
        'p.add_argument("--api-key", default="<openai-key>", help="x")\nsink(p.parse_args([]).api_key)\n'
        'sink(p.parse_args(["--api-key", "a"]).api_key)\n'
    ),
    "argparse set_defaults": (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--api-key')\n"
        'p.set_defaults(api_key="<openai-key>")\nsink(p.parse_args([]).api_key)\n'
    ),
    "optparse": (
        "import optparse\np = optparse.OptionParser()\n"
        'p.add_option("--api-key", default="<openai-key>")\nsink(p.parse_args([])[0].api_key)\n'
    ),
    # fields
    "dataclass": (
        'from dataclasses import dataclass\n\n\n@dataclass\nclass A:\n    n: int = 1\n    key: str = "<openai-key>"\n\n\n'
        'sink(A().key, A(key="a").key)\n'
    ),
    "dataclass with field": (
        "from dataclasses import dataclass, field\n\n\n@dataclass(frozen=True)\nclass A:\n"
        '    key: str = field(default="<openai-key>", repr=False)\n\n\nsink(A().key, repr(A()))\n'
    ),
    "dataclass of the module": (
        'import dataclasses\n\n\n@dataclasses.dataclass\nclass A:\n    key: str = "<openai-key>"\n\n\nsink(A().key)\n'
    ),
    "dataclass with a class variable": (
        "from dataclasses import dataclass\nfrom typing import ClassVar\n\n\n@dataclass\nclass A:\n"
        '    key: ClassVar[str] = "<openai-key>"\n\n\nsink(A.key)\n'
    ),
    "dataclass with more": (
        'from dataclasses import dataclass\n\n\n@dataclass\nclass A:\n    auth: str = "Bearer <openai-key>"\n\n\nsink(A().auth)\n'
    ),
    "dataclass with an attribute": (
        'from dataclasses import dataclass\n\n\n@dataclass\nclass A:\n    key = "<openai-key>"\n\n\nsink(A.key)\n'
    ),
    "dataclass with a field called field": (
        "from dataclasses import dataclass\n\n\n@dataclass\nclass A:\n    field: int = 1\n"
        '    key: str = "<openai-key>"\n\n\nsink(A().key)\n'
    ),
    # comments and URLs
    "comment": "# key: <openai-key>\nsink(1)  # was <groq-key>\n",
    "commented-out code": '# os.environ["GROQ_API_KEY"] = "<groq-key>"\nsink(1)\n',
    "url": 'sink("https://generativelanguage.googleapis.com/v1beta/models?key=<gemini-key>&a={b}")\n',
    "url in pieces": 'sink("https://generativelanguage.googleapis.com/v1beta/models" + "?key=<gemini-key>")\n',
    "url in an f-string": 'x = 1\nsink(f"https://generativelanguage.googleapis.com/{x}/models?key=<gemini-key>")\n',
    "url with a user": 'sink("https://user:<openai-key>@proxy.example.com/v1")\n',
    "parameters of a url": 'import requests\nrequests.get("https://generativelanguage.googleapis.com/v1", {"key": "<gemini-key>"})\n',
}


def program(name: str) -> str:
    numbers = str([ord(char) for char in fill("<openai-key>")])
    return fill(PROGRAMS[name].replace("<numbers>", numbers))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_fixed_program_does_what_it_did(name: str) -> None:
    text = program(name)
    before = run(text, {})
    fixed = moved(text)
    assert fixed.fixes, "there is a key to move"
    assert [fix.title for fix in fixed.left if "in a header" not in fix.title] == []
    assert fixed.safety == "safe"
    assert run(fixed.text, fixed.moves) == before
    for value in fixed.moves.values():
        assert value not in fixed.text


@pytest.mark.parametrize("name", PROGRAMS)
def test_fixing_twice_is_fixing_once(name: str) -> None:
    once = moved(program(name)).text
    assert moved(once).text == once


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param('def f(key="<openai-key>"): return key\n', "stands beside the def", id="one-line-body"),
        pytest.param('f = lambda key="<openai-key>": key\n', "a lambda", id="lambda"),
        pytest.param(
            "from typing import overload\n\n\n@overload\ndef f(key='<openai-key>'):\n    ...\n",
            "declared",
            id="overload",
        ),
        pytest.param(
            "from typing import Protocol\n\n\nclass A(Protocol):\n    def f(self, key='<openai-key>'):\n        pass\n",
            "declared",
            id="protocol",
        ),
        pytest.param("def f(key='<openai-key>'):\n    ...\n", "declared", id="stub"),
        pytest.param(
            "from typing import Annotated\n\n\ndef f(key: Annotated[str, 1] = '<openai-key>'):\n    pass\n",
            "annotation",
            id="annotated",
        ),
        pytest.param('x = {"<openai-key>": 1}\n', "key of a dictionary", id="dict-key"),
        pytest.param('match x:\n    case "<openai-key>":\n        pass\n', "pattern", id="pattern"),
        pytest.param('match x:\n    case {"a": "<openai-key>"}:\n        pass\n', "pattern", id="pattern-value"),
        pytest.param("from typing import Literal\nx: Literal['<openai-key>'] = y\n", "part of a type", id="literal"),
        pytest.param("from typing import Literal\nX = Literal['<openai-key>']\n", "part of a type", id="alias"),
        pytest.param("from enum import Enum\n\n\nclass A(Enum):\n    KEY = '<openai-key>'\n", "enumeration", id="enum"),
        pytest.param("__all__ = ['<openai-key>']\n", "names belong", id="all"),
        pytest.param("A = '<openai-key|head>'\nB = '<openai-key|tail>'\nkey = A + B\n", "other places", id="variables"),
        pytest.param(
            "import base64\nA = '<groq-key|base64>'\nkey = base64.b64decode(A)\n", "other places", id="variable"
        ),
        pytest.param("key = '<openai-key|head>'\nkey += '<openai-key|tail>'\n", "other places", id="augmented"),
        pytest.param(
            "key = ''.join(reversed('<openai-key|reversed>'))\nkey2 = reversed('<groq-key|reversed>')\n",
            "more than a text",
            id="iterator",
        ),
        pytest.param(
            "from pydantic import BaseModel\n\n\nclass A(BaseModel):\n    _key: str = '<openai-key>'\n",
            "private",
            id="private",
        ),
        pytest.param(
            "from dataclasses import InitVar, dataclass\n\n\n@dataclass\nclass A:\n    key: InitVar[str] = '<openai-key>'\n",
            "no function",
            id="initvar",
        ),
        pytest.param(
            "from dataclasses import dataclass\n\n\n@dataclass\nclass A:\n    key: str = '<openai-key>'\n\n\nprint(A.key)\n",
            "not only its objects",
            id="class-attribute",
        ),
        pytest.param(
            "import typer\n\n\ndef f(key: str = typer.Option('<openai-key>', prompt=True)):\n    pass\n",
            "in another way",
            id="typer-prompt",
        ),
    ],
)
def test_what_is_not_rewritten_says_why(text: str, why: str) -> None:
    fixed = moved(text)
    shown = [fix for fix in fixed.left if fix.safety.label == "shown"]
    assert shown
    assert any(why in fix.title for fix in shown), [fix.title for fix in shown]
    assert all(not fix.edits and not fix.moves for fix in shown)
    assert fixed.text == fill(text) or len(fixed.fixes) > len(shown)
