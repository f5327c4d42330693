"""Keys are found where they begin and end, in every kind of text, and named after the right provider."""

from __future__ import annotations

import base64
import string
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.model import Confidence, Span
from keyguard.secrets.shapes import (
    Context,
    MayBe,
    is_credential_name,
    is_public_example,
    keys_in_text,
    keys_in_value,
    may_be_key,
    providers_of_name,
)
from keyguard.source import SourceFile
from tests.keys import fill, make, shape_ids

if TYPE_CHECKING:
    from keyguard.knowledge import KeyShape
    from keyguard.secrets.shapes import KeyMatch

CATALOGUE = load()
SHAPES = [
    shape
    for shape in map(CATALOGUE.shapes.__getitem__, shape_ids())
    if shape.secret and not shape.malformed and shape.max_length is not None
]
ALONE = [shape for shape in SHAPES if not shape.needs_context]
NAMED = [shape for shape in SHAPES if CATALOGUE.providers[shape.provider].env]

# What people write around a key: `{v}` is a variable of the provider, `{k}` the key.
CONTEXTS = {
    "env": "{v}={k}\n",
    "export": "export {v}={k}\n",
    "quoted": "{v} = '{k}'\n",
    "python": '{v} = "{k}"\n',
    "environ": 'os.environ["{v}"] = "{k}"\n',
    "json": '{{"a": 1, "{v}": "{k}"}}\n',
    "escaped": '"source": ["os.environ[\\"{v}\\"] = \\"{k}\\"\\n"]\n',
    "kubernetes": '- name: {v}\n  value: "{k}"\n',
    "yaml": "{v}: {k}\n",
    "setx": "setx {v} {k}\n",
    "powershell": "$env:{v} = '{k}'\n",
    "dockerfile": "ENV {v} {k}\n",
    "javascript": 'const apiKey = process.env.{v} || "{k}";\n',
    "go": 'os.Setenv("{v}", "{k}")\n',
    "xml": '<add key="{v}" value="{k}"/>\n',
    "markdown": "Set `{v}` to `{k}`, then start it.\n",
    "chinese": "设置环境变量 {v}={k}，然后运行。\n",  # noqa: RUF001  # the full-width comma is meant
    "csv": "name,{v},{k},2024\n",
}
# The same without a name: for shapes that show themselves.
BARE = {
    "line": "{k}\n",
    "sentence": "my key is {k}.\n",
    "url": "https://api.example.com/v1?key={k}&n=1\n",
    "bearer": "Authorization: Bearer {k}\n",
    "call": "f('{k}')\n",
    "tag": "<td>{k}</td>\n",
    "list": "['{k}', 'x']\n",
    "newline escape": '"out": "ok\\n{k}\\n"\n',
    "user part": "https://me:{k}@host/\n",
    "percent": "?q=%22{k}%22\n",
    "colour": "\x1b[31m{k}\x1b[0m\n",
    "full width": "密钥：{k}。\n",  # noqa: RUF001  # the full-width colon is meant
}


def _values(text: str, **more: str) -> list[str]:
    return [match.value for match in keys_in_text(SourceFile("x.txt", text, **more), CATALOGUE)]


def _only(text: str) -> KeyMatch:
    (match,) = keys_in_text(text, CATALOGUE)
    return match


@pytest.mark.parametrize(
    "text",
    [
        '<div class="sk-fading-circle sk-toggleable__label-arrow sk-estimator-doc-link sk-text-repr-fallback">',
        ".task-list-item-with-a-very-long-name, .risk-management-and-compliance-overview {}",
        "example.com sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t",
        'PATTERN = re.compile(r"sk-(?:proj-)?[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}")',
        'MODELS = ["gpt-4o-mini-2024-07-18", "claude-sonnet-4-20250514", "llama-3.3-70b-versatile"]',
        "sk-" + "x" * 48,
        "api_key = sk-2448****************************",
        "OPENAI_API_KEY=sk-...",
        "OPENAI_API_KEY=${OPENAI_API_KEY}",
        "OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}",
        "MISTRAL_API_KEY=os.environ.get_the_key_from_the_environment",
        "https://al-jazeera-news-channel-and-more.example/fc-bayern-munich-2024-season",
    ],
)
def test_what_only_looks_like_a_key_is_quiet(text: str) -> None:
    assert _values(text) == []


@pytest.mark.parametrize(
    "text", ["commit <sha1>", "id: <uuid>", "md5 = '<md5>'", "etag: <sha256>", "x = '<unknown-token>'"]
)
@pytest.mark.parametrize("word", ["", "# made with mistral and deepgram on together.ai\n"])
def test_hashes_and_ids_are_no_keys_even_beside_a_provider(text: str, word: str) -> None:
    assert _values(word + fill(text)) == []


@pytest.mark.parametrize("name", ["request_id", "mistral_request_id", "cache_key", "max_tokens", "public_key", "model"])
def test_a_name_of_no_credential_makes_no_key(name: str) -> None:
    assert _values(f"# mistral\n{name} = {make('mistral/api')}\n") == []


def test_a_lock_file_holds_hashes_and_no_shapes_that_need_context() -> None:
    text = f'MISTRAL_API_KEY = "{make("mistral/api")}"\n'
    assert _values(text, kind="lock") == []
    assert _values(text) != []


@pytest.mark.parametrize(
    "text",
    [
        "{k}A",
        "A{k}",
        "x-{k}",
        "x_{k}",
        "{k}_x",
        "{k}-x",
        "{k}...",
        "{k}****",
        "{k}.png",
    ],
)
def test_a_piece_of_something_longer_is_no_key(text: str) -> None:
    assert _values(text.format(k=make("groq/api"))) == []


def test_a_cut_key_is_left_to_another_rule() -> None:
    assert _values(f'OPENAI_API_KEY="{make("openai/project")[:-3]}"') == []
    assert _values(f'GROQ_API_KEY="{make("groq/api")[:-1]}"') == []


def test_a_run_inside_a_base64_image_is_no_key() -> None:
    key = make("google_gemini/standard").replace("-", "A").replace("_", "B")
    noise = "".join(make("aws-secret-key", seed) for seed in range(4))
    assert _values(f"<img src='data:image/png;base64,{noise}/{key}+{noise}=='>") == []


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("shape", NAMED, ids=lambda shape: shape.id)
def test_a_key_under_its_variable_is_found_and_is_its_provider_s(shape: object, context: str) -> None:
    provider = CATALOGUE.providers[shape.provider]  # type: ignore[attr-defined]
    key = make(shape.id)  # type: ignore[attr-defined]
    text = "x = 1\n" + CONTEXTS[context].format(v=provider.env[0], k=key)
    match = _only(text)
    assert (match.value, match.provider) == (key, provider.id)
    assert text[match.span.start : match.span.end] == key
    assert match.confidence is Confidence.HIGH


@pytest.mark.parametrize("context", BARE)
@pytest.mark.parametrize("shape", ALONE, ids=lambda shape: shape.id)
def test_a_shape_of_its_own_is_found_anywhere(shape: object, context: str) -> None:
    key = make(shape.id)  # type: ignore[attr-defined]
    assert _values("x = 1\n" + BARE[context].format(k=key)) == [key]


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        ('OpenAI(api_key="<deepseek-key>", base_url="https://api.deepseek.com")', "deepseek"),
        ('OpenAI(api_key="<deepseek-key>", base_url="https://dashscope.aliyuncs.com/v1")', "alibaba_dashscope"),
        ("base_url: https://api.baichuan-ai.com/v1\nmodel: x\napi_key: <deepseek-key>", "baichuan"),
        ("QWEN_API_KEY=<deepseek-key>", "alibaba_dashscope"),
        ("# 深度求索\napi_key = '<deepseek-key>'", "deepseek"),
        ("api_key = '<deepseek-key>'", None),
        ('OPENAI_API_KEY="<moonshot-key>"\nOPENAI_BASE_URL="https://api.moonshot.cn/v1"', "moonshot"),
        ('OPENAI_API_KEY="<moonshot-key>"\nOPENAI_BASE_URL="https://yunwu.ai/v1"', "relay_yunwu"),
        ('OPENAI_API_KEY="<moonshot-key>"', None),
        ('OPENAI_API_KEY="<relay_one_api/one_api>"', "relay_one_api"),
        ('OPENAI_API_KEY="<relay_one_api/one_api>"\nOPENAI_API_BASE=https://aihubmix.com/v1', "relay_aihubmix"),
        ('STEPFUN_API_KEY="<openrouter-key>"', "openrouter"),
        ('OpenAI(api_key="<openai-key>", base_url="https://api.deepseek.com")', "openai"),
        ("DEEPSEEK_API_KEY=<deepseek-key>\nURL=https://dashscope.aliyuncs.com/v1", "deepseek"),
    ],
)
def test_structure_then_host_then_variable_then_words_say_whose_key_it_is(text: str, provider: str | None) -> None:
    assert _only(fill(text)).provider == provider


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("mistral_api_key: {k}", True),
        ("MistralApiKey = '{k}'", True),
        ("# Mistral\nAuthorization: Bearer {k}", True),
        ("url = 'https://api.mistral.ai/v1'\napi_key = '{k}'", True),
        ("api_key = '{k}'", False),
        ("# Mistral\nvalue = '{k}'", False),
        ("# Mistral\nchecksum = '{k}'", False),
    ],
)
def test_a_shape_without_a_form_needs_a_credential_s_name_and_its_provider(line: str, found: bool) -> None:  # noqa: FBT001  # a column of the table
    key = make("mistral/api")
    assert _values(line.format(k=key)) == ([key] if found else [])


def test_a_random_text_of_no_known_shape_counts_under_a_provider_s_own_variable() -> None:
    match = _only(fill("NEBIUS_API_KEY=<unknown-token>"))
    assert (match.provider, match.shape, match.case) == ("nebius", None, "unknown-shape")
    assert match.confidence is Confidence.MEDIUM
    assert _values("NEBIUS_API_KEY=projects/main/secrets/the-api-key/versions/latest") == []
    assert _values("NEBIUS_API_KEY=vault:secret/data/nebius#api_key") == []


def test_a_google_key_is_restricted_unless_something_speaks_of_gemini() -> None:
    key = make("google_gemini/standard")
    assert _only(f'mapsApiKey: "{key}"').case == "restricted"
    assert _only(f'GEMINI_API_KEY="{key}"').case is None
    assert _only(f'model = "gemini-pro"\nkey = "{key}"').case is None


def test_a_failed_checksum_leaves_a_doubt() -> None:
    key = make("github_models/classic_pat")
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert _only(f"token = '{key}'").confidence is Confidence.HIGH
    assert _only(f"token = '{wrong}'").confidence is Confidence.LOW


def test_every_key_of_a_list_is_found_and_inherits_the_list_s_name() -> None:
    keys = [make("moonshot/platform", seed) for seed in range(5)]
    text = 'API_KEYS = [\n    "' + '",\n    "'.join(keys) + '",\n]\n'
    assert [(match.value, match.name) for match in keys_in_text(text, CATALOGUE)] == [(key, "API_KEYS") for key in keys]


def test_base64_of_a_key_in_a_manifest_is_found_where_it_stands() -> None:
    key = make("openai/project")
    hidden = base64.b64encode(key.encode()).decode()
    text = f"kind: Secret\ndata:\n  OPENAI_API_KEY: {hidden}\n"
    match = _only(text)
    assert (match.value, text[match.span.start : match.span.end]) == (key, hidden)


def test_a_published_example_key_is_told_apart() -> None:
    value = "token-" + "abc123"
    assert is_public_example(value, CATALOGUE)
    assert not is_public_example(make("openai/project"), CATALOGUE)


def test_offsets_count_characters_not_bytes() -> None:
    key = make("groq/api")
    text = f"# 密钥在这里 😀\nGROQ_API_KEY={key} # 结束\nOTHER='{key}'\n"
    assert [text[match.span.start : match.span.end] for match in keys_in_text(text, CATALOGUE)] == [key, key]


@pytest.mark.parametrize(
    ("value", "context", "provider"),
    [
        ("<mistral-key>", Context(names=("api_key", "MISTRAL_API_KEY")), "mistral"),
        ("<mistral-key>", Context(names=("api_key",), hosts=("api.mistral.ai",)), "mistral"),
        ("<mistral-key>", Context(providers=("mistral",), credential=True), "mistral"),
        ("Bearer <deepgram/api>", Context(names=("Authorization",), hosts=("api.deepgram.com",)), "deepgram"),
        ("Bearer <deepseek-key>", Context(names=("Authorization",), hosts=("api.deepseek.com",)), "deepseek"),
        ("<volcengine_ark/api_uuid>", Context(names=("ARK_API_KEY",)), "volcengine_ark"),
        ("<deepseek-key>", Context(names=("token",)), None),
        (" <openai-key>\n", Context(), "openai"),
    ],
)
def test_a_value_is_judged_by_what_the_program_says_of_it(value: str, context: Context, provider: str | None) -> None:
    text = fill(value)
    (match,) = keys_in_value(text, context, CATALOGUE)
    assert match.provider == provider
    assert match.value == text.split()[-1]
    assert match.span == Span(text.index(match.value), text.index(match.value) + len(match.value))


@pytest.mark.parametrize(
    ("value", "context"),
    [
        ("<uuid>", Context(names=("request_id",))),
        ("<uuid>", Context(names=("api_key",))),
        ("<sha1>", Context(names=("commit",), hosts=("api.deepgram.com",))),
        ("<md5>", Context(names=("checksum", "MISTRAL_API_KEY"))),
        ("your-api-key-goes-here-please", Context(names=("MISTRAL_API_KEY",))),
        ("", Context(credential=True)),
    ],
)
def test_a_value_without_a_credential_s_context_is_none(value: str, context: Context) -> None:
    found = keys_in_value(fill(value), context, CATALOGUE)
    assert [match for match in found if context.names[:1] != ("checksum",)] == []


@pytest.mark.parametrize(
    "name", ["api_key", "apiKey", "X-API-Key", "HF_TOKEN", "openai.api_key", "authToken", "KEYS", "secretKey2"]
)
def test_names_of_credentials(name: str) -> None:
    assert is_credential_name(name, CATALOGUE)


@pytest.mark.parametrize(
    "name", ["", "monkey", "keyboard", "max_tokens", "api_key_url", "token_type", "cache_key", "value"]
)
def test_names_of_no_credentials(name: str) -> None:
    assert not is_credential_name(name, CATALOGUE)


@pytest.mark.parametrize(
    ("name", "owners"),
    [
        ("OPENAI_API_KEY", ("openai",)),
        ("openaiApiKey", ("openai",)),
        ("my_deepseek_token", ("deepseek",)),
        ("NEXT_PUBLIC_GROQ_API_KEY", ("groq",)),
        ("api_key", ()),
    ],
)
def test_a_name_points_to_its_provider(name: str, owners: tuple[str, ...]) -> None:
    assert providers_of_name(name, CATALOGUE) == owners


_SEPARATORS = st.text(alphabet=" \t\n\"'=:,;()<>{}|\\密é", min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(_SEPARATORS, st.sampled_from([shape.id for shape in ALONE]), st.integers(0, 50)), max_size=6),
    _SEPARATORS,
)
def test_spans_hold_the_key_and_nothing_else(parts: list[tuple[str, str, int]], end: str) -> None:
    text = "".join(before + make(shape, seed) for before, shape, seed in parts) + end
    for match in keys_in_text(text, CATALOGUE):
        if "-----" not in match.value:
            assert text[match.span.start : match.span.end] == match.value


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet=string.printable + "密\ud800é", max_size=400))
def test_any_text_is_searched_without_an_error(text: str) -> None:
    for match in keys_in_text(text, CATALOGUE):
        assert text[match.span.start : match.span.end]


def test_a_match_tells_itself_without_its_key() -> None:
    key = make("openai/project")
    (found,) = keys_in_text(f"OPENAI_API_KEY={key}", CATALOGUE)
    assert found.value == key
    assert repr(found) == "KeyMatch(Span(start=15, end=" + str(15 + len(key)) + "), 'openai/project', 'openai')"


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.id)
def test_every_key_may_be_one(shape: KeyShape) -> None:
    assert may_be_key(make(shape.id), CATALOGUE) is not MayBe.NEVER


@pytest.mark.parametrize(
    "text", ["Llama-3.1-8B-Instruct", "Mixtral-8x7B-Instruct", "http://localhost:1234/v1", "ws://localhost:8000/run"]
)
def test_what_has_no_form_of_a_key_is_none_under_any_name(text: str) -> None:
    assert may_be_key(text, CATALOGUE) is MayBe.NEVER
    assert may_be_key(f"{text}/", CATALOGUE) is MayBe.NEVER
