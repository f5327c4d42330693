"""Where control goes from a run of statements: on to the next, out of the loop, out of the function, into an error."""

from __future__ import annotations

from keyguard.python.index import spell
from keyguard.python.module import walk
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from keyguard.python.index import Node

ON, BREAK, CONTINUE, RETURN, RAISE = "on", "break", "continue", "return", "raise"
OUT = frozenset({BREAK, RETURN, RAISE})
AGAIN = frozenset({ON, CONTINUE})
_SIMPLE = {"Return": RETURN, "Raise": RAISE, "Break": BREAK, "Continue": CONTINUE}
_SCOPES = frozenset({"FunctionDef", "ClassDef", "Lambda"})


def statements(body: Node) -> Sequence[Node]:
    """The statements of a body, whichever way it is written."""
    if body is None:
        return ()
    # A suite on the header's own line is one statement, and a lambda's body is an expression.
    return body.body if type(body).__name__ in {"IndentedBlock", "Module"} else (body,)


def ways(body: Iterable[Node], exits: Collection[str] = ()) -> frozenset[str]:
    """The ways control can leave a run of statements; `exits` are calls that end the program.

    As deep as the text is indented, which the parser bounds; a chain of `elif` is followed in a loop.
    """
    found: set[str] = set()
    for statement in body:
        here = _ways_of(statement, exits)
        found |= here - {ON}
        if ON not in here:
            return frozenset(found)
    return frozenset(found | {ON})


def _ways_of(node: Node, exits: Collection[str]) -> frozenset[str] | set[str]:
    kind = type(node).__name__
    if kind == "With":
        return ways(statements(node.body), exits)
    find = _WAYS.get(kind)
    return find(node, exits) if find is not None else {ON}


def _line(node: Node, exits: Collection[str]) -> set[str]:
    for small in node.body:
        way = _SIMPLE.get(type(small).__name__)
        if way is not None:
            return {way}
        if type(small).__name__ == "Expr" and type(small.value).__name__ == "Call" and spell(small.value.func) in exits:
            return {RAISE}
    return {ON}


def _looped(node: Node, exits: Collection[str]) -> set[str]:
    within = ways(statements(node.body), exits)
    after = ways(statements(node.orelse.body), exits) if node.orelse is not None else {ON}
    endless = type(node).__name__ == "While" and is_true(node.test) and BREAK not in within
    return (set(within) - {BREAK, CONTINUE, ON}) | (set() if endless else set(after) | {ON})


def _matched(node: Node, exits: Collection[str]) -> set[str]:
    found = {ON}
    for case in node.cases:
        found |= ways(statements(case.body), exits)
    return found


def _arms(node: Node, exits: Collection[str]) -> set[str]:
    found: set[str] = set()
    while node is not None and type(node).__name__ == "If":
        found |= ways(statements(node.body), exits)
        node = node.orelse
    return found | (ways(statements(node.body), exits) if node is not None else {ON})


def _tried(node: Node, exits: Collection[str]) -> set[str]:
    found = set(ways(statements(node.body), exits))
    if node.handlers:
        found.discard(RAISE)
    if node.orelse is not None and ON in found:
        found.discard(ON)
        found |= ways(statements(node.orelse.body), exits)
    for handler in node.handlers:
        found |= ways(statements(handler.body), exits)
    if node.finalbody is not None:
        last = ways(statements(node.finalbody.body), exits)
        found = set(last) if ON not in last else found | (last - {ON})
    return found


_WAYS: Mapping[str, Callable[[Node, Collection[str]], set[str]]] = {
    "SimpleStatementLine": _line,
    "SimpleStatementSuite": _line,
    "If": _arms,
    "For": _looped,
    "While": _looped,
    "Try": _tried,
    "TryStar": _tried,
    "Match": _matched,
}


def is_true(test: Node) -> bool:
    """Tell whether a loop's test always holds as it is written."""
    kind = type(test).__name__
    return (kind == "Name" and test.value == "True") or (kind == "Integer" and test.value != "0")


def inside(node: Node) -> Iterator[Node]:
    """Yield everything below a statement that runs with it: nested functions and classes are left out."""
    yield from walk(node, lambda item: type(item).__name__ not in _SCOPES)


def following(body: Sequence[Node], target: Node) -> list[Sequence[Node]] | None:
    """The statements that come after a nested one, inside out; None when it is not below `body`.

    Loops are not entered: what comes after a statement of a loop is the loop again.
    """
    for position, statement in enumerate(body):
        rest = body[position + 1 :]
        if statement is target:
            return [rest]
        for part in _parts(statement):
            found = following(statements(part), target)
            if found is not None:
                return [*found, rest]
    return None


def before(body: Sequence[Node], target: Node) -> list[Node] | None:
    """The statements of `body` and of the compound statements below it that come before a nested one."""
    for position, statement in enumerate(body):
        if statement is target:
            return list(body[:position])
        for part in _parts(statement):
            found = before(statements(part), target)
            if found is not None:
                return [*body[:position], *found]
    return None


def _parts(statement: Node) -> Iterator[Node]:
    """The bodies below a compound statement that is no loop."""
    kind = type(statement).__name__
    if kind == "If":
        while type(statement).__name__ == "If":
            yield statement.body
            statement = statement.orelse
        if statement is not None:
            yield statement.body
    elif kind == "With":
        yield statement.body
    elif kind in {"Try", "TryStar"}:
        yield from (part.body for part in (statement, *statement.handlers))
        yield from (part.body for part in (statement.orelse, statement.finalbody) if part is not None)
    elif kind == "Match":
        yield from (case.body for case in statement.cases)


def goes_on(rest: Iterable[Sequence[Node]], exits: Collection[str]) -> frozenset[str]:
    """The ways control can leave what follows a statement inside a loop; `on` is the loop's next round."""
    found: set[str] = set()
    for run in rest:
        here = ways(run, exits)
        found |= here - {ON}
        if ON not in here:
            return frozenset(found)
    return frozenset(found | {ON})


def written(nodes: Iterable[Node]) -> Iterator[tuple[str, Node]]:
    """The names that statements write, spelled (`self.x`), with the statement or call that does."""
    for statement in nodes:
        for node in inside(statement):
            kind = type(node).__name__
            if kind == "Assign":
                for target in node.targets:
                    yield from ((name, node) for name in _targets(target.target))
            elif kind in _TARGETED:
                yield from ((name, node) for name in _targets(node.target))
            elif kind == "Call" and type(node.func).__name__ == "Attribute":
                spelled = spell(node.func.value)
                if spelled:
                    yield spelled, node


_TARGETED = frozenset({"AnnAssign", "AugAssign", "NamedExpr", "For", "CompFor", "Del"})


def _targets(node: Node) -> Iterator[str]:
    kind = type(node).__name__
    if kind in {"Name", "Attribute"}:
        spelled = spell(node)
        if spelled:
            yield spelled
    elif kind in {"Tuple", "List"}:
        for element in node.elements:
            yield from _targets(element.value)
    elif kind == "Subscript":
        spelled = spell(node.value)
        if spelled:
            yield spelled


def names_in(node: Node) -> set[str]:
    """The names and dotted names that an expression reads."""
    found: set[str] = set()
    stack = [node]
    while stack:
        for item in walk(stack.pop(), lambda part: type(part).__name__ not in {"Attribute", "Arg"}):
            kind = type(item).__name__
            if kind == "Attribute":
                spelled = spell(item)
                if spelled:
                    found.add(spelled)
                else:
                    stack.append(item.value)
            elif kind == "Name":
                found.add(item.value)
            elif kind == "Arg":
                stack.append(item.value)
    return found
