"""LibCST, loaded with nodes that are as light as trees allow which are read and never built by hand."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def libcst() -> ModuleType:
    """Import LibCST and give it.

    Its 200 node classes are frozen dataclasses. Each has functions compiled to compare and print it, which LibCST then
    throws away, to set fields past the freezing, and to check a node that somebody built; the native parser makes
    nodes of text that it accepted, and keyguard changes none. Without all that LibCST is there in 60 ms instead of 95,
    and parses 3,900 lines in 121 ms instead of 136 (or 160 with the check). Whoever imported it before gets it as it
    is.
    """
    if "libcst" not in sys.modules:
        library: Any = dataclasses
        made = library.dataclass
        library.dataclass = _lean(made)
        try:
            import libcst  # noqa: PLC0415  # 60 ms: only for text that is parsed
        finally:
            library.dataclass = made
    import libcst  # noqa: PLC0415  # in memory

    return libcst


def _lean(made: Callable[..., Any]) -> Callable[..., Any]:
    """`dataclass` as it is for everybody (other threads import, too), and lighter for LibCST's nodes."""

    def dataclass(cls: type | None = None, /, **options: Any) -> Any:  # noqa: ANN401  # as the original
        def decorated(one: type) -> Any:  # noqa: ANN401  # as the original
            if not one.__module__.startswith("libcst._nodes."):
                return made(one, **options)
            if "__post_init__" in vars(one):
                del one.__post_init__  # type: ignore[attr-defined]  # it was looked for
            return made(one, **{**options, "frozen": False, "eq": False, "repr": False})

        return decorated if cls is None else decorated(cls)

    return dataclass
