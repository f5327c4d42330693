"""KG301: requests of HTTP libraries without a timeout."""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

import pytest

from keyguard.checks.kg301 import check
from tests.checks.spoken import short, spoken

_ADAPTER = """import requests
from requests.adapters import HTTPAdapter
class A(HTTPAdapter):
    def send(self, request, **kwargs):
        return super().send(request, timeout=5, **kwargs)
"""
_SUBCLASS = """import requests
class S(requests.Session):
    def request(self, method, url, **kwargs):
        kwargs.setdefault('timeout', 5)
        return super().request(method, url, **kwargs)
"""

QUIET = {
    "given": "import requests\nrequests.get(u, timeout=5)\n",
    "pair": "import requests\nrequests.get(u, timeout=(3, 27))\n",
    "switched off": "import requests\nrequests.get(u, timeout=None)\n",
    "parameter": "import requests\ndef f(u, timeout=None):\n    requests.get(u, timeout=timeout)\n",
    "kwargs": "import requests\ndef f(u, **kwargs):\n    requests.get(u, **kwargs)\n",
    "known kwargs": "import requests\noptions = {'timeout': 5}\nrequests.get(u, **options)\n",
    "kwargs filled later": "import requests\noptions = {}\noptions['timeout'] = 5\nrequests.get(u, **options)\n",
    "kwargs filled if absent": (
        "import requests\noptions = {'a': 1}\noptions.setdefault('timeout', 5)\nrequests.get(u, **options)\n"
    ),
    "kwargs updated": "import requests\noptions = dict(a=1)\noptions.update(timeout=5)\nrequests.get(u, **options)\n",
    "kwargs updated from elsewhere": (
        "import requests\noptions = {}\noptions.update(settings())\nrequests.get(u, **options)\n"
    ),
    "partial": "import functools, requests\nget = functools.partial(requests.get, timeout=5)\nget(u)\n",
    "partial of an attribute": (
        "import functools, requests\nclass A:\n    def __init__(self):\n"
        "        self.get = functools.partial(requests.get, timeout=5)\n"
        "    def f(self):\n        return self.get(u)\n"
    ),
    "request of a session replaced": (
        "import functools, requests\ns = requests.Session()\n"
        "s.request = functools.partial(s.request, timeout=5)\ns.get(u)\n"
    ),
    "request of an attribute replaced": (
        "import functools, requests\nclass A:\n    def __init__(self):\n        self.s = requests.Session()\n"
        "        self.s.request = functools.partial(self.s.request, timeout=5)\n"
        "    def f(self):\n        return self.s.get(u)\n"
    ),
    "module function replaced": (
        "import functools, requests\nrequests.get = functools.partial(requests.get, timeout=5)\nrequests.get(u)\n"
    ),
    "class method replaced": "import requests\nrequests.Session.request = patched\nrequests.get(u)\n",
    "adapter class": f"{_ADAPTER}s = requests.Session()\ns.mount('https://', A())\ns.get(u)\n",
    "unknown adapter": "import requests\nfrom x import Y\ns = requests.Session()\ns.mount('https://', Y())\ns.get(u)\n",
    "subclass that sets one": f"{_SUBCLASS}S().get(u)\ns = S()\ns.post(u)\n",
    "subclass of a subclass": f"{_SUBCLASS}class T(S):\n    def f(self):\n        return self.get(u)\nT().get(u)\n",
    "own method": "import requests\nclass S(requests.Session):\n    def get(self, u): pass\nS().get(u)\n",
    "session from outside": "import requests\ndef f(session):\n    session.get(u)\n",
    "every socket": "import socket, urllib.request\nsocket.setdefaulttimeout(5)\nurllib.request.urlopen(u)\n",
    "urlopen by position": "import urllib.request\nurllib.request.urlopen(u, None, 5)\n",
    "prepared only": "import urllib.request\nr = urllib.request.Request(u)\n",
    "httpx": "import httpx\nhttpx.get(u)\nhttpx.Client().get(u)\n",
    "aiohttp": "import aiohttp\nasync def f():\n    async with aiohttp.ClientSession() as s:\n        await s.get(u)\n",
    "niquests": "import niquests\nniquests.get(u)\nniquests.Session().get(u)\n",
    "pool": "import urllib3\np = urllib3.PoolManager(timeout=5)\np.request('GET', u)\n",
    "pool, call": "import urllib3\np = urllib3.PoolManager()\np.request('GET', u, timeout=5)\n",
    "pool, options": "import urllib3\np = urllib3.PoolManager(**options())\np.request('GET', u)\n",
    "http.client": "import http.client\nc = http.client.HTTPSConnection('a.com', timeout=5)\nc.request('GET', '/')\n",
    "httplib2": "import httplib2\nh = httplib2.Http(timeout=5)\nh.request(u)\n",
    "with around": "import eventlet, requests\nwith eventlet.Timeout(5):\n    requests.get(u)\n",
    "decorator": "import timeout_decorator, requests\n@timeout_decorator.timeout(5)\ndef f():\n    requests.get(u)\n",
    "a class of that name": "class requests:\n    def get(u): pass\nrequests.get(u)\n",
    "pycurl": "import pycurl\nc = pycurl.Curl()\nc.setopt(c.URL, u)\n",
}

LOUD = {
    "function": ("import requests\nrequests.get(u)\n", 2, "requests.get(u)"),
    "alias": ("import requests as r\nx = r.post(u, json={})\n", 2, "r.post(u, json={})"),
    "imported name": ("from requests import get\nget(u)\n", 2, "get(u)"),
    "request": ("import requests\nrequests.request('GET', u)\n", 2, "requests.request('GET', u)"),
    "known kwargs": ("import requests\no = {'json': {}}\nrequests.get(u, **o)\n", 3, "requests.get(u, **o)"),
    "session": ("import requests\ns = requests.Session()\ns.get(u)\n", 3, "s.get(u)"),
    "session, at once": ("import requests\nrequests.session().get(u)\n", 2, "requests.session().get(u)"),
    "with": ("import requests\nwith requests.Session() as s:\n    s.get(u)\n", 3, "s.get(u)"),
    "attribute": (
        (
            "import requests\nclass A:\n    def __init__(self):\n        self.s = requests.Session()\n"
            "    def f(self):\n        return self.s.get(u)\n"
        ),
        6,
        "self.s.get(u)",
    ),
    "given or made": (
        (
            "import requests\nclass A:\n    def __init__(self, s=None):\n        self.s = s or requests.Session()\n"
            "    def f(self):\n        return self.s.get(u)\n"
        ),
        6,
        "self.s.get(u)",
    ),
    "factory": (
        "import requests\ndef make():\n    s = requests.Session()\n    return s\nmake().get(u)\n",
        5,
        "make().get(u)",
    ),
    "retries mounted": (
        (
            "import requests\nfrom requests.adapters import HTTPAdapter\ns = requests.Session()\n"
            "s.mount('https://', HTTPAdapter(max_retries=3))\ns.get(u)\n"
        ),
        5,
        "s.get(u)",
    ),
    "attribute that requests ignores": (
        "import requests\ns = requests.Session()\ns.timeout = 5\ns.get(u)\n",
        4,
        "s.get(u)",
    ),
    "subclass": ("import requests\nclass S(requests.Session): pass\nS().get(u)\n", 3, "S().get(u)"),
    "inside a subclass": (
        "import requests\nclass S(requests.Session):\n    def f(self):\n        return self.get(u)\n",
        4,
        "self.get(u)",
    ),
    "super": (
        "import requests\nclass S(requests.Session):\n    def get(self, u):\n        return super().get(u)\n",
        4,
        "super().get(u)",
    ),
    "urlopen": ("from urllib.request import urlopen\nurlopen(u)\n", 2, "urlopen(u)"),
    "urlopen of a request": (
        "import urllib.request as r\nq = r.Request(u)\nr.urlopen(q)\n",
        3,
        "r.urlopen(q)",
    ),
    "urlretrieve": ("import urllib.request\nurllib.request.urlretrieve(u)\n", 2, "urllib.request.urlretrieve(u)"),
    "pool": ("import urllib3\np = urllib3.PoolManager()\np.request('GET', u)\n", 3, "p.request('GET', u)"),
    "http.client": (
        "import http.client\nc = http.client.HTTPSConnection('a.com')\nc.request('GET', '/')\nc.request('GET', '/b')\n",
        2,
        "http.client.HTTPSConnection('a.com')",
    ),
    "httplib2": ("import httplib2\nh = httplib2.Http()\nh.request(u)\n", 2, "httplib2.Http()"),
    "sockets set free": (
        "import socket, urllib.request\nsocket.setdefaulttimeout(None)\nurllib.request.urlopen(u)\n",
        3,
        "urllib.request.urlopen(u)",
    ),
    "partial without one": (
        "import functools, requests\nget = functools.partial(requests.get, json={})\nget(u)\n",
        3,
        "get(u)",
    ),
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET.keys())
def test_a_request_that_has_a_limit_or_may_have_one_stays_quiet(text: str) -> None:
    assert short(check, text) == []


@pytest.mark.parametrize(("text", "line", "shown"), LOUD.values(), ids=LOUD.keys())
def test_a_request_without_a_limit_is_found(text: str, line: int, shown: str) -> None:
    found = spoken(check, text)
    assert [(one.rule, one.line, one.case, one.text) for one in found] == [("KG301", line, None, shown)]


def test_the_message_says_what_is_called_and_what_to_write() -> None:
    (one,) = spoken(check, "import requests\ns = requests.Session()\ns.get(u)\n")
    assert one.message == "s.get() is given no timeout and has none by default: it may wait for ever"
    assert one.remedy == "Give it one: timeout=30"
    (one,) = spoken(check, "import requests\nrequests.get(u)\n", lang="zh")
    assert one.message == "requests.get() 没有设置超时，默认也没有：可能永远等下去"


def test_the_settings_say_how_long() -> None:
    text = "import requests\nrequests.get(u)\nrequests.post('https://api.openai.com/v1/responses')\n"
    found = spoken(check, text, http_timeout=7, model_timeout=90)
    assert [one.remedy for one in found] == ["Give it one: timeout=7", "Give it one: timeout=90"]


def test_a_call_that_takes_no_timeout_gets_another_remedy() -> None:
    (one,) = spoken(check, "import urllib.request\nurllib.request.urlretrieve(u)\n")
    assert one.remedy == "Give it one: socket.setdefaulttimeout(30)"


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("import requests\nrequests.get(u)\n", "low"),
        ("import requests\nimport openai\nrequests.get(u)\n", "medium"),
        ("import requests\nfrom google import genai\nrequests.get(u)\n", "medium"),
        ("import requests\nrequests.get('https://api.openai.com/v1/models')\n", "medium"),
        ("import requests\nimport openai_like_name\nrequests.get(u)\n", "low"),
    ],
    ids=["plain", "sdk", "part of a package", "model host", "similar name"],
)
def test_near_models_it_weighs_more(text: str, severity: str) -> None:
    assert [one.severity for one in spoken(check, text)] == [severity]


def test_a_circle_of_classes_ends() -> None:
    text = "import requests\nclass A(B): pass\nclass B(A): pass\nA().get(u)\nclass C(C): pass\nC().get(u)\n"
    assert short(check, text) == []
