"""Which functions of a module lead to a model call: through calls of each other, and through functions handed over."""

from __future__ import annotations

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from keyguard.python.evaluate import Evaluator
    from keyguard.python.network import ModelCall

_DEEPEST = 5  # calls between a function and the model call it leads to
_MOST = 64  # model calls that are told apart for one function


def reached(calls: Iterable[ModelCall], evaluator: Evaluator) -> Mapping[int, tuple[ModelCall, ...]]:
    """The model calls that running each function leads to, by the `id` of its scope."""
    found: dict[int, dict[int, ModelCall]] = {}
    front = []
    for call in calls:
        scope = call.scope
        found.setdefault(id(scope), {})[id(call.node)] = call
        front.append(scope)
    for _ in range(_DEEPEST):
        following = []
        for scope in dict.fromkeys(front):
            if scope.kind != "function":
                continue
            for site in evaluator.sites(scope):
                outer = site.place.scope.function
                known = found.setdefault(id(outer), {})
                before = len(known)
                if before < _MOST:
                    known.update(found[id(scope)])
                if len(known) > before:
                    following.append(outer)
        front = following
    return {key: tuple(value.values()) for key, value in found.items()}
