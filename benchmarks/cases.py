"""Where keys leak: every provider's keys in the places people put them, made at run time."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.keys import make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keyguard.catalogue import Catalogue, KeyShape, Provider

# The form of a key of a provider that publishes none: what relays and young platforms hand out.
UNPUBLISHED = "unknown-token"


@dataclass(frozen=True, slots=True)
class Place:
    """All a context may need: the key, its provider's variable, host, base URL, request header and name."""

    key: str
    env: str
    host: str
    base_url: str
    header: str
    word: str

    @property
    def camel(self) -> str:
        """A name such as `deepseekApiKey`."""
        return self.word + "ApiKey"

    @property
    def snake(self) -> str:
        """A name such as `deepseek_api_key`."""
        return self.word + "_api_key"

    @property
    def halves(self) -> tuple[str, str]:
        """The key cut in two."""
        return self.key[: len(self.key) // 2], self.key[len(self.key) // 2 :]


@dataclass(frozen=True, slots=True)
class Context:
    """One way to leak: a file name and its text, and whether variable, host or a nearby word says whose key it is."""

    name: str
    file: str
    write: Callable[[Place], str]
    tells: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """One leak: `lines` are those the key stands on."""

    provider: str
    shape: str
    context: str
    file: str
    text: str
    lines: range
    published: bool


def _notebook(place: Place) -> str:
    source = [f'import os\nos.environ["{place.env}"] = "{place.key}"\n']
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


CONTEXTS = (
    Context("Python: a constant", "settings.py", lambda p: f'"""Settings."""\n\n{p.env} = "{p.key}"\n'),
    Context(
        "Python: a client's argument",
        "client.py",
        lambda p: f'from openai import OpenAI\n\nclient = OpenAI(base_url="{p.base_url}", api_key="{p.key}")\n',
    ),
    Context(
        "Python: a key over two lines",
        "client.py",
        lambda p: (
            f'from openai import OpenAI\n\nclient = OpenAI(\n    base_url="{p.base_url}",\n'
            f'    api_key="{p.halves[0]}"\n    "{p.halves[1]}",\n)\n'
        ),
    ),
    Context("Python: put together", "split.py", lambda p: f'{p.env} = "{p.halves[0]}" + "{p.halves[1]}"\n'),
    Context("Python: os.environ", "env.py", lambda p: f'import os\n\nos.environ["{p.env}"] = "{p.key}"\n'),
    Context("Python: a default", "default.py", lambda p: f'import os\n\nkey = os.getenv("{p.env}", "{p.key}")\n'),
    Context(
        "Python: a header",
        "request.py",
        lambda p: f'import requests\n\nrequests.post("https://{p.host}/v1/x", headers={{{p.header}}}, timeout=9)\n',
    ),
    Context("Python: a dict", "table.py", lambda p: f'KEYS = {{\n    "{p.word}": {{"api_key": "{p.key}"}},\n}}\n'),
    Context(
        "Python: a parameter's default",
        "parameter.py",
        lambda p: f'def ask(text: str, {p.snake}: str = "{p.key}") -> str:\n    return text\n',
    ),
    Context("a comment", "old.py", lambda p: f"import os\n\n# {p.env}={p.key}\nprint(os.getcwd())\n"),
    Context(".env", ".env", lambda p: f"DEBUG=1\n{p.env}={p.key}\n"),
    Context("shell", "run.sh", lambda p: f'#!/bin/sh\nexport {p.env}="{p.key}"\npython app.py\n'),
    Context("PowerShell", "run.ps1", lambda p: f'$env:{p.env} = "{p.key}"\npython app.py\n'),
    Context("batch", "run.bat", lambda p: f"@echo off\r\nset {p.env}={p.key}\r\npython app.py\r\n"),
    Context("Dockerfile", "Dockerfile", lambda p: f"FROM python:3.13\nENV {p.env}={p.key}\n"),
    Context(
        "Compose",
        "docker-compose.yml",
        lambda p: f"services:\n  app:\n    image: app\n    environment:\n      - {p.env}={p.key}\n",
    ),
    Context("YAML", "config.yaml", lambda p: f"{p.word}:\n  base_url: {p.base_url}\n  api_key: {p.key}\n"),
    Context("JSON", "config.json", lambda p: json.dumps({"env": {p.env: p.key}}, indent=2) + "\n"),
    Context("TOML", "config.toml", lambda p: f'[{p.word}]\nbase_url = "{p.base_url}"\napi_key = "{p.key}"\n'),
    Context("INI", "config.ini", lambda p: f"[keys]\n{p.env} = {p.key}\n"),
    Context("JavaScript", "app.js", lambda p: f'const {p.camel} = "{p.key}";\nconsole.log(1);\n'),
    Context(
        "Markdown: curl",
        "README.md",
        lambda p: f'# Use\n\n```bash\ncurl https://{p.host}/v1/models \\\n  -H "{_curl(p)}"\n```\n',
    ),
    Context("notebook", "first.ipynb", _notebook),
    Context("a bare line", "notes.txt", lambda p: f"remember to renew this one\n{p.key}\n", tells=False),
)


def _curl(place: Place) -> str:
    """The header as curl takes it."""
    name, value = (part.strip().strip('"') for part in place.header.split(": ", 1))
    return f"{name}: {value}"


def cases(catalogue: Catalogue) -> Iterator[Case]:
    """Every published key of every curated provider in every context that can tell; unpublished forms apart."""
    for provider in catalogue.providers.values():
        if not provider.curated:
            continue
        shapes = [shape for shape in provider.shapes if shape.secret and not shape.malformed]
        for shape in shapes:
            for context in CONTEXTS:
                key = _key(shape, context.name)
                if re.search(r"[\"'\s\\{}]", key):
                    break  # a document that holds a key, not a key
                # `AIza…` is public by design in Firebase and Maps: alone it tells nothing either.
                if context.tells or not (shape.needs_context or shape.often_public):
                    yield _case(provider, shape.id, context, key, published=True)
        if not provider.shapes:
            for context in CONTEXTS:
                if context.tells:
                    key = make(UNPUBLISHED, f"{provider.id} {context.name}")
                    yield _case(provider, f"{provider.id}/unpublished", context, key, published=False)


def _key(shape: KeyShape, seed: str) -> str:
    """A key of a length the platform hands out: a pattern alone may allow any."""
    tries = (make(shape.id, f"accuracy {seed} {number}") for number in range(50))
    return next(key for key in tries if shape.max_length is None or len(key) <= shape.max_length)


def _case(provider: Provider, shape: str, context: Context, key: str, *, published: bool) -> Case:
    place = _place(provider, key)
    text = context.write(place)
    head, tail = place.halves
    lines = text.split("\n")
    standing = [number for number, line in enumerate(lines, 1) if key in line or head in line or tail in line]
    return Case(provider.id, shape, context.name, context.file, text, range(standing[0], standing[-1] + 1), published)


def _place(provider: Provider, key: str) -> Place:
    word = re.sub(r"\W", "", next((word for word in provider.words if word.isascii()), provider.id)).lower()
    urls = provider.base_urls
    url = urls.get("openai") or next(iter(urls.values()), ())
    host = _filled(next(iter((*provider.hosts, *map(_example, provider.host_patterns))), "api.example.com"))
    base_url = _filled(url[0]) if url else f"https://{host}/v1"
    scheme = f"{provider.auth.scheme} " if provider.auth.scheme and provider.auth.scheme != "Basic" else ""
    header = f'"{provider.auth.header}": "{scheme}{key}"'
    env = next(iter(provider.env), f"{word.upper()}_API_KEY")
    return Place(key, env, host, base_url, header, word)


def _filled(url: str) -> str:
    """Put names into `{region}` and the like."""
    return re.sub(r"\{[a-z_]+\}", "demo-1", url)


def _example(pattern: str) -> str:
    """A host that a host pattern takes: its optional groups left out, its classes spelled."""
    text = re.sub(r"\(\?:[^()]*\)[?*]", "", pattern)
    text = re.sub(r"\[[^\]]*\][+*]", "demo-1", text)
    return text.replace("\\", "")
