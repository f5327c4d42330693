"""Asks the packages what the catalogue claims: one process for each environment of SDKs, once a session."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from keyguard.catalogue import load
from tests.keys import make

ROOT = Path(__file__).resolve().parents[2]
SDKS = load().sdks
# The groups of pyproject.toml and the SDKs that each has.
GROUPS = {
    "sdks": (
        "anthropic",
        "cerebras",
        "cohere",
        "dashscope",
        "google-genai",
        "groq",
        "huggingface_hub",
        "mistralai",
        "ollama",
        "openai",
        "openrouter",
        "perplexity",
        "replicate",
        "together",
        "zai-sdk",
    ),
    "sdks-frameworks": (
        "instructor",
        "langchain-anthropic",
        "langchain-deepseek",
        "langchain-google-genai",
        "langchain-openai",
        "litellm",
        "llama-index-llms-google-genai",
        "llama-index-llms-openai",
        "openai-agents",
        "smolagents",
    ),
    "sdks-clouds": ("azure-ai-inference", "fireworks", "guidance", "pydantic-ai", "tencentcloud-hunyuan", "xai-sdk"),
    "sdks-vendors": ("ag2", "autogen-ext", "google-generativeai", "qianfan", "volcengine-ark", "zhipuai"),
    "sdks-community": ("langchain-community", "llama-index-others"),
    "sdks-dspy": ("dspy",),
    "sdks-crewai": ("crewai",),
}
# Older majors, in an environment of their own: what `Sdk.at` gives for these versions.
OLD = {
    "anthropic": "0.125.0",
    "cohere": "5.21.1",
    "google-genai": "2.34.0",
    "mistralai": "1.12.4",
    "openai": "0.28.1",
    "openrouter": "0.10.8",
    "together": "1.6.0",
}
# How a client of an older major is made, where not as today; no call is made with what has no client.
OLD_MADE = {"mistralai": "mistralai.Mistral"}
NO_CLIENT = {"openai"}
GROUP_OF = {sdk: group for group, sdks in GROUPS.items() for sdk in sdks}
# Keys whose form a client looks at before it sends them.
_SHAPES = {"zai-sdk": "zhipu", "zhipuai": "zhipu"}


def interpreter(group: str) -> Path:
    """The Python of an environment, whether it was made or not."""
    folder = ROOT / f".venv-{group}"
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def answers_of(sdk: str) -> dict[str, Any]:
    """What the package of an SDK answered; skips when its environment was not made."""
    group = GROUP_OF[sdk]
    found = answers(group)
    assert sdk in found["sdks"], f"{sdk} is not installed in .venv-{group}"
    answer: dict[str, Any] = found["sdks"][sdk]
    assert "failed" not in answer, answer["failed"]
    return answer


def answers(group: str) -> dict[str, Any]:
    """Everything that the packages of one environment answered."""
    if not (ROOT / f".venv-{group}" / ".made").is_file():
        how = ".ci/setup dev could not make it" if group == "sdks" else "make sdks makes it"
        pytest.skip(f"no environment .venv-{group}: {how}")
    return _ask(group)


@functools.cache
def _ask(group: str) -> dict[str, Any]:
    sdks = GROUPS.get(group, tuple(OLD))
    asked = {
        "sdks": {name: _claims(name, old=group not in GROUPS) for name in sdks},
        "keys": {name: make(_SHAPES.get(name, "openai")) for name in sdks},
        "variables": {
            name: {variable: make(_SHAPES.get(name, "openai"), variable) for variable in _variables(name)}
            for name in sdks
        },
        "http": group == "sdks",
    }
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
    run = subprocess.run(
        [interpreter(group), Path(__file__).with_name("probe.py")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,  # ten times what it takes on two free cores
        # No variable, proxy or configuration of the person who runs the tests comes in.
        env={"HOME": str(ROOT / f".venv-{group}"), **{name: os.environ[name] for name in kept if name in os.environ}},
    )
    assert run.returncode == 0, run.stderr[-3000:]
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def _variables(name: str) -> tuple[str, ...]:
    return (*SDKS[name].env, *SDKS[name].env_fallback)


def _plain(value: Any) -> Any:  # noqa: ANN401  # JSON
    """A record of the catalogue with all it holds as plain data."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {field: _plain(held) for field, held in value._asdict().items()}
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return {key: _plain(held) for key, held in value.items()} if isinstance(value, Mapping) else value


def _claims(name: str, *, old: bool) -> dict[str, Any]:
    sdk = SDKS[name].at(OLD[name]) if old else SDKS[name]
    plain = _plain(sdk)
    named = set() if old else {item.name for item in (*sdk.constructors, *sdk.calls)}
    kept = ("package", "base_url_params", "key_params", "env", "env_fallback", "timeout", "retry", "methods", "errors")
    return {
        **{key: plain[key] for key in kept},
        **({"methods": ()} if old and name in NO_CLIENT else {}),
        "made": OLD_MADE.get(name, "") if old else "",
        "errors": {kind: names for kind, names in plain["errors"].items() if isinstance(names, (list, tuple))},
        "routes": [route.prefix for route in sdk.routes if route.attempts is not None],
        "names": sorted(named | set(sdk.errors.names)),
        "constructors": [] if old else sorted(item.name for item in sdk.constructors),
    }
