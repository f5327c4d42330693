"""Moves keys out of Python code: each hit on a key gets the edits that read a variable instead, or says why not."""

from __future__ import annotations

import re

from keyguard.checks.keys import RULE_OF_PLACE, rule_of
from keyguard.model import Edit, Fix, Move, Safety, Secret
from keyguard.moving import defaults
from keyguard.moving.defaults import Rewrite
from keyguard.moving.desk import Desk, Task
from keyguard.moving.literals import take
from keyguard.moving.reads import CodeStyle
from keyguard.moving.reasons import RefusedError, Why
from keyguard.moving.statements import removed
from keyguard.moving.tree import kind, merged
from keyguard.naming import RESELLERS, Wish
from keyguard.python import values as v
from keyguard.python.around import hosts_in
from keyguard.python.facts import whole
from keyguard.python.index import operands, plain_string, spell
from keyguard.python.tables import is_key_variable
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.model import Hit
    from keyguard.naming import Naming
    from keyguard.python.facts import KeyText, PythonFacts
    from keyguard.python.index import Node, Place
    from keyguard.python.keys import Draft
    from keyguard.settings import Settings

__all__ = ["CodeStyle", "style_of", "with_fixes"]

RULES = frozenset(RULE_OF_PLACE.values())
_LEAST_PIECE = 8  # characters of a literal that no edit may copy, if it is a piece of a key
_TYPES = frozenset({"Annotation", "TypeAlias", "TypeParam", "TypeVar"})
_LITERAL_TYPES = frozenset({"Annotated", "Literal"})
_NAMES = frozenset({"__all__", "__match_args__", "__slots__"})


def with_fixes(facts: PythonFacts, hits: Sequence[Hit], naming: Naming, style: CodeStyle) -> list[Hit]:
    """The hits, those on keys in the code with their fixes and the name of the variable that the key gets."""
    if any(key.where == "parameter" for key in facts.keys):
        facts = whole(facts)  # a body that says nothing about keys was not parsed, and gets a statement now
    keys = {(rule_of(key), key.span, key.value): key for key in facts.keys}
    found = {
        number: key
        for number, hit in enumerate(hits)
        if hit.secret is not None and (key := keys.get((hit.rule, hit.span, hit.secret.value))) is not None
    }
    if not found:
        return list(hits)
    desk = Desk(facts, style)
    done = list(hits)
    asked = {number: _asked(key, desk) for number, key in found.items() if not key.public}
    for number in sorted(asked, key=lambda number: (_turn(found[number], asked[number][1]), found[number].span)):
        done[number] = _with_fix(hits[number], found[number], desk, naming, asked[number])
    return done


def style_of(settings: Settings, catalogue: Catalogue) -> CodeStyle:
    """The code style that the settings ask for, reading from where their key store keeps keys."""
    forms = catalogue.env_access.forms
    words = (
        ("<service>", settings.keyring_service),
        ("<aws-prefix>", settings.storing.aws_prefix),
        ("<vault-mount>", settings.storing.vault_mount),
        ("<vault-path>", settings.vault_path),
    )
    return CodeStyle(next((form for form in forms if form.id == settings.code_style), forms[0]), words)


def _asked(key: KeyText, desk: Desk) -> tuple[Node, Wish]:
    """The expression that is a key, None where there is none, and the name that the key wants."""
    if key.draft is None or key.draft.place is None:
        return None, _wish_of_text(key, desk)
    exact = _exact(key.draft, desk)
    return exact, _wish(key, key.draft, exact, desk)


def _turn(key: KeyText, wish: Wish) -> int:
    """Who is named first: a key whose variable is read in any case, then code, and last what is only written down.

    Within a turn the order is that of the text, whatever the order of the rules: the first has the plain name, and a
    dead key in a comment must not take it from the one that is in use.
    """
    if wish.fixed:
        return 0
    return 2 if key.where in {"comment", "docstring"} else 1


def _with_fix(hit: Hit, key: KeyText, desk: Desk, naming: Naming, asked: tuple[Node, Wish]) -> Hit:
    secret = hit.secret or Secret(key.value, key.provider)
    draft, (exact, wish) = key.draft, asked
    name = naming.name(secret, wish)
    form = desk.style.form
    values = {**hit.values, "env": name, "place": form.place, "place_zh": form.place_zh}
    if draft is None or draft.place is None:
        fix = _redacted(key, name, secret) if key.where in {"comment", "docstring"} else _shown(Why.MAGIC)
    else:
        task = Task(desk, draft, draft.place, name, wish.own, exact)
        try:
            _refuse(task.leaf, desk)
            rewrite = _rewrite(key, task, desk)
            fix = _fix(rewrite, key, desk, Move(name, secret))
            values |= rewrite.values
        except RefusedError as refused:
            fix = _shown(refused.why)
    return hit._replace(fix=fix, values=values)


def _shown(why: Why) -> Fix:
    return Fix(f"move.by-hand move.why.{why.value}", Safety.SHOWN, ())


def _redacted(key: KeyText, name: str, secret: Secret) -> Fix:
    """A key in a comment or docstring: its variable's name stands there instead, and the key is kept."""
    safety = Safety.SAFE if key.where == "comment" else Safety.UNSAFE
    return Fix("move.name-it", safety, (Edit(key.span, f"<{name}>"),), (Move(name, secret),))


def _fix(rewrite: Rewrite, key: KeyText, desk: Desk, move: Move) -> Fix:
    edits = merged(rewrite.edits)
    if any(_copies(edit.text, desk.facts.keys) for edit in edits):
        raise RefusedError(Why.ANOTHER_KEY)
    safety = min(rewrite.safety, Safety.UNSAFE) if key.restricted else rewrite.safety
    return Fix(f"move.{rewrite.title}", safety, edits, (move,))


def _copies(text: str, keys: Iterable[KeyText]) -> bool:
    """Tell whether a new text holds a key of the module, or a literal that is a piece of one."""
    for key in keys:
        if key.value in text:
            return True
        for leaf in key.draft.leaves if key.draft is not None and key.form != "literal" else ():
            piece = v.literal_text(leaf)
            if len(piece) >= _LEAST_PIECE and piece in text:
                return True
    return False


# which name it wants


def _wish_of_text(key: KeyText, desk: Desk) -> Wish:
    named = key.match.name if key.match is not None else None
    own = named if named and named.isupper() and is_key_variable(named, desk.facts.catalogue) else None
    return Wish(own, (), key.provider)


def _wish(key: KeyText, draft: Draft, exact: Node, desk: Desk) -> Wish:
    around, catalogue = draft.around, desk.facts.catalogue
    own = around.env if exact is not None else None
    if own is not None and catalogue.providers_of_env(own):
        own = own.upper()
    fixed = _fixed(key, draft, exact, desk) if exact is not None else None
    return Wish(
        own=fixed or own,
        hosts=_hosts(key, draft, desk),
        provider=key.provider,
        defaults=around.client.env if around.client is not None else (),
        fixed=fixed is not None,
    )


def _hosts(key: KeyText, draft: Draft, desk: Desk) -> tuple[str, ...]:
    """The hosts that a key goes to: those in one text or call with it; one near it only if it resells the models."""
    catalogue, evaluator = desk.facts.catalogue, desk.facts.evaluator
    text = v.show(evaluator.value(draft.root, draft.place)) if draft.place is not None else ""
    beside = hosts_in(f"{text} {v.literal_text(draft.leaves[0]) if draft.leaves else ''}", bare=False)
    if key.where == "url" and beside:
        return tuple(beside)
    if draft.around.sent_to:
        return draft.around.sent_to
    owners = {host: catalogue.provider_of_host(host) for host in (*beside, *draft.around.hosts)}
    return tuple(
        host for host, owner in owners.items() if owner is not None and (owner.kind in RESELLERS or not key.provider)
    )


def _fixed(key: KeyText, draft: Draft, exact: Node, desk: Desk) -> str | None:
    """The variable that the code reads for a key in any case."""
    place, parent = draft.place, desk.tree.parent(exact)
    if place is None:
        return None
    if key.where == "env-default":
        return _read_before(exact, parent, place, desk) if kind(parent) == "BooleanOperation" else key.name or None
    if key.where == "field":
        return _read_by_class(key.name, place, desk)
    if key.where == "option" and kind(parent) == "Arg":
        words = {word for option in desk.facts.catalogue.env_access.options for word in option.env_keywords}
        for item in desk.tree.parent(parent).args:
            if item.keyword is not None and item.keyword.value in words:
                return plain_string(item.value)
    return None


def _read_before(exact: Node, operation: Node, place: Place, desk: Desk) -> str | None:
    """The variable that is read last before an `or`."""
    terms = operands(operation)
    at = next((number for number, term in enumerate(terms) if term is exact), 0)
    value = desk.facts.evaluator.value(terms[at - 1], place) if at else v.UNKNOWN
    return value.names[0] if isinstance(value, v.EnvRead) and len(value.names) == 1 else None


def _read_by_class(name: str, place: Place, desk: Desk) -> str | None:
    """The variable that a settings class fills a field from."""
    evaluator = desk.facts.evaluator
    settings = evaluator.settings_class(place.scope) if place.scope.kind == "class" else None
    if settings is None or not settings.reads_env:
        return None
    value = evaluator.member(place.scope, name, place)
    value = value.value if isinstance(value, v.Sealed) else value
    return value.names[0] if isinstance(value, v.EnvRead) and value.names else None


def _exact(draft: Draft, desk: Desk) -> Node:
    """The expression that is the key and nothing else; None where other text stands with it."""
    try:
        return take(draft, desk.tree, desk.facts.evaluator, lambda _: "read").node
    except RefusedError:
        return None


# how it leaves


def _rewrite(key: KeyText, task: Task, desk: Desk) -> Rewrite:
    if key.form == "env-name":
        return _renamed(task, desk)
    found: Rewrite | None = None
    if key.where == "env-default":
        found = defaults.of_read(task, desk) if task.exact is not None else _beside_read(key, task)
    elif key.where == "parameter":
        found = defaults.of_parameter(task, desk)
    elif key.where == "option":
        found = defaults.of_option(task, desk)
    elif key.where == "field":
        found = defaults.of_field(task, desk)
    elif key.where == "code":
        found = _unset(task, desk)
    safety = defaults.safety_of(task) if key.where in {"env-default", "option"} else Safety.SAFE
    return found or Rewrite(task.taken().edits, safety)


def _beside_read(key: KeyText, task: Task) -> Rewrite:
    """A key with more text that stands in for a variable: once that is set to the key alone, it wins."""
    return Rewrite(task.taken().edits, Safety.UNSAFE if key.name == task.name else Safety.SAFE)


def _renamed(task: Task, desk: Desk) -> Rewrite:
    """A key where the name of a variable belongs: the name."""
    if task.exact is None or kind(task.exact) != "SimpleString":
        raise RefusedError(Why.NOT_A_NAME)
    first, last = v.literal_body(task.exact.value)[1:]
    start = desk.tree.span(task.exact).start
    span = desk.tree.span(task.exact)
    edit = Edit(span._replace(start=start + first, end=start + last), task.name)
    return Rewrite((edit,), title="renamed")


def _unset(task: Task, desk: Desk) -> Rewrite | None:
    """`os.environ["X"] = "…"`: nothing to do once X is set outside the code; None for anything else."""
    tree, evaluator = desk.tree, desk.facts.evaluator
    tables = desk.facts.near.tables
    if task.exact is None or not desk.style.form.environment:
        return None
    parent = tree.parent(task.exact)
    statement, named = None, None
    if kind(parent) == "Assign" and len(parent.targets) == 1:
        target = parent.targets[0].target
        if kind(target) == "Subscript" and evaluator.name(target.value, task.place) in tables.write_subscripts:
            part = target.slice[0].slice
            named = desk.facts.near.text_of(part.value, task.place) if kind(part) == "Index" else None
            statement = parent
    elif kind(parent) == "Arg" and kind(tree.parent(tree.parent(parent))) == "Expr":
        call = tree.parent(parent)
        callee = desk.facts.near.callee(call, task.place)
        if callee in tables.writers and callee.startswith("os."):
            positional = [item.value for item in call.args if item.keyword is None and not item.star]
            named = desk.facts.near.text_of(positional[0], task.place) if positional else None
            statement = tree.parent(call)
    if statement is None or named is None:
        return None
    safety = Safety.UNSAFE if _is_contested(named, tree.text) else Safety.SAFE
    if named != task.name:
        return Rewrite(task.taken().edits, safety)
    return Rewrite(removed(statement, tree), safety, "no-assignment")


def _is_contested(name: str, text: str) -> bool:
    """Tell whether a module seems to write a variable in more than one place: each write undoes another one.

    The text is asked, since bodies that say nothing about keys are not parsed.
    """
    quoted = rf"[bB]?[\"']{re.escape(name)}[\"']"
    writes = (
        rf"\[\s*{quoted}\s*\]\s*(?::[^=\n]*)?=(?!=)",
        rf"\b(?:putenv|setdefault|setenv|delenv|unsetenv|pop|__setitem__)\(\s*{quoted}",
        rf"\bdel\b[^\n]*\[\s*{quoted}\s*\]",
        rf"\bupdate\([^()]*\b{re.escape(name)}\s*=",
        rf"{quoted}\s*:",  # in a table for `update`
        rf"\w\s*=\s*{quoted}",  # under a name of its own
        r"\benviron(?:b)?\.clear\(",
    )
    return sum(len(re.findall(write, text)) for write in writes) > 1


# where nothing may be rewritten


def _refuse(leaf: Node, desk: Desk) -> None:
    """Refuse places in which a read would not be what a literal is."""
    for why in _reasons(leaf, desk):
        raise RefusedError(why)


def _reasons(leaf: Node, desk: Desk) -> Iterator[Why]:  # noqa: C901  # one arm a kind of place
    for child, parent in desk.tree.pairs(leaf):
        name = kind(parent)
        if name == "DictElement" and child is parent.key:
            yield Why.DICT_KEY
        elif name in _TYPES or (name == "Subscript" and spell(parent.value).rpartition(".")[2] in _LITERAL_TYPES):
            yield Why.TYPE
        elif name.startswith("Match") and name not in {"Match", "MatchCase"}:
            yield Why.PATTERN
        elif name == "TemplatedString":
            yield Why.TEMPLATE
        elif name == "Lambda" and child is parent.params:
            yield Why.LAMBDA
        elif name == "FormattedStringExpression" and child is not parent.expression:
            yield Why.FORMAT
        elif name in {"Assign", "AnnAssign"} and _NAMES.intersection(_targets(parent)):
            yield Why.NAMES
        elif name == "ClassDef" and child is parent.body and _is_member(leaf, parent, desk):
            yield Why.ENUM
    if desk.is_stub:
        yield Why.STUB


def _targets(statement: Node) -> set[str]:
    if kind(statement) == "AnnAssign":
        return {spell(statement.target)}
    return {spell(target.target) for target in statement.targets}


def _is_member(leaf: Node, class_: Node, desk: Desk) -> bool:
    """Tell whether a literal is a member of an enumeration, and not only used in one of its methods."""
    if not any(re.search(r"(?:Enum|Flag)$", spell(base.value)) for base in class_.bases):
        return False
    return desk.tree.around(leaf, "FunctionDef", "ClassDef") is class_
