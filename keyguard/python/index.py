"""One walk over a module: its scopes and bindings, and every string, call and assignment with the part it plays."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keyguard.python.module import Module

Node = Any  # a LibCST node: importing the library for its types would cost 60 ms, and its unions help nobody here


class Fork:
    """A place where control takes one of several arms; `complete` when one of them is always taken."""

    __slots__ = ("arms", "complete")

    def __init__(self, arms: int, *, complete: bool) -> None:
        """Keep how many arms there are."""
        self.arms, self.complete = arms, complete


class Block:
    """A run of statements that is executed as a whole, or not at all; `loop` when perhaps many times.

    `node` is the statement it belongs to, an except clause included; a function's or module's own block has none.
    """

    __slots__ = ("arm", "depth", "fork", "loop", "node", "parent")

    def __init__(
        self,
        parent: Block | None,
        *,
        fork: Fork | None = None,
        arm: int = 0,
        loop: bool = False,
        node: Node = None,
    ) -> None:
        """Open a block below `parent`."""
        self.parent, self.fork, self.arm, self.loop, self.node = parent, fork, arm, loop, node
        self.depth: int = parent.depth + 1 if parent is not None else 0

    def holds(self, other: Block) -> bool:
        """Tell whether `other` is this block or lies inside it."""
        while other.depth > self.depth and other.parent is not None:
            other = other.parent
        return other is self

    def chain(self) -> Iterator[Block]:
        """Yield this block and those around it."""
        block: Block | None = self
        while block is not None:
            yield block
            block = block.parent


class Binding:
    """One thing that gives a name its value.

    `kind` is assign, unpack, augment, walrus, declare, param, for, with, import, module, function, class or other;
    `node` is the expression, `detail` the imported dotted name, the path into what is unpacked, or the scope defined.
    """

    __slots__ = ("annotation", "block", "detail", "kind", "node", "order", "place")

    def __init__(self, kind: str, node: Node, place: Place, detail: Any = None, annotation: Node = None) -> None:  # noqa: ANN401  # what it holds depends on `kind`
        """Bind at a place."""
        self.kind, self.node, self.place, self.detail, self.annotation = kind, node, place, detail, annotation
        self.order: float = place.order
        self.block = place.block


class Scope:
    """A namespace: `kind` is module, class, function or comprehension; `attributes` are what `self.x = …` set.

    `is_generator` says that a call of it runs nothing yet: its body holds a `yield`.
    """

    __slots__ = (
        "attributes",
        "bindings",
        "decorators",
        "foreign",
        "is_generator",
        "kind",
        "name",
        "node",
        "order",
        "parent",
        "returns",
        "root",
        "self_name",
        "stars",
    )

    def __init__(self, kind: str, node: Node, parent: Scope | None, name: str, root: Block) -> None:
        """Open a namespace; `root` is the block of its own statements."""
        self.kind, self.node, self.parent, self.name, self.root = kind, node, parent, name, root
        self.bindings: dict[str, list[Binding]] = {}
        self.attributes: dict[str, list[Binding]] = {}
        self.foreign: dict[str, str] = {}  # names declared global or nonlocal
        self.stars: list[str] = []  # modules star-imported here
        self.returns: list[tuple[Node, Place]] = []
        self.decorators: tuple[Node, ...] = ()
        self.self_name: str | None = None
        self.is_generator = False
        self.order = 0

    @property
    def function(self) -> Scope:
        """The function, class or module this scope runs in."""
        scope = self
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        return scope

    @property
    def module(self) -> Scope:
        """The module's scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


class Place:
    """Where an expression is evaluated: the scope, the statement's number, the block."""

    __slots__ = ("block", "order", "scope")

    def __init__(self, scope: Scope, order: float, block: Block) -> None:
        """Keep all three."""
        self.scope, self.order, self.block = scope, order, block


class Role:
    """The part an expression plays; `parent` is the role of the expression around it.

    Kinds: argument, assign, field, attribute, subscript-assign, dict-value, dict-key, element, subscript, default,
    fallback, choice, part, compare, test, return, raise, docstring, expression … `names` are those it is given: target,
    parameter, key. `node` is the construct: the call, the statement, the parameter, the dictionary.
    """

    __slots__ = ("kind", "names", "node", "parent", "position")

    def __init__(
        self,
        kind: str,
        parent: Role | None = None,
        node: Node = None,
        names: tuple[str, ...] = (),
        position: int | None = None,
    ) -> None:
        """Describe the part."""
        self.kind = kind
        self.parent, self.node, self.names, self.position = parent, node, names, position

    def up(self) -> Iterator[Role]:
        """Yield this role and those around it, inside out."""
        role: Role | None = self
        while role is not None:
            yield role
            role = role.parent

    @property
    def outer(self) -> Role:
        """The first role that is more than being a piece of an expression or one of its alternatives."""
        for role in self.up():
            if role.kind not in {"part", "choice"}:
                return role
        return self


_NO_ROLE = Role("expression")


class Use(Struct):
    """An expression with its role and place; `root` is the outermost string expression it is a piece of."""

    node: Node
    role: Role
    place: Place
    root: Node = None


class CallUse(Use):
    """A call; `statement` is True when its value is thrown away."""

    statement: bool = False


class Write(Struct):
    """An assignment: `target` gets the value of `node`; `targets` counts how many get the same value."""

    target: Node
    node: Node
    place: Place
    statement: Node
    annotation: Node = None


class With(Struct):
    """A `with` statement: its items are evaluated at `place`, its body's statements have orders up to `last`."""

    node: Node
    place: Place
    last: float = 0

    def holds(self, place: Place) -> bool:
        """Tell whether a statement of the same function stands in its body."""
        return place.scope.function is self.place.scope.function and self.place.order < place.order <= self.last


class Index(Struct):
    """What one walk found, in source order.

    `awaited` holds the `id` of every expression that is awaited, by `async with` and `async for` too.
    """

    module: Module
    scope: Scope
    strings: list[Use] = field(default_factory=list)
    composites: list[Use] = field(default_factory=list)
    calls: list[CallUse] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    raises: list[Use] = field(default_factory=list)
    returns: list[Use] = field(default_factory=list)
    displays: list[Use] = field(default_factory=list)  # a notebook cell's bare last expression
    scopes: list[Scope] = field(default_factory=list)
    attributes: dict[str, list[Binding]] = field(default_factory=dict)  # `a.b.c = …` by its spelling
    imports: list[tuple[str, Place]] = field(default_factory=list)
    imported: list[tuple[str, Node, Place]] = field(default_factory=list)  # what is imported in full, where it is named
    loops: list[tuple[Node, Block, Place]] = field(default_factory=list)  # for and while: the block of the body
    tries: list[tuple[Node, Block, Place]] = field(default_factory=list)  # try: the block of its body
    withs: list[With] = field(default_factory=list)
    awaited: set[int] = field(default_factory=set)

    def release(self) -> None:
        """Let go of what refers back, so that the tree is freed at once; nothing can be asked of it after that.

        Scopes and what is bound in them hold each other, and looking for such garbage took a tenth of a run over a
        million lines.
        """
        for scope in self.scopes:
            scope.bindings.clear()
            scope.attributes.clear()
            scope.returns.clear()


# Methods that give a string from a string: the whole chain is one string expression.
TEXT_METHODS = frozenset(
    {
        "format", "format_map", "join", "replace", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "lower",
        "upper", "encode", "decode", "translate", "casefold", "swapcase", "expandtabs", "zfill", "ljust", "rjust",
        "center",
    }
)  # fmt: skip
# Functions that give a string from a string and can hide a key in plain sight.
DECODERS = frozenset(
    {
        "b64decode", "standard_b64decode", "urlsafe_b64decode", "decodebytes", "b32decode", "b16decode", "b85decode",
        "a85decode", "fromhex", "unhexlify", "a2b_hex", "a2b_base64", "reversed", "chr", "unquote", "unquote_plus",
        "bytes", "bytearray", "join",
    }
)  # fmt: skip


def index(module: Module, package: str = "", *, is_package: bool = False) -> Index:
    """Walk a module once. `package` is its dotted name in the project, by which relative imports are resolved."""
    return _Walk(module, package, is_package=is_package).run()


class _End:
    """Stands on the walk's stack below a statement's body: when it comes up, the body is done."""

    __slots__ = ("of",)

    def __init__(self, of: With) -> None:
        self.of = of


class _Walk:
    """The walk: a stack of (node, role, place) and one function for each kind of node that matters."""

    def __init__(self, module: Module, package: str, *, is_package: bool) -> None:
        self.package = package if is_package else package.rpartition(".")[0]
        self.known = bool(package)
        root = Block(None)
        self.scope = Scope("module", module.tree, None, package, root)
        self.index = Index(module, self.scope, scopes=[self.scope])
        self.stack: list[tuple[Node, Role, Place]] = []
        self.order = 0
        self.plain_roles: dict[str, Role] = {}

    def run(self) -> Index:
        self.body(self.index.module.tree.body, Place(self.scope, 0, self.scope.root))
        stack, handlers, fields = self.stack, self.handlers(), _children_table()
        pop = stack.pop
        while stack:
            node, role, place = pop()
            kind = type(node).__name__
            handler = handlers.get(kind)
            if handler is not None:
                handler(node, role, place)
                continue
            for name in fields.get(kind, ()):
                child = getattr(node, name)
                if child is None:
                    continue
                if isinstance(child, (list, tuple)):
                    for item in reversed(child):
                        stack.append((item, _NO_ROLE, place))
                elif type(child).__name__ != "MaybeSentinel":
                    stack.append((child, _NO_ROLE, place))
        return self.index

    def handlers(self) -> dict[str, Callable[[Node, Role, Place], None]]:
        nothing = self.nothing
        return {
            "SimpleStatementLine": self.line,
            "SimpleStatementSuite": self.line,
            "IndentedBlock": self.suite,
            "Expr": self.expression,
            "Assign": self.assign,
            "AnnAssign": self.annotated,
            "AugAssign": self.augmented,
            "Return": self.give_back,
            "Raise": self.throw,
            "Import": self.import_,
            "ImportFrom": self.import_from,
            "LazyImport": self.import_,
            "LazyImportFrom": self.import_from,
            "FunctionDef": self.function,
            "ClassDef": self.class_,
            "If": self.if_,
            "For": self.for_,
            "While": self.while_,
            "With": self.with_,
            "_End": self.end,
            "Try": self.try_,
            "TryStar": self.try_,
            "Match": self.match,
            "Global": self.declare,
            "Nonlocal": self.declare,
            "Del": self.delete,
            "SimpleString": self.string,
            "ConcatenatedString": self.string,
            "FormattedString": self.formatted,
            "TemplatedString": self.formatted,
            "BinaryOperation": self.binary,
            "BooleanOperation": self.boolean,
            "IfExp": self.choice,
            "Comparison": self.compare,
            "Call": self.call,
            "Subscript": self.subscript,
            "Dict": self.dict_,
            "List": self.sequence,
            "Tuple": self.sequence,
            "Set": self.sequence,
            "NamedExpr": self.walrus,
            "Lambda": self.lambda_,
            "ListComp": self.comprehension,
            "SetComp": self.comprehension,
            "GeneratorExp": self.comprehension,
            "DictComp": self.comprehension,
            "StarredDictComp": self.comprehension,
            "Attribute": self.attribute,
            "Await": self.await_,
            "Yield": self.yield_,
            "Name": nothing,
            "Integer": nothing,
            "Float": nothing,
            "Imaginary": nothing,
            "Ellipsis": nothing,
            "Pass": nothing,
            "Break": nothing,
            "Continue": nothing,
            "Annotation": nothing,
        }

    def nothing(self, _node: Node, _role: Role, _place: Place) -> None:
        return

    def push(self, node: Node, role: Role, place: Place) -> None:
        if node is not None and type(node).__name__ != "MaybeSentinel":
            self.stack.append((node, role, place))

    def body(self, statements: Any, place: Place) -> None:  # noqa: ANN401  # a list of statements
        for statement in reversed(statements):
            self.stack.append((statement, _NO_ROLE, place))

    def block(self, node: Node, scope: Scope, block: Block) -> None:
        """Push the body of a compound statement."""
        if node is not None:
            self.stack.append((node, _NO_ROLE, Place(scope, self.order, block)))

    def next(self, place: Place) -> Place:
        self.order += 1
        return Place(place.scope, self.order, place.block)

    def bind(self, name: str, binding: Binding, scope: Scope) -> None:
        owner = scope.function if binding.kind == "walrus" else scope
        word = owner.foreign.get(name)
        if word == "global":
            owner = owner.module
        elif word == "nonlocal":
            outer = owner.parent
            while outer is not None and outer.parent is not None and name not in outer.bindings:
                outer = outer.parent
            owner = outer or owner
        if word:
            binding.block = Block(owner.root)
        owner.bindings.setdefault(name, []).append(binding)

    # statements

    def line(self, node: Node, _role: Role, place: Place) -> None:
        for statement in reversed(node.body):
            self.stack.append((statement, _NO_ROLE, place))

    def suite(self, node: Node, _role: Role, place: Place) -> None:
        for statement in reversed(node.body):
            self.stack.append((statement, _NO_ROLE, place))

    def expression(self, node: Node, _role: Role, place: Place) -> None:
        place = self.next(place)
        value = node.value
        kind = type(value).__name__
        if kind == "SimpleString" or (kind == "ConcatenatedString" and _plain(value)):
            self.index.strings.append(Use(value, Role("docstring", None, node), place))
            return
        role = Role("expression", None, node)
        if place.scope.kind == "module":
            self.index.displays.append(Use(value, role, place))
        self.stack.append((value, role, place))

    def assign(self, node: Node, _role: Role, place: Place) -> None:
        place = self.next(place)
        names: list[str] = []
        for target in node.targets:
            names.extend(_target_names(target.target))
        kind = "field" if place.scope.kind == "class" else "assign"
        first = node.targets[0].target
        first_kind = type(first).__name__
        if first_kind == "Subscript":
            kind = "subscript-assign"
        elif first_kind == "Attribute":
            kind = "attribute"
        for target in node.targets:
            self.target(target.target, node.value, place, node)
        for target in reversed(node.targets):
            if type(target.target).__name__ != "Name":
                self.stack.append((target.target, Role("target"), place))
        holder = first if kind in {"attribute", "subscript-assign"} else node
        self.stack.append((node.value, Role(kind, None, holder, tuple(names)), place))

    def annotated(self, node: Node, _role: Role, place: Place) -> None:
        place = self.next(place)
        kind = "field" if place.scope.kind == "class" else "assign"
        self.push(node.annotation.annotation, Role("annotation"), place)
        if node.value is None:
            if type(node.target).__name__ == "Name":
                self.bind(
                    node.target.value, Binding("declare", None, place, None, node.annotation.annotation), place.scope
                )
            return
        self.target(node.target, node.value, place, node, node.annotation.annotation)
        holder = node
        if type(node.target).__name__ == "Attribute":
            kind, holder = "attribute", node.target
        self.stack.append((node.value, Role(kind, None, holder, tuple(_target_names(node.target))), place))

    def augmented(self, node: Node, _role: Role, place: Place) -> None:
        place = self.next(place)
        role = Role("assign", None, node, tuple(_target_names(node.target)))
        if type(node.target).__name__ == "Name":
            self.bind(node.target.value, Binding("augment", node, place), place.scope)
        elif type(node.target).__name__ == "Attribute":
            self.attribute_binding(node.target, Binding("augment", node, place))
        self.index.composites.append(Use(node, role, place))
        self.stack.append((node.value, Role("part", role), place))
        self.stack.append((node.target, Role("target"), place))

    def target(self, target: Node, value: Node, place: Place, statement: Node, annotation: Node = None) -> None:
        kind = type(target).__name__
        self.index.writes.append(Write(target, value, place, statement, annotation))
        if kind == "Name":
            self.bind(target.value, Binding("assign", value, place, None, annotation), place.scope)
        elif kind == "Attribute":
            self.attribute_binding(target, Binding("assign", value, place, None, annotation))
        elif kind in {"Tuple", "List"}:
            self.unpack(target, "unpack", value, place, ())

    def attribute_binding(self, target: Node, binding: Binding) -> None:
        place = binding.place
        base = target.value
        if type(base).__name__ == "Name":
            function = place.scope.function
            owner = function.parent
            if owner is not None and owner.kind == "class" and base.value == function.self_name:
                owner.attributes.setdefault(target.attr.value, []).append(binding)
                return
        spelled = spell(target)
        if spelled:
            self.index.attributes.setdefault(spelled, []).append(binding)

    def unpack(self, target: Node, kind: str, value: Node, place: Place, path: tuple[Any, ...]) -> None:
        elements = target.elements
        star = next((i for i, item in enumerate(elements) if type(item).__name__ == "StarredElement"), None)
        for position, element in enumerate(elements):
            here: Any = position if star is None or position < star else None
            inner = element.value
            inner_kind = type(inner).__name__
            if inner_kind == "Name":
                self.bind(inner.value, Binding(kind, value, place, (*path, here)), place.scope)
            elif inner_kind in {"Tuple", "List"}:
                self.unpack(inner, kind, value, place, (*path, here))
            elif inner_kind == "Attribute":
                self.attribute_binding(inner, Binding(kind, value, place, (*path, here)))

    def give_back(self, node: Node, _role: Role, place: Place) -> None:
        place = self.next(place)
        if node.value is not None:
            function = place.scope.function
            function.returns.append((node.value, place))
            role = Role("return", None, node, (function.name,))
            self.index.returns.append(Use(node.value, role, place))
            self.stack.append((node.value, role, place))

    def throw(self, node: Node, _role: Role, place: Place) -> None:
        place = self.next(place)
        role = Role("raise", None, node)
        if node.exc is not None:
            self.index.raises.append(Use(node.exc, role, place))
        self.push(node.cause.item if node.cause is not None else None, role, place)
        self.push(node.exc, role, place)

    def import_(self, node: Node, _role: Role, place: Place) -> None:
        place = self.next(place)
        for alias in node.names:
            dotted = spell(alias.name)
            self.index.imports.append((dotted, place))
            self.index.imported.append((dotted, alias.name, place))
            if alias.asname is not None and type(alias.asname.name).__name__ == "Name":
                self.bind(alias.asname.name.value, Binding("import", None, place, dotted), place.scope)
            else:
                top = dotted.partition(".")[0]
                self.bind(top, Binding("module", None, place, top), place.scope)

    def import_from(self, node: Node, _role: Role, place: Place) -> None:
        place = self.next(place)
        base = spell(node.module) if node.module is not None else ""
        level = len(node.relative)
        if level:
            base = self.relative(base, level)
        self.index.imports.append((base, place))
        if type(node.names).__name__ == "ImportStar":
            place.scope.stars.append(base)
            return
        for alias in node.names:
            name = alias.name.value
            self.index.imported.append((f"{base}.{name}", alias.name, place))
            bound = alias.asname.name.value if alias.asname is not None else name
            self.bind(bound, Binding("import", None, place, f"{base}.{name}"), place.scope)

    def relative(self, base: str, level: int) -> str:
        """Name the module of a relative import; one that leaves the package keeps its dots and resolves to nothing."""
        package = self.package
        for _ in range(level - 1):
            package = package.rpartition(".")[0] if package else ""
        if self.known and (package or level == 1):
            return ".".join(part for part in (package, base) if part)
        return "." * level + base

    def function(self, node: Node, _role: Role, place: Place) -> None:
        place = self.next(place)
        self.bind(node.name.value, Binding("function", node, place), place.scope)
        scope = Scope("function", node, place.scope, node.name.value, Block(None))
        scope.decorators = tuple(decorator.decorator for decorator in node.decorators)
        scope.order = self.order
        self.index.scopes.append(scope)
        binding = place.scope.bindings.get(node.name.value)
        if binding:
            binding[-1].detail = scope
        self.block(node.body, scope, scope.root)
        if node.returns is not None:
            self.stack.append((node.returns.annotation, Role("annotation"), place))
        self.parameters(node.params, place, scope)
        for decorator in reversed(node.decorators):
            self.stack.append((decorator.decorator, Role("decorator", None, node), place))

    def parameters(self, params: Node, place: Place, scope: Scope) -> None:
        """Bind the parameters; their defaults belong to the place of the definition."""
        inner = Place(scope, place.order, scope.root)
        positional = (*params.posonly_params, *params.params)
        static = any(type(item).__name__ == "Name" and item.value == "staticmethod" for item in scope.decorators)
        if place.scope.kind == "class" and positional and not static:
            scope.self_name = positional[0].name.value
        pushed: list[tuple[Node, Role, Place]] = []
        for param in (*positional, *params.kwonly_params):
            annotation = param.annotation.annotation if param.annotation is not None else None
            scope.bindings.setdefault(param.name.value, []).append(
                Binding("param", param.default, inner, place, annotation)
            )
            if annotation is not None:
                pushed.append((annotation, Role("annotation"), place))
            if param.default is not None:
                pushed.append((param.default, Role("default", None, param, (param.name.value,)), place))
        for star in (params.star_arg, params.star_kwarg):
            if type(star).__name__ == "Param":
                scope.bindings.setdefault(star.name.value, []).append(Binding("other", None, inner))
        self.stack.extend(reversed(pushed))

    def class_(self, node: Node, _role: Role, place: Place) -> None:
        place = self.next(place)
        scope = Scope("class", node, place.scope, node.name.value, Block(place.block))
        scope.decorators = tuple(decorator.decorator for decorator in node.decorators)
        self.index.scopes.append(scope)
        self.bind(node.name.value, Binding("class", node, place, scope), place.scope)
        self.block(node.body, scope, scope.root)
        for argument in reversed((*node.bases, *node.keywords)):
            self.push(argument.value, Role("base", None, node), place)
        for decorator in reversed(node.decorators):
            self.stack.append((decorator.decorator, Role("decorator", None, node), place))

    def if_(self, node: Node, _role: Role, place: Place) -> None:
        arms: list[Node] = []
        current: Node = node
        while type(current).__name__ == "If":
            arms.append(current)
            current = current.orelse
        fork = Fork(len(arms) + (current is not None), complete=current is not None)
        if current is not None:
            self.block(current.body, place.scope, Block(place.block, fork=fork, arm=len(arms), node=node))
        header = self.next(place)
        for number, arm in reversed(list(enumerate(arms))):
            self.block(arm.body, place.scope, Block(place.block, fork=fork, arm=number, node=arm))
            self.stack.append((arm.test, Role("test", None, arm), header))

    def for_(self, node: Node, _role: Role, place: Place) -> None:
        header = self.next(place)
        block = Block(place.block, loop=True, node=node)
        self.index.loops.append((node, block, header))
        if node.asynchronous is not None:
            self.index.awaited.add(id(node.iter))
        inner = Place(place.scope, self.order, block)
        self.loop_target(node.target, node.iter, inner)
        if node.orelse is not None:
            self.block(node.orelse.body, place.scope, Block(place.block, node=node.orelse))
        self.block(node.body, place.scope, block)
        self.stack.append((node.target, Role("target"), inner))
        self.stack.append((node.iter, Role("iterated", None, node, tuple(_target_names(node.target))), header))

    def loop_target(self, target: Node, iterated: Node, place: Place) -> None:
        if type(target).__name__ == "Name":
            self.bind(target.value, Binding("for", iterated, place, ()), place.scope)
        elif type(target).__name__ in {"Tuple", "List"}:
            self.unpack(target, "for", iterated, place, ())

    def while_(self, node: Node, _role: Role, place: Place) -> None:
        header = self.next(place)
        if node.orelse is not None:
            self.block(node.orelse.body, place.scope, Block(place.block, node=node.orelse))
        block = Block(place.block, loop=True, node=node)
        self.index.loops.append((node, block, header))
        self.block(node.body, place.scope, block)
        self.stack.append((node.test, Role("test", None, node), header))

    def with_(self, node: Node, _role: Role, place: Place) -> None:
        header = self.next(place)
        found = With(node, header)
        self.index.withs.append(found)
        self.stack.append((_End(found), _NO_ROLE, place))
        self.block(node.body, place.scope, place.block)
        for item in node.items:
            if item.asname is not None and type(item.asname.name).__name__ == "Name":
                self.bind(item.asname.name.value, Binding("with", item.item, header), place.scope)
            elif item.asname is not None:
                for name in _target_names(item.asname.name):
                    self.bind(name, Binding("other", None, header), place.scope)
        for item in reversed(node.items):
            if node.asynchronous is not None:
                self.index.awaited.add(id(item.item))
            if item.asname is not None:
                self.stack.append((item.asname.name, Role("target"), header))
            self.stack.append((item.item, Role("with", None, node), header))

    def end(self, node: Node, _role: Role, _place: Place) -> None:
        node.of.last = self.order

    def try_(self, node: Node, _role: Role, place: Place) -> None:
        place = self.next(place)
        if node.finalbody is not None:
            self.block(node.finalbody.body, place.scope, place.block)
        fork = Fork(1 + len(node.handlers), complete=bool(node.handlers))
        if node.orelse is not None:
            self.block(node.orelse.body, place.scope, Block(place.block, fork=fork, node=node.orelse))
        for number, handler in reversed(list(enumerate(node.handlers))):
            block = Block(place.block, fork=fork, arm=number + 1, node=handler)
            inner = Place(place.scope, self.order, block)
            if handler.name is not None and type(handler.name.name).__name__ == "Name":
                self.bind(handler.name.name.value, Binding("other", handler.type, inner), place.scope)
            self.block(handler.body, place.scope, block)
            self.push(handler.type, _NO_ROLE, place)
        block = Block(place.block, fork=fork, node=node)
        self.index.tries.append((node, block, place))
        self.block(node.body, place.scope, block)

    def match(self, node: Node, _role: Role, place: Place) -> None:
        from keyguard.python.module import walk  # noqa: PLC0415  # patterns are rare; keeps this module's top plain

        header = self.next(place)
        fork = Fork(len(node.cases), complete=False)
        for number, case in reversed(list(enumerate(node.cases))):
            block = Block(place.block, fork=fork, arm=number)
            inner = Place(place.scope, self.order, block)
            for part in walk(case.pattern):
                kind = type(part).__name__
                if kind in {"MatchAs", "MatchStar"} and part.name is not None:
                    self.bind(part.name.value, Binding("other", None, inner), place.scope)
                elif kind == "MatchMapping" and part.rest is not None:
                    self.bind(part.rest.value, Binding("other", None, inner), place.scope)
            self.block(case.body, place.scope, block)
            self.push(case.guard, _NO_ROLE, inner)
            self.stack.append((case.pattern, Role("compare", None, node), header))
        self.stack.append((node.subject, Role("compare", None, node), header))

    def declare(self, node: Node, _role: Role, place: Place) -> None:
        word = type(node).__name__.lower()
        for item in node.names:
            place.scope.function.foreign[item.name.value] = word

    def delete(self, node: Node, _role: Role, place: Place) -> None:
        place = self.next(place)
        for name in _target_names(node.target):
            if type(node.target).__name__ in {"Name", "Tuple"}:
                self.bind(name, Binding("other", None, place), place.scope)
        self.stack.append((node.target, Role("target"), place))

    # expressions

    def string(self, node: Node, role: Role, place: Place) -> None:
        if type(node).__name__ == "ConcatenatedString" and not _plain(node):
            inner = self.composite(node, role, place)
            for leaf in reversed(flatten(node)):
                self.stack.append((leaf, inner, place))
            return
        self.index.strings.append(Use(node, role, place, _root(role)))

    def formatted(self, node: Node, role: Role, place: Place) -> None:
        inner = self.composite(node, role, place)
        self.index.strings.append(Use(node, inner, place, _root(inner)))
        for part in reversed(node.parts):
            if type(part).__name__ in {"FormattedStringExpression", "TemplatedStringExpression"}:
                if part.format_spec:
                    for piece in reversed(part.format_spec):
                        if hasattr(piece, "expression"):
                            self.stack.append((piece.expression, _NO_ROLE, place))
                self.stack.append((part.expression, Role("part", inner, node), place))

    def composite(self, node: Node, role: Role, place: Place) -> Role:
        """Return the role of the pieces of a string expression; the outermost one is recorded."""
        if role.kind == "part":
            return role
        self.index.composites.append(Use(node, role, place))
        return Role("part", role, node)

    def binary(self, node: Node, role: Role, place: Place) -> None:
        operator = type(node.operator).__name__
        if operator not in {"Add", "Modulo", "Multiply"}:
            self.stack.append((node.right, _NO_ROLE, place))
            self.stack.append((node.left, _NO_ROLE, place))
            return
        if operator == "Add":
            terms = operands(node)
            inner = self.composite(node, role, place)
            for term in reversed(terms):
                self.stack.append((term, inner, place))
            return
        inner = self.composite(node, role, place)
        self.stack.append((node.right, inner, place))
        self.stack.append((node.left, inner, place))

    def boolean(self, node: Node, role: Role, place: Place) -> None:
        is_or = type(node.operator).__name__ == "Or"
        terms = operands(node)
        for position, term in reversed(list(enumerate(terms))):
            kind = "fallback" if is_or and position else "choice" if is_or or position == len(terms) - 1 else "test"
            self.stack.append((term, Role(kind, role, node), place))

    def choice(self, node: Node, role: Role, place: Place) -> None:
        inner = Role("choice", role, node)
        self.stack.append((node.orelse, inner, place))
        self.stack.append((node.test, Role("test", None, node), place))
        self.stack.append((node.body, inner, place))

    def compare(self, node: Node, _role: Role, place: Place) -> None:
        names = tuple(
            name
            for side in (node.left, *(item.comparator for item in node.comparisons))
            for name in _target_names(side)
        )
        role = Role("compare", None, node, names)
        for item in reversed(node.comparisons):
            self.stack.append((item.comparator, role, place))
        self.stack.append((node.left, role, place))

    def attribute(self, node: Node, _role: Role, place: Place) -> None:
        base = node.value
        while type(base).__name__ == "Attribute":
            base = base.value
        if type(base).__name__ != "Name":
            self.stack.append((base, _NO_ROLE, place))

    def await_(self, node: Node, role: Role, place: Place) -> None:
        self.index.awaited.add(id(node.expression))
        self.stack.append((node.expression, role, place))

    def yield_(self, node: Node, _role: Role, place: Place) -> None:
        place.scope.function.is_generator = True
        value = node.value
        if value is not None:
            self.stack.append((value.item if type(value).__name__ == "From" else value, _NO_ROLE, place))

    def call(self, node: Node, role: Role, place: Place) -> None:
        func = node.func
        self.index.calls.append(CallUse(node, role, place, _root(role), role.kind == "expression"))
        method = func.attr.value if type(func).__name__ == "Attribute" else ""
        name = method or (func.value if type(func).__name__ == "Name" else "")
        if method in TEXT_METHODS:
            inner = self.composite(node, role, place)
            for argument in reversed(node.args):
                self.stack.append((argument.value, inner, place))
            self.stack.append((func.value, inner, place))
            return
        if name in DECODERS and role.kind != "part":
            self.index.composites.append(Use(node, role, place))
        position = 0
        pushed: list[tuple[Node, Role, Place]] = []
        for argument in node.args:
            if argument.star:
                pushed.append((argument.value, Role("argument", role, node, (), -len(argument.star)), place))
                continue
            if argument.keyword is not None:
                pushed.append((argument.value, Role("argument", role, node, (argument.keyword.value,)), place))
            else:
                pushed.append((argument.value, Role("argument", role, node, (), position), place))
                position += 1
        self.stack.extend(reversed(pushed))
        if type(func).__name__ != "Name":
            self.stack.append((func, Role("callee", None, node), place))

    def subscript(self, node: Node, role: Role, place: Place) -> None:
        sliced = len(node.slice) == 1 and type(node.slice[0].slice).__name__ == "Slice"
        inner = self.composite(node, role, place) if sliced else _NO_ROLE
        for element in reversed(node.slice):
            part = element.slice
            if type(part).__name__ == "Index":
                self.stack.append((part.value, Role("subscript", role, node), place))
            else:
                for bound in (part.lower, part.upper, part.step):
                    self.push(bound, _NO_ROLE, place)
        self.stack.append((node.value, inner, place))

    def dict_(self, node: Node, role: Role, place: Place) -> None:
        pushed: list[tuple[Node, Role, Place]] = []
        for element in node.elements:
            if type(element).__name__ == "DictElement":
                name = plain_string(element.key)
                pushed.append((element.key, Role("dict-key", role, node), place))
                names = (name,) if name is not None else tuple(_target_names(element.key))
                pushed.append((element.value, Role("dict-value", role, node, names), place))
            else:
                pushed.append((element.value, Role("element", role, node), place))
        self.stack.extend(reversed(pushed))

    def sequence(self, node: Node, role: Role, place: Place) -> None:
        if role.kind == "target":
            for element in reversed(node.elements):
                self.stack.append((element.value, role, place))
            return
        for position, element in reversed(list(enumerate(node.elements))):
            self.stack.append((element.value, Role("element", role, node, (), position), place))

    def walrus(self, node: Node, role: Role, place: Place) -> None:
        binding = Binding("walrus", node.value, place)
        binding.order = place.order - 0.5
        self.bind(node.target.value, binding, place.scope)
        self.stack.append((node.value, Role("assign", role, node, (node.target.value,)), place))

    def lambda_(self, node: Node, role: Role, place: Place) -> None:
        scope = Scope("function", node, place.scope, "<lambda>", Block(None))
        scope.order = self.order
        self.index.scopes.append(scope)
        inner = Place(scope, place.order, scope.root)
        scope.returns.append((node.body, inner))
        self.stack.append((node.body, Role("return", role, node), inner))
        self.parameters(node.params, place, scope)

    def comprehension(self, node: Node, role: Role, place: Place) -> None:
        scope = Scope("comprehension", node, place.scope, "<comprehension>", place.block)
        self.index.scopes.append(scope)
        inner = Place(scope, place.order, place.block)
        clause = node.for_in
        pushed: list[tuple[Node, Role, Place]] = []
        while clause is not None:
            if clause.asynchronous is not None:
                self.index.awaited.add(id(clause.iter))
            self.loop_target(clause.target, clause.iter, inner)
            pushed.append((clause.iter, Role("iterated", None, clause), inner))
            pushed.extend((condition.test, Role("test", None, clause), inner) for condition in clause.ifs)
            clause = clause.inner_for_in
        self.stack.extend(reversed(pushed))
        for name in ("value", "key", "elt"):
            part = getattr(node, name, None)
            if part is not None:
                self.stack.append((part, Role("element", role, node), inner))


def _children_table() -> dict[str, tuple[str, ...]]:
    from keyguard.python.module import FIELDS  # noqa: PLC0415  # see `_Walk.match`

    return dict(FIELDS)


def _root(role: Role) -> Node:
    return role.node if role.kind == "part" else None


def operands(node: Node) -> list[Node]:
    """Flatten a left-leaning chain of one operator: `a + b + c` gives its three terms."""
    operator = type(node.operator)
    terms: list[Node] = []
    while type(node).__name__ in {"BinaryOperation", "BooleanOperation"} and type(node.operator) is operator:
        terms.append(node.right)
        node = node.left
    terms.append(node)
    terms.reverse()
    return terms


def flatten(node: Node) -> list[Node]:
    """The literals of an implicit concatenation, in order."""
    leaves: list[Node] = []
    while type(node).__name__ == "ConcatenatedString":
        leaves.append(node.left)
        node = node.right
    leaves.append(node)
    return leaves


def _plain(node: Node) -> bool:
    """Tell whether an implicit concatenation has no f-string among its literals."""
    return all(type(leaf).__name__ == "SimpleString" for leaf in flatten(node))


def spell(node: Node) -> str:
    """Spell a chain of names and attributes (`a.b.c`); empty when it is something else."""
    parts: list[str] = []
    while type(node).__name__ == "Attribute":
        parts.append(node.attr.value)
        node = node.value
    if type(node).__name__ != "Name":
        return ""
    parts.append(node.value)
    return ".".join(reversed(parts))


def plain_string(node: Node) -> str | None:
    """The text of a literal without escapes, cheaply; None for anything else."""
    if type(node).__name__ != "SimpleString":
        return None
    raw: str = node.value
    quote = raw[-1]
    if "\\" in raw:
        return None
    body = raw[raw.index(quote) :]
    return body[3:-3] if body.startswith(quote * 3) and len(body) > 5 else body[1:-1]  # noqa: PLR2004  # two triple quotes


def _target_names(node: Node) -> list[str]:
    """The names by which people know what is written here: variables, attributes, text subscripts."""
    kind = type(node).__name__
    if kind == "Name":
        return [node.value]
    if kind == "Attribute":
        return [node.attr.value]
    if kind == "Subscript" and len(node.slice) == 1 and type(node.slice[0].slice).__name__ == "Index":
        text = plain_string(node.slice[0].slice.value)
        return [text] if text is not None else _target_names(node.slice[0].slice.value)
    if kind in {"Tuple", "List"}:
        return [name for element in node.elements for name in _target_names(element.value)]
    return []
