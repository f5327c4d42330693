"""What is wrong with a base URL as a variable holds it: for the SDKs that read it, and for the key that goes there."""

from __future__ import annotations

import re

from keyguard.checks.bases import Asked, fault_of
from keyguard.doctor.goals import bases_of, constructor_of
from keyguard.doctor.records import Problem, Shown
from keyguard.patterns import regex
from keyguard.python.hosts import host_of, is_local_host, is_reserved_host, split_host
from keyguard.secrets.placeholders import looks_random, mask
from keyguard.secrets.shapes import keys_in_text
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.doctor.records import Setting
    from keyguard.inventory import Row
    from keyguard.knowledge import BasePath
    from keyguard.python.network import Host

# Where each fault of a base URL shows: nothing answers there, or nobody is reached at all.
_LEADS = {
    "doubled": ("404",),
    "path": ("404",),
    "slash": ("404",),
    "foreign": ("404", "401"),
    "scheme": ("connection",),
    "bare-host": ("connection",),
    "space": ("connection",),
    "empty": ("connection",),
}
_QUOTES = "\"'`\u201c\u201d\u2018\u2019"
_MOST = 120  # characters of a URL that are shown
_RANDOM = 16  # characters of a part of a URL that may be a key
_LONGEST = 40  # characters of a part that is no key
_ASKING = regex(r"(?:^|[.-])(?:your|my-?resource|resource-?name|xxx+)(?:[.-]|$)")


def judge(
    setting: Setting, rows: Sequence[Row], catalogue: Catalogue, trusted: Mapping[str, str]
) -> tuple[Shown, str | None, tuple[Problem, ...]]:
    """Look at the value that counts: how it is shown, who answers there (an id), and what is wrong."""
    value = setting.value.value
    if value.strip().startswith("$"):
        return Shown(setting.place, "reference"), None, ()
    host = host_of(value.strip(), "env", catalogue, trusted) if value.strip() else None
    provider = host.provider.id if host is not None and host.provider is not None else None
    problem = _problem(setting, host, rows, catalogue)
    state = "set" if value.strip() else "empty"
    shown = Shown(setting.place, state, length=len(value), url=shown_url(value, catalogue))
    return shown, provider, (problem,) if problem is not None else ()


def shown_url(value: str, catalogue: Catalogue) -> str:
    """A base URL without what may be secret in it: a user, a query, keys and what looks like them.

    Empty for a text that names no host.
    """
    bare = value.strip().strip(_QUOTES).strip()
    if not split_host(bare) or not bare.isprintable():
        return ""
    plain = re.split(r"[?#]", bare, maxsplit=1)[0]
    plain = re.sub(r"//[^/]*@", "//", plain)
    if "@" in plain:
        return ""
    plain = without_keys(plain, catalogue)
    return "".join(_shown_part(part) for part in re.split(r"([/:.])", plain))[:_MOST]


def without_keys(text: str, catalogue: Catalogue) -> str:
    """A text with every key in it masked."""
    for key in keys_in_text(text, catalogue):
        text = text.replace(key.value, mask(key.value, key.shape))
    return text


def _shown_part(part: str) -> str:
    is_long = len(part) > _LONGEST or (len(part) >= _RANDOM and looks_random(part))
    return "…" if is_long else part


def _problem(  # noqa: PLR0911  # one return a fault
    setting: Setting, host: Host | None, rows: Sequence[Row], catalogue: Catalogue
) -> Problem | None:
    """The first thing that is wrong: what is wrong behind it would be told of another URL."""
    value, name, place = setting.value.value, setting.name, setting.place
    url = value.strip()
    if not url:
        return _fault(setting, host, rows, catalogue)
    if url[0] in _QUOTES or url[-1] in _QUOTES:
        return Problem("url.quotes", name, place, leads=("connection",))
    if "://" not in url and any(keys_in_text(url, catalogue)):
        return Problem("url.key", name, place, leads=("connection",))
    if _is_example(url):
        return Problem(
            "url.placeholder", name, place, {"host": shown_url(split_host(url), catalogue)}, ("connection", "404")
        )
    fault = _fault(setting, host, rows, catalogue)
    if fault is not None:
        return fault
    if any(map(str.isspace, value)):
        instead = shown_url("".join(value.split()), catalogue)
        return Problem("url.fault", name, place, {"instead": instead, "name": instead}, _LEADS["space"], flaw="space")
    if host is not None and url.lower().startswith("http://") and not is_local_host(host.name):
        return Problem("url.plain", name, place, {"host": host.name})
    return None


def _is_example(url: str) -> bool:
    """Tell whether a URL still has what stands for somebody's own host."""
    host = split_host(url)
    authority = url.partition("://")[2].partition("/")[0] or url.partition("/")[0]
    return is_reserved_host(host) or re.search(r"[<>{}]", authority) is not None or _ASKING.search(host) is not None


def _fault(setting: Setting, host: Host | None, rows: Sequence[Row], catalogue: Catalogue) -> Problem | None:
    """What KG206 would say of it as the base URL of a client that reads it."""
    value = setting.value.value
    for path, default in _readers(setting.name, rows, catalogue):
        fault = fault_of(value, Asked(path, host, default=default), catalogue)
        if fault is not None:
            instead = shown_url(fault.instead, catalogue)
            values = {"name": shown_url(value, catalogue), "instead": instead, "where": fault.where}
            if fault.provider:
                values["provider"] = fault.provider
            return Problem("url.fault", setting.name, setting.place, values, _LEADS[fault.case], flaw=fault.case)
    return None


def _readers(name: str, rows: Sequence[Row], catalogue: Catalogue) -> Iterator[tuple[BasePath, str]]:
    """What those who read the variable make of a base URL, and what holds without one: the code's SDKs, else its own.

    Its own is that of the provider whose variable it is.
    """
    sdks = [(catalogue.sdks.get(row.library), row) for row in rows if name in bases_of(row, catalogue)]
    for sdk, row in sdks:
        made = constructor_of(row, sdk) if sdk is not None else None
        path = (made.path if made is not None else None) or (sdk.path if sdk is not None else None)
        if path is not None and sdk is not None:
            yield path, (made.base_url_default if made is not None else None) or sdk.base_url_default or ""
    if sdks:
        return
    owners = {provider.id for provider in catalogue.providers.values() if name in provider.env_base_url}
    for sdk in sorted(catalogue.sdks.values(), key=lambda one: one.id not in owners):
        if sdk.provider not in owners:
            continue
        if name in sdk.env_base_url and sdk.path is not None:
            yield sdk.path, sdk.base_url_default or ""
            return
        for made in sdk.constructors:
            if name in (made.env_base_url or ()) and made.path is not None:
                yield made.path, made.base_url_default or ""
                return
