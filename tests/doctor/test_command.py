"""`keyguard doctor` as its users run it: a healthy project first, then each thing that can be wrong, in its words."""

# ruff: noqa: RUF001  # full-width punctuation is what Chinese is written with

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.doctor.made import LOADS, OPENAI, Patient
from tests.keys import fill
from tests.runs import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

GENAI = "from google import genai\n\nclient = genai.Client()\n"
RELAY = (
    "import os\n\nfrom openai import OpenAI\n\n"
    'client = OpenAI(base_url="https://api.poloapi.top/v1", api_key=os.environ["POLOAPI_KEY"], timeout=60)\n'
)
LOCAL = (
    "import os\n\nfrom openai import OpenAI\n\n"
    'client = OpenAI(base_url=os.environ["LLM_URL"], api_key=os.environ["LLM_KEY"])\n'
)
NEEDED = "app.py:3 needs it"


# Quiet first.


def test_an_empty_folder_has_nothing_to_say(patient: Patient) -> None:
    done = patient.run()
    text = "No variable of a model API is set here, and no code of this project needs one.\n"
    assert (done.code, done.out, done.err) == (0, text, "")


def test_a_healthy_project_says_so(patient: Patient) -> None:
    patient.write("app.py", LOADS + OPENAI)
    patient.write(".env", "OPENAI_API_KEY=<openai-key>\n")
    done = patient.process()
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "state  variable        set in  whose   value\n"
        "ok     OPENAI_API_KEY  .env:1  OpenAI  sk-proj-… (132 characters)\n"
        "\n"
        "Healthy: nothing is wrong with 1 variable (shell, .env).\n"
        "Whether a key lives: keyguard doctor --verify\n"
    )


def test_it_says_so_in_chinese(patient: Patient) -> None:
    done = patient.run("--lang", "zh", env={"DEEPSEEK_API_KEY": "<deepseek-key>"})
    assert done.out == (
        "状态  变量              设置位置    归属      值\n"
        "正常  DEEPSEEK_API_KEY  shell 环境  深度求索  sk-…（35 个字符）\n"
        "\n"
        "正常：检查了 1 个变量，没有发现问题（shell 环境）。\n"
        "想知道密钥是否有效：keyguard doctor --verify\n"
    )


QUIET: Mapping[str, tuple[dict[str, str], str, str]] = {
    "a-whole-key-in-the-shell": ({"ANTHROPIC_API_KEY": "<claude-key>"}, "", ""),
    "a-template-of-an-unused-variable": ({}, "ANTHROPIC_API_KEY=\n", ""),
    "the-same-value-twice": ({"OPENAI_API_KEY": "<openai-key>"}, "OPENAI_API_KEY=<openai-key>\n", LOADS + OPENAI),
    "a-placeholder-that-the-shell-hides": ({"OPENAI_API_KEY": "<openai-key>"}, "OPENAI_API_KEY=your-key\n", LOADS),
    "a-dummy-for-a-server-of-ones-own": (
        {"OPENAI_API_KEY": "EMPTY", "OPENAI_BASE_URL": "http://localhost:8000/v1"},
        "",
        OPENAI,
    ),
    "a-dummy-that-no-code-sends": ({"AWS_SECRET_ACCESS_KEY": "test"}, "", ""),
    "a-relay's-key-at-the-relay": ({"POLOAPI_KEY": "<relay-key>"}, "", RELAY),
    "another's-variable-at-a-relay-by-variable": (
        {"OPENAI_API_KEY": "<relay-key>", "OPENAI_BASE_URL": "https://api.poloapi.top/v1"},
        "",
        OPENAI,
    ),
    "documented-reuse": (
        {"ANTHROPIC_API_KEY": "<deepseek-key>", "ANTHROPIC_BASE_URL": "https://api.deepseek.com/anthropic"},
        "",
        "import anthropic\n\nclient = anthropic.Anthropic()\n",
    ),
    "any-text-at-a-host-that-nobody-knows": (
        {"OPENAI_API_KEY": "abc-0192-kdjf-1", "OPENAI_BASE_URL": "https://llm.acme-internal-host.net/v1"},
        "",
        OPENAI,
    ),
    "a-reference-to-another-variable": ({}, "OPENAI_API_KEY=${MAIN_KEY}\n", LOADS + OPENAI),
    "a-reference-to-a-vault": ({"OPENAI_API_KEY": "op://vault/openai/key"}, "", OPENAI),
    "several-keys-in-turns": ({"OPENAI_API_KEY": "<openai-key>,<openai-key-2>"}, "", ""),
    "two-names-of-which-no-reader-is-used": (
        {"GOOGLE_API_KEY": "<gemini-key>", "GEMINI_API_KEY": "<gemini-key-2>", "OPENAI_API_KEY": "<openai-key>"},
        "",
        OPENAI,
    ),
    "two-names-with-one-value": ({"GOOGLE_API_KEY": "<gemini-key>", "GEMINI_API_KEY": "<gemini-key>"}, "", GENAI),
    "quotes-that-loaders-take-away": (
        {},
        "OPENAI_API_KEY=\"<openai-key>\"\nexport GROQ_API_KEY = '<groq-key>' # x\n",
        LOADS,
    ),
    "a-key-that-is-optional-in-the-code": (
        {},
        "",
        'import os\nfrom openai import OpenAI\nclient = OpenAI(api_key=os.getenv("MY_KEY", "EMPTY"))\n',
    ),
    "a-key-that-the-code-sets-itself": (
        {},
        "",
        'import os\nfrom openai import OpenAI\nos.environ["OPENAI_API_KEY"] = input()\nclient = OpenAI()\n',
    ),
    "a-local-server-needs-no-key": (
        {"LLM_URL": "http://127.0.0.1:11434/v1"},
        "",
        LOCAL,
    ),
    "an-azure-endpoint": ({"AZURE_OPENAI_ENDPOINT": "https://acme-eastus.openai.azure.com"}, "", ""),
    "a-key-to-manage-the-account-beside-it": (
        {"OPENAI_API_KEY": "<openai-key>", "OPENAI_ADMIN_KEY": "<openai/admin>"},
        "",
        OPENAI,
    ),
    "a-proxy-that-speaks-http": ({"HTTPS_PROXY": "http://proxy.corp:3128"}, "", ""),
    "a-comment": ({}, "# OPENAI_API_KEY: see the wiki\n", LOADS),
    "a-bare-host-for-who-takes-one": ({"OLLAMA_HOST": "127.0.0.1:11434"}, "", ""),
}


@pytest.mark.parametrize("case", QUIET)
def test_quiet(patient: Patient, case: str) -> None:
    shell, file, code = QUIET[case]
    if file:
        patient.write(".env", file)
    if code:
        patient.write("app.py", code)
    assert patient.told(env=shell) == []


def test_what_only_tests_and_examples_need_is_not_missing(patient: Patient) -> None:
    patient.write("tests/test_app.py", OPENAI)
    patient.write("examples/app.py", OPENAI)
    assert patient.told() == []


# Keys.

LOUD: Mapping[str, tuple[dict[str, str], str, str, list[str]]] = {
    "placeholder": (
        {"OPENAI_API_KEY": "your-api-key"},
        "",
        "",
        ["shell: OPENAI_API_KEY still holds a placeholder: no key was put in its place [401]"],
    ),
    "placeholder-in-chinese": (
        {},
        "OPENAI_API_KEY=你的API密钥\n",
        LOADS,
        [".env:1: OPENAI_API_KEY still holds a placeholder: no key was put in its place [401]"],
    ),
    "dummy-that-code-sends": (
        {"OPENAI_API_KEY": "test"},
        "",
        OPENAI,
        ["shell: OPENAI_API_KEY still holds a placeholder: no key was put in its place [401]"],
    ),
    "unexpanded": (
        {"OPENAI_API_KEY": "$(cat /run/secrets/key)"},
        "",
        "",
        ["shell: OPENAI_API_KEY holds a reference that no shell filled in, so its text is sent as the key [401]"],
    ),
    "masked": (
        {"OPENAI_API_KEY": "sk-proj-abcd...wxyz"},
        "",
        "",
        ["shell: OPENAI_API_KEY holds a masked key: what is left out cannot be guessed [401]"],
    ),
    "empty": (
        {"OPENAI_API_KEY": ""},
        "",
        OPENAI,
        ["shell: OPENAI_API_KEY is set and empty, and app.py:3 needs it [401]"],
    ),
    "empty-in-the-shell-hides-the-file": (
        {"OPENAI_API_KEY": ""},
        "OPENAI_API_KEY=<openai-key>\n",
        LOADS + OPENAI,
        ["shell: OPENAI_API_KEY is set and empty (shell), which hides the value at .env:1 [401]"],
    ),
    "twice-in-one": (
        {"OPENAI_API_KEY": "<openai-key><openai-key>"},
        "",
        "",
        ["shell: OPENAI_API_KEY holds its key twice, one behind the other: it was pasted two times [401]"],
    ),
    "carriage-return": (
        {"ANTHROPIC_API_KEY": "<claude-key>\r"},
        "",
        "",
        [
            (
                "shell: a carriage return ends ANTHROPIC_API_KEY: it comes from a file with the line ends of Windows "
                "[connection 401]"
            )
        ],
    ),
    "newline": (
        {"ANTHROPIC_API_KEY": "<claude-key>\n"},
        "",
        "",
        ["shell: a line end is part of ANTHROPIC_API_KEY [connection 401]"],
    ),
    "bom": (
        {"ANTHROPIC_API_KEY": "\ufeff<claude-key>"},
        "",
        "",
        [
            (
                "shell: a byte order mark is part of ANTHROPIC_API_KEY: it cannot be seen, and no header takes it "
                "[connection 401]"
            )
        ],
    ),
    "zero-width": (
        {"ANTHROPIC_API_KEY": "<claude-key>\u200b"},
        "",
        "",
        [
            (
                "shell: a character that cannot be seen is part of ANTHROPIC_API_KEY: it came along from a web "
                "page or chat "
                "[connection 401]"
            )
        ],
    ),
    "space": (
        {},
        'ANTHROPIC_API_KEY=" <claude-key>"\n',
        "",
        [".env:1: white space stands around the value of ANTHROPIC_API_KEY [401]"],
    ),
    "quotes": (
        {"ANTHROPIC_API_KEY": '"<claude-key>"'},
        "",
        "",
        ["shell: ANTHROPIC_API_KEY: quotes stand around it [401]"],
    ),
    "typographic-quotes": (
        {},
        "ANTHROPIC_API_KEY=“<claude-key>”\n",
        "",
        [".env:1: ANTHROPIC_API_KEY: quotes stand around it [401]"],
    ),
    "scheme": (
        {"ANTHROPIC_API_KEY": "Bearer <claude-key>"},
        "",
        "",
        ["shell: ANTHROPIC_API_KEY: Bearer stands in front of it, which most SDKs add themselves [401]"],
    ),
    "assignment": (
        {"OPENAI_API_KEY": "OPENAI_API_KEY=<openai-key>"},
        "",
        "",
        ["shell: OPENAI_API_KEY: OPENAI_API_KEY= stands in front of it [401]"],
    ),
    "another's-key": (
        {"OPENAI_API_KEY": "<claude-key>"},
        "",
        OPENAI,
        ["shell: OPENAI_API_KEY holds a key of Anthropic, and it is sent to OpenAI [401]"],
    ),
    "a-relay's-key-without-its-base-url": (
        {"OPENAI_API_KEY": "<relay-key>"},
        "",
        OPENAI,
        ["shell: OPENAI_API_KEY holds a relay's key, and it is sent to OpenAI [401]"],
    ),
    "a-key-of-some-other-platform": (
        {"OPENAI_API_KEY": "<relay_poloapi-key>"},
        "",
        OPENAI,
        [
            (
                "shell: OPENAI_API_KEY holds no key of OpenAI, whose keys begin with sk-proj-…, sk-svcacct-…, "
                "sk-admin-…, "
                "sk-…, sk-None-…, sk-service-…: it is cut, or of somebody else [401]"
            )
        ],
    ),
    "a-key-at-the-host-of-another": (
        {"OPENAI_API_KEY": "<openai-key>", "OPENAI_BASE_URL": "https://api.deepseek.com/v1"},
        "",
        OPENAI,
        [
            (
                "shell: OPENAI_API_KEY holds a key of OpenAI, but OPENAI_BASE_URL sends it to api.deepseek.com "
                "(DeepSeek) "
                "[401]"
            )
        ],
    ),
    "shell-and-file-differ": (
        {"OPENAI_API_KEY": "<openai-key>"},
        "OPENAI_API_KEY=<openai-key-2>\n",
        LOADS + OPENAI,
        ["shell: OPENAI_API_KEY has one value in the shell and another at .env:1: the shell's counts [401]"],
    ),
    "the-file-overrides": (
        {"OPENAI_API_KEY": "<openai-key>"},
        "OPENAI_API_KEY=<openai-key-2>\n",
        LOADS.replace("()", "(override=True)") + OPENAI,
        [".env:1: OPENAI_API_KEY has one value at .env:1 and another in the shell: the code lets the file count [401]"],
    ),
    "twice-in-a-file": (
        {},
        "OPENAI_API_KEY=<openai-key>\nOPENAI_API_KEY=<openai-key-2>\n",
        LOADS + OPENAI,
        [".env:2: OPENAI_API_KEY is set twice to different values, at .env:1 and at .env:2: the last one counts [401]"],
    ),
    "two-variables-conflict": (
        {"GOOGLE_API_KEY": "<gemini-key>", "GEMINI_API_KEY": "<gemini-key-2>"},
        "",
        GENAI,
        [
            (
                "shell: GOOGLE_API_KEY and GEMINI_API_KEY are both set and differ: google-genai takes "
                "GOOGLE_API_KEY and "
                "says nothing about it [401 429]"
            )
        ],
    ),
    "two-variables-conflict-without-code": (
        {"AZURE_OPENAI_AD_TOKEN": "<jwt>", "AZURE_OPENAI_API_KEY": "<azure-key>"},
        "",
        "",
        [
            (
                "shell: AZURE_OPENAI_AD_TOKEN and AZURE_OPENAI_API_KEY are both set and differ: openai takes "
                "AZURE_OPENAI_AD_TOKEN and says nothing about it [401 429]"
            )
        ],
    ),
    "two-variables-in-the-order-of-the-sdk": (
        {"HF_TOKEN": "<hf-key>", "HUGGING_FACE_HUB_TOKEN": "<hf-key-2>"},
        "",
        "from huggingface_hub import InferenceClient\n\nclient = InferenceClient()\n",
        [
            (
                "shell: HF_TOKEN and HUGGING_FACE_HUB_TOKEN are both set and differ: huggingface_hub takes HF_TOKEN "
                "and says nothing about it [401 429]"
            )
        ],
    ),
    "another-steps-in": (
        {"OPENAI_API_KEY": "<openai-key>"},
        "",
        "from langchain_deepseek import ChatDeepSeek\n\nllm = ChatDeepSeek(model='deepseek-chat')\n",
        [
            (
                "shell: DEEPSEEK_API_KEY is not set, so langchain-deepseek sends OPENAI_API_KEY, another "
                "provider's key "
                "[401]"
            )
        ],
    ),
    "missing": ({}, "", OPENAI, [f"shell: OPENAI_API_KEY is set nowhere, and {NEEDED} [401]"]),
    "missing-and-misspelt": (
        {"OPENAI_APIKEY": "<openai-key>"},
        "",
        OPENAI,
        [f"shell: OPENAI_API_KEY is set nowhere, and {NEEDED}; OPENAI_APIKEY is set: is it misspelt? [401]"],
    ),
    "missing-base-url": (
        {"LLM_KEY": "<relay-key>"},
        "",
        LOCAL,
        ["shell: LLM_URL is set nowhere, and app.py:5 needs it [401 404]"],
    ),
    # Base URLs.
    "what-the-sdk-appends": (
        {"OPENAI_BASE_URL": "https://api.openai.com/v1/chat/completions"},
        "",
        "",
        [
            (
                "shell: OPENAI_BASE_URL: https://api.openai.com/v1/chat/completions ends with what the client "
                "adds itself: "
                "requests go to …/v1/chat/completions/chat/completions and get 404 [404]"
            )
        ],
    ),
    "the-path-is-not-there": (
        {"OPENAI_BASE_URL": "https://api.poloapi.top"},
        "",
        "",
        [
            (
                "shell: OPENAI_BASE_URL: https://api.poloapi.top lacks the right path: requests go to "
                "/chat/completions, "
                "where PoloAPI does not answer [404]"
            )
        ],
    ),
    "a-path-too-much": (
        {"ANTHROPIC_BASE_URL": "https://api.anthropic.com/v1"},
        "",
        "",
        [
            (
                "shell: ANTHROPIC_BASE_URL: https://api.anthropic.com/v1 ends with what the client adds "
                "itself: requests "
                "go to …/v1/v1/messages and get 404 [404]"
            )
        ],
    ),
    "no-scheme": (
        {"OPENAI_BASE_URL": "api.poloapi.top/v1"},
        "",
        "",
        [
            (
                "shell: OPENAI_BASE_URL: api.poloapi.top/v1 does not begin with https://: every call fails as a "
                "connection error [connection]"
            )
        ],
    ),
    "an-empty-base-url": (
        {"OPENAI_BASE_URL": ""},
        "",
        "",
        [
            (
                "shell: OPENAI_BASE_URL: an empty base URL is used as it is: every call fails as a connection error "
                "[connection]"
            )
        ],
    ),
    "white-space-in-it": (
        {"OPENAI_BASE_URL": "https://api.openai.com/v1\r"},
        "",
        "",
        ["shell: OPENAI_BASE_URL: white space stands in the base URL https://api.openai.com/v1 [connection]"],
    ),
    "quotes-around-it": (
        {"OPENAI_BASE_URL": '"https://api.openai.com/v1"'},
        "",
        "",
        ["shell: quotes are part of OPENAI_BASE_URL: no host is found [connection]"],
    ),
    "a-key-in-its-place": (
        {"OPENAI_BASE_URL": "<openai-key>"},
        "",
        "",
        ["shell: OPENAI_BASE_URL holds a key where a base URL belongs [connection]"],
    ),
    "an-example's-host": (
        {"AZURE_OPENAI_ENDPOINT": "https://your-resource.openai.azure.com/"},
        "",
        "",
        [
            (
                "shell: AZURE_OPENAI_ENDPOINT still holds the host of an example (your-resource.openai.azure.com) "
                "[connection 404]"
            )
        ],
    ),
    "no-encryption": (
        {"OPENAI_BASE_URL": "http://llm.acme-internal-host.net/v1"},
        "",
        "",
        [
            (
                "shell: OPENAI_BASE_URL sends keys to llm.acme-internal-host.net without encryption (http://): "
                "everybody "
                "on the way can read them"
            )
        ],
    ),
    # Lines.
    "windows-assignment": (
        {},
        "set OPENAI_API_KEY=<openai-key>\n",
        LOADS + OPENAI,
        [".env:1: this line does not set OPENAI_API_KEY: loaders take NAME=value [401]"],
    ),
    "yaml-assignment": (
        {},
        "OPENAI_API_KEY: <openai-key>\n",
        LOADS + OPENAI,
        [".env:1: this line does not set OPENAI_API_KEY: loaders take NAME=value [401]"],
    ),
    "a-name-alone": (
        {},
        "PORT=1\nexport OPENAI_API_KEY\n",
        LOADS + OPENAI,
        [".env:2: this line names OPENAI_API_KEY without a value: loaders pass it over [401]"],
    ),
    "a-quote-that-nothing-closes": (
        {},
        'OPENAI_API_KEY="<openai-key>\n',
        LOADS + OPENAI,
        [".env:1: OPENAI_API_KEY is not set by this line: a quote is not closed, here or above [401]"],
    ),
    # The rest of the shell.
    "socks": (
        {"ALL_PROXY": "socks5://127.0.0.1:1080"},
        "",
        "",
        [
            (
                "(note) shell: ALL_PROXY is a SOCKS proxy (socks5): Python's HTTP libraries need an extra for it "
                "[connection]"
            )
        ],
    ),
    "certificates-that-are-not-there": (
        {"SSL_CERT_FILE": "/nowhere/ca.pem"},
        "",
        "",
        [
            (
                "shell: SSL_CERT_FILE names certificates that are not there (/nowhere/ca.pem): every https request "
                "fails [ssl]"
            )
        ],
    ),
}


@pytest.mark.parametrize("case", LOUD)
def test_loud(patient: Patient, case: str) -> None:
    shell, file, code, expected = LOUD[case]
    if file:
        patient.write(".env", file)
    if code:
        patient.write("app.py", code)
    assert [one.replace("app.py:6", "app.py:3") for one in patient.told(env=shell)] == expected


@pytest.mark.parametrize(
    ("name", "key", "kept", "told"),
    [
        ("ANTHROPIC_API_KEY", "<claude-key>", 100, "looks like a key of Anthropic, but 8 characters are missing"),
        ("ANTHROPIC_API_KEY", "<claude-key>", 107, "looks like a key of Anthropic, but one character is missing"),
        (
            "OPENAI_API_KEY",
            "<openai-key>",
            60,
            "looks like a key of OpenAI, but it does not have the form of such a key, so it was mistyped or cut",
        ),
        ("GROQ_API_KEY", "<groq-key>", 40, "looks like a key of Groq, but 16 characters are missing"),
    ],
)
def test_a_cut_key(patient: Patient, name: str, key: str, kept: int, told: str) -> None:
    assert patient.told(env={name: fill(key)[:kept]}) == [f"shell: {name} {told} [401]"]


@pytest.mark.parametrize("key", ["<openai-key|body>", "<claude-key|body>"])
def test_a_key_without_its_prefix(patient: Patient, key: str) -> None:
    name, whose = ("OPENAI_API_KEY", "OpenAI") if "openai" in key else ("ANTHROPIC_API_KEY", "Anthropic")
    (told,) = patient.told(env={name: key})
    assert told.startswith(f"shell: {name} holds no key of {whose}, whose keys begin with sk-")


def test_a_problem_leads_to_what_its_provider_answers(patient: Patient) -> None:
    patient.write("app.py", GENAI)
    assert patient.told(env={"GEMINI_API_KEY": "your-key"}) == [
        "shell: GEMINI_API_KEY still holds a placeholder: no key was put in its place [400 403]"
    ]


def test_a_kind_of_key_that_no_longer_works(patient: Patient) -> None:
    told = "GEMINI_API_KEY looks like a key of Google Gemini API / AI Studio, but keys of this kind no longer work"
    assert patient.told(env={"GEMINI_API_KEY": "<gemini-aiza-key>"}) == [f"(note) shell: {told} [400 403]"]
    patient.write("app.py", GENAI)
    assert patient.told(env={"GEMINI_API_KEY": "<gemini-aiza-key>"}) == [f"shell: {told} [400 403]"]


def test_remedies_say_what_to_do(patient: Patient) -> None:
    (problem,) = patient.look(env={"OPENAI_API_KEY": "<your-key>"})["problems"]
    assert problem["remedy"] == "Put the key in: https://platform.openai.com/api-keys"
    assert problem["url"] == "https://platform.openai.com/api-keys"
    assert (problem["problem"], problem["variable"], problem["path"], problem["line"]) == (
        "placeholder",
        "OPENAI_API_KEY",
        None,
        None,
    )
    (problem,) = patient.look(env={"ANTHROPIC_BASE_URL": "https://api.anthropic.com/v1"})["problems"]
    assert problem["remedy"] == "Write https://api.anthropic.com"
    assert problem["flaw"] == "doubled"


def test_a_report_in_text_says_what_to_do_and_where_it_leads(patient: Patient) -> None:
    patient.write("app.py", LOADS + OPENAI)
    patient.write(".env", "OPENAI_API_KEY=<openai-key-2>\n")
    done = patient.process(env={"OPENAI_API_KEY": "<openai-key-4>", "GROQ_API_KEY": "your-key"})
    assert (done.code, done.err) == (1, "")
    assert done.out == (
        "state    variable        set in  whose   value\n"
        "problem  GROQ_API_KEY    shell   Groq    placeholder\n"
        "problem  OPENAI_API_KEY  shell   OpenAI  sk-proj-… (164 characters)\n"
        "hidden                   .env:1          sk-proj-… (56 characters)\n"
        "\n"
        "GROQ_API_KEY\n"
        "  problem: GROQ_API_KEY still holds a placeholder: no key was put in its place\n"
        "    do: Put the key in: https://console.groq.com/keys\n"
        "    leads to: 401\n"
        "\n"
        "OPENAI_API_KEY\n"
        "  problem: OPENAI_API_KEY has one value in the shell and another at .env:1: the shell's counts\n"
        "    do: Remove the one that is wrong: unset OPENAI_API_KEY, or load_dotenv(override=True) if the file is to "
        "count\n"
        "    leads to: 401\n"
        "\n"
        "Found 2 problems.\n"
        "Next: keyguard doctor --explain 401\n"
    )


def test_json_is_for_programs(patient: Patient) -> None:
    patient.write("app.py", OPENAI)
    report = patient.look(env={"OPENAI_API_KEY": "<openai-key>", "OPENAI_BASE_URL": "https://api.openai.com/v1"})
    assert report == {
        "version": 1,
        "summary": {"healthy": True, "variables": 2, "problems": 0, "notes": 0, "files": []},
        "variables": [
            {
                "name": "OPENAI_API_KEY",
                "holds": "key",
                "provider": "openai",
                "settings": [
                    {
                        "path": None,
                        "line": None,
                        "counts": True,
                        "state": "set",
                        "prefix": "sk-proj-",
                        "length": 132,
                        "url": None,
                    }
                ],
                "needed_by": [{"path": "app.py", "line": 3}],
                "verdict": None,
            },
            {
                "name": "OPENAI_BASE_URL",
                "holds": "base_url",
                "provider": "openai",
                "settings": [
                    {
                        "path": None,
                        "line": None,
                        "counts": True,
                        "state": "set",
                        "prefix": None,
                        "length": 25,
                        "url": "https://api.openai.com/v1",
                    }
                ],
                "needed_by": [],
                "verdict": None,
            },
        ],
        "problems": [],
    }


def test_what_may_be_secret_in_a_base_url_is_left_out(patient: Patient) -> None:
    url = fill("https://me:hunter2@llm.acme-net.dev/<openai-key>/v1?key=<openai-key-2>")
    done = patient.run("--output-format", "json", env={"OPENAI_BASE_URL": url})
    assert done.report["variables"][0]["settings"][0]["url"] == "https://llm.acme-net.dev/sk-proj-… (132 characters)/v1"
    assert "hunter2" not in done.out


# Env files.


def test_a_file_that_git_tracks(patient: Patient) -> None:
    patient.write(".gitignore", "")
    patient.write(".env", "OPENAI_API_KEY=<openai-key>\n")
    patient.tree.commit()
    assert patient.told() == [".env: git tracks it, so its keys are in every clone"]


def test_a_file_that_git_does_not_ignore(patient: Patient) -> None:
    patient.write(".gitignore", "")
    patient.write(".env", "OPENAI_API_KEY=<openai-key>\n")
    assert patient.told() == [".env: git does not ignore it: the next `git add .` takes its keys along"]


def test_a_tracked_file_without_secrets_is_fine(patient: Patient) -> None:
    patient.write(".gitignore", "")
    patient.write(".env", "PORT=8000\nOPENAI_API_KEY=\n")
    patient.tree.commit()
    assert patient.told() == []


def test_a_folder_outside_git_is_fine(tmp_path: Path) -> None:
    outside = Patient(Tree(tmp_path / "plain"))
    outside.write(".env", "OPENAI_API_KEY=<openai-key>\n")
    assert outside.told() == []


@pytest.mark.skipif(os.name == "nt", reason="modes do not say it there")
def test_a_file_that_everybody_can_read() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # every folder above must be open
        outside = Patient(Tree(Path(folder) / "project"))
        outside.write(".env", "OPENAI_API_KEY=<openai-key>\n", mode=0o644)
        assert outside.told() == []  # the folder is its owner's alone
        Path(folder).chmod(0o755)
        outside.tree.root.chmod(0o755)
        (problem,) = outside.look()["problems"]
        assert problem["message"] == "every user of this machine can read it"
        assert problem["remedy"] == "Run chmod 600 .env"
        outside.write(".env", "PORT=1\n", mode=0o644)
        assert outside.told() == []
        outside.write(".env", "OPENAI_API_KEY=<openai-key>\n", mode=0o640)
        assert outside.told() == []


def test_a_file_that_web_servers_hand_out(patient: Patient) -> None:
    patient.write("public/app.py", 'from dotenv import load_dotenv\n\nload_dotenv("public/.env")\n')
    patient.write("public/.env", "OPENAI_API_KEY=<openai-key>\n")
    assert patient.told() == ["public/.env: lies in public/, which web servers hand out"]


def test_a_byte_order_mark(patient: Patient) -> None:
    patient.write(".env", fill("\ufeffOPENAI_API_KEY=<openai-key>\n").encode())
    report = patient.look()
    assert [one["message"] for one in report["problems"]] == [
        "begins with a byte order mark, which shells and older loaders take for a part of the name OPENAI_API_KEY"
    ]
    assert report["variables"][0]["settings"][0]["line"] == 1


def test_utf_16_is_read_by_nobody(patient: Patient) -> None:
    patient.write(".env", fill("OPENAI_API_KEY=<openai-key>\n").encode("utf-16"))
    assert patient.told() == [".env: is no UTF-8 text: no loader reads it [401]"]


@pytest.mark.skipif(os.name == "nt", reason="what is usual there")
def test_the_line_ends_of_windows_are_noted(patient: Patient) -> None:
    patient.write(".env", "OPENAI_API_KEY=<openai-key>\nGROQ_API_KEY=<groq-key>\n", newline="\r\n")
    assert patient.told() == [
        (
            "(note) .env: has the line ends of Windows: a shell that loads it (`. .env`) adds a carriage "
            "return to each "
            "value"
        )
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(patient: Patient) -> None:
    os.mkfifo(patient.tree.root / ".env")
    assert patient.told() == [".env: cannot be read (no regular file) [401]"]


def test_a_link_that_leads_nowhere(patient: Patient) -> None:
    (patient.tree.root / ".env").symlink_to("gone")
    assert patient.told() == [".env: cannot be read (No such file or directory) [401]"]


def test_the_file_that_code_names_is_looked_at(patient: Patient) -> None:
    patient.write(
        "src/app/main.py",
        "import os\nfrom pathlib import Path\nfrom dotenv import load_dotenv as load\n\n"
        'load(Path(__file__).parents[1] / "config" / ".env.prod")\n' + OPENAI,
    )
    patient.write("src/app/config/.env.prod", "OPENAI_API_KEY=<your-key>\n")
    assert patient.told() == [
        "src/app/config/.env.prod:1: OPENAI_API_KEY still holds a placeholder: no key was put in its place [401]"
    ]


def test_a_settings_class_names_its_file(patient: Patient) -> None:
    patient.write(
        "app.py",
        "from pydantic_settings import BaseSettings, SettingsConfigDict\n\n\nclass Settings(BaseSettings):\n"
        '    model_config = SettingsConfigDict(env_file=(".env.base", ".env.prod"))\n    openai_api_key: str\n',
    )
    patient.write(".env.base", "OPENAI_API_KEY=<openai-key>\n")
    patient.write(".env.prod", "GROQ_API_KEY=your-key\n")
    assert patient.told() == [".env.prod:1: GROQ_API_KEY still holds a placeholder: no key was put in its place [401]"]


def test_a_notebook_loads_a_file_too(patient: Patient) -> None:
    source = ["import dotenv\n", "dotenv.load_dotenv('.env.lab')"]
    cell = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
    patient.write("a.ipynb", json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    patient.write(".env.lab", "OPENAI_API_KEY=<your-key>\n")
    assert patient.told() == [".env.lab:1: OPENAI_API_KEY still holds a placeholder: no key was put in its place [401]"]


def test_a_file_above_the_project_is_what_the_loader_finds(patient: Patient) -> None:
    patient.write("service/app.py", LOADS + OPENAI)
    patient.write("service/pyproject.toml", "[project]\nname = 'x'\n")
    patient.write(".env", "OPENAI_API_KEY=<your-key>\n")
    assert patient.told("service") == [
        ".env:1: OPENAI_API_KEY still holds a placeholder: no key was put in its place [401]"
    ]


def test_the_local_file_wins_over_the_shared_one(patient: Patient) -> None:
    patient.write(".env", "OPENAI_API_KEY=<openai-key>\n")
    patient.write(".env.local", "OPENAI_API_KEY=<openai-key-2>\n")
    settings = patient.look()["variables"][0]["settings"]
    assert [(one["path"], one["counts"]) for one in settings] == [(".env.local", True), (".env", False)]
    assert patient.told() == []


def test_a_file_that_nothing_loads_is_noted(patient: Patient) -> None:
    patient.write("app.py", OPENAI)
    patient.write(".env", "OPENAI_API_KEY=<openai-key>\n")
    assert patient.told() == [
        "(note) .env: no code of this project loads it, and nothing else sets OPENAI_API_KEY [401]"
    ]
    assert patient.run().out.splitlines()[-2] == (
        "Healthy, apart from what is noted: 1 variable looked at (shell, .env)."
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("compose.yaml", "services:\n  app:\n    env_file: .env\n"),
        ("run.sh", "set -a; . ./.env\n"),
        ("justfile", "set dotenv-load\n"),
        ("settings.py", "from decouple import config\n"),
    ],
)
def test_a_file_that_something_else_loads_is_fine(patient: Patient, name: str, text: str) -> None:
    patient.write("app.py", OPENAI)
    patient.write(name, text)
    patient.write(".env", "OPENAI_API_KEY=<openai-key>\n")
    assert patient.told() == []


# What is missing.


def test_a_template_names_it(patient: Patient) -> None:
    patient.write("app.py", OPENAI)
    patient.write(".env.example", "# keys\nOPENAI_API_KEY=\n")
    (problem,) = patient.look()["problems"]
    assert problem["message"] == f"OPENAI_API_KEY is set nowhere, and {NEEDED}; .env.example:2 names it"
    assert problem["remedy"] == ("Copy that file to .env and put the value in: https://platform.openai.com/api-keys")


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("compose.yaml", "services:\n  app:\n    environment:\n      OPENAI_API_KEY: ${KEY}\n", 4),
        (".github/workflows/ci.yml", "env:\n  OPENAI_API_KEY: ${{ secrets.KEY }}\n", 2),
        ("Dockerfile", "FROM python\nENV OPENAI_API_KEY=x\n", 2),
    ],
)
def test_it_is_set_elsewhere_for_a_run_of_its_own(patient: Patient, name: str, text: str, line: int) -> None:
    patient.write("app.py", OPENAI)
    patient.write(name, text)
    assert patient.told() == [
        f"shell: OPENAI_API_KEY is not set here, and {NEEDED}; {name}:{line} sets it for a run of its own only [401]"
    ]


def test_a_missing_variable_is_told_once_with_every_place_that_needs_it(patient: Patient) -> None:
    patient.write("app.py", OPENAI)
    patient.write("other.py", OPENAI)
    report = patient.look()
    assert [one["variable"] for one in report["problems"]] == ["OPENAI_API_KEY"]
    assert report["variables"][0]["needed_by"] == [{"path": "app.py", "line": 3}, {"path": "other.py", "line": 3}]


def test_of_two_variables_for_one_key_one_is_enough(patient: Patient) -> None:
    patient.write("app.py", "import anthropic\n\nclient = anthropic.Anthropic()\n")
    assert (
        patient.told(env={"ANTHROPIC_AUTH_TOKEN": "<relay-key>", "ANTHROPIC_BASE_URL": "https://api.acme-x.dev"}) == []
    )


# Settings of the project.


def test_a_host_that_the_project_answers_for_takes_any_key(patient: Patient) -> None:
    shell = {"OPENAI_API_KEY": "<openai-key>", "OPENAI_BASE_URL": "https://api.deepseek.com/v1"}
    patient.write("pyproject.toml", '[tool.keyguard.trusted-hosts]\n"api.deepseek.com" = "own"\n')
    assert patient.told(env=shell) == []


def test_a_provider_of_the_project_counts(patient: Patient) -> None:
    provider = '[tool.keyguard.providers.acme]\nkind = "vendor"\nhosts = ["llm.acme.dev"]\nenv = ["ACME_LLM_KEY"]\n'
    patient.write("pyproject.toml", provider)
    report = patient.look(env={"ACME_LLM_KEY": "your-key"})
    assert [one["variable"] for one in report["problems"]] == ["ACME_LLM_KEY"]


# Errors explained, and usage.


@pytest.mark.parametrize("error", ["400", "401", "402", "403", "404", "429", "timeout", "ssl"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_error_is_explained(patient: Patient, error: str, lang: str) -> None:
    done = patient.run("--explain", error, "--lang", lang)
    assert (done.code, done.err) == (0, "")
    first, *rest = done.out.splitlines()
    assert error in first or error in {"timeout", "ssl"}
    assert sum(line.startswith(f"{number}. ") for number, line in enumerate(filter(_is_numbered, rest), 1)) >= 2
    assert "{" not in done.out
    page = patient.run("--explain", error, "--lang", lang, "--output-format", "json").report
    assert (page["version"], page["error"], page["meaning"]) == (1, error, first)
    assert all(cause["cause"] and cause["remedy"] for cause in page["causes"])


def _is_numbered(line: str) -> bool:
    return re.match(r"\d\. ", line) is not None


def test_the_page_about_401_begins_with_what_is_likeliest(patient: Patient) -> None:
    lines = patient.run("--explain", "401").out.splitlines()
    assert lines[:4] == [
        "401: the host does not accept the key.",
        "",
        "1. The variable is not set where the program runs, so no key or a stand-in is sent.",
        (
            "   Run keyguard doctor in that shell. A variable set in another terminal is not here; after setx open "
            "a new one."
        ),
    ]


def test_an_error_may_be_called_otherwise(patient: Patient) -> None:
    for name, page in (("Connection", "timeout"), ("SSL", "ssl"), ("tls", "ssl")):
        assert patient.run("--explain", name).out == patient.run("--explain", page).out


def test_the_page_about_400_names_who_says_400_to_a_wrong_key(patient: Patient) -> None:
    assert "Google Gemini API / AI Studio" in patient.run("--explain", "400").out


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("--explain", "418"), "there is no page about 418; there are pages about 400, 401"),
        (("nowhere",), "nowhere: there is no such folder; name the project's folder"),
        (("app.py",), "app.py: there is no such folder; name the project's folder"),
        (("--verfy",), "did you mean --verify?"),
        (("--output-format", "xml"), "invalid choice"),
    ],
)
def test_usage_errors_exit_two(patient: Patient, argv: tuple[str, ...], told: str) -> None:
    patient.write("app.py", "")
    done = patient.run(*argv)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_the_report_goes_to_a_file(patient: Patient) -> None:
    done = patient.run("--output-file", "out.txt", env={"OPENAI_API_KEY": "your-key"})
    assert (done.code, done.out) == (1, "")
    assert "OPENAI_API_KEY still holds a placeholder" in (patient.tree.root / "out.txt").read_text(encoding="utf-8")


def test_a_project_without_python_that_matters_imports_no_parser(patient: Patient) -> None:
    patient.write("app.py", "print(1)\n")
    patient.write(".env", "OPENAI_API_KEY=<openai-key>\n")
    code = (
        "import sys; from keyguard.cli import main; code = main(['doctor']);"
        "print(code, *sorted({'libcst', 'rich', 'urllib3', 'requests'} & set(sys.modules)), file=sys.stderr)"
    )
    done = patient.python(code)
    assert done.err.splitlines()[-1] == "0"
