"""Runs inside an environment of SDKs: asks the packages what the catalogue claims, and answers with one JSON.

It imports nothing but the standard library and the packages. Every request goes to a server of its own on 127.0.0.1,
which answers each path with the status that the path begins with: `/429-7/…` is the seventh client and always gets 429.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import http.server
import importlib
import importlib.metadata
import inspect
import itertools
import json
import logging
import os
import socket
import sys
import threading
import time
import urllib.request
import warnings
from collections import defaultdict
from typing import Any

MESSAGES = [{"role": "user", "content": "hi"}]
HANG = "hang"
HANG_SECONDS = 4.0
LIMIT = 0.2

_seen: dict[str, list[tuple[str, dict[str, str]]]] = defaultdict(list)
_numbers = itertools.count(1)
_limits: list[float | None] = []  # the time limit of every read, as the transport got it


class _Handler(http.server.BaseHTTPRequestHandler):
    def _answer(self) -> None:
        _, _, rest = self.path.partition("/")
        scene, _, path = rest.partition("/")
        _seen[scene].append((f"/{path}", {name.lower(): value for name, value in self.headers.items()}))
        length = int(self.headers.get("content-length") or 0)
        self.rfile.read(length)
        status, _, _ = scene.partition("-")
        if status == HANG:
            threading.Event().wait(HANG_SECONDS)  # `time.sleep` takes no time here
            return
        body = b'{"error": {"message": "no", "code": "1"}}'
        self.send_response(int(status) if status.isdigit() else 500)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815  # the names http.server asks for

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 50

    def handle_error(self, *_: Any) -> None:
        """A client that hung up is no news."""


_server = _Server(("127.0.0.1", 0), _Handler)
HOST = f"127.0.0.1:{_server.server_address[1]}"


def scene(status: int | str) -> str:
    return f"{status}-{next(_numbers)}"


# --- a clock that sleeping moves ------------------------------------------------------------------------------------

_ahead = 0.0
_time = time.time


def _sleep(seconds: float) -> None:
    global _ahead  # noqa: PLW0603  # one clock for the process
    _ahead += max(0.0, seconds)


def patch() -> None:
    """Make waits between tries take no time, and note the time limit of every read."""
    time.sleep = _sleep
    time.time = lambda: _time() + _ahead
    readinto = socket.SocketIO.readinto

    def noted(self: Any, buffer: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            _limits.append(self._sock.gettimeout())
        return readinto(self, buffer)

    socket.SocketIO.readinto = noted  # type: ignore[method-assign]
    for name in ("httpx", "httpx2"):
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            _note_httpx(module.HTTPTransport)


def _note_httpx(transport: Any) -> None:
    handle = transport.handle_request

    def noted(self: Any, request: Any) -> Any:
        if request.url.host == "127.0.0.1":
            _limits.append((request.extensions.get("timeout") or {}).get("read"))
        return handle(self, request)

    transport.handle_request = noted


# --- what a client is made of and how it is called ------------------------------------------------------------------


def _chat(client: Any, **settings: Any) -> Any:
    return client.chat.completions.create(model="m", messages=MESSAGES, **settings)


CASES: dict[str, tuple[str, Any]] = {
    "openai": ("openai.OpenAI", _chat),
    "anthropic": (
        "anthropic.Anthropic",
        lambda c, **k: c.messages.create(model="m", max_tokens=5, messages=MESSAGES, **k),
    ),
    "google-genai": ("google.genai.Client", lambda c, **k: c.models.generate_content(model="m", contents="hi", **k)),
    "groq": ("groq.Groq", _chat),
    "mistralai": ("mistralai.client.Mistral", lambda c, **k: c.chat.complete(model="m", messages=MESSAGES, **k)),
    "cohere": ("cohere.ClientV2", lambda c, **k: c.chat(model="m", messages=MESSAGES, **k)),
    "together": ("together.Together", _chat),
    "perplexity": ("perplexity.Perplexity", _chat),
    "cerebras": ("cerebras.cloud.sdk.Cerebras", _chat),
    "openrouter": ("openrouter.OpenRouter", lambda c, **k: c.chat.send(model="m", messages=MESSAGES, **k)),
    "ollama": ("ollama.Client", lambda c, **k: c.chat(model="m", messages=MESSAGES, **k)),
    "replicate": ("replicate.Client", lambda c, **k: c.predictions.create(version="a" * 64, input={}, **k)),
    "huggingface_hub": (
        "huggingface_hub.InferenceClient",
        lambda c, **k: c.chat_completion(messages=MESSAGES, **k),
    ),
    "zhipuai": ("zhipuai.ZhipuAI", _chat),
    "zai-sdk": ("zai.ZaiClient", _chat),
    "dashscope": ("dashscope.Client", _chat),
    "fireworks": ("fireworks.Fireworks", _chat),
    "volcengine-ark": ("volcenginesdkarkruntime.Ark", _chat),
    "azure-ai-inference": (
        "azure.ai.inference.ChatCompletionsClient",
        lambda c, **k: c.complete(messages=MESSAGES, model="m", **k),
    ),
    "litellm": (
        "",
        lambda c, **k: importlib.import_module("litellm").completion("openai/m", MESSAGES, **{**c, **k}),
    ),
    "langchain-openai": ("langchain_openai.ChatOpenAI", lambda c, **k: c.invoke("hi", **k)),
    "langchain-anthropic": ("langchain_anthropic.ChatAnthropic", lambda c, **k: c.invoke("hi", **k)),
    "langchain-google-genai": (
        "langchain_google_genai.ChatGoogleGenerativeAI",
        lambda c, **k: c.invoke("hi", **k),
    ),
    "langchain-deepseek": ("langchain_deepseek.ChatDeepSeek", lambda c, **k: c.invoke("hi", **k)),
    "llama-index-llms-openai": ("llama_index.llms.openai.OpenAI", lambda c, **k: c.complete("hi", **k)),
    "smolagents": ("smolagents.OpenAIModel", lambda c, **k: c.generate(MESSAGES, **k)),
    "dspy": ("dspy.LM", lambda c, **k: c("hi", **k)),
}
# What keeps a client whose tries are bounded by time alone from trying again.
ONCE: dict[str, dict[str, Any]] = {"openrouter": {"retry_config": None}, "mistralai": {"retry_config": None}}
# A POST to create a prediction takes the client's limit away.
NO_LIMIT = {"replicate"}
# What a constructor asks for besides the key and the base URL.
NEEDS: dict[str, dict[str, Any]] = {
    "cerebras": {"warm_tcp_connection": False},
    "langchain-openai": {"model": "gpt-4o"},
    "langchain-anthropic": {"model": "claude-m"},
    "langchain-google-genai": {"model": "gemini-m"},
    "langchain-deepseek": {"model": "m"},
    "llama-index-llms-openai": {"model": "gpt-4o"},
    "smolagents": {"model_id": "m"},
    "dspy": {"model": "openai/gpt-4o", "cache": False},
}


def find(name: str) -> Any:
    """The object with a dotted name: the longest part that imports, and attributes of it."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    builtin = getattr(importlib.import_module("builtins"), name, None)
    if builtin is None:
        msg = f"nothing is called {name}"
        raise AttributeError(msg)
    return builtin


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """Arguments from dotted names: `http_options.timeout` is an entry of the dictionary `http_options`."""
    made: dict[str, Any] = {}
    for name, value in flat.items():
        *outer, last = name.split(".")
        place = made
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = value
    return made


def build(sdk: str, claims: dict[str, Any], status: int | str, *, key: str | None, **settings: Any) -> tuple[Any, str]:
    """A client whose requests end at our own server, and the scene they are part of."""
    name = claims["made"] or CASES[sdk][0]
    here = scene(status)
    flat: dict[str, Any] = {claims["base_url_params"][0]: f"http://{HOST}/{here}", **settings}
    if key is not None and claims["key_params"]:
        if sdk == "azure-ai-inference":
            flat["credential"] = find("azure.core.credentials.AzureKeyCredential")(key)
        else:
            flat[claims["key_params"][0]] = key
    flat = {**NEEDS.get(sdk, {}), **flat}
    return (find(name)(**nested(flat)) if name else nested(flat)), here


def ask(sdk: str, client: Any, errors: dict[str, list[str]] | None = None, **settings: Any) -> list[str]:
    """Call once; gives the class of the error and under which words the catalogue knows it."""
    try:
        CASES[sdk][1](client, **nested(settings))
    except Exception as error:  # noqa: BLE001  # any error of any SDK
        kinds = [kind for kind, names in (errors or {}).items() if any(_is_a(error, name) for name in names)]
        return [f"{type(error).__module__}.{type(error).__qualname__}", *kinds]
    return []


def _is_a(error: Exception, name: str) -> bool:
    try:
        return isinstance(error, find(name))
    except (AttributeError, ImportError, TypeError):
        return False


def amount(seconds: float, unit: str) -> float:
    return round(seconds * 1000) if unit == "ms" else seconds


def run(sdk: str, claims: dict[str, Any], key: str) -> dict[str, Any]:
    """Show how one SDK behaves: tries by status, path, time limit, and the key it sends."""
    found: dict[str, Any] = {"tries": {}, "errors": {}}
    timeout, retry = claims["timeout"] or {}, claims["retry"] or {}
    for status in (401, 429, 500):
        client, here = build(sdk, claims, status, key=key)
        _limits.clear()
        found["errors"][str(status)] = ask(sdk, client, claims["errors"])
        found["tries"][str(status)] = len(_seen[here])
        if status == 401 and _seen[here]:
            found["path"], headers = _seen[here][0]
            found["sent"] = [name for name, value in headers.items() if key in value]
            found["limit"] = _limits[0] if _limits else "unknown"
    names = timeout.get("params") or []
    if names and sdk not in NO_LIMIT:
        value = amount(LIMIT, timeout["unit"])
        client, _ = build(sdk, claims, HANG, key=key, **{names[0]: value}, **ONCE.get(sdk, {}))
        began = time.perf_counter()
        found["errors"]["timeout"] = ask(sdk, client, claims["errors"])
        found["limited"] = time.perf_counter() - began
    names = timeout.get("call_params") or []
    if names and sdk not in NO_LIMIT:
        client, _ = build(sdk, claims, HANG, key=key, **ONCE.get(sdk, {}))
        began = time.perf_counter()
        ask(sdk, client, **{names[0]: amount(LIMIT, timeout["unit"])})
        found["call_limited"] = time.perf_counter() - began
    names = retry.get("params") or []
    if names and retry["counts"] in {"retries", "attempts"} and names[0] not in {"transport", "channel_options"}:
        client, here = build(sdk, claims, 500, key=key, **{names[0]: 1})
        ask(sdk, client)
        found["one"] = len(_seen[here])
    return found


def routes(claims: dict[str, Any], key: str) -> dict[str, int]:
    """How often a refused request is sent for each model prefix of LiteLLM that gets as far as a request."""
    found = {}
    for prefix in claims["routes"]:
        client, here = build("litellm", claims, 500, key=key)
        with contextlib.suppress(Exception):
            importlib.import_module("litellm").completion(f"{prefix}m", MESSAGES, **client)
        if _seen[here]:
            found[prefix] = len(_seen[here])
    return found


def from_environment(sdk: str, claims: dict[str, Any], keys: dict[str, str]) -> dict[str, Any]:
    """Which variable's value is sent when no key is given: each alone, and all together."""
    sent: dict[str, Any] = {}
    for name in [*claims["env"], *claims["env_fallback"], "all", "none"]:
        chosen = keys if name == "all" else {} if name == "none" else {name: keys[name]}
        for other in keys:
            os.environ.pop(other, None)
        os.environ.update(chosen)
        try:
            client, here = build(sdk, claims, 401, key=None)
            ask(sdk, client)
            requests = _seen[here]
            headers = " ".join(requests[0][1].values()) if requests else ""
            sent[name] = [other for other, value in keys.items() if value in headers] if requests else None
        except Exception as error:  # noqa: BLE001  # any error of any SDK
            sent[name] = type(error).__name__
        finally:
            for other in keys:
                os.environ.pop(other, None)
    return sent


def walk(client: Any, method: str) -> bool:
    """Tell whether a client has a method spelt as the catalogue spells it."""
    here = client
    for part in method.split("."):
        called = part.endswith("()")
        try:
            here = getattr(here, part.removesuffix("()"))
        except AttributeError:
            return False
        if called:
            here = here(model="m")
    return callable(here)


def parameters(name: str) -> list[str] | None:
    """The names of a function's or class's arguments; None when it cannot be asked, `**` when it takes any."""
    try:
        found = find(name)
        if hasattr(found, "model_fields"):  # pydantic: fields and their aliases
            aliases = [field.alias for field in found.model_fields.values() if field.alias]
            return [*found.model_fields, *aliases, *_signature(found)]
        return _signature(found)
    except (AttributeError, ImportError, TypeError, ValueError):
        return None


def _signature(found: Any) -> list[str]:
    named = inspect.signature(found).parameters
    return ["**" if item.kind is inspect.Parameter.VAR_KEYWORD else name for name, item in named.items()]


def exists(name: str) -> bool:
    try:
        found = find(name)
    except (AttributeError, ImportError):
        return False
    except Exception:  # noqa: BLE001  # a module that fails for other reasons is not there either
        return False
    return found is not None


def base_of(sdk: str, claims: dict[str, Any], key: str) -> str | None:
    """The base URL a client has by itself."""
    name = claims["made"] or CASES[sdk][0]
    if not name:
        return None
    flat = {**NEEDS.get(sdk, {}), **({claims["key_params"][0]: key} if claims["key_params"] else {})}
    try:
        client = find(name)(**nested(flat))
    except TypeError:  # it wants one and has none by itself
        return None
    for path in (
        "base_url",
        "_client.base_url",
        "_base_url",
        "_api_client._http_options.base_url",
        "root_client.base_url",
    ):
        here = client
        for part in path.split("."):
            here = getattr(here, part, None)
        if here:
            return str(here)
    return None


# --- HTTP libraries -------------------------------------------------------------------------------------------------


def _limit_of(send: Any) -> dict[str, Any]:
    """The time limit of one request, how often a 500 and a 429 are sent, and whether they raise."""
    found: dict[str, Any] = {"tries": {}}
    for status in (429, 500):
        here = scene(status)
        _limits.clear()
        try:
            send(f"http://{HOST}/{here}/x")
            found["raises"] = False
        except Exception as error:  # noqa: BLE001  # any error of any library
            found["raises"] = True
            found["error"] = f"{type(error).__module__}.{type(error).__qualname__}"
        found["tries"][str(status)] = len(_seen[here])
        found["limit"] = _limits[0] if _limits else "unknown"
    return found


async def _aiohttp(aiohttp: Any) -> dict[str, Any]:
    url = f"http://{HOST}/{HANG}-0/x"
    found: dict[str, Any] = {}
    async with aiohttp.ClientSession() as session:
        found["default"] = session.timeout.total
    async with aiohttp.ClientSession(timeout=None) as session:
        found["none"] = session.timeout.total
        began = time.perf_counter()
        try:
            async with session.get(url, timeout=LIMIT):
                pass
        except asyncio.TimeoutError:  # another class before Python 3.11
            found["call"] = time.perf_counter() - began
    async with aiohttp.ClientSession() as session:
        began = time.perf_counter()
        task = asyncio.ensure_future(session.get(url, timeout=None))
        await asyncio.sleep(0.1)
        found["call_none"] = "pending" if not task.done() else repr(task.exception())
        task.cancel()
        with contextlib.suppress(BaseException):
            await task
    try:
        aiohttp.ClientSession(timeout=10)
        found["number"] = "taken"
    except ValueError:
        found["number"] = "ValueError"
    return found


def http_libraries() -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["urllib"] = _limit_of(lambda url: urllib.request.urlopen(url, b"x"))  # noqa: S310  # our own server

    def plain(url: str) -> None:
        connection = http.client.HTTPConnection(HOST)
        connection.request("POST", url.removeprefix(f"http://{HOST}"), b"x")
        connection.getresponse().read()

    found["http.client"] = _limit_of(plain)
    with contextlib.suppress(ImportError):
        requests = importlib.import_module("requests")
        found["requests"] = _limit_of(lambda url: requests.post(url, json={}))
        found["requests.Session"] = _limit_of(lambda url: requests.Session().post(url, json={}))
    with contextlib.suppress(ImportError):
        urllib3 = importlib.import_module("urllib3")
        found["urllib3"] = _limit_of(lambda url: urllib3.PoolManager().request("POST", url, body=b"x"))
    for name in ("httpx", "httpx2"):
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            found[name] = _limit_of(lambda url, module=module: module.post(url, json={}))
            found[f"{name}.Client"] = _limit_of(lambda url, module=module: module.Client().post(url, json={}))
            found[f"{name} None"] = _limit_of(lambda url, module=module: module.Client(timeout=None).post(url, json={}))
    with contextlib.suppress(ImportError):
        found["aiohttp"] = asyncio.run(_aiohttp(importlib.import_module("aiohttp")))
    return found


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def main() -> None:
    """Read claims from standard input, ask the packages, write the answers to standard output."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    asked = json.load(sys.stdin)
    threading.Thread(target=_server.serve_forever, daemon=True).start()
    patch()
    answers: dict[str, Any] = {"versions": {}, "sdks": {}, "http": {}, "seconds": {}}
    output, sys.stdout = sys.stdout, sys.stderr
    for sdk, claims in asked["sdks"].items():
        began = time.perf_counter()
        version = _version(claims["package"]) or _version(f"{claims['package']}-slim")
        if version is None:
            continue
        answers["versions"][sdk] = version
        answer: dict[str, Any] = {
            "names": {name: exists(name) for name in claims["names"]},
            "parameters": {name: parameters(name) for name in claims["constructors"]},
        }
        if sdk in CASES and claims["methods"]:
            try:
                answer["base"] = base_of(sdk, claims, asked["keys"][sdk])
                client, _ = build(sdk, claims, 401, key=asked["keys"][sdk])
                answer["methods"] = {method: walk(client, method) for method in claims["methods"]}
                answer["run"] = run(sdk, claims, asked["keys"][sdk])
                if sdk == "litellm":
                    answer["routes"] = routes(claims, asked["keys"][sdk])
                answer["environment"] = from_environment(sdk, claims, asked["variables"][sdk])
            except Exception as error:  # noqa: BLE001  # told to the test, which fails with it
                answer["failed"] = f"{type(error).__name__}: {error}"
        answers["sdks"][sdk] = answer
        answers["seconds"][sdk] = time.perf_counter() - began
    if asked["http"]:
        answers["http"] = http_libraries()
    json.dump(answers, output)
    output.flush()
    os._exit(0)  # no client's threads or finalizers keep the process


if __name__ == "__main__":
    main()
