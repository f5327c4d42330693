"""Whether a client of an SDK sends a key with its requests."""

from __future__ import annotations

from keyguard.python import values as v
from keyguard.secrets.placeholders import is_placeholder
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.catalogue import Catalogue
    from keyguard.python.network import Connection


def sends_key(connection: Connection, catalogue: Catalogue) -> bool:
    """Tell whether a client sends a key: a stand-in for servers that ask for none is no key."""
    if connection.http is not None:
        return connection.http.carries_key
    if connection.key is None:
        # Without one it takes a variable's, unless it works without a key as well.
        optional = connection.sdk is not None and connection.sdk.missing_key == "anonymous"
        return bool(connection.implied) and not optional
    return not all(
        isinstance(item, v.Null)
        or (isinstance(item, v.Text) and (not item.text.strip() or is_placeholder(item.text, catalogue)))
        for item in v.alternatives(connection.key.value)
    )
