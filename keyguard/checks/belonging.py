"""What the rules of key and host share: whose a variable or a key is, and whether that is who answers at a host."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from keyguard.model import Confidence
from keyguard.python.hosts import serves_models
from keyguard.secrets.placeholders import is_placeholder
from keyguard.secrets.shapes import Context, is_public_example, keys_in_value
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import KeyShape, Provider
    from keyguard.python.network import Connection, Host

_PREFIX = 4  # characters: a prefix as short as `sk-` is nobody's own
# Hosts that are answered for: one's own, and those nobody knows.
_NOBODYS = frozenset({"local", "own", "unknown"})


def answering(host: Host) -> Provider | None:
    """Who answers at a host and has keys of its own: nobody that is known where others' keys are passed on."""
    provider = host.provider
    if provider is None or host.route in _NOBODYS or provider.kind in {"gateway", "local"}:
        return None
    return provider if serves_models(provider) else None


def is_relay(provider: Provider) -> bool:
    """Tell whether a provider resells others' models under keys of its own, and nobody knows who runs it."""
    return provider.kind == "relay"


def are_allied(one: Provider, other: Provider) -> bool:
    """Tell whether two providers are of one house: a key's variable in common, or a domain."""
    if one.id == other.id or not set(one.env).isdisjoint(other.env):
        return True
    return not _domains(one).isdisjoint(_domains(other))


def _domains(provider: Provider) -> set[str]:
    """The registered domains of a provider's hosts, ports left out."""
    return {_domain(host.partition(":")[0]) for host in provider.hosts}


def _domain(host: str) -> str:
    labels = host.split(".")
    # `com.cn` and `co.uk` are nobody's: there one more label tells.
    own = 3 if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3 else 2  # noqa: PLR2004  # labels of a name
    return ".".join(labels[-own:])


def owner_of(name: str, host: Host, connection: Connection | None, catalogue: Catalogue) -> Provider | None:
    """The provider whose variable goes to a host of somebody else; None when that is as it should be, or not known."""
    provider = answering(host)
    owners = catalogue.providers_of_env(name)
    if provider is None or not owners or name in provider.env or name in provider.env_other:
        return None
    if any(are_allied(owner, provider) for owner in owners):
        return None
    owner = owners[0]
    if not is_relay(provider) and name in provider.env_reused and _is_documented(owner, host, connection, catalogue):
        return None
    return owner


def _is_documented(owner: Provider, host: Host, connection: Connection | None, catalogue: Catalogue) -> bool:
    """Tell whether a variable of another provider is used where the host's own documentation uses it.

    That is where the host speaks the other one's protocol: below its base URL for it, or with the other one's client.
    """
    if owner.id not in catalogue.mapped_protocols:
        return True
    if connection is not None and connection.client is not None and connection.client.provider == owner.id:
        return True
    bases = host.provider.base_urls.get(owner.id, ()) if host.provider is not None else ()
    return any(host.url.rstrip("/").startswith(base.rstrip("/")) for base in bases)


def location(host: Host) -> str:
    """Host and path of a URL, without its scheme."""
    parts = urlsplit(host.url if "//" in host.url else f"//{host.url}")
    return f"{host.name}{parts.path}".rstrip("/")


# -- keys by their form -----------------------------------------------------------------------------------------------


def keys_in(text: str, catalogue: Catalogue) -> Iterator[str]:
    """The real keys in a text that is given as one: no placeholder, and none that was published."""
    for match in keys_in_value(text, Context(credential=True), catalogue):
        key = match.value
        if not is_placeholder(key, catalogue) and not is_public_example(key, catalogue):
            yield key


def shapes_of(key: str, catalogue: Catalogue) -> tuple[KeyShape, ...]:
    """The forms that a key has, whoever shares them."""
    return tuple(
        shape
        for shape in catalogue.shapes.values()
        if shape.secret
        and not shape.malformed
        and re.fullmatch(shape.pattern, key)
        and shape.well_formed(key) is not False
    )


def issuers(key: str, catalogue: Catalogue) -> tuple[Provider, ...]:
    """The providers that issued a key for certain, by its form alone; none when others share the form."""
    sure = [shape.provider for shape in shapes_of(key, catalogue) if _tells(shape, catalogue)]
    return tuple(catalogue.providers[name] for name in dict.fromkeys(sure))


def _tells(shape: KeyShape, catalogue: Catalogue) -> bool:
    if shape.needs_context and not (shape.test is not None and shape.proven_by_test):
        return False
    if shape.confidence is Confidence.HIGH or (shape.test is not None and shape.proven_by_test):
        return True
    return shape.confidence is Confidence.MEDIUM and any(
        len(prefix) >= _PREFIX or {other.provider for other in catalogue.shapes_with_prefix(prefix)} == {shape.provider}
        for prefix in shape.prefixes
    )


def is_strict(provider: Provider) -> bool:
    """Tell whether all forms of a provider's keys are known, so that a key of another form is none of its own."""
    shapes = [shape for shape in provider.shapes if shape.secret and not shape.malformed]
    return any(shape.confidence is Confidence.HIGH for shape in shapes) and all(
        shape.confidence is Confidence.HIGH or any(len(prefix) >= _PREFIX for prefix in shape.prefixes)
        for shape in shapes
    )
