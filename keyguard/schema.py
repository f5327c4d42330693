"""Reads the TOML files of `rules/` and checks every key and value; imported only when no cache is fresh."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from keyguard.catalogue import CatalogueError
from keyguard.knowledge import REACHES
from keyguard.leaks import VERDICTS
from keyguard.secrets import structure
from keyguard.triggers import patterns
from keyguard.typed import TYPE_CHECKING

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from keyguard.catalogue import Known, Own

KINDS = (
    "vendor",
    "cloud",
    "aggregator",
    "gateway",
    "relay",
    "local",
    "embedding",
    "search",
    "speech",
    "vector_db",
    "observability",
    "tooling",
)
LEVELS = ("low", "medium", "high")

Problem = tuple[str, str]  # key path, what is wrong with it


@dataclass(frozen=True, slots=True)
class _Field:
    """What may stand at a key: `kind` is a type's name, a table's keys in `keys`, allowed texts in `choices`."""

    kind: str
    required: bool = False
    keys: Mapping[str, _Field] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    check: Callable[[Any], str | None] | None = None


_EXPECTED = {
    "text": "text",
    "bool": "true or false",
    "int": "a whole number",
    "number": "a number",
    "texts": "a list of texts",
    "ints": "a list of whole numbers",
    "table": "a table",
    "tables": "a list of tables",
    "map": "a table of texts",
    "lists": "a table of lists of texts",
    "named": "a table of tables",
    "any": "a table",
}


def _pattern(value: str) -> str | None:
    try:
        re.compile(value)
    except re.error as error:
        return f"no valid regular expression: {error}"
    try:
        import re2  # noqa: PLC0415  # 9 ms, and only while rules are compiled
    except ImportError:  # pragma: no cover  # a dependency of keyguard, but the rules can be read without it
        return None
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(value, options)
    except re2.error as error:
        return f"no RE2 expression: {error}"
    return None


def _patterns(values: list[str]) -> str | None:
    for value in values:
        problem = _pattern(value)
        if problem:
            return f"{value!r} is {problem}"
    return None


def _one_pattern(value: str) -> str | None:
    problem = _pattern(value)
    return f"is {problem}" if problem else None


def _env_names(values: list[str]) -> str | None:
    for value in values:
        if not re.fullmatch(r"[A-Z0-9_]+", value):
            return f"{value!r} is no name of an environment variable: upper-case letters, digits and _"
    return None


def _python(value: str) -> str | None:
    import ast  # noqa: PLC0415  # only while rules are compiled

    try:
        ast.parse(value)
    except SyntaxError as error:
        return f"is no Python: {error.msg}"
    return None


def _expression(value: str) -> str | None:
    """Of what a fix writes: it stands in the place of a literal, so nothing around it may bind tighter."""
    if "'" in value or "\\" in value or not value.endswith((")", "]", ".NAME")) or value.startswith(("(", "[")):
        return "must be a name, call or subscript, with double quotes and without a backslash"
    return _python(value)


def _imports(values: list[str]) -> str | None:
    for value in values:
        if not re.fullmatch(r"import [\w.]+( as \w+)?|from [\w.]+ import \w+", value):
            return f"{value!r} must be `import a`, `import a as b` or `from a import b`"
    return None


def _lower(values: list[str]) -> str | None:
    for value in values:
        if value != value.lower() or not value.strip():
            return f"{value!r} must be in lower case"
    return None


def _hosts(values: list[str]) -> str | None:
    for value in values:
        if not re.fullmatch(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?", value):
            return f"{value!r} is no host: lower case, no scheme, no path"
    return None


def _urls(values: dict[str, list[str]]) -> str | None:
    for urls in values.values():
        for url in urls:
            if not url.startswith(("https://", "http://")):
                return f"{url!r} is no URL"
    return None


def _web(value: str) -> str | None:
    """Of a page for a person, or a request that needs nothing filled in."""
    return _asked(value) or (f"{value!r} must be whole, without braces" if "{" in value else None)


def _asked(value: str) -> str | None:
    """Of a URL that a key is sent to: a name in braces may stand for the host, and nothing for the key."""
    if not re.fullmatch(r"https://(?:[a-z0-9-]+|\{[a-z]+\})(?:\.[a-z0-9-]+)*(?:/[!-z|~]*)?", value):
        return f"{value!r} is no https:// URL with a plain host, or holds braces: URLs end up in logs"
    return None


def _all_asked(values: list[str]) -> str | None:
    return next(filter(None, map(_web, values)), None)


def _reaches(values: list[str]) -> str | None:
    for value in values:
        if value not in REACHES:
            return f"{value!r} is nothing that a key opens{_closest(value, REACHES)}"
    return None


def _reason(value: str) -> str | None:
    """Of why an answer means what it means: a text says it."""
    from keyguard.lang.verify import ENTRIES  # noqa: PLC0415  # only while rules are compiled

    known = [name.removeprefix("why.") for name in ENTRIES["en"] if name.startswith("why.")]
    return None if value in known else f"{value!r} has no text{_closest(value, known)}"


def _sha256(value: str) -> str | None:
    return None if re.fullmatch(r"[0-9a-f]{64}", value) else "must be a SHA-256 in lower-case hexadecimal"


def _dotted(values: list[str]) -> str | None:
    for value in values:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*", value):
            return f"{value!r} is no dotted Python name"
    return None


def _modules(values: list[str]) -> str | None:
    return _dotted(values)


_TEXT = _Field("text")
_NEED = _Field("text", required=True)
_BOOL = _Field("bool")
_INT = _Field("int")
_TEXTS = _Field("texts")
_INTS = _Field("ints")
_NUMBER = _Field("number")
_NAMES = _Field("texts", check=_dotted)
_ENV = _Field("texts", check=_env_names)
_LOWER = _Field("texts", check=_lower)
_HOSTS = _Field("texts", check=_hosts)
_WEB = _Field("text", check=_web)
_PATTERNS = _Field("texts", check=_patterns)


def _choice(*choices: str, required: bool = False) -> _Field:
    return _Field("text", required=required, choices=choices)


_KEY = {
    "name": _NEED,
    "pattern": _Field("text", required=True, check=_one_pattern),
    "prefixes": _TEXTS,
    "infixes": _TEXTS,
    "min_length": _INT,
    "max_length": _INT,
    "charset": _TEXT,
    "test": _Field("text", choices=tuple(structure.TESTS)),
    "test_args": _Field("any"),
    "test_means": _choice("proves", "excludes", "decides"),
    "needs_context": _BOOL,
    "confidence": _choice(*LEVELS, required=True),
    "secret": _BOOL,
    "malformed": _BOOL,
    "retired": _BOOL,
    "often_public": _BOOL,
    "manages": _BOOL,
    "endpoints": _TEXTS,
    "verify_url": _WEB,
    "unasked": _BOOL,
    "reach": _Field("texts", check=_reaches),
}
_MEANINGS = _Field(
    "tables",
    keys={
        "statuses": _INTS,
        "pattern": _Field("text", check=_one_pattern),
        "state": _choice(*VERDICTS, required=True),
        "why": _Field("text", required=True, check=_reason),
    },
)
_PROVIDER = {
    "id": _NEED,
    "name": _NEED,
    "name_zh": _TEXT,
    "kind": _choice(*KINDS, required=True),
    "aggregator": _BOOL,
    "words": _LOWER,
    "console_url": _WEB,
    "usage_url": _WEB,
    "limits_url": _WEB,
    "revoke_url": _WEB,
    "reach": _Field("texts", check=_reaches),
    "models_tell": _BOOL,
    "env": _ENV,
    "env_admin": _ENV,
    "env_other": _ENV,
    "env_base_url": _ENV,
    "env_reused": _ENV,
    "hosts": _HOSTS,
    "host_patterns": _PATTERNS,
    "more_hosts": _HOSTS,
    "required_path": _TEXT,
    "base_urls": _Field("lists", check=_urls),
    "auth": _Field(
        "table",
        keys={"header": _NEED, "scheme": _NEED, "alternatives": _TEXTS, "query": _TEXTS, "extra": _Field("map")},
    ),
    "models": _Field(
        "table",
        keys={
            "closed": _TEXTS,
            "open": _TEXTS,
            "also": _TEXTS,
            "serves": _TEXTS,
            "id_form": _choice("bare", "vendor/model", "deployment", "alias", "path"),
        },
    ),
    "verify": _Field(
        "table",
        keys={
            "method": _choice("GET", "POST", "HEAD", required=True),
            "url": _Field("text", required=True, check=_asked),
            "headers": _Field("map", required=True),
            "valid": _Field("ints", required=True),
            "invalid": _Field("ints", required=True),
            "restricted": _INTS,
            "body": _TEXT,
            "expects": _Field("text", check=_one_pattern),
            "elsewhere": _Field("texts", check=_all_asked),
            "apart": _HOSTS,
            "control": _BOOL,
            "limits": _TEXTS,
            "answer": _MEANINGS,
        },
    ),
    "key": _Field("tables", keys=_KEY),
}
_TIMEOUT = _Field(
    "table",
    keys={
        "params": _TEXTS,
        "call_params": _TEXTS,
        "settings": _NAMES,
        "env": _ENV,
        "unit": _choice("s", "ms"),
        "default": _NUMBER,
        "endless": _BOOL,
        "none": _choice("endless", "default", "error"),
        "call_none": _choice("endless", "default", "client", "error"),
        "endless_calls": _TEXTS,
        "zero": _BOOL,
        "remedy": _TEXT,
        "needs": _NAMES,
        "since": _TEXT,
        "beside": _Field("table", keys={"package": _NEED, "below": _NEED, "default": _NUMBER}),
    },
)
_RETRY = _Field(
    "table",
    keys={
        "params": _TEXTS,
        "call_params": _TEXTS,
        "settings": _NAMES,
        "env": _ENV,
        "counts": _choice("retries", "attempts", "time"),
        "attempts": _INT,
        "on": _TEXTS,
        "backoff": _BOOL,
        "none": _choice("default", "off", "error"),
        "never": _TEXTS,
        "own": _Field("table", keys={"methods": _Field("texts", required=True), "attempts": _INT, "on": _TEXTS}),
        "remedy": _TEXT,
        "needs": _NAMES,
        "since": _TEXT,
    },
)
_ERRORS = _Field(
    "table",
    keys={
        **dict.fromkeys(("base", "rate_limit", "timeout", "auth", "connection", "server", "other"), _NAMES),
        "silent": _BOOL,
    },
)
_REMOVED = _Field(
    "tables",
    keys={
        "name": _TEXT,
        "setting": _TEXT,
        "param": _TEXT,
        "of": _NAMES,
        "package": _TEXT,
        "since": _NEED,
        "effect": _choice("raises", "ignored", required=True),
        "instead": _TEXT,
        "instead_zh": _TEXT,
        "end_of_life": _BOOL,
        "rename": _TEXT,
        "factor": _INT,
        "ending": _TEXT,
    },
)
_PATH = _Field(
    "table",
    keys={
        "appended": _TEXT,
        "version": _choice("needed", "added"),
        "doubled": _TEXTS,
        "scheme": _BOOL,
        "bare": _BOOL,
        "slash": _BOOL,
        "slash_settings": _NAMES,
        "params": _TEXTS,
        "version_params": _TEXTS,
        "empty": _choice("default", "fails"),
    },
)
_MADE = {
    "name": _NEED,
    "sends": _BOOL,
    "is_async": _BOOL,
    "provider": _TEXT,
    "key_params": _TEXTS,
    "key_position": _INT,
    "base_url_params": _TEXTS,
    "model_params": _TEXTS,
    "model_position": _INT,
    "timeout": _TIMEOUT,
    "retry": _RETRY,
    "path": _PATH,
}
_CONSTRUCTOR = {
    **_MADE,
    "base_url_position": _INT,
    "env": _ENV,
    "env_base_url": _ENV,
    "base_url_default": _TEXT,
    "methods": _TEXTS,
    "missing_key": _choice("raises", "anonymous", "fallback"),
    "client_params": _TEXTS,
    "client_position": _INT,
}
_CALL = _MADE
_SDK = {
    "id": _NEED,
    "package": _NEED,
    "version": _TEXT,
    "verified": _TEXT,
    "imports": _Field("texts", required=True, check=_modules),
    "provider": _TEXT,
    "key_params": _TEXTS,
    "key_position": _INT,
    "base_url_params": _TEXTS,
    "base_url_position": _INT,
    "header_params": _TEXTS,
    "http_params": _TEXTS,
    "verify_params": _TEXTS,
    "settings": _NAMES,
    "base_url_settings": _NAMES,
    "env": _ENV,
    "env_base_url": _ENV,
    "base_url_default": _TEXT,
    "hosts": _HOSTS,
    "header": _TEXT,
    "methods": _TEXTS,
    "distinctive": _TEXTS,
    "async_methods": _TEXTS,
    "derive": _TEXTS,
    "model_params": _TEXTS,
    "model_position": _INT,
    "payload_params": _TEXTS,
    "stream_params": _TEXTS,
    "missing_key": _choice("raises", "anonymous", "fallback"),
    "empty_key": _choice("raises", "fails"),
    "forgives": _TEXTS,
    "env_fallback": _ENV,
    "env_at_import": _ENV,
    "closed_unheld": _BOOL,
    "routes_of": _TEXT,
    "timeout": _TIMEOUT,
    "retry": _RETRY,
    "path": _PATH,
    "errors": _ERRORS,
    "constructor": _Field("tables", keys=_CONSTRUCTOR),
    "route": _Field(
        "tables",
        keys={
            "prefix": _NEED,
            "provider": _TEXT,
            "env": _ENV,
            "env_base_url": _ENV,
            "base_url_default": _TEXT,
            "attempts": _INT,
        },
    ),
    "call": _Field("tables", keys=_CALL),
    "removed": _REMOVED,
    "major": _Field(
        "tables",
        keys={
            "below": _NEED,
            "timeout": _TIMEOUT,
            "retry": _RETRY,
            "path": _PATH,
            "errors": _ERRORS,
            "base_url_default": _TEXT,
            "env": _ENV,
        },
    ),
}
_DOCS = {
    "what": _NEED,
    "why": _NEED,
    "fix_safety": _TEXT,
    "options": _TEXTS,
    "references": _TEXTS,
}
_WORDING = {"message": _TEXT, "message_zh": _TEXT, "remedy": _TEXT, "remedy_zh": _TEXT}
_RULE = {
    "id": _NEED,
    "name": _NEED,
    "severity": _choice(*LEVELS, required=True),
    "confidence": _choice(*LEVELS, required=True),
    **_WORDING,
    "message": _NEED,
    "message_zh": _NEED,
    "docs": _Field("table", required=True, keys=_DOCS),
    "docs_zh": _Field("table", keys=_DOCS),
    "case": _Field(
        "named", keys={"like": _TEXT, "severity": _choice(*LEVELS), "confidence": _choice(*LEVELS), **_WORDING}
    ),
    "example": _Field(
        "tables",
        keys={
            "source": _NEED,
            "filename": _TEXT,
            "lines": _INTS,
            "messages": _TEXTS,
            "fixed": _TEXT,
            "why": _TEXT,
            "options": _Field("any"),
        },
    ),
}
_RETRY_PARAMS = (
    "methods_of_calls",
    "call_methods",
    "attempts_params",
    "time_params",
    "stop_params",
    "wait_params",
    "delay_params",
    "growth_params",
    "interval_params",
    "catch_params",
    "looks_params",
    "inner_params",
    "methods_params",
    "statuses_params",
)
_RETRY_POSITIONS = tuple(
    f"{name}_position" for name in ("attempts", "stop", "wait", "delay", "growth", "catch", "inner")
)
_RETRY_REMEDIES = tuple(f"remedy_{name}" for name in ("wait", "stop", "catch", "methods", "statuses"))
_FILES: Mapping[str, Mapping[str, _Field]] = {
    "hosts": {"provider": _Field("tables", keys=_PROVIDER)},
    "http": {
        "client": _Field(
            "tables",
            required=True,
            keys={
                "id": _NEED,
                "imports": _Field("texts", required=True, check=_modules),
                "calls": _NAMES,
                "sessions": _NAMES,
                "async_sessions": _NAMES,
                "requests": _NAMES,
                "methods": _TEXTS,
                "prepares": _TEXTS,
                "unbounded": _NAMES,
                "adapters": _NAMES,
                "url_params": _TEXTS,
                "url_position": _INT,
                "url_position_verb": _INT,
                "headers_params": _TEXTS,
                "headers_position": _INT,
                "query_params": _TEXTS,
                "auth_params": _TEXTS,
                "body_params": _TEXTS,
                "base_url_params": _TEXTS,
                "timeout": _TIMEOUT,
                "timeout_position": _INT,
                "retry": _RETRY,
                "errors": _ERRORS,
                "verify_params": _TEXTS,
                "status_raises": _BOOL,
            },
        ),
        "limit": _Field(
            "tables",
            keys={
                "names": _Field("texts", required=True, check=_dotted),
                "params": _Field("texts", required=True),
                "also": _TEXTS,
                "position": _INT,
                "unit": _choice("s", "ms"),
                "default": _NUMBER,
                "zero": _BOOL,
            },
        ),
        "tls": _Field("table", keys={"insecure": _NAMES, "settings": _NAMES, "values": _NAMES, "env": _TEXTS}),
        "global_timeouts": _NAMES,
        "removed": _REMOVED,
        "bounds": _NAMES,
    },
    "retry": {
        "tool": _Field(
            "tables",
            required=True,
            keys={
                "id": _NEED,
                "imports": _Field("texts", required=True, check=_modules),
                "names": _NAMES,
                **dict.fromkeys(_RETRY_PARAMS, _TEXTS),
                **dict.fromkeys(_RETRY_POSITIONS, _INT),
                **dict.fromkeys(_RETRY_REMEDIES, _TEXT),
                "needs": _NAMES,
                "handed": _BOOL,
                "counts": _choice("attempts", "retries"),
                "growth_from": _NUMBER,
                "unit": _choice("s", "ms"),
                "attempts": _INT,
                "is_timed": _BOOL,
                "delay": _choice("none", "fixed", "growing", "unknown"),
                "catches": _choice("all", "transient", "status", "connection", "none"),
                "raised_in": _Field("texts", check=_modules),
                "methods": _TEXTS,
                "statuses": _INTS,
                "kind": _choice("adapter", "transport", "setting"),
            },
        ),
        "part": _Field(
            "tables",
            required=True,
            keys={
                "kind": _choice(
                    "attempts",
                    "time",
                    "never",
                    "none",
                    "fixed",
                    "growing",
                    "errors",
                    "looks",
                    "all",
                    "several",
                    required=True,
                ),
                "names": _Field("texts", required=True, check=_dotted),
                "params": _TEXTS,
                "position": _INT,
                "default": _NUMBER,
            },
        ),
        "attempt_words": _LOWER,
        "helper_words": _LOWER,
        "wait_words": _LOWER,
        "sleeps": _NAMES,
        "exits": _NAMES,
        "input_calls": _NAMES,
        "input_methods": _TEXTS,
        "polling_methods": _TEXTS,
        "status_names": _TEXTS,
        "quota_texts": _LOWER,
        "wait_texts": _LOWER,
        "limiters": _NAMES,
        "own_errors": _TEXTS,
        "foreign_errors": _NAMES,
    },
    "env": {
        "environs": _NAMES,
        "loaders": _NAMES,
        "loading": _Field("table", required=True, keys={"package": _NEED, "function": _NEED}),
        "file_reads": _TEXTS,
        "unwrap_methods": _TEXTS,
        "reader": _Field(
            "tables",
            required=True,
            keys={
                "id": _NEED,
                "kind": _choice("env", "file", "store", "prompt", required=True),
                "imports": _Field("texts", check=_modules),
                "calls": _NAMES,
                "subscripts": _NAMES,
                "instances": _NAMES,
                "methods": _TEXTS,
                "name_position": _INT,
                "name_keywords": _TEXTS,
                "default_position": _INT,
                "default_keywords": _TEXTS,
                "missing": _choice("raises", "none", "empty", "default"),
                "error": _TEXT,
            },
        ),
        "writer": _Field(
            "tables",
            required=True,
            keys={
                "id": _NEED,
                "kind": _choice("env", "file", "store", required=True),
                "imports": _Field("texts", check=_modules),
                "calls": _NAMES,
                "subscripts": _NAMES,
                "methods": _TEXTS,
                "mapping_calls": _NAMES,
                "name_position": _INT,
                "name_keywords": _TEXTS,
                "value_position": _INT,
                "value_keywords": _TEXTS,
            },
        ),
        "settings_class": _Field(
            "tables",
            required=True,
            keys={
                "id": _NEED,
                "bases": _NAMES,
                "decorators": _NAMES,
                "field_calls": _NAMES,
                "default_position": _INT,
                "default_keywords": _TEXTS,
                "env_keywords": _TEXTS,
                "reads_env": _BOOL,
                "factory_keyword": _TEXT,
                "factory_calls": _NAMES,
            },
        ),
        "option": _Field(
            "tables",
            required=True,
            keys={
                "id": _NEED,
                "imports": _Field("texts", check=_modules),
                "calls": _NAMES,
                "methods": _TEXTS,
                "name_positions": _INTS,
                "default_position": _INT,
                "default_keywords": _TEXTS,
                "env_keywords": _TEXTS,
                "rewrite": _choice("optional", "read", "variable", "required", required=True),
                "plain_without": _TEXTS,
            },
        ),
        "form": _Field(
            "tables",
            required=True,
            keys={
                "id": _NEED,
                "place": _NEED,
                "place_zh": _NEED,
                "imports": _Field("texts", required=True, check=_imports),
                "expression": _Field("text", required=True, check=_expression),
                "optional": _Field("text", check=_expression),
                "environment": _BOOL,
                "helper": _Field("text", check=_python),
            },
        ),
        "precedence": _Field("tables", required=True, keys={"wins": _NEED, "over": _NEED, "reader": _NEED}),
    },
    "running": {
        "together": _Field(
            "table",
            required=True,
            keys={
                "gather": _NAMES,
                "spawn": _NAMES,
                "spawn_methods": _TEXTS,
                "hand_methods": _TEXTS,
                "threads": _NAMES,
                "thread_params": _TEXTS,
            },
        ),
        "pool": _Field(
            "tables",
            required=True,
            keys={
                "names": _Field("texts", required=True, check=_dotted),
                "methods": _Field("texts", required=True),
                "params": _TEXTS,
                "position": _INT,
            },
        ),
        "limit": _Field(
            "table",
            required=True,
            keys={
                "names": _NAMES,
                "words": _TEXTS,
                "methods": _TEXTS,
                "batches": _TEXTS,
                "batching": _NAMES,
                "few": _TEXTS,
                "connection_params": _TEXTS,
            },
        ),
        "blocking": _Field("table", required=True, keys={"sleep": _NAMES, "instead": _TEXT}),
        "handler": _Field(
            "table",
            required=True,
            keys={
                "methods": _TEXTS,
                "receivers": _TEXTS,
                "decorators": _TEXTS,
                "bases": _NAMES,
                "base_methods": _TEXTS,
                "takers": _NAMES,
                "taker_params": _TEXTS,
                "taker_position": _INT,
            },
        ),
        "kept": _Field("table", required=True, keys={"decorators": _TEXTS, "words": _TEXTS}),
        "short": _Field(
            "table",
            required=True,
            keys={
                "words": _TEXTS,
                "methods": _TEXTS,
                "measures": _TEXTS,
                "params": _TEXTS,
                "reads": _TEXTS,
                "encoders": _NAMES,
            },
        ),
    },
    "sinks": {
        "sink": _Field(
            "tables",
            required=True,
            keys={
                "id": _NEED,
                "kind": _choice("print", "log", "exception", "trace", "response", "ui", "record", required=True),
                "word": _NEED,
                "word_zh": _NEED,
                "imports": _Field("texts", check=_modules),
                "calls": _NAMES,
                "instances": _NAMES,
                "factories": _NAMES,
                "names": _TEXTS,
                "methods": _TEXTS,
                "raises": _BOOL,
                "returned": _BOOL,
                "keywords": _TEXTS,
                "ignored_keywords": _TEXTS,
            },
        ),
        "mask": _Field(
            "table",
            required=True,
            keys={
                "calls": _Field("texts", required=True),
                "methods": _Field("texts", required=True),
                "words": _Field("texts", required=True, check=_lower),
                "max_slice": _Field("int", required=True),
                "wrappers": _Field("texts", required=True),
            },
        ),
    },
    "placeholders": {
        "values": _Field("texts", required=True),
        "words": _Field("texts", required=True, check=_lower),
        "asks": _Field("texts", required=True, check=_lower),
        "references": _Field("texts", required=True, check=_lower),
        "patterns": _Field("texts", required=True, check=_patterns),
        "fillers": _Field("texts", required=True),
        "local": _Field("tables", required=True, keys={"value": _NEED, "what": _NEED}),
    },
    "public": {
        "key": _Field(
            "tables",
            required=True,
            keys={"sha256": _Field("text", required=True, check=_sha256), "what": _NEED},
        )
    },
    "lookalikes": {
        "lookalike": _Field(
            "tables",
            required=True,
            keys={"id": _NEED, "what": _NEED, "patterns": _PATTERNS, "prefixes": _TEXTS},
        ),
        "host": _Field("tables", required=True, keys={"name": _NEED, "provider": _NEED}),
    },
    "words": {
        "generic": _LOWER,
        "suffixes": _LOWER,
        "not_secret": _LOWER,
        "headers": _LOWER,
        "schemes": _TEXTS,
        "query": _LOWER,
        "browser_prefixes": _TEXTS,
    },
    "verify": {
        "models": _Field("map", required=True),
        "version": _NEED,
        "endings": _Field("texts", required=True),
        "expects": _Field("text", required=True, check=_one_pattern),
        "valid": _Field("ints", required=True),
        "invalid": _Field("ints", required=True),
        "limits": _Field("texts", required=True, check=_lower),
        "refused": _Field("texts", required=True, check=_lower),
        "answer": _MEANINGS,
    },
    "models": {
        "mapped": _Field("texts", required=True),
        "family": _Field(
            "tables",
            required=True,
            keys={
                "id": _NEED,
                "pattern": _Field("text", required=True, check=_one_pattern),
                "owner": _TEXT,
                "open_weights": _BOOL,
                "served_by": _TEXTS,
            },
        ),
    },
}
"""The files that stand once, at the top of the rules folder."""


def read_rules(rules_dir: str) -> dict[str, Any]:
    """Read and check every file under `rules_dir`; gives plain data by section.

    Raises:
        CatalogueError: naming the file, the key and what belongs there.
    """
    root = Path(rules_dir)
    sections: dict[str, Any] = {}
    providers = _folder(root / "providers", _PROVIDER, _provider_problems)
    sdks = _folder(root / "sdks", _SDK, _sdk_problems)
    rules: list[dict[str, Any]] = []
    tops: dict[str, Any] = {}
    for path in sorted(root.glob("*.toml")):
        stem = path.stem
        if re.fullmatch(r"KG\d{3}", stem):
            rules.append(_read(path, _RULE, _rule_problems))
        elif stem in _FILES:
            tops[stem] = _read(path, _FILES[stem], None)
        else:
            msg = f"{path}: no file of the rules is called so{_closest(stem, [*_FILES, 'KG101'])}"
            raise CatalogueError(msg)
    for name in _FILES:
        if name not in tops:
            msg = f"{root / (name + '.toml')}: the file is missing; copy it from keyguard's own rules"
            raise CatalogueError(msg)
    minor = tops.pop("hosts").get("provider", [])
    _check_across(root, providers, minor, sdks)
    for item in minor:
        item["curated"] = False
    for item in (*providers, *minor):
        _fold(item)
    sections["triggers"] = _triggers([*providers, *minor], sdks)
    sections["patterns"] = patterns([*providers, *minor], sdks, tops["http"], _others(tops))
    sections["providers"] = [*providers, *minor]
    sections["sdks"] = sdks
    sections["rules"] = rules
    sections["names"] = {rule["id"]: rule["name"] for rule in rules}
    sections.update(tops)
    return sections


def _fold(provider: dict[str, Any]) -> None:
    """Keep the request that tells whether a key lives as text: every start reads providers, and none asks one."""
    import json  # noqa: PLC0415  # only while rules are compiled

    if "verify" in provider:
        provider["verify"] = json.dumps(provider["verify"], ensure_ascii=False, separators=(",", ":"))


def _others(tops: Mapping[str, Any]) -> set[str]:
    """The functions that rules about connections ask for besides clients and calls."""
    return {*tops["env"].get("loaders", ()), *_of_removed(tops["http"])}


def _of_removed(http: Mapping[str, Any]) -> Iterator[str]:
    """The functions of HTTP libraries that had an argument they have no longer."""
    for item in http.get("removed", ()):
        yield from item.get("of", ())


_WRAPPER = {key: field for key, field in _CONSTRUCTOR.items() if key != "name"} | {"sdk": _NEED}


def own_provider(name: str, data: Mapping[str, Any], known: Known) -> tuple[dict[str, Any], list[Problem]]:
    """Check a provider of a project's own, given as `rules/providers/<name>.toml` would say it; its name is its id."""
    whole = {"id": name, "name": name, **data}
    problems = list(_problems(whole, _PROVIDER, ""))
    if not problems:
        problems = list(_provider_problems(whole, Path(f"{name}.toml")))
    if name in known.providers:
        problems.append(("", "keyguard knows a provider of that id; choose another one"))
    problems += [
        (key, f"{host!r} already belongs to {known.hosts[host]}; trusted-hosts says whom you trust")
        for key in ("hosts", "more_hosts")
        for host in (whole.get(key, ()) if not problems else ())
        if host in known.hosts
    ]
    return whole, problems


def own_wrapper(name: str, data: Mapping[str, Any], known: Known) -> tuple[dict[str, Any], list[Problem]]:
    """Check a function or class of a project's own that gives an SDK's client, as a `[[constructor]]` would say it."""
    problems = list(_problems(data, _WRAPPER, ""))
    if _dotted([name]) or "." not in name:
        problems.append(("", f"{name!r} is no dotted name of a function or class, like 'mylib.client.make'"))
    if name in known.clients:
        problems.append(("", "keyguard knows it already; leave it out"))
    if not problems and data["sdk"] not in known.sdks:
        problems.append(("sdk", f"no SDK {data['sdk']!r}{_closest(data['sdk'], known.sdks)}"))
    return {"name": name, **data}, problems


def with_own(
    providers: list[dict[str, Any]], sdks: list[dict[str, Any]], tops: Mapping[str, Any], own: Own
) -> dict[str, Any]:
    """The parts of a catalogue that a project's own providers and wrappers change."""
    import json  # noqa: PLC0415  # for a project with providers or wrappers of its own

    added = [json.loads(text) for _, text in own.providers]
    for item in added:
        _fold(item)
    everyone = [*added, *providers]
    by_id = {item["id"]: item for item in everyone}
    made: dict[str, list[dict[str, Any]]] = {}
    for _, text in own.wrappers:
        wrapper = json.loads(text)
        sdk = wrapper.pop("sdk")
        made.setdefault(sdk, []).append(_constructor(wrapper, sdk, by_id))
    clients = [
        {**item, "constructor": [*made[item["id"]], *item.get("constructor", [])]} if item["id"] in made else item
        for item in sdks
    ]
    called = sorted({name.rpartition(".")[2] for name, _ in own.wrappers})
    return {
        "triggers": _triggers(everyone, clients),
        "patterns": patterns(everyone, clients, tops["http"], _others(tops), called),
        "providers": everyone,
        "sdks": clients,
    }


def _constructor(wrapper: dict[str, Any], sdk: str, providers: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """A wrapper of another provider's reads that one's variables and talks to that one's host, not to the SDK's own."""
    provider = providers.get(wrapper.get("provider", ""))
    if provider is None:
        return wrapper
    urls = provider.get("base_urls", {})
    first = next((url for name in (sdk, *urls) for url in urls.get(name, ())), "")
    told = {"base_url_default": first, "env": provider.get("env", []), "env_base_url": provider.get("env_base_url", [])}
    return {**told, **wrapper}


def _folder(
    folder: Path, keys: Mapping[str, _Field], extra: Callable[[dict[str, Any], Path], Iterator[Problem]] | None
) -> list[dict[str, Any]]:
    return [_read(path, keys, extra) for path in sorted(folder.glob("*.toml"))]


def _read(
    path: Path, keys: Mapping[str, _Field], extra: Callable[[dict[str, Any], Path], Iterator[Problem]] | None
) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        msg = f"{path}: {error.strerror}; make the rules readable"
        raise CatalogueError(msg) from None
    except UnicodeDecodeError:
        msg = f"{path}: not UTF-8; save it as UTF-8"
        raise CatalogueError(msg) from None
    except tomllib.TOMLDecodeError as error:
        msg = f"{path}: no TOML: {error}"
        raise CatalogueError(msg) from None
    for where, problem in _problems(data, keys, ""):
        msg = f"{path}: {where}: {problem}"
        raise CatalogueError(msg)
    if extra is not None:
        for where, problem in extra(data, path):
            msg = f"{path}: {where}: {problem}"
            raise CatalogueError(msg)
    return data


def _problems(data: Mapping[str, Any], keys: Mapping[str, _Field], at: str) -> Iterator[Problem]:
    for key, value in data.items():
        where = f"{at}{key}"
        if key not in keys:
            yield where, f"unknown key{_closest(key, keys)}"
            continue
        yield from _value_problems(value, keys[key], where)
    for key, spec in keys.items():
        if spec.required and key not in data:
            yield f"{at}{key}", f"missing; it must be {_EXPECTED[spec.kind]}"


def _value_problems(value: object, spec: _Field, where: str) -> Iterator[Problem]:
    if not _is_kind(value, spec.kind):
        yield where, f"must be {_EXPECTED[spec.kind]}, not {_kind_of(value)}"
        return
    if spec.choices and value not in spec.choices:
        yield where, f"{value!r} is not allowed{_closest(str(value), spec.choices)}"
        return
    if spec.check is not None:
        problem = spec.check(value)
        if problem:
            yield where, problem
    if spec.kind == "table" and isinstance(value, dict):
        yield from _problems(value, spec.keys, f"{where}.")
    elif spec.kind == "tables" and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _problems(item, spec.keys, f"{where}[{number}].")
    elif spec.kind == "named" and isinstance(value, dict):
        for name, item in value.items():
            yield from _problems(item, spec.keys, f"{where}.{name}.")


_TYPES: Mapping[str, type | tuple[type, ...]] = {"text": str, "bool": bool, "int": int, "number": (int, float)}
_INNER = {"texts": "text", "ints": "int", "tables": "table", "map": "text", "lists": "texts", "named": "table"}


def _is_kind(value: object, kind: str) -> bool:
    if kind in _TYPES:
        return isinstance(value, _TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))
    inner = _INNER.get(kind, "")
    if kind in {"texts", "ints", "tables"}:
        return isinstance(value, list) and all(_is_kind(item, inner) for item in value)
    return isinstance(value, dict) and (not inner or all(_is_kind(item, inner) for item in value.values()))


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    names = {str: "text", int: "a whole number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), type(value).__name__)


def _closest(name: str, names: Iterable[str]) -> str:
    import difflib  # noqa: PLC0415  # 4 ms for a message that is rarely written

    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else f"; known: {', '.join(sorted(names))}"


def _provider_problems(data: dict[str, Any], path: Path) -> Iterator[Problem]:
    if data["id"] != path.stem:
        yield "id", f"must be {path.stem!r}, the file's name"
    if not re.fullmatch(r"[a-z0-9_]+", data["id"]):
        yield "id", "must be lower-case letters, digits and _"
    names: set[str] = set()
    for number, key in enumerate(data.get("key", [])):
        where = f"key[{number}]."
        if key["name"] in names:
            yield f"{where}name", f"{key['name']!r} stands twice"
        names.add(key["name"])
        yield from _key_problems(key, where)
        if "verify_url" in key and "verify" not in data:
            yield f"{where}verify_url", "needs a [verify] table, whose headers it is sent with"
    yield from _verify_problems(data.get("verify", {}))


def _verify_problems(verify: dict[str, Any]) -> Iterator[Problem]:
    carriers = [*verify.get("headers", {}).values(), verify.get("body", "")]
    if verify and not any("{" in text for text in carriers):
        yield "verify.headers", "nothing holds the key: write {key} where it goes, in a header or the body"
    for number, url in enumerate(verify.get("elsewhere", [])):
        if url == verify["url"]:
            yield f"verify.elsewhere[{number}]", "is the URL itself; leave it out"


def _key_problems(key: dict[str, Any], where: str) -> Iterator[Problem]:
    if ("test" in key) != ("test_means" in key):
        yield f"{where}test_means", "test and test_means belong together"
    if "test" in key:
        problem = structure.check_args(key["test"], key.get("test_args", {}))
        if problem:
            yield f"{where}test_args", problem
    elif "test_args" in key:
        yield f"{where}test_args", "there is no test to give them to"
    if "min_length" in key and "max_length" in key and key["min_length"] > key["max_length"]:
        yield f"{where}max_length", "is below min_length"
    for prefix in key.get("prefixes", []):
        if not prefix:
            yield f"{where}prefixes", "an empty prefix says nothing; leave it out"


def _sdk_problems(data: dict[str, Any], path: Path) -> Iterator[Problem]:
    if data["id"] != path.stem:
        yield "id", f"must be {path.stem!r}, the file's name"
    for kind in ("constructor", "call"):
        for number, item in enumerate(data.get(kind, [])):
            problem = _dotted([item["name"]])
            if problem:
                yield f"{kind}[{number}].name", problem


def _rule_problems(data: dict[str, Any], path: Path) -> Iterator[Problem]:
    if data["id"] != path.stem:
        yield "id", f"must be {path.stem!r}, the file's name"
    if not re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", data["name"]):
        yield "name", "must be lower-case words joined by hyphens"
    cases = data.get("case", {})
    plain = {name for name, case in cases.items() if "like" not in case}
    for name, case in cases.items():
        if "like" in case and case["like"] not in plain:
            yield f"case.{name}.like", f"no case {case['like']!r} with words of its own{_closest(case['like'], plain)}"


def _check_across(
    root: Path, providers: list[dict[str, Any]], minor: list[dict[str, Any]], sdks: list[dict[str, Any]]
) -> None:
    """Hold what no file can tell alone: every id and every host stands once, and SDKs name providers that exist."""
    places: dict[str, str] = {}
    owners: dict[str, str] = {}
    files = [(root / "providers" / f"{item['id']}.toml", item) for item in providers]
    files += [(root / "hosts.toml", item) for item in minor]
    for path, item in files:
        if item["id"] in places:
            msg = f"{path}: id: {item['id']!r} already stands in {places[item['id']]}"
            raise CatalogueError(msg)
        places[item["id"]] = str(path)
        for key in ("hosts", "more_hosts"):
            for host in item.get(key, []):
                if host in owners:
                    msg = f"{path}: {key}: {host!r} already belongs to {owners[host]}"
                    raise CatalogueError(msg)
                owners[host] = str(path)
    for sdk in sdks:
        used = [("provider", sdk.get("provider"))]
        for kind in ("constructor", "call", "route"):
            used += [(f"{kind}[{at}].provider", item.get("provider")) for at, item in enumerate(sdk.get(kind, []))]
        for where, name in used:
            if name is not None and name not in places:
                msg = f"{root / 'sdks' / (sdk['id'] + '.toml')}: {where}: no provider {name!r}{_closest(name, places)}"
                raise CatalogueError(msg)


def _triggers(providers: list[dict[str, Any]], sdks: list[dict[str, Any]]) -> dict[str, list[str]]:
    keys = [key for item in providers for key in item.get("key", [])]
    return {
        "prefixes": sorted({prefix for key in keys for prefix in key.get("prefixes", [])}),
        "infixes": sorted({infix for key in keys for infix in key.get("infixes", [])}),
        "hosts": sorted({host for item in providers for host in (*item.get("hosts", []), *item.get("more_hosts", []))}),
        "env": sorted({name for item in providers for name in item.get("env", [])}),
        "words": sorted({word for item in providers for word in item.get("words", [])}),
        "imports": sorted({name.split(".", 1)[0] for sdk in sdks for name in sdk["imports"]}),
    }
