"""Programs that call a model with a key in their code, in every way people write it; placeholders stand for keys.

Each sends at least one request to `BASE`, a server on loopback. A program is one file, `main.py`, or several by name.
"""

from __future__ import annotations

ASK = '.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])'
URL = 'base_url=os.environ["BASE"] + "/v1"'
POST = 'requests.post(os.environ["BASE"] + "/v1/chat/completions", json={"model": "m"}, timeout=9, '


def _openai(before: str = "", key: str = 'api_key="<openai-key>"', after: str = "") -> str:
    """A program around one client of openai."""
    return f"import os\nfrom openai import OpenAI\n{before}client = OpenAI({key}, {URL})\nclient{ASK}\n{after}"


def _requests(headers: str, before: str = "") -> str:
    """A program around one request."""
    return f"import os\nimport requests\n{before}{POST}headers={headers})\n"


PROGRAMS: dict[str, str | dict[str, str]] = {
    # --- arguments of clients
    "argument": _openai(),
    "argument in single quotes": _openai(key="api_key='<openai-key>'"),
    "argument in triple quotes": _openai(key='api_key="""<openai-key>"""'),
    "argument with a prefix r": _openai(key='api_key=r"<openai-key>"'),
    "argument with a prefix u": _openai(key='api_key=u"<openai-key>"'),
    "argument on a line of its own": (
        'import os\nfrom openai import OpenAI\nclient = OpenAI(\n    api_key="<openai-key>",  # the key\n'
        f"    {URL},\n)\nclient{ASK}\n"
    ),
    "argument in parentheses": _openai(key='api_key=(\n    "<openai-key>"\n)'),
    "async client": (
        "import asyncio\nimport os\nfrom openai import AsyncOpenAI\n\n\nasync def main():\n"
        f'    async with AsyncOpenAI(api_key="<openai-key>", {URL}) as client:\n        await client{ASK}\n\n\n'
        'if __name__ == "__main__":\n    asyncio.run(main())\n'
    ),
    "with_options": (
        f'import os\nfrom openai import OpenAI\nclient = OpenAI(api_key="unused", {URL})\n'
        f'client.with_options(api_key="<openai-key>"){ASK}\n'
    ),
    "keyword arguments": (
        "import os\nfrom openai import OpenAI\n"
        'options = {"api_key": "<openai-key>", "base_url": os.environ["BASE"] + "/v1"}\n'
        f"OpenAI(**options){ASK}\n"
    ),
    "dict call": (
        "import os\nfrom openai import OpenAI\n"
        'options = dict(api_key="<openai-key>", base_url=os.environ["BASE"] + "/v1")\n'
        f"OpenAI(**options){ASK}\n"
    ),
    "partial": (
        "import os\nfrom functools import partial\nfrom openai import OpenAI\n"
        f'make = partial(OpenAI, api_key="<openai-key>", {URL})\nmake(){ASK}\n'
    ),
    "lambda": f'import os\nfrom openai import OpenAI\nmake = lambda: OpenAI(api_key="<openai-key>", {URL})\nmake(){ASK}\n',
    "module setting": (
        'import os\nimport openai\nopenai.api_key = "<openai-key>"\nopenai.base_url = os.environ["BASE"] + "/v1/"\n'
        f"openai{ASK}\n"
    ),
    "azure": (
        "import os\nfrom openai import AzureOpenAI\n"
        'client = AzureOpenAI(api_key="<openai-key>", azure_endpoint=os.environ["BASE"], api_version="2024-06-01")\n'
        f"client{ASK}\n"
    ),
    "anthropic": (
        'import os\nimport anthropic\nclient = anthropic.Anthropic(api_key="<anthropic-key>", base_url=os.environ["BASE"])\n'
        'client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}])\n'
    ),
    "google genai": (
        "import os\nfrom google import genai\nfrom google.genai import types\n"
        'client = genai.Client(api_key="<gemini-key>", http_options=types.HttpOptions(base_url=os.environ["BASE"]))\n'
        'client.models.generate_content(model="m", contents="hi")\n'
    ),
    "groq": (
        'import os\nfrom groq import Groq\nclient = Groq(api_key="<groq-key>", base_url=os.environ["BASE"])\n'
        f"client{ASK}\n"
    ),
    "two keys": (
        "import os\nfrom openai import OpenAI\n"
        f'first = OpenAI(api_key="<openai-key>", {URL})\nsecond = OpenAI(api_key="<openai-key-2>", {URL})\n'
        f"first{ASK}\nsecond{ASK}\nfirst{ASK}\n"
    ),
    "one key twice": (
        "import os\nfrom openai import OpenAI\n"
        f'first = OpenAI(api_key="<openai-key>", {URL})\nsecond = OpenAI(api_key="<openai-key>", {URL})\n'
        f"first{ASK}\nsecond{ASK}\n"
    ),
    "two providers": (
        "import os\nimport anthropic\nfrom openai import OpenAI\n"
        f'OpenAI(api_key="<openai-key>", {URL}){ASK}\n'
        'anthropic.Anthropic(api_key="<anthropic-key>", base_url=os.environ["BASE"]).messages.create('
        'model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}])\n'
    ),
    # --- names that carry it
    "variable": _openai('KEY = "<openai-key>"\n', "api_key=KEY"),
    "annotated variable": _openai('KEY: str = "<openai-key>"\n', "api_key=KEY"),
    "variable of a function": (
        'import os\nfrom openai import OpenAI\n\n\ndef ask():\n    key = "<openai-key>"\n'
        f"    return OpenAI(api_key=key, {URL}){ASK}\n\n\nask()\n"
    ),
    "chained assignment": _openai('first = second = "<openai-key>"\n', "api_key=second"),
    "tuple assignment": _openai('key, name = "<openai-key>", "me"\n', "api_key=key"),
    "walrus": _openai('if (key := "<openai-key>"):\n    print(len(key))\n', "api_key=key"),
    "conditional expression": _openai('debug = False\nkey = "unused" if debug else "<openai-key>"\n', "api_key=key"),
    "strip": _openai('key = "<openai-key> ".strip()\n', "api_key=key"),
    "list": _openai('keys = ["<openai-key>", "<openai-key-2>"]\n', "api_key=keys[1]"),
    "dict": _openai('config = {"openai": {"api_key": "<openai-key>"}}\n', 'api_key=config["openai"]["api_key"]'),
    "class attribute": _openai('class Config:\n    api_key = "<openai-key>"\n\n\n', "api_key=Config.api_key"),
    "instance attribute": _openai(
        'class Bot:\n    def __init__(self):\n        self.api_key = "<openai-key>"\n\n\n', "api_key=Bot().api_key"
    ),
    "property": _openai(
        'class Bot:\n    @property\n    def api_key(self):\n        return "<openai-key>"\n\n\n',
        "api_key=Bot().api_key",
    ),
    "namespace": _openai(
        'from types import SimpleNamespace\nconfig = SimpleNamespace(api_key="<openai-key>")\n',
        "api_key=config.api_key",
    ),
    "function that returns it": _openai('def api_key():\n    return "<openai-key>"\n\n\n', "api_key=api_key()"),
    "another module": {
        "settings.py": 'API_KEY = "<openai-key>"\nMODEL = "m"\n',
        "main.py": f"import os\nfrom openai import OpenAI\nfrom settings import API_KEY\nOpenAI(api_key=API_KEY, {URL}){ASK}\n",
    },
    "another module under its name": {
        "settings.py": '"""Settings."""\nAPI_KEY = "<openai-key>"\n',
        "main.py": f"import os\nimport settings\nfrom openai import OpenAI\nOpenAI(api_key=settings.API_KEY, {URL}){ASK}\n",
    },
    # --- pieces
    "added pieces": _openai('key = "<openai-key|head>" + "<openai-key|tail>"\n', "api_key=key"),
    "adjacent pieces": _openai('key = "<openai-key|head>" "<openai-key|tail>"\n', "api_key=key"),
    "adjacent pieces on two lines": _openai('key = ("<openai-key|head>"\n       "<openai-key|tail>")\n', "api_key=key"),
    "continued line": _openai('key = "<openai-key|head>" \\\n    "<openai-key|tail>"\n', "api_key=key"),
    "joined pieces": _openai('key = "".join(["<openai-key|head>", "<openai-key|tail>"])\n', "api_key=key"),
    "base64": _openai('import base64\nkey = base64.b64decode("<openai-key|base64>").decode()\n', "api_key=key"),
    "reversed": _openai('key = "<openai-key|reversed>"[::-1]\n', "api_key=key"),
    # --- defaults
    "getenv with a default": _openai(key='api_key=os.getenv("OPENAI_API_KEY", "<openai-key>")'),
    "environ.get with a default": _openai(key='api_key=os.environ.get("MY_KEY", "<openai-key>")'),
    "or": _openai('key = os.environ.get("OPENAI_API_KEY") or "<openai-key>"\n', "api_key=key"),
    "setdefault": _openai('os.environ.setdefault("OPENAI_API_KEY", "<openai-key>")\n', "timeout=9"),
    "environment set": _openai('os.environ["OPENAI_API_KEY"] = "<openai-key>"\n', "timeout=9"),
    "environment set in a function": (
        'import os\nfrom openai import OpenAI\n\n\ndef prepare():\n    os.environ["OPENAI_API_KEY"] = "<openai-key>"\n\n\n'
        f"prepare()\nOpenAI({URL}){ASK}\n"
    ),
    "environment updated": _openai('os.environ.update({"OPENAI_API_KEY": "<openai-key>"})\n', "timeout=9"),
    "parameter": (
        'import os\nfrom openai import OpenAI\n\n\ndef ask(text, key="<openai-key>"):\n    """Ask."""\n'
        f'    return OpenAI(api_key=key, {URL}){ASK}\n\n\nask("hi")\n'
    ),
    "keyword parameter": (
        'import os\nfrom openai import OpenAI\n\n\ndef ask(text, *, api_key: str = "<openai-key>"):\n'
        f'    return OpenAI(api_key=api_key, {URL}){ASK}\n\n\nask("hi")\n'
    ),
    "parameter that is given": (
        'import os\nfrom openai import OpenAI\n\n\ndef ask(text, api_key="<openai-key>"):\n'
        f'    return OpenAI(api_key=api_key, {URL}){ASK}\n\n\nask("hi", api_key="another")\nask("hi")\n'
    ),
    "parameter of a method": (
        'import os\nfrom openai import OpenAI\n\n\nclass Bot:\n    def __init__(self, api_key="<openai-key>"):\n'
        f"        self.client = OpenAI(api_key=api_key, {URL})\n\n\nBot().client{ASK}\n"
    ),
    "dataclass": _openai(
        'from dataclasses import dataclass\n\n\n@dataclass\nclass Config:\n    model: str = "m"\n    api_key: str = "<openai-key>"\n\n\n',
        "api_key=Config().api_key",
    ),
    "pydantic": _openai(
        'from pydantic import BaseModel\n\n\nclass Config(BaseModel):\n    api_key: str = "<openai-key>"\n\n\n',
        "api_key=Config().api_key",
    ),
    "argparse": _openai(
        'import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument("--api-key", default="<openai-key>")\n'
        "arguments = parser.parse_args([])\n",
        "api_key=arguments.api_key",
    ),
    "click": (
        "import os\nimport click\nfrom openai import OpenAI\n\n\n@click.command()\n"
        '@click.option("--api-key", default="<openai-key>")\ndef main(api_key):\n'
        f"    OpenAI(api_key=api_key, {URL}){ASK}\n\n\nmain([], standalone_mode=False)\n"
    ),
    # --- headers and URLs
    "header": _requests('{"Authorization": "Bearer <openai-key>"}'),
    "header in lower case": _requests('{"authorization": "Bearer <openai-key>", "X-App": "mine"}'),
    "header as an f-string": _requests('{"Authorization": f"Bearer {KEY}"}', 'KEY = "<openai-key>"\n'),
    "header by addition": _requests('{"Authorization": "Bearer " + KEY}', 'KEY = "<openai-key>"\n'),
    "header by percent": _requests('{"Authorization": "Bearer %s" % "<openai-key>"}'),
    "header by format": _requests('{"Authorization": "Bearer {}".format("<openai-key>")}'),
    "header in a variable": _requests(
        "HEADERS", 'HEADERS = {\n    "Authorization": "Bearer <openai-key>",\n    "Accept-Language": "en",\n}\n'
    ),
    "header x-api-key": _requests('{"x-api-key": "<anthropic-key>"}'),
    "header of a session": (
        'import os\nimport requests\nsession = requests.Session()\nsession.headers["Authorization"] = "Bearer <openai-key>"\n'
        'session.post(os.environ["BASE"] + "/v1/chat/completions", json={"model": "m"}, timeout=9)\n'
    ),
    "headers updated": (
        "import os\nimport requests\nsession = requests.Session()\n"
        'session.headers.update({"Authorization": "Bearer <openai-key>"})\n'
        'session.post(os.environ["BASE"] + "/v1/chat/completions", json={"model": "m"}, timeout=9)\n'
    ),
    "header with quotes inside": _requests('{"Authorization": \'Bearer <openai-key>\', "X-Note": "it\'s {mine}"}'),
    "header text with braces": _requests('{"Authorization": "Bearer <openai-key>", "X-Json": "{}"}'),
    "httpx": (
        'import os\nimport httpx\nhttpx.post(os.environ["BASE"] + "/v1/chat/completions", json={"model": "m"}, '
        'headers={"Authorization": "Bearer <openai-key>"})\n'
    ),
    "httpx client": (
        'import os\nimport httpx\nwith httpx.Client(base_url=os.environ["BASE"], headers={"Authorization": "Bearer <openai-key>"}) '
        'as client:\n    client.post("/v1/chat/completions", json={"model": "m"})\n'
    ),
    "aiohttp": (
        "import asyncio\nimport os\nimport aiohttp\n\n\nasync def main():\n"
        '    headers = {"Authorization": "Bearer <openai-key>"}\n'
        "    async with aiohttp.ClientSession(headers=headers) as session:\n"
        '        async with session.post(os.environ["BASE"] + "/v1/chat/completions", json={"model": "m"}) as answer:\n'
        "            await answer.json()\n\n\nasyncio.run(main())\n"
    ),
    "urllib": (
        "import os\nimport urllib.request\n"
        'request = urllib.request.Request(os.environ["BASE"] + "/v1/models", headers={"Authorization": "Bearer <openai-key>"})\n'
        "urllib.request.urlopen(request, timeout=9).read()\n"
    ),
    "urllib add_header": (
        'import os\nimport urllib.request\nrequest = urllib.request.Request(os.environ["BASE"] + "/v1/models")\n'
        'request.add_header("Authorization", "Bearer <openai-key>")\nurllib.request.urlopen(request, timeout=9).read()\n'
    ),
    "http.client": (
        'import http.client\nimport os\nconnection = http.client.HTTPConnection(os.environ["HOST"], timeout=9)\n'
        'connection.request("GET", "/v1/models", headers={"Authorization": "Bearer <openai-key>"})\n'
        "connection.getresponse().read()\n"
    ),
    "params": (
        'import os\nimport requests\nrequests.get(os.environ["BASE"] + "/v1beta/models", params={"key": "<gemini-key>"}, timeout=9)\n'
    ),
    "key in a URL": (
        'import os\nimport requests\nrequests.get(os.environ["BASE"] + "/v1beta/models?key=<gemini-key>", timeout=9)\n'
    ),
    "key in a URL with more behind it": (
        'import os\nimport requests\nrequests.get(os.environ["BASE"] + "/v1beta/models?key=<gemini-key>&pageSize=5", timeout=9)\n'
    ),
    "key in an f-string URL": (
        'import os\nimport requests\nmodel = "m"\n'
        "requests.get(f\"{os.environ['BASE']}/v1beta/{model}?key=<gemini-key>\", timeout=9)\n"
    ),
    "bytes": (
        f'import os\nimport requests\nkey = b"<openai-key>"\n{POST}headers={{"Authorization": b"Bearer " + key}})\n'
    ),
    # --- the module around it
    "docstring and future": f'"""A program."""\n\nfrom __future__ import annotations\n\nfrom openai import OpenAI\nimport os\n\nOpenAI(api_key="<openai-key>", {URL}){ASK}\n',
    "environ imported by name": (
        "from os import environ\nfrom openai import OpenAI\n"
        f'OpenAI(api_key="<openai-key>", base_url=environ["BASE"] + "/v1"){ASK}\n'
    ),
    "os under another name": (
        "import os as system\nfrom openai import OpenAI\n"
        f'OpenAI(api_key="<openai-key>", base_url=system.environ["BASE"] + "/v1"){ASK}\n'
    ),
    "os imported in a function": (
        "from openai import OpenAI\n\n\ndef base():\n    import os\n\n    return os.environ['BASE'] + '/v1'\n\n\n"
        f'OpenAI(api_key="<openai-key>", base_url=base()){ASK}\n'
    ),
    "os imported below": (
        f'from openai import OpenAI\nKEY = "<openai-key>"\nimport os\nOpenAI(api_key=KEY, {URL}){ASK}\n'
    ),
    "os is something else": (
        "import os as _system\nfrom openai import OpenAI\nos = 'linux'\n"
        f'OpenAI(api_key="<openai-key>", base_url=_system.environ["BASE"] + "/v1"){ASK}\nassert os == "linux"\n'
    ),
    "os for type checkers only": (
        "from typing import TYPE_CHECKING\nfrom openai import OpenAI\nif TYPE_CHECKING:\n    import os\n"
        f'OpenAI(api_key="<openai-key>", base_url=__import__("os").environ["BASE"] + "/v1"){ASK}\n'
    ),
    "key in a comment": _openai("# the old one: <openai-key-2>\n"),
    "tabs and CRLF": _openai().replace("\n", "\r\n") + "def later():\r\n\treturn 1\r\n",
    "a byte order mark": "\ufeff" + _openai(),
    "no last line end": _openai().rstrip("\n"),
    "Chinese around it": _openai("# 配置 密钥\n名字 = '助手'\n", after="print('你好', 名字)\n"),
    "one line": f'import os; from openai import OpenAI; OpenAI(api_key="<openai-key>", {URL}){ASK}\n',
    "try and except": (
        "import os\ntry:\n    from openai import OpenAI\nexcept ImportError:\n    OpenAI = None\n"
        f'OpenAI(api_key="<openai-key>", {URL}){ASK}\n'
    ),
    "relay": (
        "import os\nimport httpx\nfrom openai import OpenAI\n"
        'client = OpenAI(api_key="<openai-key>", base_url="https://api.poloapi.top/v1", http_client=httpx.Client('
        'transport=httpx.HTTPTransport(), event_hooks={"request": [lambda request: setattr(request, "url", '
        'httpx.URL(os.environ["BASE"] + request.url.path))]}))\n'
        f"client{ASK}\n"
    ),
}
