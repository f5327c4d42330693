"""What the tests about packages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keyguard.catalogue import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyguard.knowledge import HttpClient


@pytest.fixture
def client_of() -> Callable[[str], HttpClient]:
    """The HTTP library of the catalogue that a name of the probe belongs to."""
    known = {name: client for client in load().http.clients for name in (client.id, *client.imports)}
    return lambda name: known[name if name in known else name.split(".")[0]]
