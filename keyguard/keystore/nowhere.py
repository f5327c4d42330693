"""The store of those who keep their keys elsewhere already: it holds nothing, and says so.

It is never a default: where no setting and no option names it, keys go to a file and nothing can be lost.
"""

from __future__ import annotations

from keyguard.keystore.base import Receipt, distinct
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keyguard.model import Move


class Nowhere:
    """Keeps nothing: who asks for it has the keys already, and finds their names in the report."""

    kind = "none"

    def lookup(self, name: str) -> None:
        """Nothing is held."""

    def name_of(self, value: str) -> None:
        """Nothing is held."""

    def put(self, moves: Sequence[Move]) -> Receipt:
        """Take the keys' names for the report, which tells the user to have them."""
        return Receipt("", written=tuple(distinct(moves)))
