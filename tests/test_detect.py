"""What detect-secrets' plug-ins find through keyguard's door: quiet on what only looks like a secret, else exact."""

from __future__ import annotations

import base64
import hashlib
import json
import pkgutil
import random
import string
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.catalogue import load
from keyguard.prefilter import Prefilter
from keyguard.secrets.detect import DEFAULT_PLUGINS, PLUGINS, OtherSecret, find
from keyguard.source import SourceFile, decode
from tests.keys import fill

CATALOGUE = load()
ALPHANUMERIC = string.ascii_letters + string.digits
URLSAFE = ALPHANUMERIC + "-_"
HEX = "0123456789abcdef"


def rolled(size: int, letters: str = ALPHANUMERIC, seed: int = 0) -> str:
    """Random characters, the same on every machine."""
    rng = random.Random(f"{size}{letters}{seed}")  # noqa: S311  # made tokens open nothing
    return "".join(rng.choice(letters) for _ in range(size))


def rolled_bytes(size: int, seed: int) -> bytes:
    """As `rolled`, of all bytes."""
    return random.Random(seed).randbytes(size)  # noqa: S311  # as above


def jwt(header: dict[str, object], claims: dict[str, object], signature: str | None = None) -> str:
    """A token with that header and those claims."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims)]
    return ".".join([*parts, rolled(43, URLSAFE) if signature is None else signature])


def pem(kind: str = "RSA ", size: int = 1190, seed: int = 0) -> str:
    """A private key's armour around random bytes in DER's frame."""
    data = b"\x30\x82" + (size - 4).to_bytes(2, "big") + rolled_bytes(size - 4, seed)
    text = base64.b64encode(data).decode()
    lines = [text[place : place + 64] for place in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {kind}PRIVATE KEY-----", *lines, f"-----END {kind}PRIVATE KEY-----", ""])


def found(text: str, path: str = "app/settings.py", **options: tuple[str, ...]) -> list[OtherSecret]:
    """What is found, by place; the prefilter must have seen each of them coming."""
    source = decode(path, text.encode())
    secrets = sorted(find(source, CATALOGUE, **options), key=lambda secret: secret.span)
    seen = Prefilter(CATALOGUE).scan(text.encode(), source.kind).plugins
    assert {secret.plugin for secret in secrets} & DEFAULT_PLUGINS <= seen, "the prefilter lets it through"
    return secrets


# Tokens that show themselves, by plug-in.
TOKENS = {
    "AWSKeyDetector": "AKIA" + rolled(16, string.ascii_uppercase + "234567"),
    "DiscordBotTokenDetector": base64.b64encode(b"107289362154496083").decode()
    + "."
    + rolled(6, URLSAFE, 4)
    + "."
    + rolled(27, URLSAFE),
    "GitHubTokenDetector": fill("<github_models/classic_pat>"),
    "GitLabTokenDetector": fill("<gitlab-token>"),
    "JwtTokenDetector": jwt({"alg": "HS256", "typ": "JWT"}, {"sub": "248289761001", "iat": 1760000000}),
    "MailchimpDetector": rolled(32, HEX) + "-us12",
    "PypiTokenDetector": "pypi-" + "AgEIcHlwaS5vcmc" + rolled(150, URLSAFE),
    "SendGridDetector": fill("<sendgrid-key>"),
    "SlackDetector": fill("<slack-token>"),
    "SquareOAuthDetector": "sq0csp-" + rolled(43, URLSAFE),
    "StripeDetector": fill("<stripe-key>"),
    "TelegramBotTokenDetector": "5719382046" + ":AA" + rolled(33, URLSAFE),
}
PLACES = {
    "assignment": 'TOKEN = "{}"\n',
    "call": 'client = Client(token="{}", retries=2)\n',
    "fallback": 'token = os.environ.get("TOKEN", "{}")\n',
    "yaml": "service:\n  token: {}\n",
    "env": "export TOKEN={}\n",
    "json in json": '{{"body": "line\\n{}"}}\n',
    "end of a file": "{}",
    "CRLF": 'a = 1\r\nTOKEN = "{}"\r\nb = 2\r\n',
    "after Chinese": '说明 = "密钥 {}"\n',
    "header": '  -H "Authorization: Bearer {}" \\\n',
}


# -- quiet -----------------------------------------------------------------------------------------------------------

QUIET = {
    "prose": "A key id of a cloud begins with AKIA, a key with sk_live_, a token with ghp_ or xoxb-.",
    "patterns": r'AWS = re.compile(r"AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}|xox[bp]-\d+-\d+-[a-z0-9]+")',
    "the vendor's own example": "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
    "filler": "AKIAXXXXXXXXXXXXXXXX AKIA0000000000000000 AKIA1234567890ABCDEF",
    "slack's filler": "https://hooks.slack.com/services/" + "T00000000/B00000000/" + "X" * 24,
    "a masked token": "token = 'ghp_****************************ab12'",
    "a stand-in": "glpat-your-access-token-here",
    "stripe's words": "sk_live_" + "replace_me_with_your_key",
    "test mode": "stripe.api_key = 'sk_test_" + rolled(24) + "'",
    "a longer run": "id = 'ABIA" + rolled(40, string.ascii_uppercase) + "'",
    "a piece of an image": "data:image/png;base64," + rolled(300) + "/" + TOKENS["AWSKeyDetector"] + "/" + rolled(300),
    "references": "token: ${SLACK_TOKEN}\nurl: https://${USER}:${PASSWORD}@registry.internal.net/x",
    "a path": 'aws_key = "' + "services/storage/backends/container/path" + '"',
    "a commit beside a name": 'aws_token_commit = "' + rolled(40, HEX) + '"',
    "a checksum beside a name": "softlayer-driver==1.0 --hash=sha256:" + rolled(64, HEX),
    "a unsigned token": jwt({"alg": "none"}, {"sub": "1"}),
    "everybody's example": jwt({"alg": "HS256"}, {"sub": "1234567890", "name": "John Doe", "iat": 1516239022}),
    "signed data": jwt({"alg": "EdDSA"}, {"hash": rolled(64, HEX), "version": 1}),
    "a token for browsers": jwt({"alg": "HS256"}, {"role": "anon", "iss": "base"}),
    "an algorithm, no claims": jwt({"alg": "HS256"}, {}),
    "no header at all": "eyJ" + rolled(30) + "." + rolled(40) + "." + rolled(43),
    "a signature somebody typed": jwt({"alg": "HS256"}, {"sub": "1"}, "this-is-not-a-real-signature-at-all"),
    "npm's template": "//registry.npmjs.org/:_authToken=${NPM_TOKEN}",
    "npm's stand-in": "//registry.npmjs.org/:_authToken=npm_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "an address": "SERVERS = ['8.8.8.8', '93.184.216.34']",
    "entropy": 'BUILD = "' + rolled(40) + '"; ETAG = "' + rolled(64, HEX) + '"',
    "a keyword": 'password = "hunter2-is-my-password"',
    "a time": "12345678:AA and 2024-01-01T12:00:00:AAAA",
}


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_stays_quiet_on(text: str) -> None:
    assert found(text) == []


NO_PASSWORDS = {
    "words": "https://user:password@host.com/",
    "names": "postgres://postgres:postgres@db/app",
    "user and pass": "http://user:pass@proxy:8080",
    "brackets": "redis://<user>:<password>@cache:6379",
    "an f-string": "postgresql://{user}:{password}@{host}/{db}",
    "a format": "mysql://%s:%s@%s/db",
    "an environment variable": "amqp://app:$RABBIT@mq.prod.net",
    "one's own machine": "postgres://app:Xk29fQ7bLw4@localhost:5432/app",
    "its address": "postgres://app:Xk29fQ7bLw4@127.0.0.1/app",
    "an example's host": "https://app:Xk29fQ7bLw4@db.example.com/",
    "another example's host": "https://app:Xk29fQ7bLw4@server.test/",
    "the host of a manual": "https://app:Xk29fQ7bLw4@hostname:443/",
    "a word with a number": "https://app:welcome1@db.prod.net/",
    "a name for a password": "https://app:my_S3cret_Pwd@db.prod.net/",
    "stars": "https://app:********@db.prod.net/",
    "a port": "http://db.prod.net:8080/path@2x.png",
    "a package": "https://cdn.prod.net/npm/@scope/name@1.2.3/index.js",
    "a pinned source": "git+ssh://git@git.prod.net:group/project.git@v1.2",
    "half of a template": "https://app:abc{suffix}Z9x8@db.prod.net/",
}


@pytest.mark.parametrize("text", NO_PASSWORDS.values(), ids=NO_PASSWORDS)
def test_no_password_in_a_url_of(text: str) -> None:
    assert found(f'URL = "{text}"\n') == []


def test_a_made_up_password_counts_in_code_and_not_in_tests_or_pages() -> None:
    text = 'URL = "postgres://app:Xk29-fQ7b@db.prod.net/app"\n'
    assert [secret.value for secret in found(text, "app/db.py")] == ["Xk29-fQ7b"]
    assert found(text, "tests/test_db.py") == []
    assert found(text, "docs/setup.md") == []


def test_a_token_with_a_wrong_checksum_is_made_up_when_it_stands_in_a_test() -> None:
    text = f'TOKEN = "ghp_{rolled(36)}"\n'
    assert found(text, "tests/test_client.py") == []
    assert len(found(text, "app/client.py")) == 1


NO_KEYS = {
    "a header alone": "-----BEGIN RSA PRIVATE KEY-----",
    "a parser": 'BEGIN = "-----BEGIN PRIVATE KEY-----"\nEND = "-----END PRIVATE KEY-----"\n',
    "a comparison": 'if line.startswith("-----BEGIN OPENSSH PRIVATE KEY-----"):\n    return Kind.NEW\n',
    "dots": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA...\n-----END RSA PRIVATE KEY-----\n",
    "words": "-----BEGIN PRIVATE KEY-----\n" + "yourprivatekeygoeshere" * 6 + "\n-----END PRIVATE KEY-----\n",
    "filler": "-----BEGIN PRIVATE KEY-----\n" + "\n".join(["x" * 64] * 5) + "\n-----END PRIVATE KEY-----\n",
    "a key cut short": "\n".join(pem().split("\n")[:4]) + "\n-----END RSA PRIVATE KEY-----\n",
    "a certificate after a header": "-----BEGIN RSA PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n" + rolled(64),
    "a public key": pem().replace("RSA PRIVATE", "PUBLIC"),
}


@pytest.mark.parametrize("text", NO_KEYS.values(), ids=NO_KEYS)
def test_no_private_key_in(text: str) -> None:
    assert found(text, "keys/notes.txt") == []


def test_hashes_of_a_lock_file_are_no_entropy_even_when_it_was_asked_for() -> None:
    text = f'{{"integrity": "{rolled(64, HEX)}"}}'
    assert found(text, "package-lock.json", on=("HexHighEntropyString",)) == []


def test_a_plug_in_that_settings_turn_off_finds_nothing() -> None:
    text = f'KEY = "{TOKENS["AWSKeyDetector"]}"'
    assert found(text, off=("AWSKeyDetector",)) == []
    assert found(text, on=("AWSKeyDetector",), off=("AWSKeyDetector",)) == []


def test_a_plug_in_whose_trigger_was_not_seen_is_not_asked() -> None:
    assert found(f'KEY = "{TOKENS["AWSKeyDetector"]}"', possible=()) == []


def test_stand_ins_do_not_load_detect_secrets() -> None:
    # Only the pattern itself tells these apart.
    loading = {"slack's filler", "a longer run", "a commit beside a name", "a checksum beside a name"}
    texts = [*(text for name, text in QUIET.items() if name not in loading), *NO_PASSWORDS.values(), *NO_KEYS.values()]
    code = (
        "import json, sys\n"
        "from keyguard.catalogue import load\n"
        "from keyguard.secrets.detect import find\n"
        "from keyguard.source import SourceFile\n"
        "catalogue = load()\n"
        "for text in json.load(sys.stdin):\n"
        "    assert not list(find(SourceFile('a.py', text), catalogue))\n"
        "    assert 'requests' not in sys.modules and 'detect_secrets' not in sys.modules, text\n"
    )
    subprocess.run([sys.executable, "-c", code], input=json.dumps(texts).encode(), check=True)


def test_requests_is_loaded_only_for_who_asks_for_it() -> None:
    code = (
        "import sys\n"
        "from keyguard.catalogue import load\n"
        "from keyguard.secrets.detect import find\n"
        "from keyguard.source import SourceFile\n"
        "(secret,) = find(SourceFile('a.py', sys.stdin.read()), load())\n"
        "assert secret.plugin == 'AWSKeyDetector'\n"
        "assert not {'requests', 'urllib3'} & sys.modules.keys()\n"
        "from detect_secrets.plugins import aws\n"
        "import requests\n"
        "assert aws.requests.exceptions is requests.exceptions\n"
        "assert sys.modules['requests'] is requests and 'urllib3' in sys.modules\n"
    )
    key = fill('KEY = "<aws-access-key>"\n')
    subprocess.run([sys.executable, "-c", code], input=key.encode(), check=True)


# -- loud ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("plugin", TOKENS)
def test_a_token_is_found_whole_wherever_it_stands(plugin: str, place: str) -> None:
    token = TOKENS[plugin]
    text = place.format(token)
    (secret,) = found(text, "config/app.conf")
    assert (secret.plugin, secret.value) == (plugin, token)
    assert text[secret.span.start : secret.span.end] == token


ASSIGNED = {
    "AWSKeyDetector": ('aws_secret_access_key = "{}"', rolled(40, ALPHANUMERIC + "/+")),
    "AzureStorageKeyDetector": (
        '"DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={};EndpointSuffix=core.net"',
        base64.b64encode(rolled_bytes(64, 5)).decode(),
    ),
    "CloudantDetector": ("cloudant_password = '{}'", rolled(64, HEX)),
    "IbmCloudIamDetector": ('ibm_cloud_api_key: "{}"', rolled(44, URLSAFE, 3)),
    "IbmCosHmacDetector": ("cos_hmac_secret_access_key = {}", rolled(48, HEX)),
    "NpmDetector": ("//registry.npmjs.org/:_authToken={}", fill("<npm-token>")),
    "SoftlayerDetector": ("softlayer_api_key = '{}'", rolled(64, string.ascii_lowercase + string.digits)),
    "SlackDetector": ("curl {} -d @body", fill("<slack-webhook>")),
    "BasicAuthDetector": ("redis://app:{}@cache.prod.net:6379/0", rolled(20)),
}


@pytest.mark.parametrize("plugin", ASSIGNED)
def test_a_credential_is_found_by_the_name_beside_it(plugin: str) -> None:
    form, value = ASSIGNED[plugin]
    text = f"# settings\n{form.format(value)}\n"
    (secret,) = found(text, "config/app.conf")
    assert (secret.plugin, secret.value) == (plugin, value)
    assert text[secret.span.start : secret.span.end] == value


KEY = pem()
ARMOURED = {
    "a file": KEY,
    "PKCS 8": pem(""),
    "Ed25519": fill("<private-key>\n"),
    "EC": pem("EC ", 121).replace("MIIA", "MHcC", 1),
    "CRLF": KEY.replace("\n", "\r\n"),
    "a value of YAML": "key: |\n" + "".join(f"    {line}\n" for line in KEY.splitlines()),
    "one line of an env file": 'PRIVATE_KEY="' + KEY.replace("\n", "\\n") + '"\n',
    "JSON": json.dumps({"private_key": KEY}),
    "joined literals": "KEY = (\n" + "".join(f'    "{line}\\n"\n' for line in KEY.splitlines()) + ")\n",
    "a sum of literals": "const k = " + " +\n  ".join(f"'{line}\\n'" for line in KEY.splitlines()) + ";\n",
    "encrypted": KEY.replace(
        "KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC," + rolled(32, HEX).upper() + "\n\n", 1
    ),
    "PuTTY": "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nComment: me\nPrivate-Lines: 4\n"
    + "\n".join(rolled(64, seed=number) for number in range(4)),
}


@pytest.mark.parametrize("text", ARMOURED.values(), ids=ARMOURED)
def test_a_private_key_is_found_at_its_header_and_is_its_body(text: str) -> None:
    (secret,) = found(text, "keys/deploy")
    assert secret.case == "private-key"
    header = text[secret.span.start : secret.span.end]
    assert header.startswith(("-----BEGIN", "PuTTY")), "the span is the header"
    assert header.endswith(("PRIVATE KEY-----", "File-2"))
    assert secret.value in text, "a one-line form is masked whole"
    assert "PRIVATE" not in secret.value


def test_two_keys_in_one_file_are_two_secrets() -> None:
    first, second = found(pem(seed=1) + pem("", seed=2), "keys/both.pem")
    assert first.value != second.value


def test_a_longer_token_than_the_pattern_knows_is_taken_whole() -> None:
    token = "sk_live_" + rolled(99)
    assert [secret.value for secret in found(f"key: {token}\n", "a.yaml")] == [token]


def test_a_mask_shows_what_all_tokens_share_and_the_length() -> None:
    for plugin, token in TOKENS.items():
        (secret,) = found(f'TOKEN = "{token}"')
        prefix, _, rest = secret.masked.partition("…")
        assert token.startswith(prefix), plugin
        assert len(prefix) < 10, plugin
        assert rest == f" ({len(token)} characters)", plugin
        assert token not in repr(secret), plugin


def test_a_user_of_a_registry_is_no_reason_to_keep_quiet() -> None:
    (secret,) = found(f'REMOTE = "https://token:{rolled(30)}@git.prod.net/x.git"')
    assert secret.case == "basic-auth"


# -- off by default --------------------------------------------------------------------------------------------------

OFF = {
    "ArtifactoryDetector": ('key = "{}"', "AKC" + rolled(60), None),
    "Base64HighEntropyString": ('blob = "{}"', rolled(44), "entropy"),
    "HexHighEntropyString": ('tag = "{}"', rolled(40, HEX), "entropy"),
    "IPPublicDetector": ('host = "{}:80"', "93.184.216.34", None),
    "KeywordDetector": ('password = "{}"', "hunter2-is-it", "keyword"),
    "TwilioKeyDetector": ('sid = "{}"', "AC" + rolled(32, HEX), None),
    "OpenAIDetector": ('k = "{}"', "sk-" + rolled(20) + "T3Blbk" + "FJ" + rolled(20, seed=2), None),
}


@pytest.mark.parametrize("plugin", OFF)
def test_what_finds_too_much_is_off_and_can_be_turned_on(plugin: str) -> None:
    form, value, case = OFF[plugin]
    text = form.format(value) + "\n"
    assert found(text) == []
    (secret,) = found(text, on=(plugin,))
    assert (secret.plugin, secret.value, secret.case) == (plugin, value, case)
    assert text[secret.span.start : secret.span.end] == value


def test_keywords_and_entropy_leave_long_lines_and_references_alone() -> None:
    on = ("KeywordDetector", "Base64HighEntropyString", "HexHighEntropyString")
    assert found('password = "' + rolled(2_000) + '"', on=on) == []
    assert found('password = "$PASSWORD"\n', on=on) == []
    assert found('password = "changeme"\n', on=on) == []
    assert found(fill('request = "<uuid>"\n'), on=on) == []


# -- always ----------------------------------------------------------------------------------------------------------


def test_every_plug_in_of_detect_secrets_is_known_by_name() -> None:
    import detect_secrets.plugins as package  # noqa: PLC0415  # the other tests show that nothing loads it for nothing
    from detect_secrets.plugins.base import BasePlugin  # noqa: PLC0415  # as above

    modules = [import_module(f"{package.__name__}.{module.name}") for module in pkgutil.iter_modules(package.__path__)]
    classes = {
        name
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, BasePlugin) and value.__module__ == module.__name__
    }
    assert classes - {"BasePlugin", "RegexBasedDetector", "HighEntropyStringsPlugin"} == set(PLUGINS)


PIECES = [
    *TOKENS.values(),
    *(form.format(value) for form, value in ASSIGNED.values()),
    *(form.format(value) for form, value, _ in OFF.values()),
    *QUIET.values(),
    KEY,
    "-----BEGIN PRIVATE KEY-----",
    "://a:b@",
    "eyJ",
    "glagent-",
    "cloudant",
    ":_authToken=",
    "//",
    "hooks.slack.com/services/T",
    "\n",
    "\r",
    '"',
    "\\n",
    " ",
    "é",
    "密钥",
    "\U0001f511",
    "\udcff",
]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=12))
def test_whatever_the_text_spans_lie_inside_it_and_hold_the_value(pieces: list[str]) -> None:
    text = "".join(pieces)
    for secret in find(SourceFile("a.conf", text), CATALOGUE, on=PLUGINS):
        assert 0 <= secret.span.start < secret.span.end <= len(text)
        assert secret.value in text
        assert secret.case == "private-key" or text[secret.span.start : secret.span.end] == secret.value
        assert secret.value not in secret.masked


ROLLED = {
    "AWSKeyDetector": ("AKIA{}", ((16, string.ascii_uppercase + "234567"),)),
    "GitLabTokenDetector": ("glpat-{}", ((20, URLSAFE),)),
    "MailchimpDetector": ("{}-us6", ((32, HEX),)),
    "SendGridDetector": ("SG.{}.{}", ((22, URLSAFE), (43, URLSAFE))),
    "SlackDetector": ("xoxb-{}-{}-{}", ((12, string.digits), (12, string.digits), (24, ALPHANUMERIC))),
    "SquareOAuthDetector": ("sq0csp-{}", ((43, URLSAFE),)),
    "StripeDetector": ("sk_live_{}", ((24, ALPHANUMERIC),)),
    "TelegramBotTokenDetector": ("61{}:AA{}", ((8, string.digits), (33, URLSAFE))),
}


@pytest.mark.parametrize("plugin", ROLLED)
def test_hardly_any_random_token_is_taken_for_a_stand_in(plugin: str) -> None:
    form, parts = ROLLED[plugin]
    tokens = [form.format(*(rolled(*part, seed) for part in parts)) for seed in range(300)]
    values = {secret.value for secret in found("\n".join(f"{token} " for token in tokens), "a.conf")}
    assert [token for token in tokens if token not in values] == []


class Published:
    """A catalogue in which one more key was published."""

    placeholders = CATALOGUE.placeholders

    def __init__(self, key: str) -> None:
        """Keep the key's hash only."""
        self.public_keys = {hashlib.sha256(key.encode()).hexdigest(): "an example"}


@pytest.mark.parametrize("plugin", sorted(TOKENS.keys() - {"GitHubTokenDetector"}))
def test_a_published_example_is_known_by_its_hash(plugin: str) -> None:
    token = TOKENS[plugin]
    catalogue: Any = Published(token)
    assert not list(find(SourceFile("a.conf", f"key = '{token}'"), catalogue))
