"""How the rules about connections spell what they saw in code, and the code they advise."""

from __future__ import annotations

from keyguard.patterns import regex
from keyguard.python import values as v
from keyguard.python.index import spell
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from keyguard.knowledge import Timeout
    from keyguard.python.arguments import Given

_SECONDS = regex(r"\b(?:30|60|120)(_000)?\b")  # the limits that the catalogue's remedies recommend


def advised(known: Timeout | None, seconds: int) -> str:
    """The code that sets a time limit, with the number of seconds that the settings recommend; none where none does."""
    params = (known.params or known.call_params) if known is not None else ("timeout",)
    written = f"{params[0]}={seconds}" if params and "." not in params[0] else ""
    remedy = (known.remedy if known is not None else "") or written
    return _SECONDS.sub(lambda found: f"{seconds}{found[1] or ''}", remedy)


def spelled(call: Any) -> str:  # noqa: ANN401  # a LibCST node
    """What a call calls, as it is written; its last part when it is called on something without a name."""
    func = getattr(call, "func", None)
    if func is None:
        return ""
    return spell(func) or (func.attr.value if type(func).__name__ == "Attribute" else "")


def written(given: Given) -> str:
    """An argument as people write it: `timeout=None`, `timeout=Timeout(None)`; a position has no name."""
    value = given.value
    if isinstance(value, v.Null):
        text = "None"
    elif isinstance(value, v.Number):
        text = str(value.number)
    elif isinstance(value, v.Instance):
        text = f"{value.name.rpartition('.')[2]}(…)"
    else:
        text = v.dotted(value).rpartition(".")[2] or "…"
    return f"{given.name}={text}" if given.name else text


def may_change(given: Given) -> bool:
    """Tell whether it is a member of an object, which may have been given another value since."""
    return type(given.node).__name__ == "Attribute" and not isinstance(given.value, v.Reference)
