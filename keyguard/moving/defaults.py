"""Keys that are defaults: of environment reads, parameters, options and fields; each is read when it is used."""

from __future__ import annotations

import re
from types import MappingProxyType

from keyguard.model import Edit, Safety, Span
from keyguard.moving.absent import means_something
from keyguard.moving.reasons import RefusedError, Why
from keyguard.moving.statements import removed
from keyguard.moving.tree import kind
from keyguard.patterns import regex
from keyguard.python import values as v
from keyguard.python.around import is_argument
from keyguard.python.imports import Want
from keyguard.python.index import Place, Role, operands, plain_string, spell
from keyguard.python.module import walk
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keyguard.knowledge import OptionDefiner, SettingsClass
    from keyguard.moving.desk import Desk, Task
    from keyguard.python.index import Node, Scope

# Decorators that leave the signature of a function to Python; others may read its defaults.
_PLAIN_DECORATORS = frozenset(
    {
        "abstractmethod",
        "asynccontextmanager",
        "cache",
        "classmethod",
        "contextmanager",
        "final",
        "lru_cache",
        "override",
        "retry",
        "staticmethod",
        "wraps",
    }
)
_LITERAL = frozenset(
    {
        "BinaryOperation",
        "ConcatenatedString",
        "Dict",
        "DictElement",
        "Element",
        "Float",
        "FormattedString",
        "FormattedStringText",
        "Integer",
        "List",
        "Set",
        "SimpleString",
        "Tuple",
    }
)
_MUTABLE = frozenset({"Dict", "List", "Set"})  # made once, and shared by all calls: what one adds the next one sees
_CONSTANT = frozenset({"False", "None", "True"})
_OPTIONAL = regex(r"\b(?:Optional|Any|object)\b|\bNone\b")


class Rewrite(NamedTuple):
    """How a key leaves: the edits, how safe they are, and what the title says.

    `title` names a text `move.…` of `lang.moving`, which is filled from these `values`, the variable and its place.
    """

    edits: tuple[Edit, ...]
    safety: Safety = Safety.SAFE
    title: str = "read"
    values: Mapping[str, str] = MappingProxyType({})


# environment reads


def of_read(task: Task, desk: Desk) -> Rewrite | None:
    """A key that stands in for a variable: the read loses it; None where it is only a part of what stands in."""
    taken = task.taken()
    if taken.node is None:
        return None
    child, parent = taken.node, desk.tree.parent(taken.node)
    if kind(parent) == "Arg" and kind(desk.tree.parent(parent)) == "Call":
        return _of_call(task, desk, parent, desk.tree.parent(parent))
    if kind(parent) == "BooleanOperation" and kind(parent.operator) == "Or":
        return _of_or(task, desk, parent, child)
    if kind(parent) == "IfExp" and child is not parent.test:
        return _of_choice(task, desk, parent, child)
    return None


def _is_own(task: Task) -> bool:
    """Tell whether the key is stored under the very variable that is read."""
    return task.name == task.own


def safety_of(task: Task) -> Safety:
    """A variable that holds something else would win over the key from now on."""
    return Safety.UNSAFE if task.own and task.name.startswith(f"{task.own}_") else Safety.SAFE


def _of_call(task: Task, desk: Desk, argument: Node, call: Node) -> Rewrite | None:
    evaluator = desk.facts.evaluator
    callee = desk.facts.near.callee(call, task.place)
    reader = evaluator.access.calls.get(callee)
    if reader is None:
        return None
    if not _is_own(task):
        return Rewrite(task.taken().edits, safety_of(task))
    if reader.kind != "env":
        return Rewrite(task.taken().edits)
    is_bytes = any(name.endswith(("environb", "getenvb")) for name in (callee, callee.rpartition(".")[0]))
    if callee.startswith("os.") and not is_bytes and reader.missing == "none":
        statement = desk.tree.parent(call)
        if callee.endswith(".setdefault") and kind(statement) == "Expr" and desk.style.form.environment:
            return Rewrite(removed(statement, desk.tree), title="no-default")
        return Rewrite(task.put(desk.tree.whole(call), call), title="no-fallback")
    return Rewrite((without(argument, call, desk),), title="no-fallback")


def _of_or(task: Task, desk: Desk, operation: Node, child: Node) -> Rewrite | None:
    """`getenv("A") or getenv("B") or "…"`: the last of the reads is the one that loses its fallback."""
    tree = desk.tree
    while kind(tree.parent(operation)) == "BooleanOperation" and kind(tree.parent(operation).operator) == "Or":
        if getattr(operation, "lpar", None):
            return None
        operation = tree.parent(operation)
    terms = operands(operation)
    at = next((number for number, term in enumerate(terms) if term is child), 0)
    if at == 0 or at + 1 < len(terms) or getattr(terms[at - 1], "lpar", None) or _is_grouped(operation):
        return None
    value = desk.facts.evaluator.value(terms[at - 1], task.place)
    if not isinstance(value, v.EnvRead) or value.names != (task.name,) or value.default is not None:
        return None
    span = Span(tree.span(terms[at - 1]).start, tree.whole(child).end)
    if at == 1 and operation.lpar:
        span = tree.whole(operation)
    return Rewrite(task.put(span, child), title="no-fallback")


def _is_grouped(operation: Node) -> bool:
    """Tell whether brackets stand around the first terms of an `or`: an edit from one of them on would cut a pair."""
    node = operation.left
    while kind(node) == "BooleanOperation":
        if node.lpar:
            return True
        node = node.left
    return False


def _of_choice(task: Task, desk: Desk, choice: Node, child: Node) -> Rewrite | None:
    """`os.environ["X"] if "X" in os.environ else "…"`."""
    other = choice.orelse if child is choice.body else choice.body
    value = desk.facts.evaluator.value(other, task.place)
    if not isinstance(value, v.EnvRead) or value.names != (task.name,) or value.default is not None:
        return None
    asked = {text for node in walk(choice.test) if (text := plain_string(node)) is not None}
    if asked != {task.name} or any(kind(node) in {"NamedExpr", "Await"} for node in walk(choice.test)):
        return None
    tree = desk.tree
    return Rewrite(task.put(tree.whole(choice), choice), title="no-fallback")


# parameters


def of_parameter(task: Task, desk: Desk) -> Rewrite | None:
    """The default of a parameter: None instead, and the variable is read when the function is called."""
    tree = desk.tree
    param = tree.around(task.leaf, "Param", "FunctionDef", "ClassDef", "Lambda")
    if kind(param) != "Param" or not tree.inside(task.leaf, param.default):
        return None  # what stands behind an `or`, in the body
    function = tree.around(param, "FunctionDef", "Lambda")
    if kind(function) == "Lambda":
        raise RefusedError(Why.LAMBDA)
    if not _is_literal(param.default):
        return None  # the object is made at the definition, and so is the key read there
    if any(kind(node) in _MUTABLE for node in walk(param.default)):
        raise RefusedError(Why.MUTABLE)
    scope = desk.facts.evaluator.scope_of(function)
    at, indent, unit = _body_of(function, desk)
    if scope is None:
        raise RefusedError(Why.NO_FUNCTION)
    place = Place(scope, scope.order + 0.5, scope.root)
    taken = task.taken_at(place, at)
    whole = tree.whole(param.default)
    expression = tree.after_edits(whole, taken.edits)
    if "\n" in expression or "\r" in expression:
        expression = f"({expression})"
    nl = tree.newline(at)
    name = param.name.value
    lead = "" if at == 0 or tree.text[at - 1] in "\r\n" else nl
    code = f"{lead}{indent}if {name} is None:{nl}{indent}{unit}{name} = {expression.lstrip()}{nl}"
    edits = [Edit(whole, "None"), Edit(Span(at, at), code), *_annotated(param, desk)]
    # What was moved is made there; the imports stay.
    edits += (edit for edit in taken.edits if not whole.covers(edit.span))
    plain = all(_decorator(item) in _PLAIN_DECORATORS for item in function.decorators)
    plain = plain and not means_something(param, function, desk)
    safety = Safety.SAFE if plain else Safety.UNSAFE
    return Rewrite(tuple(edits), safety, "called", {"function": function.name.value})


def _decorator(node: Node) -> str:
    decorator = node.decorator
    return spell(decorator.func if kind(decorator) == "Call" else decorator).rpartition(".")[2]


def _is_literal(node: Node) -> bool:
    return all(
        kind(item) in _LITERAL or (kind(item) == "Name" and item.value in _CONSTANT)
        for item in walk(node)
        if kind(item) not in {"Add", "Comma"}
    )


def _body_of(function: Node, desk: Desk) -> tuple[int, str, str]:
    """Where the first statement of a function goes, its indent, and by how much a block is indented."""
    tree = desk.tree
    if kind(function.body) != "IndentedBlock":
        raise RefusedError(Why.ONE_LINE)
    if any(_decorator(item) == "overload" for item in function.decorators) or desk.is_stub:
        raise RefusedError(Why.DECLARED)
    outer = tree.around(tree.parent(function), "ClassDef")
    if outer is not None and any(spell(base.value).rpartition(".")[2] == "Protocol" for base in outer.bases):
        raise RefusedError(Why.DECLARED)
    statements = list(function.body.body)
    first = tree.span(statements[0])
    indent = tree.text[tree.line_start(first.start) : first.start]
    if indent.strip(" \t"):
        raise RefusedError(Why.ODD_BODY)
    own = tree.text[tree.line_start(tree.span(function).start) : tree.span(function).start]
    unit = indent[len(own) :] if indent.startswith(own) and len(indent) > len(own) else "    "
    lines = [item for item in statements if kind(item) == "SimpleStatementLine"]
    is_described = bool(lines) and lines[0] is statements[0] and _is_text(statements[0].body[0])
    rest = statements[1:] if is_described else statements
    if all(kind(item) == "SimpleStatementLine" and _is_ellipsis(item.body[0]) for item in rest[:1]) and rest:
        raise RefusedError(Why.DECLARED)
    if is_described:
        if len(statements[0].body) > 1:
            raise RefusedError(Why.ODD_BODY)
        return tree.line_end(first.end), indent, unit
    at = tree.line_start(first.start)
    while True:
        above = tree.line_start(at - 1)
        if not tree.text[above:at].lstrip(" \t").startswith("#"):
            return at, indent, unit
        at = above


def _is_text(small: Node) -> bool:
    return kind(small) == "Expr" and kind(small.value) in {"SimpleString", "ConcatenatedString"}


def _is_ellipsis(small: Node) -> bool:
    return kind(small) == "Expr" and kind(small.value) == "Ellipsis"


def _annotated(param: Node, desk: Desk) -> Iterator[Edit]:
    """Let an annotation say that None is a value too, in a way that every Python can import.

    `X | None` where annotations are not evaluated or the module has such a union already; `Optional[X]` where that is
    imported; else a quoted `"X | None"`, which no Python evaluates and every type checker reads. `X = None` alone has
    been refused by type checkers since PEP 484 dropped the implicit Optional.
    """
    if param.annotation is None:
        return
    node = param.annotation.annotation
    span = desk.tree.whole(node)
    text = desk.tree.text[span.start : span.end]
    if kind(node) == "SimpleString":
        if not _OPTIONAL.search(text):
            yield Edit(Span(span.end - 1, span.end - 1), " | None")
        return
    if _OPTIONAL.search(text):
        return
    if kind(node) not in {"Name", "Attribute", "Subscript", "BinaryOperation"} or "Annotated" in text:
        raise RefusedError(Why.ANNOTATION)
    if desk.has_unions:
        yield Edit(Span(span.end, span.end), " | None")
        return
    optional = desk.optional(param)
    if optional is not None:
        yield Edit(span, f"{optional}[{text}]")
    elif '"' in text or "'" in text:
        raise RefusedError(Why.ANNOTATION)
    else:
        yield Edit(span, f'"{text} | None"')


# options of a command line


def of_option(task: Task, desk: Desk) -> Rewrite | None:
    """The default of a command-line option: the option reads the variable by itself if it can."""
    taken = task.taken()
    argument: Node = desk.tree.parent(taken.node) if taken.node is not None else None
    call: Node = desk.tree.parent(argument) if kind(argument) == "Arg" else None
    option = _option(task, desk, call) if kind(call) == "Call" else None
    if option is None or option.rewrite == "read":
        return None
    if option.rewrite == "optional":
        return Rewrite(task.taken(optional=True).edits)
    given = {item.keyword.value for item in call.args if item.keyword is not None}
    by_itself = desk.style.form.environment and not given.intersection(option.plain_without)
    is_named = bool(given.intersection(option.env_keywords))
    if not by_itself or (is_named and not _is_own(task)):
        return _asked_late(task, desk, argument, option)
    named = "" if is_named else f'{option.env_keywords[0]}="{task.name}"'
    edits = (
        _required(argument, call, named, desk) if option.rewrite == "required" else _named(argument, call, named, desk)
    )
    return Rewrite(edits, title="option")


def _asked_late(task: Task, desk: Desk, argument: Node, option: OptionDefiner) -> Rewrite:
    """An option whose default means more than a value: a function gives it, where the option takes one."""
    if option.rewrite == "required":
        raise RefusedError(Why.OPTION)
    value = desk.tree.whole(argument.value)
    edits = [edit for edit in task.taken().edits if not value.covers(edit.span)]
    code = desk.tree.after_edits(value, task.taken().edits).lstrip()
    return Rewrite((*edits, Edit(value, f"lambda: {code}")), safety_of(task), "option-used")


def _named(argument: Node, call: Node, named: str, desk: Desk) -> tuple[Edit, ...]:
    """The variable's name instead of the default."""
    if not named:
        return (without(argument, call, desk),)
    return (Edit(Span(desk.tree.span(argument).start, desk.tree.whole(argument.value).end), named),)


def _required(argument: Node, call: Node, named: str, desk: Desk) -> tuple[Edit, ...]:
    """No default, which is an ellipsis, and the variable's name as the last argument."""
    default, last = desk.tree.whole(argument.value), desk.tree.whole(call.args[-1].value)
    if not named:
        return (Edit(default, "..."),)
    if call.args[-1] is argument:
        return (Edit(default, f"..., {named}"),)
    return Edit(default, "..."), Edit(Span(last.end, last.end), f", {named}")


def _option(task: Task, desk: Desk, call: Node) -> OptionDefiner | None:
    callee = desk.facts.near.callee(call, task.place)
    tables = desk.facts.near.tables
    found = tables.options.get(callee)
    if found is None and kind(call.func) == "Attribute":
        method = call.func.attr.value
        found = tables.option_methods.get(method)
    return found


def without(argument: Node, call: Node, desk: Desk) -> Edit:
    """The edit that takes an argument out of a call, with the comma that parts it from a neighbour."""
    arguments = list(call.args)
    number = next(at for at, item in enumerate(arguments) if item is argument)
    tree = desk.tree
    start = tree.span(argument).start
    if number + 1 < len(arguments):
        return Edit(Span(start, tree.span(arguments[number + 1]).start), "")
    end = tree.whole(argument.value).end
    if number:
        return Edit(Span(tree.whole(arguments[number - 1].value).end, end), "")
    comma = re.compile(r"[ \t]*,").match(tree.text, end)
    return Edit(Span(start, comma.end() if comma is not None else end), "")


# fields of classes


def of_field(task: Task, desk: Desk) -> Rewrite | None:
    """The default of a field: made by a function for each object, or left to a class that reads the environment."""
    statement = desk.tree.around(task.leaf, "AnnAssign", "Assign")
    scope: Scope = task.place.scope
    settings = desk.facts.evaluator.settings_class(scope) if scope.kind == "class" else None
    if statement is None or settings is None or statement.value is None:
        return None
    target = statement.target if kind(statement) == "AnnAssign" else statement.targets[0].target
    name = target.value if kind(target) == "Name" else ""
    annotation = _annotation_of(statement, desk)
    if "ClassVar" in annotation:
        return None
    argument = _default_argument(statement.value, settings, task, desk)
    if settings.reads_env:
        return _of_settings(task, desk, statement, argument, name)
    if argument is None and (not annotation or not name):
        return None  # an attribute of the class, no field
    if "InitVar" in annotation:
        raise RefusedError(Why.NO_FACTORY)
    value = statement.value if argument is None else argument.value
    _refuse_field(name, value, settings, scope, desk, is_described=argument is not None)
    made = _made(task, desk, settings, statement, argument)
    return made._replace(safety=Safety.UNSAFE) if _is_asked(name, scope.name, desk.tree.text) else made


def _is_asked(name: str, class_: str, text: str) -> bool:
    """Tell whether a module has signs of somebody who asks a class for the default of a field, or describes it anew."""
    name, class_ = re.escape(name), re.escape(class_)
    signs = (
        rf"\b(?:cls|__class__|type\([^()\n]*\))\s*\.\s*{name}\b",
        rf"\bgetattr\(\s*(?:cls|{class_}|type\(|\w+\.__class__)",
        rf"^[ \t]*class\s+\w+\s*(?:\[[^\n]*\])?\([^:]*\b{class_}\b",
        rf"\bvars\(\s*{class_}\b|\b{class_}\.__dict__",
        r"\b(?:fields|fields_dict|signature)\(|\b(?:__dataclass_fields__|__attrs_attrs__|__fields__|model_fields)\b",
        rf"^[ \t]*\w+\s*=\s*{class_}\s*(?:#|$)",  # by another name
    )
    return any(re.search(sign, text, re.MULTILINE) for sign in signs)


def _refuse_field(  # noqa: PLR0913  # all that is known of a field
    name: str, value: Node, settings: SettingsClass, scope: Scope, desk: Desk, *, is_described: bool
) -> None:
    """Refuse fields whose default cannot come from a function."""
    if settings.factory_keyword is None:
        raise RefusedError(Why.NO_FACTORY)
    if settings.bases and name.startswith("_") and not is_described:
        raise RefusedError(Why.PRIVATE_FIELD)
    if re.search(rf"\b{re.escape(scope.name)}\.{re.escape(name)}\b", desk.tree.text):
        raise RefusedError(Why.CLASS_ATTRIBUTE)
    if any(kind(node) == "Name" and node.value in scope.bindings for node in walk(value)):
        raise RefusedError(Why.CLASS_NAMES)


def _made(task: Task, desk: Desk, settings: SettingsClass, statement: Node, argument: Node) -> Rewrite:
    """A default that a function makes."""
    tree, scope = desk.tree, task.place.scope
    taken = task.taken()
    whole = tree.whole(statement.value if argument is None else argument.value)
    edits = [edit for edit in taken.edits if not whole.covers(edit.span)]
    made = f"{settings.factory_keyword}=lambda: {tree.after_edits(whole, taken.edits).lstrip()}"
    words = {"class": scope.name}
    if argument is not None:
        arguments = list(statement.value.args)
        later = arguments[next(at for at, item in enumerate(arguments) if item is argument) + 1 :]
        if argument.keyword is None and any(item.keyword is None for item in later):
            raise RefusedError(Why.POSITIONAL)
        edits.append(Edit(Span(tree.span(argument).start, whole.end), made))
        return Rewrite(tuple(edits), title="object", values=words)
    way = desk.reads.imports.way(_factory(scope, settings, desk), task.place, task.at)
    if way is None:
        raise RefusedError(Why.NO_IMPORT)
    edits += way.edits
    edits.append(tree.replace(whole, f"{way.expression}({made})"))
    return Rewrite(tuple(edits), title="object", values=words)


def _annotation_of(statement: Node, desk: Desk) -> str:
    if kind(statement) != "AnnAssign":
        return ""
    span = desk.tree.span(statement.annotation.annotation)
    return desk.tree.text[span.start : span.end]


def _default_argument(value: Node, settings: SettingsClass, task: Task, desk: Desk) -> Node:
    """The argument of a field's description that is its default, if the key stands in it."""
    if kind(value) != "Call" or desk.facts.near.callee(value, task.place) not in settings.field_calls:
        return None
    position = 0
    for item in value.args:
        names = (item.keyword.value,) if item.keyword is not None else ()
        role = Role("argument", None, value, names, None if names or item.star else position)
        position += not names and not item.star
        if is_argument(role, settings.default_position, settings.default_keywords):
            return item if desk.tree.inside(task.leaf, item) else None
    return None


def _factory(scope: Scope, settings: SettingsClass, desk: Desk) -> Want:
    """What describes a field of a class, from the package that the class's base or decorator comes from."""
    place = Place(scope.parent or scope, float("inf"), scope.module.root)
    evaluator = desk.facts.evaluator
    marks = [evaluator.name(base.value, place) for base in scope.node.bases]
    marks += [evaluator.name(item.func if kind(item) == "Call" else item, place) for item in scope.decorators]
    packages = [mark.rpartition(".")[0] for mark in marks]
    calls = settings.factory_calls
    chosen = next((call for call in calls if call.rpartition(".")[0] in packages), calls[0])
    module, _, name = chosen.rpartition(".")
    return Want(module, name, direct=True)


def _of_settings(task: Task, desk: Desk, statement: Node, argument: Node, name: str) -> Rewrite:
    """A field that the environment fills: it needs no default, if it asks for the variable the key is stored under."""
    tree = desk.tree
    if not _is_own(task):
        raise RefusedError(Why.OTHER_VARIABLE)
    words = {"class": task.place.scope.name}
    if argument is not None:
        _only(task, desk, argument.value)
        return Rewrite((without(argument, statement.value, desk),), title="settings", values=words)
    if kind(statement) != "AnnAssign" or not name:
        raise RefusedError(Why.NO_ANNOTATION)
    _only(task, desk, statement.value)
    default = Span(tree.whole(statement.annotation.annotation).end, tree.whole(statement.value).end)
    return Rewrite((Edit(default, ""),), title="settings", values=words)


def _only(task: Task, desk: Desk, value: Node) -> None:
    """Refuse a default that is more than the key, in a wrapper that hides it or without one."""
    taken = task.taken()
    if taken.node is value:
        return
    if kind(value) == "Call" and len(value.args) == 1 and value.args[0].value is taken.node:
        callee = desk.facts.near.callee(value, task.place)
        if callee in desk.facts.evaluator.access.seals:
            return
    raise RefusedError(Why.MORE_THAN_KEY)
