"""Audits that the tests of several reports share: real findings of the engine on small texts, with a made-up history.

`audit()` is a rich one over three repositories, `of_text()` one of a single text, `large()` one of a thousand leaks,
`hostile()` one whose every text comes from somebody who means harm, `EMPTY` one that found nothing. No text in them
holds a key: `planted()` gives the keys that the texts held, each with its shape, for tests that look for them in an
output.
"""
# ruff: noqa: RUF001  # Chinese has its own punctuation

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from keyguard import engine
from keyguard.catalogue import load
from keyguard.discover import Target
from keyguard.fingerprint import key_id
from keyguard.inventory import KeySource, Peer, Row, Survey, Wait
from keyguard.leaks import MOST_REFS, RANKS, Audit, Audited, Leak, Moment, Sighting, Step, Verdict
from keyguard.model import Confidence, Excerpt, Finding, Notice, Severity, Span
from keyguard.prefilter import Prefilter
from keyguard.settings import SettingsFinder
from keyguard.vocabulary import Words
from tests.keys import make

if TYPE_CHECKING:
    from collections.abc import Sequence

EMPTY = Audit(
    (Audited("shop", "/srv/git/shop", head="main", files=120, commits=48, blobs=310, size=1_048_576, refs=3),)
)
NOTHING_READ = Audit((Audited("shop", "/srv/git/shop", error="is no git repository"),))

_catalogue = functools.cache(load)
_NOW = "2026-10-30T09:00:00Z"
_PEOPLE = ("Mara Lind", "Tomás Ortiz", "陈晓明", "J. Okafor", "deploy-bot")
_ROOM = "nowhere"  # the root of files that are on no disk


class _Text(NamedTuple):
    """A text of the history: where it stood, who brought it and who took it away, `date author subject` each.

    `keys` are the shapes of the keys `{0}`, `{1}` … in it, with a seed behind `#` that tells equal keys of two texts.
    """

    repository: str
    path: str
    text: str
    keys: tuple[str, ...]
    first: str | None
    last: str | None = None
    refs: tuple[str, ...] = ()
    rank: str = ""
    kind: str = "file"


_HEAD = ("heads/main", "remotes/origin/main", "tags/v2.4.0")
_TEXTS = (
    _Text(
        "shop",
        "app/assistant.py",
        "import os\nfrom openai import OpenAI\n\n\ndef client():\n"
        '    return OpenAI(base_url="https://api.poloapi.top/v1", api_key="{0}")\n',
        ("openai/project#1",),
        "2024-02-11 0 Answer customers with a model",
        refs=_HEAD,
    ),
    _Text(
        "shop",
        "deploy/prod.env",
        "SHOP_REGION=eu\nOPENAI_API_KEY={0}\nANTHROPIC_API_KEY={1}\n",
        ("openai/project#1", "anthropic/api#1"),
        "2024-03-02 1 Production settings, to be cleaned up",
        refs=_HEAD,
    ),
    _Text(
        "shop",
        "scripts/nightly.sh",
        '#!/bin/sh\ncurl -s "https://generativelanguage.googleapis.com/v1beta/models?key={0}" > /tmp/models\n',
        ("google_gemini/standard#1",),
        "2025-01-20 2 每晚汇总",
        refs=("heads/main", "heads/feature/nightly-summaries"),
    ),
    _Text(
        "shop",
        "app/old_assistant.py",
        'import openai\n\nopenai.api_key = "{0}"\n# second account: {1}\n',
        ("openai/project#2", "openai/project#3"),
        "2021-05-04 0 First try",
        "2021-05-06 0 Remove the key",
    ),
    _Text(
        "shop",
        "config/settings.yaml",
        "llm:\n  provider: deepseek\n  deepseek_api_key: {0}\n  timeout: 30\n",
        ("deepseek/api#1",),
        "2025-02-03 3 DeepSeek for the cheap half",
        "2025-09-18 3 Read settings from the environment",
        refs=("heads/release/2.1", "heads/release/2.2", "tags/v2.1.0", "tags/v2.1.1", "tags/v2.2.0"),
    ),
    _Text(
        "shop",
        "commit 9f2c41d07a",
        "Rotate the key\n\nThe old GROQ_API_KEY was {0}, it stops working on Friday.\n",
        ("groq/api#1",),
        "2025-06-13 1 Rotate the key",
        refs=("heads/main",),
        kind="message",
    ),
    _Text(
        "shop",
        "tests/fixtures/replies.json",
        '{{"request": {{"authorization": "Bearer {0}", "model": "gpt-4o-mini"}}}}\n',
        ("openai/project#4",),
        "2024-08-27 4 Record replies",
        refs=_HEAD,
        rank="test",
    ),
    _Text(
        "shop",
        "docs/集成/开始使用.md",
        "## 开始\n\n在终端运行：\n\n    export ANTHROPIC_API_KEY={0}\n",
        ("anthropic/api#2",),
        "2023-11-15 2 文档",
        refs=_HEAD,
        rank="test",
    ),
    _Text(
        "shop",
        "web/index.html",
        '<script>\n  const GOOGLE_API_KEY = "{0}"; // maps\n</script>\n',
        ("google_gemini/standard#2",),
        "2022-07-01 0 Show where our shops are",
        refs=_HEAD,
        rank="public",
    ),
    _Text(
        "models-lab",
        "notebooks/compare.py",
        'import anthropic\n\nclaude = anthropic.Anthropic(api_key="{0}")\nprint(claude)\n',
        ("anthropic/api#1",),
        "2024-04-19 3 Compare answers",
        refs=("heads/master",),
    ),
    _Text(
        "models-lab",
        "train/push_to_hub.py",
        'from huggingface_hub import login\n\nlogin(token="{0}")\n',
        ("huggingface/user_token#1",),
        "2022-12-01 3 Push weights",
        "2023-01-09 3 Log in by hand",
        refs=("stash@{{0}}",),
    ),
    _Text(
        "models-lab",
        "serve/llm.py",
        "import os\nimport requests\n\n\ndef ask(text):\n"
        '    headers = {{"Authorization": "Bearer {0}"}}\n'
        '    return requests.post("https://api.siliconflow.cn/v1/chat/completions", headers=headers, json={{}})\n',
        ("siliconflow/api#1",),
        "2025-04-07 2 试用",
        refs=("heads/master", "heads/serve"),
    ),
    _Text(
        "models-lab",
        "serve/old_env.sh",
        "export XAI_API_KEY={0}\nexport OPENROUTER_API_KEY={1}\n",
        ("xai/api#1", "openrouter/api#1"),
        "2024-11-11 3 Try others",
        "2024-12-24 3 Tidy up",
        refs=("heads/serve",),
    ),
    _Text(
        "models-lab",
        "tag v0.3",
        "v0.3\n\nPublished with REPLICATE_API_TOKEN={0}\n",
        ("replicate/api#1",),
        "2023-09-30 3 v0.3",
        refs=("tags/v0.3",),
        kind="tag",
    ),
    _Text(
        "infra",
        "terraform/ai.tfvars",
        'region = "eastus"\nopenai_api_key = "{0}"\n',
        ("openai/project#1",),
        "2025-10-02 4 Import what was made by hand",
        refs=("heads/main",),
    ),
    _Text(
        "infra",
        "ansible/roles/agent/defaults/main.yml",
        "agent_mistral_api_key: {0}\nagent_model: mistral-small\n",
        ("mistral/api#1",),
        "2023-06-21 1 Agent role",
        "2025-08-30 1 Vault",
        refs=("remotes/origin/wip/agent",),
    ),
    _Text(
        "infra",
        ".env",
        "PERPLEXITY_API_KEY={0}\n",
        ("perplexity/api#1",),
        None,
    ),
)  # fmt: skip

_CONNECTED = {
    "shop": {
        "app/search.py": (
            "import os\nfrom openai import OpenAI\n\nclient = OpenAI(api_key=os.environ['OPENAI_API_KEY'])\n\n\n"
            "def ask(text):\n    return client.chat.completions.create(model='gpt-4o', messages=[])\n"
        ),
        "app/relay.py": (
            "import os\nfrom openai import OpenAI\n\n"
            'client = OpenAI(base_url="https://api.poloapi.top/v1", max_retries=0)\n'
            "client.chat.completions.create(model='gpt-4o-mini', messages=[], timeout=300)\n"
        ),
        "app/cheap.py": (
            "import os\nimport requests\n\n\ndef ask():\n"
            "    headers = {'Authorization': f\"Bearer {os.environ['DEEPSEEK_API_KEY']}\"}\n"
            "    return requests.post('https://api.deepseek.com/chat/completions', headers=headers, json={})\n"
        ),
    },
    "models-lab": {
        "serve/claude.py": (
            "from anthropic import Anthropic\n\nclaude = Anthropic()\n"
            "claude.messages.create(model='claude-sonnet-4-5', max_tokens=9, messages=[])\n"
        ),
        "serve/local.py": (
            "import os\nfrom openai import AsyncOpenAI\n\n"
            "llm = AsyncOpenAI(base_url=os.environ['LLM_URL'], api_key=os.getenv('LLM_KEY'))\n"
            "local = AsyncOpenAI(base_url='http://localhost:11434/v1', api_key='ollama')\n"
        ),
    },
}

_REACH = {
    "en": {
        "head": "Every model of the account, at the account's cost; files and fine-tuned models that were uploaded.",
        "history": "Every model of the account, for anyone who has a clone.",
        "test": "Every model of the account, if it is a real key.",
        "public": "Maps only, if the key is restricted to it.",
        "malformed": "Nothing: it is not whole.",
    },
    "zh": {
        "head": "账户的所有模型（费用由账户承担），以及上传的文件和微调模型。",
        "history": "账户的所有模型；任何有克隆的人都能使用。",
        "test": "如果是真的密钥：账户的所有模型。",
        "public": "如果已加限制：只有地图。",
        "malformed": "什么也做不了：它不完整。",
    },
}
_STEPS = {
    "en": {
        "revoke": "Revoke the key at {provider}.",
        "replace": "Put a new one where it is read: {env}.",
        "usage": "Look for use that is not yours since {since}.",
        "restrict": "Give the new key only the models and the budget it needs.",
        "fix": "Run keyguard fix to read it from the environment.",
        "purge": "Take it out of the history with git filter-repo, once it is revoked.",
    },
    "zh": {
        "revoke": "在 {provider} 吊销该密钥。",
        "replace": "在读取它的地方换上新密钥：{env}。",
        "usage": "查看自 {since} 起有没有不属于你的用量。",
        "restrict": "新密钥只授予需要的模型和额度。",
        "fix": "运行 keyguard fix，改为从环境变量读取。",
        "purge": "吊销之后，用 git filter-repo 把它从历史中清除。",
    },
}
_VERDICTS = {
    "openai/project#1": ("live", "api.openai.com", 200, ""),
    "anthropic/api#1": ("restricted", "api.anthropic.com", 403, "may not list models"),
    "openai/project#2": ("dead", "api.openai.com", 401, "invalid_api_key"),
    "deepseek/api#1": ("live", "api.deepseek.com", 200, ""),
    "huggingface/user_token#1": ("dead", "huggingface.co", 401, "Invalid credentials"),
    "siliconflow/api#1": ("unknown", "api.siliconflow.cn", None, "no answer within 10 s"),
}


def audit(lang: str = "en") -> Audit:
    """A rich audit of three repositories: every rank, verdicts, relays, messages and tags, and what was missing."""
    return _audit(lang)


def of_text(path: str, text: str, lang: str = "en") -> Audit:
    """An audit of one text that stands at HEAD: what the engine finds in it."""
    said = _Text("shop", path, text, (), "2025-05-05 0 Work", refs=_HEAD)
    held: dict[str, list[tuple[_Text, Sighting]]] = {}
    others: list[Sighting] = []
    for finding in _findings(path, text, _session(lang)):
        if finding.key is None:
            others.append(_sighting(said, finding))
        else:
            held.setdefault(finding.key, []).append((said, _sighting(said, finding)))
    leaks = tuple(_leak(key, items, "", lang) for key, items in held.items())
    return Audit(EMPTY.repositories, leaks, tuple(others))


def planted() -> tuple[tuple[str, str], ...]:
    """Each key that stood in the texts of `audit()`: its shape and the key itself."""
    names = dict.fromkeys(name for text in _TEXTS for name in text.keys)
    return tuple((name.partition("#")[0], _key(name)) for name in names)


@functools.cache
def _audit(lang: str) -> Audit:
    session = _session(lang)
    names = {_id_of(_key(name)): name for text in _TEXTS for name in text.keys}
    held: dict[str, list[tuple[_Text, Sighting]]] = {}
    for text in _TEXTS:
        for finding in _findings(text.path, text.text.format(*map(_key, text.keys)), session):
            if finding.key is not None:
                held.setdefault(finding.key, []).append((text, _sighting(text, finding)))
    leaks = [_leak(key, items, names.get(key, ""), lang) for key, items in held.items()]
    leaks.append(_malformed(lang))
    order = {name: number for number, name in enumerate(RANKS)}
    leaks.sort(key=lambda leak: (order[leak.rank], -leak.severity, -len(leak.sightings), leak.key))
    others, rows = _connected(session)
    return Audit(_REPOSITORIES[lang], tuple(leaks), others, rows, _NOTICES[lang])


_REPOSITORIES = {
    lang: (
        Audited("shop", "/srv/git/shop", "main", 1_204, 4_318, 31_870, 412_300_000, 38),
        Audited("models-lab", "/srv/git/models-lab.git", "master", 0, 1_902, 9_440, 88_700_000, 9, missing=14),
        Audited("infra", "/srv/git/infra", "main", 311, 120, 740, 3_100_000, 4, is_shallow=True, is_complete=False),
        Audited("legacy", "/srv/git/legacy", error=error),
    )
    for lang, error in (("en", "the object store is damaged: run git fsck"), ("zh", "对象库已损坏：请运行 git fsck"))
}
_NOTICES = {
    "en": (
        Notice("14 objects are not here (a partial clone): what they held was not looked at", "models-lab"),
        Notice("the object store is damaged: run git fsck", "legacy", error=True),
    ),
    "zh": (
        Notice("有 14 个对象不在本地（部分克隆）：没有检查其中的内容", "models-lab"),
        Notice("对象库已损坏：请运行 git fsck", "legacy", error=True),
    ),
}


@functools.cache
def _session(lang: str) -> engine.Session:
    catalogue = _catalogue()
    words = Words(catalogue)
    finder = SettingsFinder(words, config=None, isolated=True)
    project = engine.LazyProject(_ROOM, catalogue)
    return engine.Session(
        catalogue, Prefilter(catalogue, connections=True), finder, words, project, lang=lang, survey=Survey()
    )


def _outcome(path: str, text: str, session: engine.Session) -> engine.Outcome:
    target = Target(path, f"{_ROOM}/{path}", path, len(text), data=text.encode())
    return engine.check_bytes(target, text.encode(), session)


def _findings(path: str, text: str, session: engine.Session) -> tuple[Finding, ...]:
    return _outcome(path, text, session).report.findings


def _id_of(key: str) -> str:
    """How the engine names a key."""
    return key_id(key, rule="", path="", context="")


@functools.cache
def _key(name: str) -> str:
    shape, _, seed = name.partition("#")
    return make(shape, f"audit:{seed}")


def _moment(said: str) -> Moment:
    date, person, subject = said.split(" ", 2)
    digest = hashlib.sha256(said.encode())
    clock = f"{9 + digest.digest()[0] % 9:02}:{digest.digest()[1] % 60:02}:{digest.digest()[2] % 60:02}"
    return Moment(digest.hexdigest()[:40], f"{date}T{clock}Z", _PEOPLE[int(person)], subject)


def _sighting(text: _Text, finding: Finding) -> Sighting:
    at_head = text.last is None and text.first is not None and text.kind == "file"
    return Sighting(
        finding,
        text.repository,
        text.kind,
        blob=hashlib.sha256(f"{text.path} {text.first}".encode()).hexdigest()[:40] if text.first else None,
        first=_moment(text.first) if text.first else None,
        last=_moment(text.last) if text.last else None,
        at_head=at_head,
        on_disk=(at_head and text.repository != "models-lab") or text.first is None,
        refs=tuple(ref.replace("{{", "{").replace("}}", "}") for ref in text.refs),
        ref_count=len(text.refs) + (31 if text.path == "deploy/prod.env" else 0),
    )


def _leak(key: str, items: Sequence[tuple[_Text, Sighting]], name: str, lang: str) -> Leak:
    sightings = tuple(sighting for _, sighting in items)
    said = {text.rank for text, _ in items}
    held = any(one.at_head or one.on_disk for one in sightings)
    rank = "head" if held else "history"
    if said in ({"test"}, {"public"}):
        rank = said.pop()
    moments = [one.first for one in sightings if one.first]
    gone = [one.last for one in sightings if one.last]
    first = min(moments, key=lambda moment: moment.date, default=None)
    verdict = None
    if name in _VERDICTS:
        state, host, status, reason = _VERDICTS[name]
        limits = (("x-ratelimit-remaining-requests", "9999"), ("x-ratelimit-limit-requests", "10000"))
        verdict = Verdict(state, host, status, reason, limits if state == "live" else (), _NOW)
    finding = sightings[0].finding
    return Leak(
        key,
        rank,
        finding.provider,
        finding.masked or "",
        max(one.finding.severity for one in sightings),
        sightings,
        _REACH[lang][rank],
        hosts=("api.poloapi.top",) if name == "openai/project#1" else (),
        first=first,
        last=max(gone, key=lambda moment: moment.date) if len(gone) == len(sightings) else None,
        at_head=any(one.at_head for one in sightings),
        steps=_steps(finding.provider, rank, first, lang),
        verdict=verdict,
        is_new=first is None or first.date > "2025",
    )


def _steps(provider: str | None, rank: str, first: Moment | None, lang: str) -> tuple[Step, ...]:
    if rank in {"public", "malformed"}:
        return (Step("restrict", _STEPS[lang]["restrict"]),)
    known = _catalogue().providers.get(provider or "")
    values = {
        "provider": known.label(lang) if known else "?",
        "env": known.variable if known else "API_KEY",
        "since": first.date[:10] if first else "2026-10-01",
    }
    url = known.console_url if known else None
    kinds = ["revoke", "replace", "usage", "restrict", "fix", "purge"]
    if rank == "history":
        kinds.remove("fix")
    links = {"revoke": url, "usage": url}
    return tuple(Step(kind, _STEPS[lang][kind].format(**values), links.get(kind)) for kind in kinds)


def _malformed(lang: str) -> Leak:
    text = _Text("shop", "README.md", "", (), "2023-03-03 4 Say how to start", refs=_HEAD)
    finding = _finding("README.md", "openai", "sk-… (19 characters)", {"en": "half a key", "zh": "半个密钥"}[lang])
    one = _sighting(text, finding._replace(rule="KG205", severity=Severity.LOW))
    return Leak(
        "0f" * 32, "malformed", "openai", "sk-… (19 characters)", Severity.LOW, (one,), _REACH[lang]["malformed"],
        first=one.first, at_head=True, steps=_steps("openai", "malformed", one.first, lang), is_new=False,
    )  # fmt: skip


def _connected(session: engine.Session) -> tuple[tuple[Sighting, ...], tuple[tuple[str, Row], ...]]:
    """Findings about calls and the connections themselves."""
    others: list[Sighting] = []
    rows: list[tuple[str, Row]] = []
    for repository, files in _CONNECTED.items():
        for path, text in files.items():
            outcome = _outcome(path, text, session)
            rows += [(repository, row) for row in outcome.rows]
            said = _Text(repository, path, text, (), "2025-05-05 0 Calls", refs=("heads/main",))
            others += [_sighting(said, finding) for finding in outcome.report.findings if finding.key is None]
    return tuple(others), tuple(rows)


def _finding(path: str, provider: str | None, masked: str, message: str) -> Finding:
    return Finding(
        rule="KG106",
        path=path,
        span=Span(4, 4 + len(masked)),
        line=1,
        column=5,
        end_line=1,
        end_column=5 + len(masked),
        message=message,
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        fingerprint="aa" * 32,
        key="aa" * 32,
        provider=provider,
        excerpt=Excerpt(f"key={masked} # {path}", 4, 4 + len(masked)),
        masked=masked,
    )


@functools.cache
def large(leaks: int = 1_000, sightings: int = 20_000) -> Audit:
    """An audit of so many keys in so many places, spread unevenly over forty repositories."""
    providers = [provider.id for provider in _catalogue().providers.values() if provider.curated][:40]
    repositories = tuple(
        Audited(f"team-{number:02}", f"/srv/{number}", "main", 900, 4_000, 9_000, 1 << 26, 12) for number in range(40)
    )
    made: list[Leak] = []
    left = sightings
    for number in range(leaks):
        many = left if number == leaks - 1 else max(1, min(left - (leaks - number - 1), int(left * 0.02)))
        left -= many
        provider, masked = providers[number * 7 % len(providers)], f"sk-… ({20 + number % 90} characters)"
        rank = RANKS[min(number * 7 // max(leaks, 1), 4)]
        gone = rank == "history"
        finding = _finding("", provider, masked, f"a key stands in a file ({number})")
        places = _places(number, many, finding, is_gone=gone)
        made.append(
            Leak(
                hashlib.sha256(str(number).encode()).hexdigest(),
                rank,
                provider,
                masked,
                (Severity.HIGH, Severity.MEDIUM, Severity.LOW)[number % 3],
                places,
                _REACH["en"][rank],
                first=places[0].first,
                last=places[0].last if gone else None,
                at_head=not gone,
                steps=_steps(provider, rank, places[0].first, "en"),
                is_new=number % 5 == 0,
            )
        )
    return Audit(repositories, tuple(made))


def _places(number: int, many: int, finding: Finding, *, is_gone: bool) -> tuple[Sighting, ...]:
    """The places of one leak: a file of its own each, all brought by one commit and taken away by one, if at all."""
    year, month = 2018 + number % 8, 1 + number % 12
    one = Sighting(
        finding,
        first=_moment(f"{year}-{month:02}-11 {number % 5} Change number {number}"),
        last=_moment(f"{year + 1}-{month:02}-20 {number % 5} Take it out") if is_gone else None,
        at_head=not is_gone,
        refs=() if is_gone else ("heads/main",),
        ref_count=int(not is_gone),
    )
    return tuple(
        one._replace(
            finding=finding._replace(path=f"services/part{at}/settings_{number}.py", line=at + 1, end_line=at + 1),
            repository=f"team-{(number + at) % 40:02}",
            blob=f"{number:020x}{at:020x}",
        )
        for at in range(many)
    )


def hostile(odd: str) -> Audit:
    """An audit whose every free text is `odd`."""
    finding = _finding(odd, odd, odd, odd)._replace(excerpt=Excerpt(odd, 0, len(odd)), rule=odd)
    moment = Moment(odd, odd, odd, odd)
    one = Sighting(finding, odd, "file", odd, moment, moment, refs=(odd,), ref_count=MOST_REFS)
    row = Row(
        odd, 1, 1, None, "sdk", odd, odd, (Peer(odd, odd), Peer(odd)), (odd,), KeySource("variable", (odd, odd)),
        (odd,), (Wait("limited", 3.0),), (None, 2), problems=(odd,),
    )  # fmt: skip
    leak = Leak(
        odd,
        "head",
        odd,
        odd,
        Severity.HIGH,
        (one, one._replace(last=None, kind="tag")),
        odd,
        (odd,),
        moment,
        moment,
        steps=(Step("revoke", odd, odd), Step("usage", odd, f"https://{odd}")),
        verdict=Verdict("live", odd, 200, odd, ((odd, odd),), odd),
    )
    return Audit(
        (Audited(odd, odd, odd, error=odd), Audited(f"{odd} 2", odd, odd)),
        (leak, leak._replace(first=None, last=None, provider=None)),
        (one,),
        ((odd, row),),
        (Notice(odd, odd), Notice(odd, error=True)),
    )
