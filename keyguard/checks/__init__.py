"""The rules that reason, one small file each: a check takes facts and yields hits; these tuples list them all.

A rule's module is imported when it is first asked: all of them together take 70 ms, and most files need a few.
"""

from __future__ import annotations

from importlib import import_module

from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from keyguard.checks.facts import TextFacts
    from keyguard.checks.spots import Spot
    from keyguard.model import Hit
    from keyguard.python.facts import PythonFacts
    from keyguard.python.network import Network


class TextCheck(NamedTuple):
    """A rule over the text of any file, or of env files only: a function of a module of this package."""

    rule: str
    module: str
    function: str = "check"
    only_env: bool = False

    def run(self, facts: TextFacts) -> Iterable[Hit]:
        """Give what the rule finds in a text."""
        return () if self.only_env and not facts.is_env else self.load()(facts)

    def load(self) -> Callable[[TextFacts], Iterable[Hit]]:
        """Import the rule."""
        return _imported(self.module, self.function)


class PythonCheck(NamedTuple):
    """A rule over what a Python module means."""

    rule: str
    module: str

    def run(self, facts: PythonFacts) -> Iterable[Hit]:
        """Give what the rule finds in a module."""
        return self.load()(facts)

    def load(self) -> Callable[[PythonFacts], Iterable[Hit]]:
        """Import the rule."""
        return _imported(self.module)


class NetworkCheck(NamedTuple):
    """A rule over what a Python module says to model APIs."""

    rule: str
    module: str

    def run(self, network: Network) -> Iterable[Spot]:
        """Give what the rule finds in what a module says."""
        return self.load()(network)

    def load(self) -> Callable[[Network], Iterable[Spot]]:
        """Import the rule."""
        return _imported(self.module)


def _imported(module: str, function: str = "check") -> Callable[[Any], Iterable[Any]]:
    found: Callable[[Any], Iterable[Any]] = getattr(import_module(f"{__name__}.{module}"), function)
    return found


TEXT_CHECKS = (
    TextCheck("KG106", "kg106"),
    TextCheck("KG107", "kg107", only_env=True),
    TextCheck("KG108", "kg108"),
    TextCheck("KG109", "kg109"),
    TextCheck("KG110", "kg110"),
    TextCheck("KG202", "kg202", "check_text", only_env=True),
    TextCheck("KG210", "kg210", "check_text", only_env=True),
    TextCheck("KG502", "switches"),
)

PYTHON_CHECKS = (
    PythonCheck("KG101", "kg101"),
    PythonCheck("KG102", "kg102"),
    PythonCheck("KG103", "kg103"),
    PythonCheck("KG104", "kg104"),
    PythonCheck("KG105", "kg105"),
)

NETWORK_CHECKS: tuple[NetworkCheck, ...] = (
    NetworkCheck("KG201", "kg201"),
    NetworkCheck("KG202", "kg202"),
    NetworkCheck("KG203", "kg203"),
    NetworkCheck("KG204", "kg204"),
    NetworkCheck("KG205", "kg205"),
    NetworkCheck("KG206", "kg206"),
    NetworkCheck("KG207", "kg207"),
    NetworkCheck("KG208", "kg208"),
    NetworkCheck("KG209", "kg209"),
    NetworkCheck("KG210", "kg210"),
    NetworkCheck("KG211", "kg211"),
    NetworkCheck("KG301", "kg301"),
    NetworkCheck("KG302", "kg302"),
    NetworkCheck("KG303", "kg303"),
    NetworkCheck("KG304", "kg304"),
    NetworkCheck("KG401", "kg401"),
    NetworkCheck("KG402", "kg402"),
    NetworkCheck("KG403", "kg403"),
    NetworkCheck("KG404", "kg404"),
    NetworkCheck("KG405", "kg405"),
    NetworkCheck("KG406", "kg406"),
    NetworkCheck("KG407", "kg407"),
    NetworkCheck("KG408", "kg408"),
    NetworkCheck("KG409", "kg409"),
    NetworkCheck("KG410", "kg410"),
    NetworkCheck("KG411", "kg411"),
    NetworkCheck("KG412", "kg412"),
    NetworkCheck("KG501", "kg501"),
    NetworkCheck("KG502", "kg502"),
)
