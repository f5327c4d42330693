"""KG502: certificates that nobody checks, in code and in scripts."""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

import pytest

from keyguard.checks import switches
from keyguard.checks.kg502 import check
from tests.checks.facts import facts_of
from tests.checks.spoken import short, spoken

_KEY = (
    "import os, ssl, requests, httpx\nfrom openai import OpenAI\nk = {'Authorization': os.environ['OPENAI_API_KEY']}\n"
)

QUIET = {
    "checked": f"{_KEY}requests.get(u, headers=k)\nrequests.get(u, headers=k, verify=True)\n",
    "own certificate": f"{_KEY}requests.get(u, headers=k, verify='ca.pem')\n",
    "parameter": f"{_KEY}def f(verify=False):\n    requests.get(u, headers=k, verify=verify)\n",
    "attribute": (
        f"{_KEY}class A:\n    verify = False\n    def f(self):\n"
        "        requests.get(u, headers=k, verify=self.verify)\n"
    ),
    "one of two": f"{_KEY}requests.get(u, headers=k, verify=False if dev else True)\n",
    "loopback": f"{_KEY}requests.get('https://localhost:8443/', headers=k, verify=False)\n",
    "loopback client": f"{_KEY}OpenAI(base_url='https://127.0.0.1/v1', http_client=httpx.Client(verify=False))\n",
    "context": f"{_KEY}httpx.Client(verify=ssl.create_default_context())\n",
    "required": f"{_KEY}c = ssl.create_default_context()\nc.verify_mode = ssl.CERT_REQUIRED\nhttpx.Client(verify=c)\n",
    "session that checks": f"{_KEY}s = requests.Session()\ns.verify = True\ns.get(u, headers=k)\n",
    "session, if asked": f"{_KEY}s = requests.Session()\nif dev:\n    s.verify = False\ns.get(u, headers=k)\n",
    "options, if asked": f"{_KEY}o = {{}}\nif dev:\n    o['verify'] = False\nrequests.get(u, headers=k, **o)\n",
    "another verify": f"{_KEY}jwt.decode(t, verify=False)\nmodel.verify = False\n",
    "another variable": f"{_KEY}os.environ['PYTHONHTTPSVERIFY'] = '1'\n",
}

LOUD = {
    "request": (f"{_KEY}requests.get(u, headers=k, verify=False)\n", 4, None, "False"),
    "request without a key": (f"{_KEY}requests.get(u, verify=False)\n", 4, "no-key", "False"),
    "session": (f"{_KEY}s = requests.Session()\ns.verify = False\ns.get(u, headers=k)\n", 5, None, "False"),
    "client of httpx": (f"{_KEY}c = httpx.Client(verify=False, headers=k)\nc.get(u)\n", 4, None, "False"),
    "client of httpx, made only": (f"{_KEY}c = httpx.Client(verify=False)\n", 4, "no-key", "False"),
    "handed over": (f"{_KEY}OpenAI(http_client=httpx.Client(verify=False))\n", 4, None, "False"),
    "unverified context": (
        (
            f"{_KEY}import urllib.request\nr = urllib.request.Request(u, headers=k)\n"
            "urllib.request.urlopen(r, context=ssl._create_unverified_context())\n"
        ),
        6,
        None,
        "ssl._create_unverified_context()",
    ),
    "context changed": (
        f"{_KEY}c = ssl.create_default_context()\nc.verify_mode = ssl.CERT_NONE\nhttpx.get(u, headers=k, verify=c)\n",
        5,
        None,
        "ssl.CERT_NONE",
    ),
    "aiohttp": (
        (
            f"{_KEY}import aiohttp\nasync def f():\n    async with aiohttp.ClientSession(headers=k) as s:\n"
            "        await s.get(u, ssl=False)\n"
        ),
        7,
        None,
        "False",
    ),
    "aiohttp connector": (
        (
            f"{_KEY}import aiohttp\nasync def f():\n"
            "    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as s:\n"
            "        await s.get(u, headers=k)\n"
        ),
        6,
        None,
        "False",
    ),
    "urllib3": (
        f"{_KEY}import urllib3\np = urllib3.PoolManager(cert_reqs='CERT_NONE')\np.request('GET', u, headers=k)\n",
        5,
        None,
        "'CERT_NONE'",
    ),
    "everything": (
        f"{_KEY}ssl._create_default_https_context = ssl._create_unverified_context\n",
        4,
        "everywhere",
        "ssl._create_unverified_context",
    ),
    "variable": (f"{_KEY}os.environ['PYTHONHTTPSVERIFY'] = '0'\n", 4, "everywhere", "'0'"),
    "everything, no models": (
        "import ssl\nssl._create_default_https_context = ssl._create_unverified_context\n",
        2,
        "elsewhere",
        "ssl._create_unverified_context",
    ),
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET.keys())
def test_certificates_that_are_checked_stay_quiet(text: str) -> None:
    assert short(check, text) == []


@pytest.mark.parametrize(("text", "line", "case", "shown"), LOUD.values(), ids=LOUD.keys())
def test_what_switches_the_check_off_is_found(text: str, line: int, case: str | None, shown: str) -> None:
    found = spoken(check, text)
    assert [(one.rule, one.line, one.case, one.text) for one in found] == [("KG502", line, case, shown)]


def test_the_message_says_what_is_at_stake() -> None:
    (one,) = spoken(check, f"{_KEY}requests.get(u, headers=k, verify=False)\n")
    assert one.message == (
        "verify=False lets requests.get send the key to whoever answers: certificates are not checked"
    )
    (one,) = spoken(check, f"{_KEY}requests.get(u, headers=k, verify=False)\n", lang="zh")
    assert one.message == "verify=False 让 requests.get 不检查证书：谁来应答，密钥就发给谁"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".env", "NODE_TLS_REJECT_UNAUTHORIZED=1\n"),
        (".env", "# NODE_TLS_REJECT_UNAUTHORIZED=0\n"),
        ("README.md", "export NODE_TLS_REJECT_UNAUTHORIZED=0\n"),
        ("run.sh", "unset NODE_TLS_REJECT_UNAUTHORIZED\nexport PYTHONHTTPSVERIFY=\n"),
        ("run.sh", "export MY_PYTHONHTTPSVERIFY=0\n"),
        ("app.ts", "// process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'\n"),
        ("run.sh", "NODE_TLS_REJECT_UNAUTHORIZED=01\n"),
    ],
    ids=["on", "comment", "documentation", "taken away", "another name", "comment of TypeScript", "another value"],
)
def test_scripts_that_check_stay_quiet(path: str, text: str) -> None:
    assert list(switches.check(facts_of(path, f"{text}OPENAI_API_KEY=\n"))) == []


@pytest.mark.parametrize(
    ("path", "text", "shown"),
    [
        (".env", "NODE_TLS_REJECT_UNAUTHORIZED=0\n", "NODE_TLS_REJECT_UNAUTHORIZED=0"),
        (".env", 'PYTHONHTTPSVERIFY="0"\n', 'PYTHONHTTPSVERIFY="0"'),
        ("run.sh", "export PYTHONHTTPSVERIFY=0\n", "PYTHONHTTPSVERIFY=0"),
        ("run.sh", "NODE_TLS_REJECT_UNAUTHORIZED=0 node app.js\n", "NODE_TLS_REJECT_UNAUTHORIZED=0"),
        ("Dockerfile", "ENV NODE_TLS_REJECT_UNAUTHORIZED 0\n", "NODE_TLS_REJECT_UNAUTHORIZED 0"),
        ("compose.yml", "  NODE_TLS_REJECT_UNAUTHORIZED: '0'\n", "NODE_TLS_REJECT_UNAUTHORIZED: '0'"),
        ("run.ps1", "$env:NODE_TLS_REJECT_UNAUTHORIZED = 0\n", "NODE_TLS_REJECT_UNAUTHORIZED = 0"),
        ("app.ts", "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'\n", "NODE_TLS_REJECT_UNAUTHORIZED = '0'"),
        ("app.js", "process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = 0\n", "NODE_TLS_REJECT_UNAUTHORIZED'] = 0"),
    ],
    ids=["env", "quoted", "export", "before a command", "Dockerfile", "compose", "PowerShell", "TypeScript", "index"],
)
@pytest.mark.parametrize(("more", "case"), [("OPENAI_API_KEY", "everywhere"), ("", "elsewhere")], ids=["key", "no key"])
def test_a_script_that_switches_the_check_off_is_found(  # a case has that many parts
    path: str, text: str, shown: str, more: str, case: str
) -> None:
    whole = f"{text}# {more}\n"
    found = switches.check(facts_of(path, whole))
    assert [(hit.case, whole[hit.span.start : hit.span.end]) for hit in found] == [(case, shown)]
