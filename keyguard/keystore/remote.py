"""What stores outside the project share: values are checked before, read back after, and patience has limits."""

from __future__ import annotations

import random
import time

from keyguard.keystore.base import Receipt, StoreError, distinct, taken
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keyguard.model import Move

CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 15.0  # seconds: a store that takes longer is one that the user should know of
ATTEMPTS = 4
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0


def put_each(
    moves: Sequence[Move],
    place: str,
    get: Callable[[str], str | None],
    create: Callable[[str, str], None],
) -> Receipt:
    """Store keys in a store that knows one value a name; every name is looked at before the first key is written.

    `get` gives the value of a name, `create` makes a name that is not there. Where one of several keys cannot be
    stored, those before it stay: the next run finds them there.
    """
    wanted = distinct(moves)
    held = {name: get(name) for name in wanted}
    for name, value in wanted.items():
        if held[name] not in {None, value}:
            raise taken(name, place)
    written = tuple(name for name in wanted if held[name] is None)
    for name in written:
        create(name, wanted[name])
    for name in written:
        _read_back(name, wanted[name], place, get)
    return Receipt(place, written, tuple(name for name in wanted if name not in written))


def _read_back(name: str, value: str, place: str, get: Callable[[str], str | None]) -> None:
    for number in range(ATTEMPTS):  # some stores need a moment until every reader sees what was written
        if number:
            pause(number - 1)
        found = get(name)
        if found is not None:
            break
    if found is None:
        message = f"{place} does not hold {name} after it was written; look there, then run this again"
        raise StoreError(message)
    if found != value:  # somebody else was there between our look and our write
        raise taken(name, place)


def pause(number: int) -> None:
    """Wait before try number `number` + 1: longer each time, up to 2 s, and never in step with others."""
    time.sleep(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**number) * random.uniform(0.5, 1))  # noqa: S311  # no secret


def refuse_plain(url: str, variable: str) -> None:
    """Refuse to send keys over a connection that anybody on the way can read.

    Raises:
        StoreError: the URL is `http://` and its host is not a machine of one's own.
    """
    from keyguard.python.hosts import is_local_host, split_host  # noqa: PLC0415  # where a store is remote

    if url.lower().startswith("http://") and not is_local_host(split_host(url)):
        message = f"{variable} is http://{split_host(url)}, over which a key would travel in the clear; use https://"
        raise StoreError(message)


def missing(library: str, extra: str) -> StoreError:
    """Give the error for a library that is not installed."""
    return StoreError(f'--key-store needs {library} here; run pip install "keyguard[{extra}]"')
