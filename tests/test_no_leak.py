"""No output holds a planted key: every command, format, language and verbosity, wherever and however the key stands."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.report import FORMATS
from tests.keys import make, shape_ids
from tests.runs import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUN = 12  # characters of a key's own in a row that nobody may see: a few more than chance or a prefix explains


def own_part(key: str, shape: str) -> str:
    """What follows the prefix that all keys of a shape share."""
    prefixes = [prefix for prefix in load().shapes[shape].prefixes if key.startswith(prefix)]
    return key[len(max(prefixes, key=len, default="")) :]


def assert_hidden(output: str, key: str, shape: str) -> None:
    """No run of the key's own characters stands in an output, nor of its base64, nor backwards."""
    own = own_part(key, shape)
    forms = [own, own[::-1], base64.b64encode(key.encode()).decode()]
    # A prefix makes the first characters of the base64 form as public as itself.
    forms[2] = forms[2][(len(key) - len(own)) * 4 // 3 + 4 :]
    for form in forms:
        if len(form) < RUN:
            continue
        for start in range(len(form) - RUN + 1):
            run = form[start : start + RUN]
            assert run not in output, f"{shape}: {len(key)} characters, {start} of them before what is shown"
    assert len(key) < RUN or key not in output


def _cell(source: str, output: str) -> str:
    cell = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 1,
        "source": source.splitlines(keepends=True),
        "outputs": [{"output_type": "stream", "name": "stdout", "text": [output]}],
    }
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]})


def _pieces(key: str, size: int) -> str:
    return " + ".join(f'"{key[start : start + size]}"' for start in range(0, len(key), size))


def _dashed(key: str) -> str:
    return "~".join(key[start : start + 14] for start in range(0, len(key), 14))


_IMPORT = "import os, base64\nfrom openai import OpenAI\n"

# A file's name and its text, given a key, another key and the name of a variable that holds such a key.
CONTEXTS: dict[str, Callable[[str, str, str], tuple[str, str]]] = {
    "argument": lambda key, _, __: ("a.py", f'{_IMPORT}client = OpenAI(api_key="{key}")\n'),
    "variable": lambda key, _, env: ("a.py", f'{_IMPORT}{env} = "{key}"\nclient = OpenAI(api_key={env})\n'),
    "printed": lambda key, _, env: ("a.py", f'{_IMPORT}{env} = "{key}"; print({env}, "{key}")\n'),
    "environment": lambda key, _, env: ("a.py", f'{_IMPORT}os.environ["{env}"] = "{key}"; print(os.environ)\n'),
    "default": lambda key, _, env: ("a.py", f'{_IMPORT}key = os.getenv("{env}", "{key}"); print(key)\n'),
    "name": lambda key, _, __: ("a.py", f'{_IMPORT}key = os.getenv("{key}")\n'),
    "comment": lambda key, other, env: ("a.py", f"{_IMPORT}x = 1  # {env}={key} was {other}\n"),
    "docstring": lambda key, other, env: ("a.py", f'{_IMPORT}def ask():\n    """Use {env}={key}\n    or {other}."""\n'),
    "url": lambda key, _, __: ("a.py", f'import requests\nrequests.get("https://api.openai.com/v1?key={key}&a=1")\n'),
    "userinfo": lambda key, _, __: ("a.py", f'import requests\nrequests.get("https://me:{key}@api.openai.com/v1")\n'),
    "header": lambda key, _, __: (
        "a.py",
        f'{_IMPORT}headers = {{"Authorization": "Bearer {key}", "x-api-key": "{key}"}}\n',
    ),
    "two": lambda key, other, _: ("a.py", f'{_IMPORT}a, b = OpenAI(api_key="{key}"), OpenAI(api_key="{other}")\n'),
    "beside": lambda key, _, env: ("a.py", f'{_IMPORT}print(os.environ["OPENAI_API_KEY"], "{env}", "{key}")\n'),
    "halves": lambda key, _, __: ("a.py", f"{_IMPORT}client = OpenAI(api_key={_pieces(key, (len(key) + 1) // 2)})\n"),
    "pieces": lambda key, _, __: ("a.py", f"{_IMPORT}client = OpenAI(api_key={_pieces(key, 17)})\n"),
    "joined": lambda key, _, __: (
        "a.py",
        f'{_IMPORT}client = OpenAI(api_key="".join([{_pieces(key, 15).replace(" + ", ", ")}]))\n',
    ),
    "lines": lambda key, _, __: (
        "a.py",
        f"{_IMPORT}client = OpenAI(\n    api_key=(\n{_pieces(key, 20).replace(' + ', chr(10))}\n    )\n)\n",
    ),
    "f-string": lambda key, _, __: (
        "a.py",
        f'{_IMPORT}tail = "{key[20:]}"\nclient = OpenAI(api_key=f"{key[:20]}{{tail}}")\n',
    ),
    "dashed": lambda key, _, __: (
        "a.py",
        f'{_IMPORT}client = OpenAI(api_key="{_dashed(key)}".replace("~", ""))\n',
    ),
    "base64": lambda key, _, __: (
        "a.py",
        f'{_IMPORT}client = OpenAI(api_key=base64.b64decode("{base64.b64encode(key.encode()).decode()}").decode())\n',
    ),
    "reversed": lambda key, _, __: ("a.py", f'{_IMPORT}client = OpenAI(api_key="{key[::-1]}"[::-1])\n'),
    "broken": lambda key, other, env: ("a.py", f'{_IMPORT}def ask(:\n    {env} = "{key}" "{other}"\n'),
    "conflict": lambda key, other, env: (
        "a.py",
        f'{_IMPORT}<<<<<<< HEAD\n{env} = "{key}"\n=======\n{env} = "{other}"\n>>>>>>> theirs\n',
    ),
    "border": lambda key, other, env: (
        "a.txt",
        f"{'words of text ' * 12}{key}{' more words' * 13} {env}={other} {' words' * 25}{key}{' end' * 99}\n",
    ),
    "far": lambda key, other, env: ("a.txt", f"{env}={other}{' ' * 390}{env}={key}{' ' * 150}{key}\n"),
    "minified": lambda key, other, env: (
        "a.js",
        f'{"var a=1;" * 900}var {env}="{key}",b="{other}";{"f(a,b);" * 900}var c="{key}";{"g();" * 50}\n',
    ),
    "glued": lambda key, other, env: ("a.txt", f"{env}={key},{other};{key}|{other}\n"),
    "env": lambda key, other, env: (".env", f'{env}={key}\nexport OTHER_KEY="{other}"  # old: {key}\n'),
    "browser": lambda key, _, env: (".env.production", f"NEXT_PUBLIC_{env}={key}\n"),
    "yaml": lambda key, other, env: ("a.yaml", f'env:\n  {env}: "{key}"\n  - {{name: {env}, value: {other}}}\n'),
    "json": lambda key, other, env: ("a.json", json.dumps({env: key, "list": [other, {"api_key": key}]})),
    "toml": lambda key, _, env: ("a.toml", f'[models]\n{env} = "{key}"\n'),
    "markdown": lambda key, other, env: (
        "a.md",
        f"# Use\n\n```sh\nexport {env}={key}\n```\n\nOr `{other}`: [x](http://a/?key={key})\n",
    ),
    "shell": lambda key, other, env: (
        "a.sh",
        f"set -x\nexport {env}={key}\necho ${env} {other}\ncurl -H 'Authorization: Bearer {key}'\n",
    ),
    "powershell": lambda key, _, env: ("a.ps1", f'$env:{env} = "{key}"; Write-Host $env:{env} "{key}"\n'),
    "docker": lambda key, other, env: ("Dockerfile", f"FROM x\nENV {env}={key}\nARG {env}={other}\n"),
    "workflow": lambda key, _, env: (
        ".github/workflows/a.yml",
        f"jobs:\n  a:\n    env:\n      {env}: {key}\n    run: echo {key}\n",
    ),
    "notebook": lambda key, other, env: (
        "a.ipynb",
        _cell(f'{_IMPORT}{env} = "{key}"\nprint({env})', f"{key}\n{other}\n"),
    ),
    "not-json": lambda key, _, env: ("a.ipynb", f'{{"cells": [{{"source": ["{env} = \\"{key}\\""]'),
    "escaped": lambda key, _, env: ("a.log", f'"{{\\"{env}\\": \\"{key}\\"}}" {env}%3D{key}%26 \\n{key}\\n\n'),
    "ignored": lambda key, _, env: ("a.py", f'{env} = "{key}"  # keyguard: ignore[KG101] {key}\n'),
    "ignore-key": lambda key, _, env: ("a.py", f'{env} = "{key}"  # keyguard: ignore[{key}]\n'),
    "useless": lambda key, _, env: ("a.py", f'{env} = "{key}"  # keyguard: ignore[KG999] {key}\n'),
    "basic": lambda key, _, __: ("a.ini", f"[db]\nurl = postgres://user:{key}@host/db\n"),
    "settings": lambda key, _, __: (
        "keyguard.toml",
        f'select = ["{key}"]\n"{key}" = 1\nmin-severity = "{key}"\nlang = "{key}"\n',
    ),
    "wide": lambda key, other, env: ("a.txt", f"密钥 🔑\t{env}\t{key}\t密钥{other}密钥\u202e{key}\n"),
}

# A shape that ends where the key begins is the same for everyone: it tells where a secret stands, it is none.
MARKS = frozenset({"google_vertex/service_account_json"})
SHAPES = tuple(shape for shape in shape_ids() if shape not in MARKS)
COMMANDS = ("check", "check", "check", "check", "staged", "baseline", "identify", "init", "argument")


def variable(shape: str) -> str:
    """The variable that holds such a key: some shapes count as keys only there."""
    return load().providers[load().shapes[shape].provider].variable


def outputs(tree: Tree, command: str, options: tuple[str, ...], key: str) -> Iterator[str]:
    """Everything a command prints and writes."""
    runs = [("check", *options)]
    if command == "staged":
        tree.git("init", "-q")
        tree.git("add", "-A", "-f")
        runs = [("check", "--staged", *options)]
    elif command == "baseline":
        runs = [
            ("baseline", "create"),
            ("baseline", "show"),
            ("check", "--show-ignored", *options),
            ("baseline", "update"),
        ]
    elif command == "identify":
        runs = [("identify",), ("identify", "--output-format", "json")]
    elif command == "init":
        runs = [("init", "--yes"), ("check", *options)]
    elif command == "argument":
        runs = [("identify", key), ("explain", key), (key,), ("check", f"--select={key}"), ("check", f"--{key}")]
    for argv in runs:
        done = tree.run(*argv, stdin=f"{key}\n".encode())
        assert done.code in {0, 1, 2}, done
        yield done.out + done.err
    for name in (".keyguard-baseline.json", "report.out"):
        if (tree.root / name).is_file():
            yield (tree.root / name).read_text(encoding="utf-8")


OPTIONS = st.tuples(
    st.sampled_from(FORMATS).map(lambda name: ("--output-format", name)),
    st.sampled_from([(), ("--lang", "zh")]),
    st.sampled_from([(), ("--verbose",), ("--quiet",)]),
    st.sampled_from([(), ("--show-ignored",), ("--statistics",)]),
    st.sampled_from(
        [
            ("--min-severity", "low", "--min-confidence", "low"),
            ("--select", "KG003"),
            ("--select", "KG104"),
            ("--ignore", "KG101"),
        ]
    ),
    st.sampled_from([(), ("--color", "always"), ("--output-file", "report.out")]),
).map(lambda parts: sum(parts, ()))


@given(
    planted=st.lists(st.tuples(st.sampled_from(SHAPES), st.sampled_from(sorted(CONTEXTS))), min_size=1, max_size=3),
    seed=st.integers(0, 10_000),
    command=st.sampled_from(COMMANDS),
    options=OPTIONS,
)
@example([("openai/project", "beside")], 1, "check", ("--select", "KG104", "--output-format", "json"))
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_no_output_holds_a_planted_key(
    planted: list[tuple[str, str]], seed: int, command: str, options: tuple[str, ...]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(Path(folder))
        keys: list[tuple[str, str]] = []
        for number, (shape, context) in enumerate(planted):
            key, other = make(shape, f"{seed}:{number}"), make("anthropic/api", f"{seed}:{number}")
            keys += [(key, shape), (other, "anthropic/api")]
            name, text = CONTEXTS[context](key, other, variable(shape))
            tree.write(f"{number}/{name}", text.encode())
        for output in outputs(tree, command, options, keys[0][0]):
            for key, shape in keys:
                assert_hidden(output, key, shape)


@pytest.mark.parametrize("context", CONTEXTS)
def test_no_place_shows_a_key(tmp_path: Path, context: str) -> None:
    """Shapes of every sort: long, of letters alone, of 32 hexadecimal digits, in two parts."""
    tree = Tree(tmp_path)
    keys = []
    for shape in ("openai/project", "deepseek/api", "zhipu/api", "huggingface/user_token"):
        key, other = make(shape, 7), make("anthropic/api", shape)
        keys += [(key, shape), (other, "anthropic/api")]
        name, text = CONTEXTS[context](key, other, variable(shape))
        tree.write(f"{shape}/{name}", text.encode())
    for options in (("--output-format", "text"), ("--output-format", "json"), ("--select", "KG104,KG003,KG108")):
        done = tree.run("check", "--min-severity", "low", "--min-confidence", "low", "--show-ignored", *options)
        assert done.code in {0, 1, 2}, done
        for key, shape in keys:
            assert_hidden(done.out + done.err, key, shape)


OTHER_SECRETS = (
    "aws-access-key aws-secret-key slack-token slack-webhook stripe-key sendgrid-key npm-token gitlab-token jwt"
)


@pytest.mark.parametrize("kind", OTHER_SECRETS.split())
def test_no_place_shows_another_services_secret(tmp_path: Path, kind: str) -> None:
    secret, tree = make(kind, 3), Tree(tmp_path)
    tree.write("a.py", f'import os\nAWS_SECRET_KEY = "{secret}"; print(os.environ, "{secret}")\n'.encode())
    tree.write("a.yaml", f'aws_secret_access_key: "{secret}"\nurl: https://me:{secret}@db.example.org/x\n'.encode())
    tree.write(".env", f"AWS_SECRET_ACCESS_KEY={secret}\nDATABASE_URL=postgres://me:{secret}@db/x\n".encode())
    tree.write("a.sh", f"export DB_PASSWORD={secret}; echo $DB_PASSWORD {secret}\n".encode())
    for options in (("--output-format", "text"), ("--output-format", "json"), ("--output-format", "sarif")):
        done = tree.run("check", "--min-severity", "low", "--min-confidence", "low", *options)
        assert done.code in {0, 1}, done
        for start in range(len(secret) - RUN + 1):
            assert secret[start : start + RUN] not in done.out + done.err
