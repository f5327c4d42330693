"""What is wrong with a base URL: from its text, what its client makes of it, and who answers at its host."""

from __future__ import annotations

import functools
import re
from urllib.parse import urlsplit

from keyguard.patterns import regex
from keyguard.python.hosts import is_local_host, split_host
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import BasePath, Provider
    from keyguard.python.network import Host

_SCHEME = regex(r"[A-Za-z][A-Za-z0-9+.-]*://")
_MISTYPED = regex(r"(?:https?|htps|htpps|htttps|ttps)(?:[:;/]|\b)", re.IGNORECASE)
_TWO_SCHEMES = regex(r"https?:/{0,2}https?:", re.IGNORECASE)
_HOST_LIKE = regex(r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?::\d{1,5})?(?:/\S*)?$|localhost:\d{1,5}(?:/\S*)?$")
_LONGEST = 80  # characters of a URL that are shown


class Fault(NamedTuple):
    """What is wrong with a base URL: a case of KG206, and the values that its words need besides the URL.

    `instead` is what should be written, `where` the path that requests go to, `provider` whose host it is (an id).
    """

    case: str
    instead: str
    where: str = ""
    provider: str = ""


class Asked(NamedTuple):
    """What is known about how a base URL is used.

    `path` is what the client makes of it, `host` who answers there, if that is known. `name` is the argument it is
    given as (None: a variable), `is_joined_blindly` says that nothing puts a slash between it and what is appended.
    `chosen` says that the version path is chosen elsewhere, `default` is what holds without a base URL.
    """

    path: BasePath
    host: Host | None = None
    name: str | None = None
    is_joined_blindly: bool = False
    chosen: bool = False
    default: str = ""


def fault_of(url: str, asked: Asked, catalogue: Catalogue) -> Fault | None:
    """What is wrong with a base URL for its client; None when it can be right. `{}` stands where a part is unknown."""
    path, host = asked.path, asked.host
    if not url.strip():
        return Fault("empty", asked.default) if path.empty == "fails" else None
    if any(map(str.isspace, url)) and not url.strip().startswith("<"):
        plain = "".join(url.split())
        # Words that ask to be replaced ("your base url") are no URL with white space in it.
        is_url = _SCHEME.match(plain) is not None or _HOST_LIKE.match(plain) is not None
        return Fault("space", shown(plain)) if is_url else None
    fault = _scheme(url.strip(), path)
    if fault is not None:
        return fault
    if host is not None:
        owner = catalogue.foreign_hosts.get(host.name)
        if owner is not None and host.provider is None:
            right = _right(catalogue.providers[owner], path, catalogue)
            return Fault("foreign", right, host.name, owner)
    if path.params and asked.name is not None and asked.name not in path.params:
        return None
    return _path(url, asked, catalogue)


def shown(url: str) -> str:
    """The URL without what may be secret in it."""
    plain = url.strip().partition("?")[0]
    return re.sub(r"//[^/@]{1,200}@", "//", plain)[:_LONGEST]


def path_of(url: str) -> str:
    """The path of a URL; empty for what is no URL."""
    try:
        return urlsplit(url.strip()).path
    except ValueError:
        return ""


def _scheme(url: str, path: BasePath) -> Fault | None:
    if _TWO_SCHEMES.match(url):
        return Fault("scheme", shown(url[url.index(":", 6) - 5 :].lstrip(":/")))
    has_scheme = _SCHEME.match(url) is not None
    if not path.scheme:
        return Fault("bare-host", split_host(url)) if has_scheme else None
    if has_scheme or path.bare or "{}" in url.partition("/")[0]:
        return None
    if _MISTYPED.match(url):
        rest = re.sub(r"^[A-Za-z]+[:;/]*", "", url)
        return Fault("scheme", f"https://{shown(rest)}")
    if _HOST_LIKE.match(url):
        scheme = "http" if is_local_host(split_host(url)) else "https"
        return Fault("scheme", f"{scheme}://{shown(url)}")
    return None


def _path(url: str, asked: Asked, catalogue: Catalogue) -> Fault | None:
    """Judge the path of a base URL: what the client adds must not be there, and what it does not add must."""
    path, host = asked.path, asked.host
    here = path_of(url).rstrip("/")
    ending = next((end for end in sorted(path.doubled, key=len, reverse=True) if here.endswith(end)), None)
    if ending is not None and not asked.chosen:
        instead = url.strip().partition("?")[0].rstrip("/").removesuffix(ending)
        right = _right(host.provider, path, catalogue, host) if host is not None and host.provider else ""
        return Fault("doubled", right or shown(instead), f"{here}{path.appended}")
    if host is not None and host.provider is not None and not asked.chosen:
        bases = _known_bases(host, path, catalogue)
        if _is_wrong(here, host, bases, path, catalogue):
            right = _right(host.provider, path, catalogue, host)
            where = f"{here}{path.appended}" if here else path.appended
            return Fault("path", right, where, host.provider.id)
    # A URL without any path has the slash of its root.
    is_joined_blindly = bool(here) and (asked.is_joined_blindly or path.slash)
    if is_joined_blindly and not url.strip().endswith("/") and "?" not in url:
        joined = f"{here}{path.appended.lstrip('/')}"
        return Fault("slash", f"{shown(url)}/", joined)
    return None


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def _protocols(catalogue: Catalogue) -> Mapping[str, str]:
    """The kind of base URL, as providers list them, that belongs to what a client appends."""
    kinds = {kind for provider in catalogue.providers.values() for kind in provider.base_urls}
    found: dict[str, str] = {}
    for sdk in catalogue.sdks.values():
        if sdk.path is not None and sdk.path.appended and sdk.provider in kinds:
            found.setdefault(sdk.path.appended, sdk.provider)
    return found


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def _habits(catalogue: Catalogue) -> frozenset[str]:
    """The paths under which some provider answers: what people append to another's host out of habit."""
    urls = (url for item in catalogue.providers.values() for urls in item.base_urls.values() for url in urls)
    return frozenset(path_of(url).rstrip("/") for url in urls if "{" not in url)


def _known_bases(host: Host, path: BasePath, catalogue: Catalogue) -> tuple[str, ...]:
    """The paths under which a host is known to answer a client; those of its provider's other hosts for want of own."""
    kind = _protocols(catalogue).get(path.appended)
    provider = host.provider
    if kind is None or provider is None or not provider.curated:
        return ()
    listed = [
        url for key, urls in provider.base_urls.items() if key == kind or key.startswith(f"{kind}_") for url in urls
    ]
    own = [url for url in listed if split_host(url) == host.name]
    return tuple(path_of(url).rstrip("/") for url in own or listed)


def _is_wrong(here: str, host: Host, bases: tuple[str, ...], path: BasePath, catalogue: Catalogue) -> bool:
    """Tell whether a path is none of those that a host answers under, and known to be wrong rather than unknown."""
    provider = host.provider
    if not bases or provider is None or here in bases or any("{" in item or "<" in item for item in bases):
        return False
    kind = _protocols(catalogue)[path.appended]
    foreign = {
        path_of(url).rstrip("/")
        for key, urls in provider.base_urls.items()
        if key != kind and not key.startswith(f"{kind}_")
        for url in urls
        if split_host(url) == host.name
    }
    if here in foreign:
        return True
    if host.is_local:
        return False
    return not here or (here in _habits(catalogue) and provider.required_path is not None)


def _right(provider: Provider, path: BasePath, catalogue: Catalogue, host: Host | None = None) -> str:
    """The base URL of a provider for what a client appends, at the same host if there is one."""
    kind = _protocols(catalogue).get(path.appended)
    urls = provider.base_urls.get(kind, ()) if kind is not None else ()
    same = [url for url in urls if host is not None and split_host(url) == host.name]
    return next(iter((*same, *urls)), "")
