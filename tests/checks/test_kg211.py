"""KG211: which keys can do more than a model call needs."""

from __future__ import annotations

import pytest

from keyguard.checks.kg211 import check
from tests.python.connected import cases, told

HEAD = "import os, requests\nfrom openai import OpenAI\n"
CALL = "c.chat.completions.create(model='gpt-4o', messages=[])\n"
ADMIN = 'os.environ["OPENAI_ADMIN_KEY"]'


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'c = OpenAI(api_key=os.environ["OPENAI_API_KEY"])\n{CALL}', id="an-ordinary-key"),
        pytest.param(f"c = OpenAI()\n{CALL}", id="implied"),
        pytest.param(f"c = OpenAI(admin_api_key={ADMIN})\n{CALL}", id="the-parameter-for-it"),
        pytest.param(f"c = OpenAI(api_key={ADMIN})\nc.admin.organization.users.list()\n", id="no-model-call"),
        pytest.param(
            "requests.get('https://api.openai.com/v1/organization/users',\n"
            f"  headers={{'Authorization': f'Bearer {{{ADMIN}}}'}})\n".replace('"', "'"),
            id="an-admin-endpoint",
        ),
        pytest.param(f'c = OpenAI(api_key="<openai-key>")\n{CALL}', id="an-ordinary-literal"),
        pytest.param(f"key = {ADMIN}\n", id="read-only"),
    ],
)
def test_what_a_key_is_for_stays_quiet(text: str) -> None:
    if "f'Bearer" in text:
        text = text.replace("['OPENAI_ADMIN_KEY']", '["OPENAI_ADMIN_KEY"]')
    assert cases(check, HEAD + text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"c = OpenAI(\n  api_key={ADMIN})\n{CALL}", (4, None), id="variable"),
        pytest.param(f'c = OpenAI(api_key=os.getenv("LITELLM_MASTER_KEY"))\n{CALL}', (3, None), id="master-key"),
        pytest.param(f'c = OpenAI(api_key="<openai/admin>")\n{CALL}', (3, "literal"), id="literal"),
        pytest.param(
            "requests.post('https://api.openai.com/v1/chat/completions',\n"
            "  headers={'Authorization': 'Bearer ' + os.environ['OPENAI_ADMIN_KEY']})\n",
            (4, None),
            id="raw-request",
        ),
        pytest.param(
            f"from langchain_openai import ChatOpenAI\nChatOpenAI(model='gpt-4o', api_key={ADMIN})\n",
            (4, None),
            id="a-client-for-one-model",
        ),
    ],
)
def test_a_key_that_manages_an_account_is_told(text: str, expected: tuple[int, str | None]) -> None:
    assert cases(check, HEAD + text) == [expected]


def test_the_message_names_variable_and_account() -> None:
    found = told(check, f"{HEAD}c = OpenAI(api_key={ADMIN})\n{CALL}")
    assert [one.message for one in found] == [
        "OPENAI_ADMIN_KEY holds a key that manages the whole account of OpenAI, and this calls a model with it"
    ]
