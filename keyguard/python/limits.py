"""How long a call waits and how often it is sent: from what the code gives and what the catalogue says of the rest."""

from __future__ import annotations

from keyguard.python import values as v
from keyguard.python.arguments import Arguments, Given
from keyguard.python.network import Attempts, Limit
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from keyguard.knowledge import Retry, TimeLimit, Timeout
    from keyguard.python.evaluate import Evaluator

UNKNOWN_LIMIT = Limit()
_MILLISECONDS = 1_000


class Limits:
    """Reads the limits that the arguments of a module's calls set."""

    def __init__(self, evaluator: Evaluator, objects: Mapping[str, TimeLimit], settings: Mapping[str, Given]) -> None:
        """Read with `objects`, the classes that hold time limits, and `settings`, what the module sets on SDKs."""
        self._evaluator, self._objects, self._settings = evaluator, objects, settings

    def default(self, known: Timeout | None) -> Limit:
        """The limit that holds when nobody sets one; one assigned to the module of an SDK counts as set."""
        if known is None:
            return UNKNOWN_LIMIT
        for name in known.settings:
            given = self._settings.get(name)
            if given is not None:
                return self.read(given, known.unit, known.none, known, "setting")
        if known.endless:
            return Limit(None, is_known=True)
        return UNKNOWN_LIMIT if known.default is None else Limit(known.default, is_known=True)

    def given(
        self, arguments: Arguments, known: Timeout | None, origin: str, position: int | None = None
    ) -> Limit | None:
        """The limit that a call's arguments set; None when they set none, an unknown one when they may."""
        if known is None:
            return UNKNOWN_LIMIT if arguments.is_open else None
        is_call = origin == "call"
        params = known.call_params if is_call else known.params
        found = arguments.get(params, position)
        if found is not None:
            return self.read(found, known.unit, known.call_none if is_call else known.none, known, origin)
        return Limit(None, is_known=False, origin=origin) if arguments.is_hidden(params) else None

    def read(  # noqa: PLR0911, PLR0913  # one return a kind of value; what a number means is told by all of them
        self, given: Given, unit: str, none: str, known: Timeout | None, origin: str, *, zero: bool = False
    ) -> Limit:
        """What a value means as a time limit; with `zero`, 0 is none."""
        value = given.value
        if isinstance(value, v.OneOf):
            return self._several(given, unit, none, known, origin)
        if isinstance(value, v.Null):
            return self._none(given, unit, none, known, origin)
        if isinstance(value, v.Items):  # (connect, read)
            last = value.items[-1] if value.items else v.UNKNOWN
            display = type(given.node).__name__ == "Tuple" and len(given.node.elements) == len(value.items)
            node = given.node.elements[-1].value if display and value.items else given.node
            return self.read(Given(given.name, last, node, given.place), unit, none, known, origin)
        if isinstance(value, v.Instance) and value.name in self._objects:
            return self._object(given, value, self._objects[value.name], origin)
        number = self._as_number(value)
        if number is None:
            return Limit(None, is_known=False, origin=origin, given=given)
        if not number and (zero or (known is not None and known.zero)):
            return Limit(None, is_known=True, origin=origin, given=given, number=number, unit=unit)
        return _of_number(given, number, unit, origin)

    def _as_number(self, value: v.Value) -> float | None:
        """The number a value is, infinity by its usual spellings included."""
        if isinstance(value, v.Number):
            return float(value.number)
        if isinstance(value, v.Reference) and value.name in {"math.inf", "numpy.inf"}:
            return float("inf")
        if isinstance(value, v.Instance) and value.name == "float":
            text = next(iter(self._arguments_texts(value)), "").strip().lower()
            return float("inf") if text in {"inf", "infinity", "+inf"} else None
        return None

    def _arguments_texts(self, value: v.Instance) -> Iterable[str]:
        if value.node is None or value.place is None:
            return ()
        given = Arguments(value.node, value.place, self._evaluator).get((), 0)
        return (given.value.text,) if given is not None and isinstance(given.value, v.Text) else ()

    def _several(self, given: Given, unit: str, none: str, known: Timeout | None, origin: str) -> Limit:
        """One of several values: known when they come to the same, as far as a limit is concerned."""
        limits = [
            self.read(Given(given.name, item, given.node, given.place), unit, none, known, origin)
            for item in v.alternatives(given.value)
        ]
        first = limits[0]
        same = all(item.is_known and item.seconds == first.seconds for item in limits)
        return first if same else Limit(None, is_known=False, origin=origin, given=given)

    def _none(self, given: Given, unit: str, none: str, known: Timeout | None, origin: str) -> Limit:
        if none == "error":
            return Limit(None, is_known=False, origin=origin, given=given)
        if none == "endless":
            return Limit(None, is_known=True, origin=origin, given=given, unit=unit)
        default = self.default(known)
        return Limit(default.seconds, default.is_known, "default" if none == "default" else origin, given)

    def _object(self, given: Given, value: v.Instance, kind: TimeLimit, origin: str) -> Limit:
        if value.node is None or value.place is None:
            return Limit(None, is_known=False, origin=origin, given=given)
        arguments = Arguments(value.node, value.place, self._evaluator)
        inner = arguments.get(kind.params, kind.position)
        other = arguments.get(kind.also)
        if (inner is None or other is None) and arguments.is_hidden((*kind.params, *kind.also)):
            return Limit(None, is_known=False, origin=origin, given=given)
        limits = [self._inner(item, given, kind, origin) for item in (inner, other) if item is not None]
        if not limits:
            return Limit(kind.default, is_known=True, origin=origin, given=given)
        # Either ends the wait: one that is not endless, or not known, speaks for both.
        return next((limit for limit in limits if not limit.is_endless), limits[0])

    def _inner(self, inner: Given, given: Given, kind: TimeLimit, origin: str) -> Limit:
        limit = self.read(inner, kind.unit, "endless", None, origin, zero=kind.zero)
        return Limit(limit.seconds, limit.is_known, origin, limit.given or given, limit.number, kind.unit)

    # retries

    def default_attempts(self, known: Retry | None) -> Attempts:
        """How often a client sends a request when nobody says so."""
        if known is None:
            return Attempts()
        for name in known.settings:
            given = self._settings.get(name)
            if given is not None:
                return self.read_attempts(given, known, "setting")
        return Attempts(known.attempts, on=known.on, backoff=known.backoff)

    def given_attempts(self, arguments: Arguments, known: Retry | None, origin: str) -> Attempts | None:
        """How often the arguments of a call say to send it; None when they say nothing."""
        if known is None:
            return Attempts(origin=origin) if arguments.is_open else None
        params = known.call_params if origin == "call" else known.params
        found = arguments.get(params)
        if found is not None:
            return self.read_attempts(found, known, origin)
        return Attempts(origin=origin) if arguments.is_hidden(params) else None

    @staticmethod
    def attempts_of(method: str, attempts: Attempts, known: Retry | None) -> Attempts:
        """How often one method of a client is sent: some are repeated otherwise than the rest."""
        if known is not None and method in known.never:
            return Attempts(1)
        own = known.own if known is not None else None
        if own is None or method not in own.methods or not attempts.is_default:
            return attempts
        return Attempts(own.attempts, given=attempts.given, on=own.on, backoff=attempts.backoff)

    @staticmethod
    def read_attempts(given: Given, known: Retry, origin: str) -> Attempts:
        """What a value means as a number of retries."""
        value = given.value
        if isinstance(value, v.Null):
            total = 1 if known.none == "off" else known.attempts
            return Attempts(total, origin if known.none == "off" else "default", given, None, known.on, known.backoff)
        if not isinstance(value, v.Number):
            return Attempts(None, origin, given, None, known.on, known.backoff)
        number = float(value.number)
        total = max(int(number) + (known.counts == "retries"), 1) if abs(number) < float("inf") else None
        return Attempts(total, origin, given, number, known.on, known.backoff)


def _of_number(given: Given, number: float, unit: str, origin: str) -> Limit:
    seconds = number / _MILLISECONDS if unit == "ms" else number
    endless = seconds == float("inf")
    return Limit(None if endless else seconds, is_known=True, origin=origin, given=given, number=number, unit=unit)
