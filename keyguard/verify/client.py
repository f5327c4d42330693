"""Sends one request and gives back what came: one pooled client that follows nothing, keeps nothing and trusts nobody.

urllib3 rather than requests, which would look for credentials of its own in .netrc and follow a redirect with the key.
"""

from __future__ import annotations

import os
import time
from email.utils import parsedate_to_datetime

from keyguard import __version__
from keyguard.errors import UsageError
from keyguard.typed import TYPE_CHECKING
from keyguard.verify.addresses import is_loopback
from keyguard.verify.answers import MOST_BYTES, Reply

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from typing import Any

    import urllib3

_PIECE = 16384
# Identity, so that a body of 64 KiB stays one: nothing is unpacked.
_ALWAYS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": f"keyguard/{__version__}"}
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Client:
    """A pool of connections for many threads; `close` it when done.

    Proxies are those of the environment (HTTPS_PROXY, ALL_PROXY, NO_PROXY, or the system's settings), never for
    loopback. Certificates are checked against the system's, or against those that SSL_CERT_FILE names.
    """

    def __init__(self, connections: int) -> None:
        """Make a client that keeps up to `connections` open to a host."""
        import urllib3  # noqa: PLC0415  # 40 ms, for whoever asks a provider

        options: dict[str, Any] = {"num_pools": 50, "maxsize": connections, "ssl_context": _trust()}
        self._direct = urllib3.PoolManager(**options)
        self._proxy = _proxy()
        self._through = _pool_through(self._proxy, options) if self._proxy else None

    def close(self) -> None:
        """Close what is idle; what is under way ends with its thread."""
        for pool in (self._direct, self._through):
            if pool is not None:
                pool.clear()

    def send(self, method: str, url: str, headers: Mapping[str, str], body: str, timeout: float) -> Reply:
        """Send one request, for `timeout` seconds at most from one piece of the answer to the next, and never again.

        Whatever goes wrong on the way is a reply with a `failure`. No error that leaves here holds a header.
        """
        import http.client  # noqa: PLC0415  # urllib3 needs it anyway

        import urllib3  # noqa: PLC0415  # see above

        pool = self._pool(url)
        if pool is None:
            return Reply(failure="no-socks")
        began = time.monotonic()
        try:
            response = pool.urlopen(
                method,
                url,
                headers={**_ALWAYS, **headers},
                body=body or None,
                redirect=False,
                retries=False,
                timeout=urllib3.Timeout(total=timeout),
                preload_content=False,
                decode_content=False,
            )
            return _read(response, began + timeout)
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            return Reply(failure=_failure(error))

    def _pool(self, url: str) -> urllib3.PoolManager | None:
        """Whom to ask for a connection; None where the proxy needs a library that is not there."""
        scheme, _, rest = url.partition("://")
        host = rest.split("/", 1)[0]
        is_direct = scheme != "https" or is_loopback(host) or not self._proxy or _bypasses(host)
        return self._direct if is_direct else self._through


def _pool_through(proxy: str, options: Mapping[str, Any]) -> urllib3.PoolManager | None:
    """Connections through a proxy; None when it is a SOCKS one and PySocks is not installed."""
    import urllib3  # noqa: PLC0415  # see above

    scheme, _, rest = proxy.partition("://")
    if scheme.lower().startswith("socks"):
        try:
            from urllib3.contrib.socks import SOCKSProxyManager  # noqa: PLC0415  # PySocks may be missing
        except ImportError:
            return None
        return SOCKSProxyManager(proxy, **options)
    login, _, place = rest.rpartition("@")
    from urllib.parse import unquote  # noqa: PLC0415  # urllib3 needs it anyway

    headers = urllib3.make_headers(proxy_basic_auth=unquote(login)) if login else None
    return urllib3.ProxyManager(f"{scheme}://{place}", proxy_headers=headers, **options)


def _read(response: urllib3.BaseHTTPResponse, until: float) -> Reply:
    pieces: list[bytes] = []
    size = 0
    is_cut = False
    while True:
        piece = response.read1(_PIECE)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
        if size > MOST_BYTES or time.monotonic() > until:
            is_cut = True
            break
    if is_cut:
        response.close()
        if size <= MOST_BYTES:
            return Reply(failure="timeout")
    else:
        response.release_conn()
    headers = tuple((name.lower(), value) for name, value in response.headers.items())
    wait = wanted_pause(dict(headers).get("retry-after", ""), time.time())
    return Reply(response.status, headers, b"".join(pieces)[:MOST_BYTES], is_cut, wait=wait)


def wanted_pause(value: str, now: float) -> float:
    """The seconds that a Retry-After header asks for, counted or as a date (RFC 9110, 10.2.3); 0 for none."""
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):  # what a hostile date makes of it
        return 0.0


def _trust() -> ssl.SSLContext:
    """The certificates to check with: those that the environment names, else the system's, else certifi's."""
    import ssl  # noqa: PLC0415  # urllib3 needs it anyway

    name = next((name for name in _CERTIFICATES if os.environ.get(name)), None)
    if name is not None:
        try:
            return ssl.create_default_context(cafile=os.environ[name])
        except OSError:  # it is missing, or is no PEM
            message = f"{name}={os.environ[name]} cannot be read as certificates; name a PEM file, or unset it"
            raise UsageError(message) from None
    context = ssl.create_default_context()
    if not context.get_ca_certs() and not os.environ.get("SSL_CERT_DIR"):
        try:
            import certifi  # noqa: PLC0415  # where Python brings no certificates, as on macOS
        except ImportError:
            return context
        context.load_verify_locations(certifi.where())
    return context


def _proxy() -> str:
    from urllib.request import getproxies  # noqa: PLC0415  # 15 ms

    found = getproxies()
    proxy = found.get("https") or found.get("all") or ""
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _bypasses(host: str) -> bool:
    from urllib.request import proxy_bypass  # noqa: PLC0415  # 15 ms, and `_proxy` paid them

    return bool(proxy_bypass(host))


def _failure(error: Exception) -> str:
    """Which text says what went wrong."""
    import ssl  # noqa: PLC0415  # urllib3 needs it anyway

    from urllib3 import exceptions as e  # noqa: PLC0415  # see above

    # To urllib3, whatever breaks behind a proxy is the proxy's failure: only what it did not let through is.
    if isinstance(error, e.ProxyError) and error.original_error is not None:
        inner = error.original_error
        if isinstance(inner, e.NewConnectionError) or "Tunnel connection failed" in str(inner):
            return "proxy"
        error = inner
    # Most telling first: to urllib3, a name that leads nowhere is a refused connection, and that one a timeout.
    kinds: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
        (e.ProxyError, "proxy"),
        (e.NameResolutionError, "no-host"),
        (e.NewConnectionError, "unreachable"),
        ((e.TimeoutError, TimeoutError), "timeout"),
    )
    for kind, failure in kinds:
        if isinstance(error, kind):
            return failure
    if isinstance(error, (e.SSLError, ssl.SSLError)):
        return "certificate" if "CERTIFICATE_VERIFY_FAILED" in str(error) else "broken"
    return "broken"
