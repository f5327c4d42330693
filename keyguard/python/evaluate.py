"""Follows names, attributes, calls and operators of one module to the value an expression has where it stands."""

from __future__ import annotations

import builtins
import functools
from bisect import bisect_left

from msgspec import Struct

from keyguard.python.functions import FUNCTIONS, rot13
from keyguard.python.index import Binding, Block, Place, Scope, flatten, operands, plain_string, spell
from keyguard.python.values import (
    MAX_CHOICES,
    MAX_PIECES,
    MAX_TEXT,
    NULL,
    UNKNOWN,
    UNSET,
    EnvRead,
    Instance,
    Items,
    Joined,
    Local,
    Null,
    Number,
    OneOf,
    Piece,
    Reference,
    Sealed,
    SecretRead,
    Table,
    Text,
    Unknown,
    Unset,
    alternatives,
    changed,
    dotted,
    foreign,
    item_at,
    join,
    literal_text,
    one_of,
    part_of,
)
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from keyguard.catalogue import Catalogue
    from keyguard.knowledge import Reader, SettingsClass
    from keyguard.python.index import CallUse, Index, Node
    from keyguard.python.project import Here
    from keyguard.python.values import Value

MAX_STEPS = 3_000  # evaluation steps for one question: far above any real key, and every question ends
MAX_DEPTH = 40  # nested evaluations: a level takes up to six Python frames of the default thousand
MAX_ITEMS = 1_024  # elements of a display that are looked into
MAX_REACHING = 64  # bindings of one name that are looked at for one use

# Names that need no import, in notebooks too.
_BUILTINS = frozenset(vars(builtins)) | {"display", "get_ipython"}
_SAME_TEXT_METHODS = {"encode", "decode", "__str__", "copy", "expandtabs", "casefold"}
_STRIP = {"strip": str.strip, "lstrip": str.lstrip, "rstrip": str.rstrip}
_CASE = {
    "lower": str.lower,
    "upper": str.upper,
    "swapcase": str.swapcase,
    "title": str.title,
    "capitalize": str.capitalize,
}


class Access(Struct, frozen=True):
    """How code reads values, by dotted name: `calls` and `subscripts` of readers, and what unwraps or wraps."""

    calls: Mapping[str, Reader]
    subscripts: Mapping[str, Reader]
    environs: frozenset[str]
    unwrap: frozenset[str]
    settings: tuple[SettingsClass, ...]
    seals: frozenset[str]
    masks: frozenset[str]
    mask_methods: frozenset[str]
    mask_words: tuple[str, ...]
    max_slice: int
    client_keys: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], int | None]]


@functools.lru_cache(maxsize=4)  # one table a catalogue, and a run has one catalogue
def access(catalogue: Catalogue) -> Access:
    """Build the look-up tables of a catalogue once."""
    env = catalogue.env_access
    calls: dict[str, Reader] = {}
    subscripts: dict[str, Reader] = {}
    for reader in env.readers:
        for name in reader.calls:
            calls.setdefault(name, reader)
        for name in reader.subscripts:
            subscripts.setdefault(name, reader)
        for name in reader.instances:
            for method in reader.methods:
                if method == "[]":
                    subscripts.setdefault(f"{name}()", reader)
                else:
                    calls.setdefault(f"{name}()" + (f".{method}" if method else ""), reader)
    client_keys: dict[str, tuple[tuple[str, ...], tuple[str, ...], int | None]] = {}
    for sdk in catalogue.sdks.values():
        for made in sdk.constructors:
            params = sdk.key_params if made.key_params is None else made.key_params
            position = sdk.key_position if made.key_position is None else made.key_position
            client_keys[f"{made.name}()"] = (params, sdk.env if made.env is None else made.env, position)
    sinks = catalogue.sinks
    return Access(
        calls,
        subscripts,
        frozenset(env.environs),
        frozenset(env.unwrap_methods),
        env.settings_classes,
        frozenset(sinks.wrappers),
        frozenset(sinks.mask_calls),
        frozenset(sinks.mask_methods),
        sinks.mask_words,
        sinks.max_slice,
        client_keys,
    )


class Change(NamedTuple):
    """Something put into a mapping after it was made: the value `node` under `key`.

    Without a key, `node` is a mapping that is put in as a whole; without either, nobody knows what changed.
    """

    key: str | None
    node: Node
    place: Place


class Evaluator:
    """Answers what an expression of one module evaluates to; every question is bounded, cycles end."""

    def __init__(self, index: Index, catalogue: Catalogue, project: Here | None = None) -> None:
        """Evaluate in the module of `index`; `project` answers for names imported from other modules of it."""
        self.index = index
        self.access = access(catalogue)
        self.project = project
        self._known: dict[Binding, Value] = {}
        self._asking: set[Binding] = set()
        self._overrides: dict[tuple[int, str], Value] = {}
        self._scopes: dict[int, Scope] = {}
        self._sites: dict[int, list[CallUse]] | None = None
        self._changes: dict[tuple[str, int], list[Change]] | None = None
        self._kinds: dict[int, SettingsClass | None] = {}
        self._methods: set[str] = set()
        self._steps = 0
        self._depth = 0
        self._cut = False

    def release(self) -> None:
        """Forget what was evaluated, which refers back to it, as `Index.release` does; nothing can be asked then."""
        self._known.clear()
        self._overrides.clear()
        self.index.release()

    def value(self, node: Node, place: Place) -> Value:
        """Evaluate an expression where it stands."""
        if self._depth == 0:
            self._steps = MAX_STEPS
        if self._steps <= 0 or self._depth >= MAX_DEPTH:
            self._cut = True
            return UNKNOWN
        self._steps -= 1
        name = _METHODS.get(type(node).__name__)
        if name is None:
            return UNKNOWN
        self._depth += 1
        try:
            result: Value = getattr(self, name)(node, place)
        finally:
            self._depth -= 1
        return result

    def name(self, node: Node, place: Place) -> str:
        """The dotted name of what an expression refers to (`openai.OpenAI`, `logging.getLogger().info`), else empty."""
        return dotted(self.value(node, place))

    def scope_of(self, node: Node) -> Scope | None:
        """The scope a definition, lambda or comprehension opens."""
        if not self._scopes:
            self._scopes = {id(scope.node): scope for scope in self.index.scopes}
        return self._scopes.get(id(node))

    # names

    def bindings(self, name: str, place: Place) -> list[Binding] | None:
        """The bindings of a name that can reach a place; None when nothing in the module binds it."""
        scope: Scope | None = place.scope
        direct = True
        while scope is not None:
            if scope.foreign.get(name) == "global":
                scope, direct = scope.module, False
            found = scope.bindings.get(name)
            if found and (scope.kind != "class" or direct):
                order, block = (place.order, place.block) if direct else (float("inf"), scope.root)
                reaching = _reaching(found, order, block)
                if reaching or scope.kind == "function":
                    return reaching
            if scope.kind == "function":
                direct = False
            scope = scope.parent
        return None

    def lookup(self, name: str, place: Place) -> Value:
        """The value of a name at a place."""
        scope: Scope | None = place.scope
        if self._overrides:
            while scope is not None:
                given = self._overrides.get((id(scope), name))
                if given is not None:
                    return given
                scope = scope.parent
        found = self.bindings(name, place)
        if found is None:
            return Reference(name) if name in _BUILTINS else UNKNOWN
        if len(found) == 1:
            return self.bound(found[0])
        return one_of([self.bound(binding) for binding in found])

    def bound(self, binding: Binding) -> Value:
        """The value one binding gives; asked once."""
        known = self._known.get(binding)
        if known is not None:
            return known
        if binding in self._asking:
            self._cut = True
            return UNKNOWN
        self._asking.add(binding)
        before, self._cut = self._cut, False
        try:
            value = self._bind(binding)
        finally:
            self._asking.discard(binding)
        # What was cut short by a cycle is only right for the question that ran into it, except at the outermost one.
        if (not self._cut or not self._asking) and not self._overrides:
            self._known[binding] = value
        self._cut = before or (self._cut and bool(self._asking))
        return value

    def _bind(self, binding: Binding) -> Value:  # noqa: PLR0911  # one arm a kind
        kind, node, place = binding.kind, binding.node, binding.place
        if kind in {"assign", "walrus"}:
            value = self.value(node, place)
            return self._sealed(binding, value)
        if kind == "import":
            return self.reference(binding.detail)
        if kind == "module":
            return Reference(binding.detail)
        if kind == "param":
            return self._parameter(binding)
        if kind == "with":
            return self.value(node, place)
        if kind == "unpack":
            return item_at(self.value(node, place), binding.detail)
        if kind == "for":
            return self._looped(binding)
        if kind == "augment":
            return self._augmented(binding)
        if kind in {"function", "class"} and binding.detail is not None:
            return Local(binding.detail, owner=self)
        return UNKNOWN

    def _sealed(self, binding: Binding, value: Value) -> Value:
        if binding.annotation is not None and "SecretStr" in _annotation(binding.annotation):
            return value if isinstance(value, Sealed) else Sealed(value)
        return value

    def _parameter(self, binding: Binding) -> Value:
        """A parameter's default, and what the calls in this module give for it; others may call it too."""
        scope = binding.place.scope
        outer = scope.parent or scope
        found: list[Value] = []
        if binding.node is not None:
            found.append(self.value(binding.node, Place(outer, binding.place.order, _enclosing(outer, binding))))
        sites = self.sites(scope)
        if 0 < len(sites) <= MAX_CHOICES:
            name, position = _parameter_slot(scope, binding)
            for site in sites:
                given = _given(site.node, name, position)
                if given is not None:
                    found.append(self.value(given, site.place))
        return one_of((*found, UNKNOWN))

    def handed(self, scope: Scope, name: str) -> Iterator[tuple[Node, Place]]:
        """What the calls in this module give for a parameter of one of its functions."""
        bindings = scope.bindings.get(name, ())
        if len(bindings) == 1 and bindings[0].kind == "param":
            slot = _parameter_slot(scope, bindings[0])
            for site in self.sites(scope):
                given = _given(site.node, *slot)
                if given is not None:
                    yield given, site.place

    def sites(self, scope: Scope) -> list[CallUse]:
        """The calls in this module of one of its functions, or of a class for its `__init__`."""
        if self._sites is None:
            self._sites = {}
            for call in self.index.calls:
                target = self._target(call)
                if target is not None:
                    self._sites.setdefault(id(target), []).append(call)
        return self._sites.get(id(scope), [])

    def _target(self, call: CallUse) -> Scope | None:
        func = call.node.func
        kind = type(func).__name__
        found: list[Binding] | None = None
        if kind == "Name":
            found = self.bindings(func.value, call.place)
        elif kind == "Attribute" and type(func.value).__name__ == "Name":
            owner = self._class_of(func.value.value, func.attr.value, call.place)
            found = owner.bindings.get(func.attr.value) if owner is not None else None
        if not found or len(found) != 1 or not isinstance(found[0].detail, Scope):
            return None
        scope = found[0].detail
        if scope.kind == "class":
            init = scope.bindings.get("__init__")
            scope = init[-1].detail if init and isinstance(init[-1].detail, Scope) else scope
        return scope

    def _class_of(self, name: str, method: str, place: Place) -> Scope | None:
        """The class of this module that a name is an object of: `self`, a parameter by its annotation, an instance."""
        scope: Scope | None = place.scope
        while scope is not None:
            if scope.self_name == name and scope.parent is not None and scope.parent.kind == "class":
                return scope.parent
            scope = None if name in scope.bindings else scope.parent
        if not self._methods:
            self._methods = {
                item
                for found in self.index.scopes
                if found.kind == "class"
                for item, bindings in found.bindings.items()
                if bindings[-1].kind == "function"
            } or {""}
        if method not in self._methods:
            return None
        bindings = self.bindings(name, place) or []
        if len(bindings) != 1:
            return None
        node = bindings[0].annotation
        if bindings[0].kind == "assign" and type(bindings[0].node).__name__ == "Call":
            node = bindings[0].node.func
        named = node.value if type(node).__name__ == "Name" else plain_string(node)
        classes = self.index.scope.bindings.get(named) if named else None
        found_class = classes[-1].detail if classes and classes[-1].kind == "class" else None
        return found_class if isinstance(found_class, Scope) else None

    def changes(self, node: Node, place: Place, member: str = "") -> list[Change]:
        """What the code puts into a mapping that has a name, in the function where it is asked for.

        With `member`, into the mapping that is this member of the object.
        """
        name = spell(node)
        if not name:
            return []
        name += f".{member}" if member else ""
        if self._changes is None:
            self._changes = {}
            for changed_name, change in _changes_of(self.index):
                self._changes.setdefault(_owner(changed_name, change.place), []).append(change)
        found = self._changes.get(_owner(name, place), [])
        return found if len(found) <= MAX_REACHING else [Change(None, None, place)]

    def _looped(self, binding: Binding) -> Value:
        given = self.value(binding.node, binding.place)
        if self.holds_environ(given):
            shows = binding.detail[-1:] == (1,) or dotted(given).endswith(".values()")
            return given if shows else UNKNOWN
        items: list[Value] = []
        for value in alternatives(given):
            if isinstance(value, Items):
                items.extend(value.items[:MAX_ITEMS])
            elif isinstance(value, Table):
                items.extend(key for key, _ in value.entries[:MAX_ITEMS])
            else:
                return UNKNOWN
        if len(items) > MAX_CHOICES:
            return UNKNOWN
        return one_of([item_at(item, binding.detail) for item in items])

    def _augmented(self, binding: Binding) -> Value:
        node, place = binding.node, binding.place
        if type(node.operator).__name__ != "AddAssign":
            return UNKNOWN
        before = self.value(node.target, place)
        return self._add([before, self.value(node.value, place)])

    def reference(self, name: str) -> Value:
        """What an imported dotted name stands for: a constant of the project, or the name itself."""
        if not name or name.startswith("."):
            return UNKNOWN
        if self.project is not None:
            value = self.project.value(name)
            if value is not None:
                return value
        return Reference(name)

    # expressions

    def _name(self, node: Node, place: Place) -> Value:
        word = node.value
        if word == "None":
            return NULL
        if word in {"True", "False"}:
            return Number(word == "True")
        return self.lookup(word, place)

    def _string(self, node: Node, _place: Place) -> Value:
        text = literal_text(node)
        if len(text) > MAX_TEXT:
            return UNKNOWN
        return Text(text, (Piece(0, len(text), node, 0),))

    def _implicit(self, node: Node, place: Place) -> Value:
        return join([self.value(leaf, place) for leaf in flatten(node)])

    def _formatted(self, node: Node, place: Place) -> Value:
        parts: list[Value] = []
        for part in node.parts:
            if type(part).__name__ in {"FormattedStringText", "TemplatedStringText"}:
                text = literal_text(part)
                parts.append(Text(text, (Piece(0, len(text), part, 0),)))
                continue
            spec = part.format_spec
            if spec and any("." in getattr(piece, "value", "") for piece in spec):
                parts.append(UNKNOWN)  # a precision cuts the value short
            else:
                parts.append(self._shown(self.value(part.expression, place)))
        return join(parts)

    def _shown(self, value: Value) -> Value:
        """What a value looks like inside a text."""
        if isinstance(value, Sealed):
            return UNKNOWN
        if isinstance(value, OneOf):
            return one_of([self._shown(item) for item in value.values])
        return value

    def _number(self, node: Node, _place: Place) -> Value:
        digits: str = node.value
        try:
            return Number(int(digits, 0) if type(node).__name__ == "Integer" else float(digits))
        except ValueError:  # more digits than Python converts, or an old octal
            return UNKNOWN

    def _unary(self, node: Node, place: Place) -> Value:
        value = self.value(node.expression, place)
        if isinstance(value, Number) and type(node.operator).__name__ == "Minus":
            return Number(-value.number)
        return UNKNOWN

    def _binary(self, node: Node, place: Place) -> Value:
        operator = type(node.operator).__name__
        if operator == "Add":
            return self._add([self.value(term, place) for term in operands(node)])
        left = self.value(node.left, place)
        right = self.value(node.right, place)
        if operator == "Modulo":
            return self._each(left, lambda text: self._percent(text, right))
        if operator == "Multiply" and isinstance(left, Text) and isinstance(right, Number):
            times = int(right.number) if 0 <= right.number < MAX_TEXT else 0
            return join([left] * times) if len(left.text) * times <= MAX_TEXT and times <= MAX_PIECES else UNKNOWN
        if operator == "BitOr" and isinstance(left, Table) and isinstance(right, Table):
            return Table((*left.entries, *right.entries), left.complete and right.complete)
        if operator == "Divide":
            return join([left, Text("/"), right])
        return UNKNOWN

    def _add(self, values: list[Value]) -> Value:
        if all(isinstance(value, Items) for value in values):
            items = tuple(item for value in values if isinstance(value, Items) for item in value.items)
            return Items(items[:MAX_ITEMS])
        if all(isinstance(value, Number) for value in values):
            return UNKNOWN
        choices = [value for value in values if isinstance(value, OneOf)]
        if len(choices) == 1:
            return one_of(
                [join([item if value is choices[0] else value for value in values]) for item in choices[0].values]
            )
        return join(values)

    def _percent(self, text: Value, right: Value) -> Value:
        if not isinstance(text, Text):
            return join([text, right]) if isinstance(text, Joined) else UNKNOWN
        given = list(right.items) if isinstance(right, Items) else [right]
        parts: list[Value] = []
        rest, position = text.text, 0
        while position < len(rest):
            mark = rest.find("%", position)
            if mark < 0 or mark + 1 >= len(rest):
                break
            parts.append(part_of(text, position, mark))
            follow = rest[mark + 1]
            position = mark + 2
            if follow == "%":
                parts.append(Text("%"))
            elif follow == "(":
                close = rest.find(")", position, position + 80)
                if close < 0:
                    return UNKNOWN
                named = right.get(rest[position:close]) if isinstance(right, Table) else None
                parts.append(self._shown(named if named is not None else UNKNOWN))
                position = _after_conversion(rest, close + 1)
            else:
                end = _after_conversion(rest, mark + 1)
                cut_short = "." in rest[mark + 1 : end]
                value = given.pop(0) if given else UNKNOWN
                parts.append(UNKNOWN if cut_short else self._shown(value))
                position = end
        parts.append(part_of(text, position, len(rest)))
        return join(parts)

    def _format(self, text: Value, node: Node, place: Place) -> Value:  # noqa: C901, PLR0912  # a small parser: one arm a sign of the format
        if not isinstance(text, Text):
            return join([text, *[self.value(item.value, place) for item in node.args]])
        given: list[Value] = []
        named: dict[str, Value] = {}
        for item in node.args:
            if item.star:
                whole = self.value(item.value, place)
                if isinstance(whole, Items) and item.star == "*":
                    given.extend(whole.items)
                elif isinstance(whole, Table):
                    named.update({key.text: value for key, value in whole.entries if isinstance(key, Text)})
            elif item.keyword is not None:
                named[item.keyword.value] = self.value(item.value, place)
            else:
                given.append(self.value(item.value, place))
        parts: list[Value] = []
        rest, position, count = text.text, 0, 0
        while True:
            mark = rest.find("{", position)
            if mark < 0:
                break
            parts.append(_braces(part_of(text, position, mark)))
            if rest.startswith("{", mark + 1):
                parts.append(Text("{"))
                position = mark + 2
                continue
            close = rest.find("}", mark)
            if close < 0:
                return UNKNOWN
            name, _, spec = rest[mark + 1 : close].partition(":")
            name = name.partition("!")[0]
            value: Value | None
            if name == "":
                value = given[count] if count < len(given) else None
                count += 1
            elif name.isdecimal() and len(name) < 4:  # noqa: PLR2004  # a format string names fewer than a thousand
                value = given[int(name)] if int(name) < len(given) else None
            else:
                value = named.get(name)
            parts.append(UNKNOWN if value is None or "." in spec else self._shown(value))
            position = close + 1
        parts.append(_braces(part_of(text, position, len(rest))))
        return join(parts)

    def _boolean(self, node: Node, place: Place) -> Value:
        terms = [self.value(term, place) for term in operands(node)]
        if type(node.operator).__name__ == "And":
            return one_of(terms)
        kept: list[Value] = []
        for position, term in enumerate(terms):
            last = position == len(terms) - 1
            values = [item for item in alternatives(term) if last or not _always_false(item)]
            kept.extend(values)
            if values and all(isinstance(item, Text) for item in values) and not last:
                break
        return one_of(kept)

    def _choice(self, node: Node, place: Place) -> Value:
        return one_of((self.value(node.body, place), self.value(node.orelse, place)))

    def _walrus(self, node: Node, place: Place) -> Value:
        return self.value(node.value, place)

    def _await(self, node: Node, place: Place) -> Value:
        return self.value(node.expression, place)

    def _display(self, node: Node, place: Place) -> Value:
        items: list[Value] = []
        for element in node.elements[:MAX_ITEMS]:
            value = self.value(element.value, place)
            if type(element).__name__ == "StarredElement":
                items.extend(value.items if isinstance(value, Items) else (UNKNOWN,))
            else:
                items.append(value)
        return Items(tuple(items))

    def _dict(self, node: Node, place: Place) -> Value:
        entries: list[tuple[Value, Value]] = []
        complete = len(node.elements) <= MAX_ITEMS
        for element in node.elements[:MAX_ITEMS]:
            value = self.value(element.value, place)
            if type(element).__name__ == "DictElement":
                entries.append((self.value(element.key, place), value))
            elif isinstance(value, Table):
                entries.extend(value.entries)
                complete = complete and value.complete
            else:
                entries.append((UNKNOWN, value))
                complete = False
        return Table(tuple(entries), complete)

    def _comprehension(self, node: Node, place: Place) -> Value:
        """Evaluate `f(x) for x in display` element by element when there is one plain clause."""
        clause = node.for_in
        if clause.inner_for_in is not None or clause.ifs or type(clause.target).__name__ != "Name":
            return UNKNOWN
        scope = self.scope_of(node)
        given = self.value(clause.iter, place)
        if isinstance(given, Text):
            items: tuple[Value, ...] = tuple(
                part_of(given, at, at + 1) for at in range(min(len(given.text), MAX_PIECES))
            )
        elif isinstance(given, Items):
            items = given.items[:MAX_PIECES]
        else:
            return UNKNOWN
        if scope is None:
            return UNKNOWN
        inner = Place(scope, place.order, place.block)
        slot = (id(scope), clause.target.value)
        result: list[Value] = []
        saved = self._overrides.get(slot)
        for item in items:
            self._overrides[slot] = item
            result.append(self.value(node.elt, inner))
        if saved is None:
            self._overrides.pop(slot, None)
        else:
            self._overrides[slot] = saved
        return Items(tuple(result))

    def _lambda(self, node: Node, _place: Place) -> Value:
        scope = self.scope_of(node)
        return Local(scope, owner=self) if scope is not None else UNKNOWN

    # attributes

    def _attribute(self, node: Node, place: Place) -> Value:
        name = node.attr.value
        spelled = spell(node)
        if spelled and spelled in self.index.attributes:
            value = self._assigned(self.index.attributes[spelled], place)
            if value is not None:
                return value
        base = node.value
        if type(base).__name__ == "Name" and base.value == place.scope.function.self_name:
            owner = place.scope.function.parent
            if owner is not None and owner.kind == "class":
                value = self.member(owner, name, place)
                return Unknown(name) if value is None else value
        return self.member_of(self.value(base, place), name, place)

    def _assigned(self, found: list[Binding], place: Place) -> Value | None:
        near = _near(found, place)
        if near:
            reaching = _reaching(near, place.order, place.block)
            return one_of([self.bound(item) for item in reaching]) if reaching else None
        outside = [item for item in found[-MAX_REACHING:] if item.place.scope.kind == "module"]
        if outside and place.scope.function.kind != "module":
            return one_of([self.bound(item) for item in _reaching(outside, float("inf"), place.scope.module.root)])
        return None

    def member_of(self, value: Value, name: str, place: Place) -> Value:  # noqa: C901, PLR0911  # one return a kind of value
        """The value of `value.name`."""
        if isinstance(value, OneOf):
            return one_of([self.member_of(item, name, place) for item in value.values])
        if isinstance(value, (Reference, Instance)):
            owner = dotted(value)
            reader = self.access.subscripts.get(owner)
            if reader is not None and reader.kind != "env" and f"{owner}.{name}" not in self.access.calls:
                return SecretRead(reader.id, (name,))
            return (
                self._client_member(value, name) if isinstance(value, Instance) else self.reference(f"{owner}.{name}")
            )
        if isinstance(value, Local):
            if value.scope.kind != "class":
                return Unknown(name)
            if value.instance and value.node is not None and value.place is not None:
                for item in value.node.args:
                    if (
                        item.keyword is not None
                        and item.keyword.value == name
                        and "__init__" not in value.scope.bindings
                    ):
                        return self.value(item.value, value.place)
            if value.owner is not None and value.owner is not self:
                there = value.owner.member(
                    value.scope, name, Place(value.scope.module, float("inf"), value.scope.module.root)
                )
                return Unknown(name) if there is None else foreign(there)
            found = self.member(value.scope, name, place)
            return Unknown(name) if found is None else found
        if isinstance(value, SecretRead):
            return SecretRead(value.store, (*value.names, name), value.node) if value.store != "prompt" else UNKNOWN
        if isinstance(value, Text) and name == "value":
            return value  # a member of an enumeration
        if isinstance(value, (Text, Joined)) and name == "read_text":
            return Reference("pathlib.Path().read_text")  # texts have no such method: it was made a path on the way
        return Unknown(name)

    def _client_member(self, value: Instance, name: str) -> Value:
        known = self.access.client_keys.get(f"{value.name}()")
        if known is not None and name in known[0]:
            params, env, position = known
            for number, item in enumerate(value.node.args if value.node is not None else ()):
                named = item.keyword.value if item.keyword is not None else None
                if value.place is not None and (
                    named in params or (named is None and number == position and not item.star)
                ):
                    given = self.value(item.value, value.place)
                    names = given.names if isinstance(given, EnvRead) and given.names else env
                    return given if isinstance(given, (Text, Joined)) else SecretRead("client", names, value.node)
            return EnvRead(env, None, "client", value.node) if env else SecretRead("client", (), value.node)
        return Reference(f"{value.name}().{name}")

    def member(self, scope: Scope, name: str, place: Place, seen: int = 0) -> Value | None:  # noqa: PLR0911  # one return a place an attribute can come from
        """The value of a class's attribute or of one set through `self`; None when the class does not have it."""
        settings = self.settings_class(scope)
        assigned = scope.attributes.get(name)
        if assigned:
            near = _near(assigned, place)
            reaching = _reaching(near, place.order, place.block) if near else []
            return one_of([self.bound(item) for item in reaching or assigned[-MAX_REACHING:]])
        bound = scope.bindings.get(name)
        if bound:
            last = bound[-1]
            if last.kind == "function" and last.detail is not None:
                return self._property(last.detail)
            if settings is not None and settings.reads_env and last.kind in {"assign", "declare"}:
                return self._setting(scope, name, last, settings)
            value = self.bound(last) if last.kind != "declare" else UNKNOWN
            if isinstance(value, Instance) and value.node is not None and value.place is not None:
                return self._field_default(value)
            return self._sealed(last, value) if last.kind == "declare" else value
        if seen < 4:  # noqa: PLR2004  # deeper inheritance inside one module is not worth its time
            for argument in scope.node.bases:
                base = self.value(argument.value, Place(scope.parent or scope, float("inf"), scope.module.root))
                if isinstance(base, Local) and base.scope.kind == "class" and base.scope is not scope:
                    value_or_none = self.member(base.scope, name, place, seen + 1)
                    if value_or_none is not None:
                        return value_or_none
        return None

    def _property(self, scope: Scope) -> Value:
        names = {spell(item).rpartition(".")[2] for item in scope.decorators}
        if names & {"property", "cached_property"}:
            return self._returned(scope)
        return Local(scope, owner=self)

    def _settings_class(self, scope: Scope) -> SettingsClass | None:
        if scope.kind != "class":
            return None
        place = Place(scope.parent or scope, float("inf"), scope.module.root)
        names: list[str] = []
        for argument in scope.node.bases:
            base = self.value(argument.value, place)
            if isinstance(base, Local):
                if base.scope is not scope:
                    found = self.settings_class(base.scope)
                    if found is not None:
                        return found
            else:
                names.append(dotted(base))
        marks = [self.name(item.func if type(item).__name__ == "Call" else item, place) for item in scope.decorators]
        for kind in self.access.settings:
            if any(name in kind.bases for name in names) or any(mark in kind.decorators for mark in marks):
                return kind
        return None

    def settings_class(self, scope: Scope) -> SettingsClass | None:
        """The kind of settings class or dataclass a class is, by its bases and decorators; asked once."""
        if id(scope) not in self._kinds:
            self._kinds[id(scope)] = None  # a class is no base of itself
            self._kinds[id(scope)] = self._settings_class(scope)
        return self._kinds[id(scope)]

    def _setting(self, scope: Scope, name: str, binding: Binding, kind: SettingsClass) -> Value:
        place = Place(scope, float("inf"), scope.root)
        names = [(self._env_prefix(scope) + name).upper()]
        default: Value | None = None
        if binding.node is not None:
            default = self.value(binding.node, binding.place)
            if isinstance(default, Instance) and default.node is not None and default.name in kind.field_calls:
                for item in default.node.args:
                    if item.keyword is not None and item.keyword.value in kind.env_keywords:
                        given = self.value(item.value, place)
                        choices = given.items if isinstance(given, Items) else (given,)
                        named = [choice.text.upper() for choice in choices if isinstance(choice, Text)]
                        names = named or names
                default = self._field_default(default)
        read = EnvRead(tuple(names), None if isinstance(default, Unknown) else default, kind.id, binding.node)
        return self._sealed(binding, read)

    def _env_prefix(self, scope: Scope) -> str:
        for holder in (scope, *(item.detail for item in scope.bindings.get("Config", ()) if item.kind == "class")):
            for binding in holder.bindings.get("env_prefix", ()):
                value = self.bound(binding)
                if isinstance(value, Text):
                    return value.text
        for binding in scope.bindings.get("model_config", ()):
            node = binding.node
            if type(node).__name__ == "Call":
                for item in node.args:
                    if item.keyword is not None and item.keyword.value == "env_prefix":
                        value = self.value(item.value, binding.place)
                        return value.text if isinstance(value, Text) else ""
            value = self.bound(binding)
            if isinstance(value, Table):
                prefix = value.get("env_prefix")
                return prefix.text if isinstance(prefix, Text) else ""
        return ""

    def _field_default(self, value: Instance) -> Value:
        for kind in self.access.settings:
            if value.name in kind.field_calls and value.place is not None:
                position = 0
                for item in value.node.args:
                    if item.keyword is not None:
                        if item.keyword.value in kind.default_keywords:
                            return self.value(item.value, value.place)
                    elif not item.star:
                        if position == kind.default_position:
                            return self.value(item.value, value.place)
                        position += 1
                return UNKNOWN
        return value

    # subscripts

    def _subscript(self, node: Node, place: Place) -> Value:
        base = self.value(node.value, place)
        if len(node.slice) != 1:
            return UNKNOWN
        part = node.slice[0].slice
        if type(part).__name__ == "Slice":
            bounds = [
                self.value(bound, place) if bound is not None else UNSET
                for bound in (part.lower, part.upper, part.step)
            ]
            return self._each(base, lambda value: self._slice(value, bounds))
        key = self.value(part.value, place)
        return self._each(base, lambda value: self.item(value, key, node))

    def _each(self, value: Value, of: Callable[[Value], Value]) -> Value:
        if isinstance(value, OneOf):
            return one_of([of(item) for item in value.values])
        return of(value)

    def item(self, value: Value, key: Value, node: Node) -> Value:  # noqa: PLR0911  # one return a kind of value
        """The value of `value[key]`; of a display, any of its values when the key is not known."""
        if isinstance(value, (Reference, Instance)):
            reader = self.access.subscripts.get(dotted(value))
            if reader is not None:
                names = tuple(item.text for item in alternatives(key) if isinstance(item, Text))
                return self._read(reader, names, None, node)
            return Unknown(key.text if isinstance(key, Text) else "")
        if isinstance(value, Table):
            if isinstance(key, Text):
                found = value.get(key.text)
                return UNKNOWN if found is None else found
            return one_of([item for _, item in value.entries]) if value.entries else UNKNOWN
        if isinstance(value, Items):
            if isinstance(key, Number):
                return item_at(value, (int(key.number),))
            return one_of(value.items) if value.items else UNKNOWN
        if isinstance(value, Text) and isinstance(key, Number):
            at = int(key.number)
            at += len(value.text) if at < 0 else 0
            return part_of(value, at, at + 1)
        if isinstance(value, SecretRead):
            return SecretRead(value.store, (*value.names, key.text), value.node) if isinstance(key, Text) else value
        return UNKNOWN

    def _slice(self, value: Value, bounds: list[Value]) -> Value:  # noqa: PLR0911  # one return a kind of value
        numbers = [
            None if isinstance(item, (Unset, Null)) else int(item.number) if isinstance(item, Number) else "?"
            for item in bounds
        ]
        if "?" in numbers:
            return UNKNOWN
        lower, upper, step = (item if isinstance(item, int) else None for item in numbers)
        if isinstance(value, Text):
            if step in (None, 1):
                start, end, _ = slice(lower, upper).indices(len(value.text))
                return part_of(value, start, max(start, end))
            if step == 0:
                return UNKNOWN
            return changed(value, value.text[lower:upper:step], "encoded")
        if isinstance(value, Items):
            return Items(value.items[lower:upper:step]) if step != 0 else UNKNOWN
        if isinstance(value, (EnvRead, SecretRead)):
            # A few characters are a mask; all but a few are still the key.
            limit = self.access.max_slice
            shown_first = upper is not None and 0 <= upper <= limit
            shown_last = lower is not None and -limit <= lower < 0
            window = lower is not None and upper is not None and 0 <= lower <= upper and upper - lower <= limit
            return UNKNOWN if shown_first or shown_last or window else value
        return UNKNOWN

    # calls

    def _call(self, node: Node, place: Place) -> Value:
        func = node.func
        if type(func).__name__ == "Attribute":
            method = func.attr.value
            if method in _TEXT_CALLS:
                receiver = self.value(func.value, place)
                if isinstance(receiver, OneOf) or not dotted(receiver):
                    return self._each(receiver, lambda value: self._method(value, method, node, place))
        callee = self.value(func, place)
        return self._each(callee, lambda value: self._called(value, node, place))

    def _called(self, callee: Value, node: Node, place: Place) -> Value:  # noqa: PLR0911  # one return a kind of callee
        if isinstance(callee, Local):
            if callee.scope.kind == "class":
                return Local(callee.scope, instance=True, node=node, place=place, owner=callee.owner)
            if self.masks(callee.scope.name):
                return UNKNOWN
            if callee.owner is not None and callee.owner is not self:
                return foreign(callee.owner._returned(callee.scope))  # noqa: SLF001  # the same class, another module
            return self._returned(callee.scope)
        name = dotted(callee)
        if not name:
            return UNKNOWN
        if name in self.access.seals:
            return Sealed(self.argument(node, place))
        reader = self.access.calls.get(name)
        if reader is not None:
            return self._reader(reader, node, place)
        function = FUNCTIONS.get(name)
        if function is not None:
            return function(self, node, place)
        if name in self.access.masks or self.masks(name):
            return UNKNOWN
        return Instance(name, node, place)

    def _returned(self, scope: Scope) -> Value:
        if not scope.returns or len(scope.returns) > MAX_CHOICES:
            return UNKNOWN
        return one_of([self.value(node, place) for node, place in scope.returns])

    def _reader(self, reader: Reader, node: Node, place: Place) -> Value:
        names: tuple[str, ...] = ()
        default: Value | None = None
        position = 0
        for item in node.args:
            if item.star:
                continue
            if item.keyword is not None:
                is_name = item.keyword.value in reader.name_keywords
                is_default = item.keyword.value in reader.default_keywords
            else:
                is_name, is_default = position == reader.name_position, position == reader.default_position
                position += 1
            if is_name:
                names = tuple(
                    choice.text for choice in alternatives(self.value(item.value, place)) if isinstance(choice, Text)
                )
            elif is_default:
                default = self.value(item.value, place)
        return self._read(reader, names, default, node)

    def _read(self, reader: Reader, names: tuple[str, ...], default: Value | None, node: Node) -> Value:
        if reader.kind == "env":
            return EnvRead(names, default, reader.id, node)
        return SecretRead(reader.id, names, node)

    def masks(self, name: str) -> bool:
        """Tell whether a function's own name says that it masks what it is given."""
        word = name.rpartition(".")[2].lower()
        return any(mask in word for mask in self.access.mask_words)

    def _method(self, value: Value, name: str, node: Node, place: Place) -> Value:  # noqa: C901, PLR0911, PLR0912  # one arm a method
        if name in self.access.mask_methods:
            return UNKNOWN
        if isinstance(value, Sealed):
            return value.value if name in self.access.unwrap else UNKNOWN
        if name == "join":
            return self._joined(value, node, place)
        if name in {"format", "format_map"}:
            return self._format(value, node, place)
        if isinstance(value, Table) and name in {"get", "setdefault", "pop"} and node.args:
            key = self.value(node.args[0].value, place)
            found = value.get(key.text) if isinstance(key, Text) else None
            fallback = self.value(node.args[1].value, place) if len(node.args) > 1 else NULL
            return fallback if found is None and value.complete else UNKNOWN if found is None else found
        if isinstance(value, Table) and name in {"items", "values", "keys"}:
            if name == "items":
                return Items(tuple(Items((key, item)) for key, item in value.entries))
            return Items(tuple(item if name == "values" else key for key, item in value.entries))
        if name == "copy":
            return value
        if isinstance(value, (EnvRead, SecretRead, Joined)):
            keeps = name in _SAME_TEXT_METHODS or name in _STRIP or name in _CASE or name in {"replace", "removeprefix"}
            if keeps and node.args and isinstance(value, EnvRead) and isinstance(value.default, Text):
                # Of a variable nothing is known; its default is known, and is changed like any text.
                return EnvRead(value.names, self._method(value.default, name, node, place), value.reader, value.node)
            return value if keeps else UNKNOWN
        if not isinstance(value, Text):
            return UNKNOWN
        arguments = [self.value(item.value, place) for item in node.args]
        texts = [item.text for item in arguments if isinstance(item, Text)]
        if name in _SAME_TEXT_METHODS:
            if name == "decode" and texts and texts[0].replace("_", "").replace("-", "") == "rot13":
                return rot13(value)
            return value
        if name in _STRIP:
            if len(texts) != len(arguments):
                return UNKNOWN
            return _stripped(value, name, texts[0] if texts else None)
        if name in _CASE:
            return changed(value, _CASE[name](value.text), "pieces")
        if name == "replace" and len(texts) == 2 and len(arguments) <= 3:  # noqa: PLR2004  # old, new, count
            return self._replaced(value, arguments)
        if name == "removeprefix" and texts:
            return part_of(value, len(texts[0]) if value.text.startswith(texts[0]) else 0, len(value.text))
        if name == "removesuffix" and texts:
            cut = len(texts[0]) if texts[0] and value.text.endswith(texts[0]) else 0
            return part_of(value, 0, len(value.text) - cut)
        if name in {"split", "rsplit", "splitlines", "partition", "rpartition"}:
            return self._split(value, name, arguments)
        return UNKNOWN

    def _replaced(self, value: Text, arguments: list[Value]) -> Value:
        old, new = (item.text if isinstance(item, Text) else "" for item in arguments[:2])
        if not old or old not in value.text:
            return value
        text = value.text.replace(old, new) if len(value.text) * (len(new) + 1) < MAX_TEXT * 4 else ""
        result = changed(value, text, "pieces")
        extra = arguments[1]
        if isinstance(result, Text) and isinstance(extra, Text) and new:
            pieces = (*result.pieces, *(Piece(0, len(text), item.leaf) for item in extra.pieces))
            return Text(result.text, pieces[:MAX_PIECES], "pieces")
        return result

    def _split(self, value: Text, name: str, arguments: list[Value]) -> Value:
        mark = arguments[0].text if arguments and isinstance(arguments[0], Text) else None
        if (arguments and mark is None) or mark == "" or len(arguments) > 1:
            return UNKNOWN
        parts: list[Value] = []
        if name == "splitlines" or mark is None:
            words = value.text.splitlines() if name == "splitlines" else value.text.split()
            at = 0
            for word in words[:MAX_ITEMS]:
                at = value.text.find(word, at)
                parts.append(part_of(value, at, at + len(word)))
                at += len(word)
            return Items(tuple(parts))
        words = value.text.split(mark) if name in {"split", "rsplit"} else list(getattr(value.text, name)(mark))
        at = 0
        for word in words[:MAX_ITEMS]:
            parts.append(part_of(value, at, at + len(word)))
            at += len(word) + (len(mark) if name in {"split", "rsplit"} else 0)
        return Items(tuple(parts))

    def _joined(self, mark: Value, node: Node, place: Place) -> Value:
        if len(node.args) != 1:
            return UNKNOWN
        given = self.value(node.args[0].value, place)
        if isinstance(given, Text):
            if isinstance(mark, Text) and not mark.text:
                return given
            given = Items(tuple(part_of(given, at, at + 1) for at in range(min(len(given.text), MAX_PIECES))))
        if isinstance(given, Items):
            parts: list[Value] = []
            for item in given.items:
                if parts:
                    parts.append(mark)
                parts.append(item)
            return join(parts)
        if isinstance(given, Joined):
            return given
        return UNKNOWN

    def argument(self, node: Node, place: Place, position: int = 0) -> Value:
        """The value of a call's positional argument; Unset when there are fewer."""
        positional = [item for item in node.args if item.keyword is None and not item.star]
        return self.value(positional[position].value, place) if position < len(positional) else UNSET

    def exported(self, name: str) -> Value | None:
        """What another module gets that imports a name from here; literals no longer tell where they stand."""
        scope = self.index.scope
        if name not in scope.bindings:
            return None
        return foreign(self.lookup(name, Place(scope, float("inf"), scope.root)))

    def holds_environ(self, value: Value) -> bool:
        """Tell whether a value is the whole environment (`os.environ`, a copy of it, its items)."""
        name = dotted(value)
        for suffix in ("", ".copy()", ".items()", ".values()"):
            if name.endswith(suffix) and name[: len(name) - len(suffix)] in self.access.environs:
                return True
        return False


def _owner(name: str, place: Place) -> tuple[str, int]:
    """What tells two mappings of one name apart: a variable belongs to its function, a member to its object."""
    return name, 0 if "." in name else id(place.scope.function)


def _changes_of(index: Index) -> Iterator[tuple[str, Change]]:
    """Every `x[key] = …`, `x.setdefault(key, …)` and `x.update(…)` of a module, with the spelling of `x`."""
    for write in index.writes:
        target = write.target
        if type(target).__name__ == "Subscript":
            part = target.slice[0].slice if len(target.slice) == 1 else None
            key = plain_string(part.value) if part is not None and type(part).__name__ == "Index" else None
            yield spell(target.value), Change(key, write.node if key is not None else None, write.place)
    for call in index.calls:
        func = call.node.func
        if type(func).__name__ != "Attribute" or func.attr.value not in {"setdefault", "update"}:
            continue
        given = call.node.args
        name = spell(func.value)
        if func.attr.value == "setdefault":
            key = plain_string(given[0].value) if given and not given[0].star else None
            known = key is not None and len(given) > 1
            yield name, Change(key if known else None, given[1].value if known else None, call.place)
            continue
        for item in given:
            if item.keyword is not None:
                yield name, Change(item.keyword.value, item.value, call.place)
            else:
                yield name, Change(None, None if item.star == "*" else item.value, call.place)


def _parameter_slot(scope: Scope, binding: Binding) -> tuple[str, int | None]:
    """A parameter's name and its position among a call's positional arguments (None when keyword-only)."""
    params = scope.node.params
    positional = [item.name.value for item in (*params.posonly_params, *params.params)]
    if scope.self_name is not None:
        positional = positional[1:]
    name = next((name for name, found in scope.bindings.items() if any(item is binding for item in found)), "")
    return name, positional.index(name) if name in positional else None


def _given(call: Node, name: str, position: int | None) -> Node:
    """The expression a call gives for a parameter; None when it gives none, or hides it behind a star."""
    at = 0
    for item in call.args:
        if item.keyword is not None:
            if item.keyword.value == name:
                return item.value
        elif item.star:
            return None
        else:
            if at == position:
                return item.value
            at += 1
    return None


def _enclosing(scope: Scope, binding: Binding) -> Block:
    """The block a function's defaults are evaluated in, as far as the outer scope can tell."""
    for found in scope.bindings.values():
        for item in found:
            if item.kind == "function" and item.detail is binding.place.scope:
                return item.block
    return scope.root


def _annotation(node: Node) -> str:
    """The names in an annotation, cheaply."""
    names: list[str] = []
    stack = [node]
    while stack and len(names) < 8:  # noqa: PLR2004  # nobody hides a wrapper deeper than this
        item = stack.pop()
        kind = type(item).__name__
        if kind in {"Name", "Attribute"}:
            names.append(spell(item).rpartition(".")[2])
        elif kind == "Subscript":
            stack.append(item.value)
            stack.extend(part.slice.value for part in item.slice if type(part.slice).__name__ == "Index")
        elif kind == "BinaryOperation":
            stack.extend((item.left, item.right))
        elif kind == "SimpleString":
            names.append(plain_string(item) or "")
    return " ".join(names)


def _near(bindings: list[Binding], place: Place) -> list[Binding]:
    """Those made in the same function, around a place: they follow each other in order."""
    here = bisect_left(bindings, place.order, key=_order)
    window = bindings[max(here - MAX_REACHING, 0) : here + MAX_REACHING]
    return [item for item in window if item.place.scope is place.scope]


def _order(binding: Binding) -> float:
    return binding.order


def _reaching(bindings: list[Binding], order: float, block: Block) -> list[Binding]:
    """The bindings that can be the last before a place: back to a certain one, around loops, not across arms."""
    result: list[Binding] = []
    arms: dict[int, set[int]] = {}
    here = bisect_left(bindings, order, key=_order)
    loop = next((item for item in block.chain() if item.loop), None)
    if loop is not None:
        later = bindings[here : here + MAX_REACHING]
        result += [item for item in later if loop.holds(item.block) and item.kind not in {"function", "class"}]
    for at in range(here - 1, max(here - 1 - MAX_REACHING, -1), -1):
        binding = bindings[at]
        if binding.kind == "declare":
            continue
        if binding.block.holds(block):
            result.append(binding)
            break
        if _exclusive(binding.block, block):
            continue
        result.append(binding)
        fork = binding.block.fork
        if (
            fork is not None
            and fork.complete
            and binding.block.parent is not None
            and binding.block.parent.holds(block)
        ):
            seen = arms.setdefault(id(fork), set())
            seen.add(binding.block.arm)
            if len(seen) == fork.arms:
                break
    return result


def _exclusive(left: Block, right: Block) -> bool:
    """Tell whether two blocks lie in different arms of one fork, with no loop around to lead from one to the other."""
    chain = list(right.chain())
    for item in left.chain():
        if item.fork is None:
            continue
        for other in chain:
            if other.fork is item.fork and other.arm != item.arm:
                return not any(outer.loop for outer in item.chain())
    return False


def _always_false(value: Value) -> bool:
    return (
        isinstance(value, (Null, Unset))
        or (isinstance(value, Text) and not value.text)
        or value == Number(number=False)
    )


def _after_conversion(text: str, position: int) -> int:
    while position < len(text) and text[position] in "#0- +*.0123456789lhL":
        position += 1
    return min(position + 1, len(text))


def _braces(text: Text) -> Value:
    return changed(text, text.text.replace("}}", "}"), "pieces") if "}}" in text.text else text


def _stripped(value: Text, name: str, chars: str | None) -> Text:
    text = value.text
    start = len(text) - len(text.lstrip(chars)) if name != "rstrip" else 0
    end = len(text.rstrip(chars)) if name != "lstrip" else len(text)
    return part_of(value, start, max(start, end))


_TEXT_CALLS = frozenset(
    {
        "format", "format_map", "join", "replace", "removeprefix", "removesuffix", "split", "rsplit", "splitlines",
        "partition", "rpartition", "translate", "zfill", "get", "setdefault", "pop", "items", "values", "keys", "copy",
        "get_secret_value", "hexdigest", *_SAME_TEXT_METHODS, *_STRIP, *_CASE,
    }
)  # fmt: skip

_METHODS: Mapping[str, str] = {
    "Name": "_name",
    "Attribute": "_attribute",
    "SimpleString": "_string",
    "ConcatenatedString": "_implicit",
    "FormattedString": "_formatted",
    "TemplatedString": "_formatted",
    "Integer": "_number",
    "Float": "_number",
    "UnaryOperation": "_unary",
    "BinaryOperation": "_binary",
    "BooleanOperation": "_boolean",
    "IfExp": "_choice",
    "NamedExpr": "_walrus",
    "Await": "_await",
    "List": "_display",
    "Tuple": "_display",
    "Set": "_display",
    "Dict": "_dict",
    "ListComp": "_comprehension",
    "GeneratorExp": "_comprehension",
    "SetComp": "_comprehension",
    "Subscript": "_subscript",
    "Call": "_call",
    "Lambda": "_lambda",
}
