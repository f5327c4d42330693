"""From the text of a base URL to the host that a request goes to: whose it is, and by which route it is reached."""

from __future__ import annotations

import ipaddress

from keyguard.patterns import regex
from keyguard.python import values as v
from keyguard.python.network import Host
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import Provider

_AUTHORITY = regex(
    r"(?:[a-zA-Z][a-zA-Z0-9+.-]{0,12}:)?//(?:[^/?#@\s]{0,256}@)?(\[[0-9a-fA-F:.]{2,45}\]|[^/?#:\s]{1,253})(:\d{1,5})?"
)
_BARE = regex(r"([A-Za-z0-9.-]{1,253})(:\d{1,5})?(?:[/?#]|$)")
_LOCAL_NAME = regex(r"(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|svc|cluster|test|invalid)$")
# Providers of these kinds answer no model calls: a request to them is no connection to a model.
_NO_MODELS = frozenset({"search", "vector_db", "observability", "tooling"})
_ROUTES = {"cloud": "cloud", "aggregator": "gateway", "gateway": "gateway", "relay": "relay", "local": "local"}
# Paths under which model APIs answer, whatever the host is called. Those that other services have too, such as a chat's
# `/im/v1/messages`, must stand right behind the host, a part that is not known, or one word (a compatible API's path).
MODEL_PATH = regex(
    r"(?:/(?:chat/completions|v1/(?:completions|embeddings|responses)"
    r"|[^/\s]{1,100}:(?:generateContent|streamGenerateContent|embedContent|countTokens))"
    r"|(?:^|//[^/\s]{1,253}|\}|/[a-z]{6,12})/(?:v1/messages|api/(?:chat|generate|embeddings)))(?:$|[?#{])"
)
OWN = "own"
# Names that RFC 2606 keeps for documentation: nobody answers there.
_RESERVED = regex(r"(?:^|\.)(?:example|example\.(?:com|net|org))(?::\d+)?$")


def is_local_host(name: str) -> bool:
    """Tell whether a host is a machine of one's own: loopback, private or link-local addresses, names without a dot."""
    bare = name.rsplit(":", 1)[0] if name.count(":") == 1 else name
    bare = bare.strip("[]").rstrip(".").lower()
    if not bare:
        return False
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return "." not in bare or _LOCAL_NAME.search(bare) is not None
    return address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified


def is_reserved_host(name: str) -> bool:
    """Tell whether a host is one that documentation uses."""
    return _RESERVED.search(name.lower().rstrip(".")) is not None


def split_host(url: str) -> str:
    """The host of a URL in lower case, with its port; of `example.com/v1` without a scheme too; empty for no host."""
    match = _AUTHORITY.match(url.strip()) or (_BARE.match(url.strip()) if "." in url or ":" in url else None)
    return (match[1] + (match[2] or "")).lower() if match else ""


def host_of(url: str, origin: str, catalogue: Catalogue, trusted: Mapping[str, str]) -> Host | None:
    """Whose host a URL names; None when it names none (`{}` stands where a part of it is not known)."""
    name = split_host(url)
    if not name or "{" in name or "<" in name or "$" in name:
        return _templated(url, name, origin, catalogue)
    named = _trusted_as(name, catalogue, trusted)
    if named is not None:
        provider = catalogue.providers.get(named)
        return Host(name, url, provider, OWN if provider is None else route_of(provider), origin)
    provider = catalogue.provider_of_host(name)
    if is_local_host(name):
        return Host(name, url, provider, "local", origin)
    return Host(name, url, provider, route_of(provider) if provider is not None else "unknown", origin)


def _trusted_as(name: str, catalogue: Catalogue, trusted: Mapping[str, str]) -> str | None:
    """Whose a host is by the settings: by its name with or without its port, else by the nearest `*.` above it.

    A host that a provider of the project names in full says more than a `*.` above it.
    """
    if not trusted:
        return None
    bare = name.rsplit(":", 1)[0] if name.count(":") == 1 else name
    for exact in (name, bare):
        if exact in trusted:
            return trusted[exact]
    if name in catalogue.own_hosts or bare in catalogue.own_hosts:
        return None
    parts = bare.split(".")
    return next((owner for at in range(1, len(parts)) if (owner := trusted.get("*." + ".".join(parts[at:])))), None)


def _templated(url: str, name: str, origin: str, catalogue: Catalogue) -> Host | None:
    """A host with a part that is put in at run time (`https://{}.example.com`), when the rest says whose it is."""
    if "{}" not in name:
        return None
    filled = name.replace("{}", "x")
    provider = catalogue.provider_of_host(filled)
    return None if provider is None else Host(name, url, provider, route_of(provider), origin)


def route_of(provider: Provider) -> str:
    """By which route a provider's models are reached: from their maker, a cloud, a gateway, a relay, one's own."""
    if provider.aggregator and provider.kind == "vendor":
        return "gateway"
    return _ROUTES.get(provider.kind, "official")


def serves_models(provider: Provider | None) -> bool:
    """Tell whether a provider answers model calls (and not searches or traces)."""
    return provider is not None and provider.kind not in _NO_MODELS


def urls_of(value: v.Value) -> Iterator[tuple[str, bool]]:
    """The URLs a value may be, and whether each is only the fallback of a variable; unknown parts show as `{}`."""
    for item in v.alternatives(value):
        if isinstance(item, v.Text):
            yield item.text, False
        elif isinstance(item, v.Joined):
            yield from _joined(item)
        elif isinstance(item, v.EnvRead) and item.default is not None:
            for text, _ in urls_of(item.default):
                yield text, True


def _joined(value: v.Joined) -> Iterator[tuple[str, bool]]:
    """The text of parts put together; a first part that has several values, or a fallback, is taken with each."""
    first, rest = value.parts[0], value.parts[1:]
    tail = "".join(v.show(part) if isinstance(part, (v.Text, v.Joined)) else "{}" for part in rest)
    if isinstance(first, v.Text):
        yield first.text + tail, False
    elif isinstance(first, (v.OneOf, v.EnvRead)):
        for text, is_fallback in urls_of(first):
            yield text + tail, is_fallback


def is_unknown(value: v.Value) -> bool:
    """Tell whether a value may be something that the code does not show."""
    return any(
        isinstance(item, (v.Unknown, v.EnvRead, v.SecretRead, v.Local, v.Reference, v.Instance))
        or (isinstance(item, v.Joined) and not isinstance(item.parts[0], v.Text))
        for item in v.alternatives(value)
    )
