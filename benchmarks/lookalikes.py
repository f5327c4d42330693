"""Lines that look like keys to a careless scanner and are none: what a finding on any of them would be is noise."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_BASE62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A file full of one kind of line."""

    kind: str
    file: str
    lines: tuple[str, ...]


def lookalikes() -> tuple[Lookalike, ...]:
    """All kinds; the same on every machine."""
    # Not for secrecy: the same lines everywhere.
    rng = random.Random("keyguard lookalikes")  # noqa: S311  # nothing here is secret
    return (
        _css(rng),
        _sklearn(),
        _slugs(rng),
        _hashes(rng),
        _checksums(rng),
        _uuids(rng),
        _models(),
        *_placeholders(),
        _masked(),
        _patterns(),
        _images(rng),
        _bundle(rng),
        _package_lock(rng),
        _poetry_lock(rng),
        _ssh(rng),
        _references(),
        _ordinary(),
    )


def _words(rng: random.Random, count: int) -> list[str]:
    return ["".join(rng.choice(_LETTERS) for _ in range(rng.randint(3, 9))) for _ in range(count)]


def _hex(rng: random.Random, length: int) -> str:
    return rng.randbytes(length // 2).hex()


def _many(count: int, lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for _, line in zip(range(count), lines, strict=False))


def _css(rng: random.Random) -> Lookalike:
    shown = [f".sk-{'-'.join(_words(rng, rng.randint(2, 6)))} {{ margin: 0 }}" for _ in range(10)]
    shown += [
        f".{kind}-{_hex(rng, 32)} {{ color: #{_hex(rng, 6)} }}" for kind in ("task", "risk", "mask", "disk", "css")
    ]
    shown += [f"#gsk_{'_'.join(_words(rng, 7))} {{ top: 0 }}", ".fadeIn--xai-hover-state-transition-wrapper-inner {}"]
    shown += [
        f".hf_{'_'.join(_words(rng, 6))}:hover {{ left: 0 }}",
        ".r8_layout_grid_column_wrapper_content_box_inner_ {}",
    ]
    return Lookalike("CSS", "style.css", tuple(shown))


def _sklearn() -> Lookalike:
    names = ("estimator-doc-link", "toggleable__content", "parallel-item", "text-repr-fallback", "hidden--visually")
    shown = [
        f'<div class="sk-{name} fitted"><input class="sk-hidden--visually" id="sk-estimator-id-{number}-{name}">'
        for number, name in enumerate(names * 4)
    ]
    return Lookalike("scikit-learn HTML", "model.html", tuple(shown))


def _slugs(rng: random.Random) -> Lookalike:
    shown = [f"- [{' '.join(_words(rng, 3))}](https://example.org/{'-'.join(_words(rng, 8))})" for _ in range(20)]
    shown += [
        f"  see task-{_hex(rng, 32)} and risk-{_hex(rng, 32)}",
        "  the ask-me-anything-about-your-pets-and-plants page",
    ]
    return Lookalike("slugs", "links.md", tuple(shown))


def _hashes(rng: random.Random) -> Lookalike:
    shown = [f'COMMIT_{number} = "{_hex(rng, 40)}"' for number in range(8)]
    shown += [f'MD5_OF_{number} = "{_hex(rng, 32)}"' for number in range(8)]
    shown += [f'assert digest(data[{number}]) == "{_hex(rng, 64)}"' for number in range(8)]
    shown += [f'cache_key = "{_hex(rng, 32)}"', f'etag = "{_hex(rng, 32)}"', f'content_hash = "{_hex(rng, 64)}"']
    return Lookalike("hashes in Python", "hashes.py", tuple(shown))


def _checksums(rng: random.Random) -> Lookalike:
    shown = [f"{_hex(rng, 64)}  archive-{number}.tar.gz" for number in range(10)]
    return Lookalike("checksum file", "SHA256SUMS", (*shown, *(f"{_hex(rng, 32)} *disk-{n}.iso" for n in range(6))))


def _uuids(rng: random.Random) -> Lookalike:
    def one() -> str:
        return str(uuid.UUID(bytes=rng.randbytes(16), version=4))

    shown = [f"  - id: {one()}" for _ in range(10)]
    shown += [f"    tenant_id: {one()}", f"    request_id: {one()}", f"    trace: {one()}:{_hex(rng, 16)}"]
    shown += [f"    session: {one().upper()}", f"    nonce: '{one()}'", f"    subscription: {one()}"]
    return Lookalike("UUIDs", "ids.yaml", ("items:", *shown))


def _models() -> Lookalike:
    names = (
        "gpt-5.2-2025-12-11",
        "gemini-3-pro-preview",
        "claude-sonnet-4-5-20250929",
        "deepseek-ai/DeepSeek-V3.2-Exp",
        "Qwen/Qwen3-Coder-480B-A35B-Instruct",
        "us.anthropic.claude-opus-4-1-20250805-v1:0",
        "doubao-seed-1-6-250615",
        "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
        "moonshotai/Kimi-K2-Instruct-0905",
        "glm-4.6-air",
        "accounts/fireworks/models/deepseek-r1-basic",
        "text-embedding-3-large",
        "whisper-large-v3-turbo",
        "nvidia/llama-3.1-nemotron-ultra-253b-v1",
        "openai/gpt-oss-120b",
        "ft:gpt-4o-mini-2024-07-18:org:name:9ABCdefG",
        "hf_hub_download_with_progress_bar_enabled",
        "gsk_dummy",
        "sk-learn-compatible-estimator-with-early-stopping",
        "projects/my-project/locations/us-central1/publishers/google/models/gemini-3-pro",
    )
    return Lookalike("model names", "models.py", ("MODELS = [", *(f'    "{name}",' for name in names), "]"))


def _placeholders() -> tuple[Lookalike, ...]:
    texts = (
        "your-api-key-here",
        "YOUR_API_KEY",
        "<your key>",
        "sk-...",
        "sk-" + "x" * 32,
        "changeme",
        "sk-your-openai-api-key-goes-here",
        "sk-proj-" + "x" * 44,
        "${OPENAI_API_KEY}",
        "{{ openai_api_key }}",
        "$(cat key.txt)",
        "%OPENAI_API_KEY%",
        "sk-ant-api03-...",
        "AIzaSy...",
        "hf_xxxxxxxxxxxxxxx",
        "REPLACE_ME",
        "none",
        "sk-" + "1234567890abcdef" * 2,
        "sk-" + "0" * 32,
        "paste key here",
        "你的API密钥",
        "请在此填写你的密钥",
        "sk-你的密钥",
        "在这里输入您的 API Key",
        "替换为你的密钥",
        "あなたのAPIキー",
        "ここにAPIキーを入力",
        "여기에 API 키를 입력하세요",
        "당신의_API_키",
        "tu-clave-de-api-aqui",
        "tu_api_key",
        "ihr-api-schluessel",
        "dein-api-key-hier",
        "votre-cle-api-ici",
        "votre_cle_api",
        "ваш-ключ-api",
        "вставьте_ключ_сюда",
        "sua-chave-de-api-aqui",
    )
    python = tuple(f'client = OpenAI(api_key="{text}")' for text in texts if text.isascii() and "{" not in text)
    return (
        Lookalike("placeholders in .env", ".env.example", tuple(f"OPENAI_API_KEY={text}" for text in texts)),
        Lookalike("placeholders in YAML", "values.yaml", tuple(f'api_key: "{text}"' for text in texts)),
        Lookalike("placeholders in shell", "setup.sh", tuple(f'export GEMINI_API_KEY="{text}"' for text in texts[:20])),
        # Rule KG204 will say that these are still to be filled in; no key leaks.
        Lookalike("placeholders in Python", "example.py", ("from openai import OpenAI", *python)),
    )


def _masked() -> Lookalike:
    forms = (
        "sk-proj-abc…wxyz",
        "sk-****************************abcd",
        "sk-ant-api03-••••••••••••••••",
        "AIza***********************",
        "sk-12...cdef",
        "gsk_****",
        "hf_…",
        "sk-ab**************************cd",
        "xai-█████████████",
        "sk-proj-[REDACTED]",
        "sk-<redacted>",
        "Bearer ***",
        "sk-xxxx...xxxx (48 characters)",
        "pplx-************************************************",
    )
    return Lookalike("masked keys", "log.txt", tuple(f"2026-01-01 12:00:00 INFO using key {form}" for form in forms))


def _patterns() -> Lookalike:
    shown = (
        r"OPENAI = re.compile(r'sk-(?:proj-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}')",
        r"ANTHROPIC = re.compile(r'sk-ant-api03-[\w-]{93}AA')",
        r"GOOGLE = re.compile(r'AIza[0-9A-Za-z_-]{35}')",
        r"GROQ = r'gsk_[A-Za-z0-9]{52}'",
        r"HF = r'\bhf_[A-Za-z]{34}\b'",
        r"DEEPSEEK = '^sk-[0-9a-f]{32}$'",
        r"XAI = 'xai-[A-Za-z0-9]{80}'",
        r"REPLICATE = 'r8_[A-Za-z0-9]{37}'",
        r"AWS = r'(?:AKIA|ASIA)[A-Z2-7]{16}'",
        r"ANY = 'sk-[A-Za-z0-9]{48}|sk-or-v1-[0-9a-f]{64}|pplx-[a-zA-Z0-9]{48}'",
        'ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"',
        'DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"',
        'if key.startswith("sk-ant-") or key.startswith("sk-proj-"):',
        'PREFIXES = ("sk-", "sk-ant-api03-", "gsk_", "hf_", "xai-", "AIza", "pplx-", "r8_", "nvapi-")',
    )
    return Lookalike("patterns and alphabets", "patterns.py", ("import re", *shown))


def _images(rng: random.Random) -> Lookalike:
    def image(size: int) -> str:
        return base64.b64encode(b"\x89PNG\r\n\x1a\n" + rng.randbytes(size)).decode()

    shown = [f'<img alt="{number}" src="data:image/png;base64,{image(400 + number * 50)}">' for number in range(15)]
    return Lookalike("base64 images", "page.html", tuple(shown))


def _bundle(rng: random.Random) -> Lookalike:
    def token() -> str:
        return "".join(rng.choice(_BASE62) for _ in range(rng.randint(2, 30)))

    shown = []
    for _ in range(8):
        calls = "".join(f"function {token()[:3]}(e,t){{return e.{token()}(t,{_hex(rng, 4)})}}" for _ in range(40))
        data = base64.b64encode(rng.randbytes(60)).decode()
        shown.append(f'!function(){{"use strict";{calls}var s="{_hex(rng, 20)}",c="{data}"}}();')
    return Lookalike("minified bundle", "app.min.js", tuple(shown))


def _package_lock(rng: random.Random) -> Lookalike:
    shown = []
    for number in range(20):
        digest = base64.b64encode(hashlib.sha512(rng.randbytes(8)).digest()).decode()
        entry = {"version": f"1.{number}.0", "integrity": f"sha512-{digest}"}
        shown.append(f'    "node_modules/a{number}": {json.dumps(entry)},')
    return Lookalike("package-lock.json", "package-lock.json", ('{ "packages": {', *shown, '    "": {} } }'))


def _poetry_lock(rng: random.Random) -> Lookalike:
    shown = [f'    {{file = "a-{number}.whl", hash = "sha256:{_hex(rng, 64)}"}},' for number in range(15)]
    shown += [f'content-hash = "{_hex(rng, 64)}"', f'resolved_reference = "{_hex(rng, 40)}"']
    return Lookalike("poetry.lock", "poetry.lock", ("files = [", *shown[:15], "]", *shown[15:]))


def _ssh(rng: random.Random) -> Lookalike:
    def public(kind: str, size: int) -> str:
        body = base64.b64encode(bytes(3) + rng.randbytes(size)).decode()
        return f"{kind} {body} person@example.org"

    shown = [public("sk-ssh-ed25519@openssh.com", 60), public("ssh-ed25519", 48), public("ssh-rsa", 270)]
    shown += [
        public("sk-ecdsa-sha2-nistp256@openssh.com", 90),
        f"|1|{base64.b64encode(rng.randbytes(20)).decode()}|x= ssh-rsa A",
    ]
    shown += [f"SHA256:{base64.b64encode(rng.randbytes(32)).decode().rstrip('=')} host{number}" for number in range(8)]
    return Lookalike("public SSH keys", "authorized_keys", tuple(shown))


def _references() -> Lookalike:
    shown = (
        'api_key = os.environ["OPENAI_API_KEY"]',
        'api_key = os.getenv("DEEPSEEK_API_KEY", "")',
        'client = OpenAI(api_key=os.environ.get("OPENAI_API_KEY"))',
        'client = OpenAI(api_key=config["openai"]["api_key"])',
        "client = OpenAI(api_key=settings.openai_api_key.get_secret_value())",
        'key = keyring.get_password("openai", "me")',
        'key = getpass.getpass("OpenAI API key: ")',
        'API_KEY_NAME = "OPENAI_API_KEY"',
        'KEY_FILE = "/run/secrets/openai_api_key"',
        'secret = client.access_secret_version(name="projects/1/secrets/openai-api-key/versions/latest")',
        'raise ValueError("OPENAI_API_KEY is not set; get a key at https://platform.openai.com/api-keys")',
        'print("using key", key[:4] + "…")',
        'parser.add_argument("--api-key", default=None, help="your key, such as sk-...")',
        'headers = {"Authorization": f"Bearer {api_key}"}',
        'local = OpenAI(base_url="http://localhost:11434/v1", api_key="ollama")',
        'vllm = OpenAI(base_url="http://localhost:8000/v1", api_key="EMPTY")',
        'proxy = OpenAI(base_url="http://127.0.0.1:1234/v1", api_key="lm-studio")',
    )
    return Lookalike("keys that are read, not written", "read.py", ("import os, keyring, getpass", *shown))


def _ordinary() -> Lookalike:
    shown = (
        "token_type: bearer",
        "next_token: eyJsaW1pdCI6MTB9",
        "max_tokens: 4096",
        "tokenizer: cl100k_base",
        "primary_key: user_id",
        "foreign_key: accounts.account_identifier_reference",
        "public_key_path: ~/.ssh/id_ed25519.pub",
        "key: ctrl+shift+alt+p",
        "sort_key: created_at_descending_then_name",
        "partition_key: tenant#2026#region#eu-central-1",
        "secret_name: prod/openai/api-key",
        "password_policy: at-least-twelve-characters",
        "author: Monkeypatch Keyes",
        "ssh_key_fingerprint: MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
        "api_version: 2026-02-15-preview",
        "cache_key: v3-linux-node-20-npm-lockfile",
        "ga_measurement_id: G-ABCDEF1234",
        "sentry_release: app@2026.1.0+build.55",
    )
    return Lookalike("ordinary settings", "app.yaml", shown)
