"""What a module uses of the packages it imports, by dotted name: what it imports, calls, sets and catches."""

from __future__ import annotations

from keyguard.python import values as v
from keyguard.python.index import spell
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.python.evaluate import Evaluator
    from keyguard.python.index import Index, Node, Place


class Mention(NamedTuple):
    """One use of a dotted name; `kind` is import, call, setting or except, `node` what names it.

    `base` is what its first word stands for, which an import gave it; `call` the whole call.
    """

    name: str
    kind: str
    node: Node
    place: Place
    base: str = ""
    call: Node = None


def mentions(index: Index, evaluator: Evaluator) -> tuple[Mention, ...]:
    """Every use of something that was imported, imports first, then in source order."""
    found = [Mention(name, "import", node, place) for name, node, place in index.imported]
    tops = {name.partition(".")[0] for name, _, _ in index.imported}
    for call in index.calls:
        found.extend(_used("call", call.node.func, call.place, evaluator, tops, call.node))
    for write in index.writes:
        if type(write.target).__name__ == "Attribute":
            found.extend(_used("setting", write.target, write.place, evaluator, tops))
    for node, _, place in index.tries:
        for handler in node.handlers:
            for kind in _classes(handler.type):
                found.extend(_used("except", kind, place, evaluator, tops))
    return tuple(found)


def _used(  # noqa: PLR0913, PLR0917  # what is known of a use
    kind: str, node: Node, place: Place, evaluator: Evaluator, tops: set[str], call: Node = None
) -> Iterator[Mention]:
    spelled = spell(node)
    if not spelled:
        return
    first, _, rest = spelled.partition(".")
    name = v.dotted(evaluator.lookup(first, place))
    if name.partition(".")[0].removesuffix("()") in tops and "()" not in name:
        yield Mention(".".join(part for part in (name, rest) if part), kind, node, place, name, call)


def _classes(node: Node) -> Iterator[Node]:
    """The classes an except clause names."""
    if type(node).__name__ == "Tuple":
        for element in node.elements:
            yield element.value
    elif node is not None:
        yield node
