"""What KG107 and KG109 share: which variables hold a credential, and which values are one."""

from __future__ import annotations

from keyguard.patterns import regex
from keyguard.secrets.placeholders import is_placeholder, looks_random
from keyguard.secrets.shapes import is_credential_name, providers_of_name
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.catalogue import Catalogue

# What a project appends to a variable it has once for each place it runs: `…_API_KEY_PROD`.
_STAGE = regex(r"_(?:local|dev|development|prod|production|staging|stage|test|testing|ci|qa|uat|old|new|default)$")
# A bare `_KEY` is as often an object's name in a store, a sort key or a file of GPG; these are not.
_SURE = ("_token", "_secret", "_password", "_passwd", "_credentials")
_LEAST = 8  # characters of a password worth the name
_DISTINCT = 5  # different characters in it
_LONG = 20  # characters from which a value must look made by dice
_SENTENCE = regex(r"\s")
# What stands for a value that lies elsewhere: `${NAME}`, `$(command)`, `{{ name }}`, `<name>`, `op://…`, `ENC[…]`.
_ELSEWHERE = regex(
    r"[$%<{(`@!*]|[A-Za-z][A-Za-z0-9+.-]{1,30}:(?://|/|\|)|(?:ENC\[|encrypted:|vault:|ref\+|ssm:|sm:|arn:|keyring:|file:|secret:)"
)
_USERINFO = regex(r"[A-Za-z][A-Za-z0-9+.-]{1,30}://([^\s/:@]{0,200}):([^\s/@]{1,400})@([^\s/:?#]{1,253})")


def is_key_variable(name: str, catalogue: Catalogue) -> bool:
    """Tell whether a variable holds a model-API key: a provider's own, one named after a provider, or `…_API_KEY`."""
    if not _is_credential(name, catalogue):
        return False
    if providers_of_name(name, catalogue):
        return True
    bare = _STAGE.sub("", name.lower())
    return bare.endswith(("apikey", *(word for word in catalogue.words.generic if "_" in word)))


def is_secret_variable(name: str, catalogue: Catalogue) -> bool:
    """Tell whether a variable holds a credential of any kind; in scripts only capitals say so of a short name."""
    return is_key_variable(name, catalogue) or (
        name.isupper() and _STAGE.sub("", f"_{name.lower()}").endswith(_SURE) and _is_credential(name, catalogue)
    )


def is_secret_setting(name: str, value: str, catalogue: Catalogue) -> bool:
    """Tell whether an env file's line holds a real secret: a credential with a plausible value, or a URL with one.

    References, placeholders and encrypted values are none, and what every visitor of a page gets is none either.
    """
    value = value.strip()
    found = _USERINFO.match(value)
    if found is not None:
        user, password, _ = found.groups()
        return password != user and _is_password(password, catalogue)
    if name.startswith(catalogue.words.browser_prefixes) or not _is_credential(name, catalogue):
        return False
    return _is_password(value, catalogue)


def lies_elsewhere(value: str) -> bool:
    """Tell whether a value stands for one that lies elsewhere (`${NAME}`, `op://…`), or is sealed."""
    return _ELSEWHERE.match(value.strip()) is not None


def _is_credential(name: str, catalogue: Catalogue) -> bool:
    return is_credential_name(name, catalogue) or (
        (bare := _STAGE.sub("", name.lower())) != name.lower() and is_credential_name(name[: len(bare)], catalogue)
    )


def _is_password(value: str, catalogue: Catalogue) -> bool:
    if value.startswith("-----BEGIN") and "PRIVATE KEY-----" in value[:64]:
        return True
    if len(value) < _LEAST or len(set(value)) < _DISTINCT or _ELSEWHERE.match(value) or _SENTENCE.search(value):
        return False
    if not (any(map(str.isalpha, value)) and any(map(str.isdigit, value))):
        return False  # a word, a number or a flag
    return not is_placeholder(value, catalogue) and (len(value) < _LONG or looks_random(value))
