"""The rules that reason, one small file each: a check takes facts and yields hits; these tuples list them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keyguard.checks import (
    kg101,
    kg102,
    kg103,
    kg104,
    kg105,
    kg106,
    kg107,
    kg108,
    kg109,
    kg110,
    kg201,
    kg202,
    kg203,
    kg204,
    kg205,
    kg206,
    kg207,
    kg208,
    kg209,
    kg210,
    kg211,
    kg301,
    kg302,
    kg303,
    kg304,
    kg401,
    kg402,
    kg403,
    kg404,
    kg405,
    kg406,
    kg407,
    kg408,
    kg409,
    kg410,
    kg411,
    kg412,
    kg501,
    kg502,
    switches,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from keyguard.checks.facts import TextFacts
    from keyguard.checks.spots import Spot
    from keyguard.model import Hit
    from keyguard.python.facts import PythonFacts
    from keyguard.python.network import Network


class TextCheck(NamedTuple):
    """A rule over the text of any file."""

    rule: str
    run: Callable[[TextFacts], Iterable[Hit]]


class PythonCheck(NamedTuple):
    """A rule over what a Python module means."""

    rule: str
    run: Callable[[PythonFacts], Iterable[Hit]]


class NetworkCheck(NamedTuple):
    """A rule over what a Python module says to model APIs."""

    rule: str
    run: Callable[[Network], Iterable[Spot]]


TEXT_CHECKS = (
    TextCheck("KG106", kg106.check),
    TextCheck("KG107", kg107.check),
    TextCheck("KG108", kg108.check),
    TextCheck("KG109", kg109.check),
    TextCheck("KG110", kg110.check),
    TextCheck("KG202", kg202.check_text),
    TextCheck("KG210", kg210.check_text),
    TextCheck("KG502", switches.check),
)

PYTHON_CHECKS = (
    PythonCheck("KG101", kg101.check),
    PythonCheck("KG102", kg102.check),
    PythonCheck("KG103", kg103.check),
    PythonCheck("KG104", kg104.check),
    PythonCheck("KG105", kg105.check),
)

NETWORK_CHECKS: tuple[NetworkCheck, ...] = (
    NetworkCheck("KG201", kg201.check),
    NetworkCheck("KG202", kg202.check),
    NetworkCheck("KG203", kg203.check),
    NetworkCheck("KG204", kg204.check),
    NetworkCheck("KG205", kg205.check),
    NetworkCheck("KG206", kg206.check),
    NetworkCheck("KG207", kg207.check),
    NetworkCheck("KG208", kg208.check),
    NetworkCheck("KG209", kg209.check),
    NetworkCheck("KG210", kg210.check),
    NetworkCheck("KG211", kg211.check),
    NetworkCheck("KG301", kg301.check),
    NetworkCheck("KG302", kg302.check),
    NetworkCheck("KG303", kg303.check),
    NetworkCheck("KG304", kg304.check),
    NetworkCheck("KG401", kg401.check),
    NetworkCheck("KG402", kg402.check),
    NetworkCheck("KG403", kg403.check),
    NetworkCheck("KG404", kg404.check),
    NetworkCheck("KG405", kg405.check),
    NetworkCheck("KG406", kg406.check),
    NetworkCheck("KG407", kg407.check),
    NetworkCheck("KG408", kg408.check),
    NetworkCheck("KG409", kg409.check),
    NetworkCheck("KG410", kg410.check),
    NetworkCheck("KG411", kg411.check),
    NetworkCheck("KG412", kg412.check),
    NetworkCheck("KG501", kg501.check),
    NetworkCheck("KG502", kg502.check),
)
