"""What the rules about connections offer to change, and where they offer nothing."""
# ruff: noqa: E501  # a text that is fixed is read best beside what comes of it

from __future__ import annotations

import ast

import pytest

from keyguard.checks import kg202, kg204, kg205, kg206, kg207, kg208, kg501, kg502
from tests.checks.mended import mended, offers

_CHECKS = {
    "KG202": kg202.check,
    "KG204": kg204.check,
    "KG205": kg205.check,
    "KG206": kg206.check,
    "KG207": kg207.check,
    "KG208": kg208.check,
    "KG501": kg501.check,
    "KG502": kg502.check,
}
_OPENAI = "import os\nfrom openai import OpenAI\n"
_REQUESTS = "import os\nimport requests\n"
_RELAY = "base_url='https://api.poloapi.top/v1'"
_SENT = "headers={'Authorization': k}"

# Rule, what stands above, the line as it is and as it becomes.
FIXED = {
    "variable": (
        "KG202",
        "unsafe",
        _OPENAI,
        f"OpenAI(api_key=os.environ['OPENAI_API_KEY'], {_RELAY})",
        f'OpenAI(api_key=os.environ["POLOAPI_KEY"], {_RELAY})',
    ),
    "implied": ("KG202", "unsafe", _OPENAI, f"OpenAI({_RELAY})", f'OpenAI({_RELAY}, api_key=os.environ["POLOAPI_KEY"])'),
    "named above": (
        "KG202",
        "unsafe",
        f"{_OPENAI}k = os.environ['OPENAI_API_KEY']\nofficial = OpenAI(api_key=k)\n",
        f"OpenAI(api_key=k, {_RELAY})",
        f'OpenAI(api_key=os.environ["POLOAPI_KEY"], {_RELAY})',
    ),
    "sealed": (
        "KG202",
        "unsafe",
        f"{_OPENAI}from pydantic import SecretStr\nfrom langchain_openai import ChatOpenAI\n",
        "ChatOpenAI(api_key=SecretStr(os.environ['OPENAI_API_KEY']), base_url='https://api.deepseek.com/v1')",
        "ChatOpenAI(api_key=SecretStr(os.environ[\"DEEPSEEK_API_KEY\"]), base_url='https://api.deepseek.com/v1')",
    ),
    "header": (
        "KG202",
        "unsafe",
        _REQUESTS,
        "requests.post('https://api.deepseek.com/x', headers={'Authorization': f\"Bearer {os.environ['OPENAI_API_KEY']}\"})",
        "requests.post('https://api.deepseek.com/x', headers={'Authorization': f\"Bearer {os.environ['DEEPSEEK_API_KEY']}\"})",
    ),
    "placeholder": ("KG204", "safe", _OPENAI, "OpenAI(api_key='your-api-key')", "OpenAI(api_key=os.environ['OPENAI_API_KEY'])"),
    "placeholder at a relay": (
        "KG204",
        "safe",
        _OPENAI,
        f"OpenAI(api_key='your-api-key', {_RELAY})",
        f"OpenAI(api_key=os.environ['POLOAPI_KEY'], {_RELAY})",
    ),
    "placeholder as fallback": (
        "KG204",
        "safe",
        _OPENAI,
        "OpenAI(api_key=os.getenv('OPENAI_API_KEY', 'sk-...'))",
        "OpenAI(api_key=os.environ['OPENAI_API_KEY'])",
    ),
    "file": ("KG205", "safe", _OPENAI, "OpenAI(api_key=open('k').read())", "OpenAI(api_key=open('k').read().strip())"),
    "scheme": (
        "KG205",
        "safe",
        _OPENAI,
        "OpenAI(api_key=f\"Bearer {os.environ['OPENAI_API_KEY']}\")",
        "OpenAI(api_key=os.environ['OPENAI_API_KEY'])",
    ),
    "scheme, added": (
        "KG205",
        "safe",
        _OPENAI,
        "OpenAI(api_key='Bearer ' + os.environ['OPENAI_API_KEY'])",
        "OpenAI(api_key=os.environ['OPENAI_API_KEY'])",
    ),
    "doubled": ("KG206", "unsafe", _OPENAI, f"OpenAI({_RELAY[:-1]}/chat/completions')", f"OpenAI({_RELAY})"),
    "white space": ("KG206", "unsafe", _OPENAI, 'OpenAI(base_url=" https://api.openai.com/v1")', 'OpenAI(base_url="https://api.openai.com/v1")'),
    "raw string": ("KG206", "unsafe", _OPENAI, "OpenAI(base_url=r'api.openai.com/v1')", "OpenAI(base_url=r'https://api.openai.com/v1')"),
    "renamed argument": ("KG207", "unsafe", _OPENAI, "OpenAI(api_base='https://x.y/v1')", "OpenAI(base_url='https://x.y/v1')"),
    "renamed setting": ("KG207", "unsafe", "import openai\n", "openai.api_base = 'https://x.y/v1'", "openai.base_url = 'https://x.y/v1/'"),
    "another unit": ("KG207", "unsafe", "from mistralai.client import Mistral\n", "Mistral(timeout=0.5)", "Mistral(timeout_ms=500)"),
    "getenv": (
        "KG208",
        "unsafe",
        _REQUESTS,
        "requests.get('https://api.openai.com', headers={'Authorization': f\"Bearer {os.getenv('OPENAI_API_KEY')}\"})",
        "requests.get('https://api.openai.com', headers={'Authorization': f\"Bearer {os.environ['OPENAI_API_KEY']}\"})",
    ),
    "get of an alias": (
        "KG208",
        "unsafe",
        "from os import environ\nimport requests\n",
        "requests.get('https://api.openai.com', headers={'x-api-key': environ.get('OPENAI_API_KEY', '')})",
        "requests.get('https://api.openai.com', headers={'x-api-key': environ['OPENAI_API_KEY']})",
    ),
    "plain HTTP": (
        "KG501",
        "unsafe",
        _OPENAI,
        "OpenAI(base_url='http://api.openai.com/v1')",
        "OpenAI(base_url='https://api.openai.com/v1')",
    ),
    "plain HTTP as fallback": (
        "KG501",
        "unsafe",
        _OPENAI,
        "OpenAI(base_url=os.getenv('URL', 'http://api.openai.com/v1'))",
        "OpenAI(base_url=os.getenv('URL', 'https://api.openai.com/v1'))",
    ),
    "check off": (
        "KG502",
        "unsafe",
        f"{_REQUESTS}k = os.environ['OPENAI_API_KEY']\n",
        f"requests.get('https://api.openai.com', {_SENT}, verify=False)",
        f"requests.get('https://api.openai.com', {_SENT})",
    ),
    "check off for a session": (
        "KG502",
        "unsafe",
        f"{_REQUESTS}k = os.environ['OPENAI_API_KEY']\ns = requests.Session()\ns.get('https://api.openai.com', {_SENT})\n",
        "s.verify = False",
        "s.verify = True",
    ),
    "context without a check": (
        "KG502",
        "unsafe",
        "import os, ssl, urllib.request\nr = urllib.request.Request('https://api.openai.com', headers={'x-api-key': os.environ['K']})\n",
        "urllib.request.urlopen(r, context=ssl._create_unverified_context(), timeout=9)",
        "urllib.request.urlopen(r, timeout=9)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "safety", "above", "line", "expected"), FIXED.values(), ids=FIXED.keys())
def test_what_a_fix_writes(rule: str, safety: str, above: str, line: str, expected: str) -> None:
    if "s.verify" in line:
        head, _, last = above.rstrip("\n").rpartition("\n")
        assert mended(_CHECKS[rule], f"{head}\n{line}\n{last}\n") == f"{head}\n{expected}\n{last}\n"
        return
    offer = [one for one in offers(_CHECKS[rule], f"{above}{line}\n") if one is not None]
    assert [(one.safety, one.text) for one in offer] == [(safety, f"{above}{expected}\n")]
    assert mended(_CHECKS[rule], f"{above}{line}\n") == f"{above}{expected}\n", "once is enough"


# Findings for which no edit may be offered: rule, code.
LEFT = {
    "two variables": (
        "KG202",
        f"{_OPENAI}OpenAI(api_key=os.getenv('DEEPSEEK_API_KEY') or os.getenv('OPENAI_API_KEY'), base_url='https://api.deepseek.com')\n",
    ),
    "fallback of the SDK": ("KG202", f"{_OPENAI}OpenAI(api_key=os.getenv('DEEPSEEK_API_KEY'), base_url='https://api.deepseek.com')\n"),
    "header from elsewhere": (
        "KG202",
        f"{_REQUESTS}k = os.environ['OPENAI_API_KEY']\nrequests.post('https://api.deepseek.com/x', headers={{'Authorization': f'Bearer {{k}}'}})\n",
    ),
    "a host that may be another": (
        "KG202",
        f"{_OPENAI}OpenAI(api_key=os.environ['OPENAI_API_KEY'], base_url=os.getenv('URL', 'https://api.deepseek.com'))\n",
    ),
    "class attribute": (
        "KG204",
        "from openai import OpenAI\nclass C:\n    key = 'your-api-key'\n    def f(self):\n        return OpenAI(api_key=self.key)\n",
    ),
    "one of two": ("KG204", f"{_OPENAI}OpenAI(api_key=os.getenv('OPENAI_API_KEY') or 'your-api-key')\n"),
    "written to the environment": ("KG204", f"{_OPENAI}os.environ['OPENAI_API_KEY'] = 'your-api-key'\nOpenAI()\n"),
    "a key with a space": ("KG205", "from openai import OpenAI\nOpenAI(api_key=' <openai-key>')\n"),
    "a read with more done to it": ("KG205", f"{_OPENAI}k = os.environ['OPENAI_API_KEY']\nOpenAI(api_key=f'Bearer {{k}}')\n"),
    "put together": ("KG206", f"{_OPENAI}h = 'https://api.poloapi.top'\nOpenAI(base_url=f'{{h}}/v1/chat/completions')\n"),
    "nobody knows the right one": ("KG206", f"{_OPENAI}OpenAI(base_url='')\n"),
    "another form": ("KG207", "import openai\nopenai.ChatCompletion.create(model='m', messages=[])\n"),
    "a setting that is read": ("KG207", "import os, openai\nopenai.api_base = os.environ['URL']\n"),
    "another unit, not a number": ("KG207", "from mistralai.client import Mistral\nMistral(timeout=T)\n"),
    "both names": ("KG207", f"{_OPENAI}OpenAI(api_base='https://x.y/v1', base_url='https://x.y/v1')\n"),
    "hidden arguments": ("KG207", f"{_OPENAI}OpenAI(api_base='https://x.y/v1', **k)\n"),
    "works without a key": (
        "KG208",
        "import os\nfrom huggingface_hub import InferenceClient\nInferenceClient(token=os.getenv('HF_TOKEN'))\n",
    ),
    "a name that is put together": (
        "KG208",
        f"{_REQUESTS}N = 'OPENAI_API_KEY'\nrequests.get('https://api.openai.com', headers={{'x-api-key': os.getenv(N)}})\n",
    ),
    "port": ("KG501", f"{_OPENAI}OpenAI(base_url='http://relay.poloapi.top:3000/v1')\n"),
    "address": ("KG501", f"{_OPENAI}OpenAI(base_url='http://203.0.114.7/v1')\n"),
    "constant with a name": (
        "KG502",
        f"{_REQUESTS}k = os.environ['K']\nV = False\nrequests.get('https://api.openai.com', {_SENT}, verify=V)\n",
    ),
    "context of one's own": (
        "KG502",
        "import os, ssl, urllib.request\nc = ssl.create_default_context()\nc.check_hostname = False\nc.verify_mode = ssl.CERT_NONE\nr = urllib.request.Request('https://api.openai.com', headers={'x-api-key': os.environ['K']})\nurllib.request.urlopen(r, context=c)\n",
    ),
    "comment beside it": (
        "KG502",
        f"{_REQUESTS}k = os.environ['K']\nrequests.get(\n    'https://api.openai.com',\n    {_SENT},\n    verify=False,  # the proxy\n)\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), LEFT.values(), ids=LEFT.keys())
def test_what_is_left_to_the_user(rule: str, text: str) -> None:
    found = offers(_CHECKS[rule], text)
    assert found, "it is a finding"
    assert [one.text for one in found if one is not None] == [None] * sum(one is not None for one in found)
    assert mended(_CHECKS[rule], text).count("\n") == text.count("\n")


def test_imports_are_added_once_for_what_a_fix_reads() -> None:
    text = f"from openai import OpenAI\nOpenAI({_RELAY})\nOpenAI({_RELAY}, timeout=9)\n"
    assert mended(kg202.check, text) == (
        "import os\n\nfrom openai import OpenAI\n"
        f'OpenAI({_RELAY}, api_key=os.environ["POLOAPI_KEY"])\n'
        f'OpenAI({_RELAY}, timeout=9, api_key=os.environ["POLOAPI_KEY"])\n'
    )
    text = "import requests\nfrom os import getenv\nh = {'x-api-key': getenv('OPENAI_API_KEY')}\nrequests.get('https://api.openai.com', headers=h)\n"
    assert "os.environ['OPENAI_API_KEY']" in mended(kg208.check, text)
    ast.parse(mended(kg208.check, text))


def test_a_header_keeps_its_scheme() -> None:
    text = "import requests\nh = {'Authorization': 'Bearer YOUR_API_KEY'}\nrequests.get('https://api.openai.com/v1/models', headers=h)\n"
    (offer,) = offers(kg204.check, text)
    assert offer is not None
    assert offer.text is not None
    assert "h = {'Authorization': f'Bearer {os.environ[\"OPENAI_API_KEY\"]}'}\n" in offer.text
    assert offer.text.startswith("import os\n")


def test_titles_are_sentences_in_both_languages() -> None:
    text = f"{_OPENAI}OpenAI(base_url='http://203.0.114.7/v1')\n"
    assert [one and one.title for one in offers(kg501.check, text)] == [
        "write https://: once you have tried whether it answers there"
    ]
    assert [one and one.title for one in offers(kg501.check, text, lang="zh")] == [
        "改用 https://：请先确认该地址支持 HTTPS"  # noqa: RUF001  # Chinese
    ]
    text = f"{_OPENAI}OpenAI({_RELAY})\n"
    assert [one and one.title for one in offers(kg202.check, text, lang="zh")] == ["从环境变量读取 POLOAPI_KEY"]
