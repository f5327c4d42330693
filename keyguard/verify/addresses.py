"""A base URL out of somebody's code, read strictly: what is not plainly one safe host is refused, and why is said."""

from __future__ import annotations

import ipaddress
import re

from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# One reading of a URL, from which every request is built anew: no two parsers can disagree about the host.
_URL = regex(
    r"(?P<scheme>https?)://(?P<user>[^/?#\\]*@)?"
    r"(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?\.?)"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:[?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST = 2048
_LAST_PORT = 65535
_PORTS = {"http": 80, "https": 443}
# RFC 3986 has no other dotted numbers than four decimal ones, but resolvers take 0x7f.1 and 2130706433 for addresses.
_NUMERIC = regex(r"(?:0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
# Where clouds serve a machine its own credentials, besides the link-local 169.254.169.254: Alibaba's, Azure's, Oracle's
# old one, and Amazon's over IPv6.
_METADATA = frozenset({"100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"})
_LOOPBACK_NAME = regex(r"(?:[a-z0-9-]+\.)*localhost")
_DOTS = regex(r"(?:^|/)\.{1,2}(?:/|$)|%2e|%2f|%5c", re.IGNORECASE)


class Base(NamedTuple):
    """A base URL that a key may be sent to: `host` in lower case with its port unless that is the scheme's own.

    `path` has no slash at its end and nothing of a query.
    """

    scheme: str
    host: str
    path: str

    @property
    def origin(self) -> str:
        """Scheme and host."""
        return f"{self.scheme}://{self.host}"

    @property
    def url(self) -> str:
        """The base URL, spelled anew."""
        return self.origin + self.path


class Refused(NamedTuple):
    """A base URL that no key is sent to; `why` names a text `why.…` of `keyguard.lang.verify`."""

    why: str


def read_base(url: str, refused: Collection[str] = ()) -> Base | Refused:
    """Read a base URL; `refused` are names of hosts, in lower case, that are never asked."""
    text = url.strip()
    match = _URL.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return Refused("bad-base")
    scheme, host, path = match["scheme"].lower(), match["host"].lower().removesuffix("."), match["path"] or ""
    own_port = _PORTS[scheme]
    port = int(match["port"] or own_port)
    why = ""
    if match["user"] is not None:
        why = "userinfo"
    elif not 0 < port <= _LAST_PORT or not _is_name_or_address(host) or _DOTS.search(path):
        why = "bad-base"
    elif host in refused or _is_inside(host):
        why = "refused-host"
    elif scheme == "http" and not is_loopback(host):
        why = "plain"
    if why:
        return Refused(why)
    return Base(scheme, host if port == own_port else f"{host}:{port}", re.sub(r"/{2,}", "/", path).rstrip("/"))


def is_loopback(host: str) -> bool:
    """Tell whether a host, with or without its port, is this very machine by its name alone."""
    bare = _without_port(host)
    address = _address(bare)
    if address is None:
        return _LOOPBACK_NAME.fullmatch(bare) is not None
    return any(one.is_loopback for one in _forms(address))


def _without_port(host: str) -> str:
    return re.sub(r":[0-9]+$", "", host) if host.startswith("[") or host.count(":") == 1 else host


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _is_name_or_address(host: str) -> bool:
    if _address(host) is not None:
        return True
    labels = host.split(".")
    return not host.startswith("[") and all(labels) and _NUMERIC.fullmatch(labels[-1]) is None


def _forms(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The address, and the older one that one of IPv6 may stand for."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        for inner in (address.ipv4_mapped, address.sixtofour):
            if inner is not None:
                yield inner


def _is_inside(host: str) -> bool:
    """Tell whether a host is an address that leads to the services of a machine or its network, not to an API."""
    address = _address(host)
    return address is not None and any(
        one.is_link_local or one.is_unspecified or one.is_multicast or str(one) in _METADATA for one in _forms(address)
    )
