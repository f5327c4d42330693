"""Finds the keys of a module: in literals, in what is put together from them, and in what an SDK is given."""

from __future__ import annotations

import re

from msgspec import Struct

from keyguard.patterns import regex
from keyguard.python import values as v
from keyguard.python.around import DOUBLE_STAR, Around, Surroundings, is_argument, leaves_of
from keyguard.python.index import Place, Role, plain_string, spell
from keyguard.secrets.shapes import Context, keys_in_text, keys_in_value, looks_unknown
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyguard.knowledge import OptionDefiner
    from keyguard.python.index import CallUse, Node, Use
    from keyguard.python.module import Module
    from keyguard.python.values import Text, Value
    from keyguard.secrets.shapes import KeyMatch

SHORTEST_KEY = 16  # characters: shorter than any key of the catalogue
QUERY_PARAMETERS = frozenset({"params", "query", "fields"})  # arguments whose mapping becomes a URL's query
LONG_TEXT = 200  # characters: in a longer literal, or one of several lines, a finding points at the key itself
UNKNOWN_KEY = 20  # characters a literal of no known shape must have to be taken for a key (rule KG101)
RUN = regex(rf"[A-Za-z0-9_.+/=|:-]{{{SHORTEST_KEY}}}")
URL_NAME = regex(r"[?&]([A-Za-z0-9_-]{1,40})=[ ]?$")
USER_PART = regex(r"[a-z][a-z0-9+.-]{1,15}://(?:[^/\s@:\"']{0,80}:)?$")
_CREDENTIAL = regex(r"key|token|secret|auth|bearer|credential|passw|^[as]k$|_[as]k$|header|cookie", re.IGNORECASE)


class Draft(Struct):
    """A key found, before its span is known."""

    node: Node  # what the finding points at
    inner: tuple[int, int] | None  # a range of the node's source, when only that is meant
    value: str
    where: str
    form: str
    match: KeyMatch | None
    around: Around
    name: str
    root: Node
    leaves: tuple[Node, ...]
    known: bool = True
    place: Place | None = None  # where the root is evaluated; a docstring is not


class KeyFinder:
    """Finds keys in the literals of a module and in what is built from them; every question it asks is bounded."""

    def __init__(self, module: Module, near: Surroundings) -> None:
        """Search one module."""
        self.module, self.near = module, near
        self.index, self.evaluator, self.catalogue, self.tables = (
            near.index,
            near.evaluator,
            near.catalogue,
            near.tables,
        )
        self.drafts: list[Draft] = []
        self.holding: set[int] = set()  # literals that hold a key
        self.key_variables: set[str] = set()  # variables that are given to a client as its key here
        self.url_parts: list[tuple[Node, str, str, Value]] = []  # what unknown values become part of which URL
        self.url_literals: list[tuple[Node, Node]] = []  # an expression that makes a URL, and a literal it puts there
        self._flows: dict[int, list[Around]] = {}
        self._numbers: set[str] = set()  # texts made of character codes that were looked at
        self._covered: set[int] = set()  # literals that are pieces of a key found in what they build

    def find(self) -> None:
        """Fill `drafts` and what the other finders ask for."""
        self._follow()
        for use in self.index.composites:
            self._composite(use)
        for use in self.index.strings:
            self._literal(use)
        self._unknown_keys()

    def _follow(self) -> None:
        """Note for every literal what the places tell to which names carry it."""
        for call in self.index.calls:
            position = 0
            for argument in call.node.args:
                names = (argument.keyword.value,) if argument.keyword is not None else ()
                here: int | None = None
                if argument.star:
                    here = -len(argument.star)
                elif not names:
                    here = position
                    position += 1
                if not is_text(argument.value):
                    self._follow_argument(call, argument.value, Role("argument", call.role, call.node, names, here))
        for write in self.index.writes:
            kind = type(write.target).__name__
            targets = _names_of(write.target)
            if not is_text(write.node) and (kind == "Subscript" or any(map(_CREDENTIAL.search, targets))):
                role_kind = {"Attribute": "attribute", "Subscript": "subscript-assign"}.get(kind, "assign")
                holder = write.statement if role_kind == "assign" else write.target
                self._flow(write.node, Role(role_kind, None, holder, targets), write.place)

    def _follow_argument(self, call: CallUse, node: Node, role: Role) -> None:
        callee = self.near.callee(call.node, call.place)
        client = self.tables.clients.get(callee)
        if client is not None:
            wanted = self.near.is_key_argument(client, role) or role.position == DOUBLE_STAR
        else:
            http = self.tables.http.get(callee)
            wanted = role.position is not None and (
                callee in self.tables.writers or (http is not None and role.position == http.headers_position)
            )
        if not wanted and not any(_CREDENTIAL.search(name) for name in role.names):
            return
        self._flow(node, role, call.place)
        if client is not None and self.near.is_key_argument(client, role):
            for value in v.alternatives(self.evaluator.value(node, call.place)):
                self.key_variables.update(value.names if isinstance(value, v.EnvRead) else ())

    def _flow(self, node: Node, role: Role, place: Place) -> None:
        around: Around | None = None
        for text, name in _texts(self.evaluator.value(node, place)):
            leaves = [piece.leaf for piece in text.pieces if piece.leaf is not None]
            if not leaves:
                continue
            around = around or self.near.around(role, place)
            told = around.named(name) if name else around
            client = around.client
            if role.position == DOUBLE_STAR and client is not None and name in client.key_params:
                told.given(client, spell(role.node.func))
            for leaf in leaves:
                self._flows.setdefault(id(leaf), []).append(told)

    def _literal(self, use: Use) -> None:
        """Look for keys in a literal, or in several that are concatenated by standing side by side."""
        node = use.node
        leaves = leaves_of(node)
        for part in getattr(node, "parts", ()):
            self._one_literal(part, use, node)
        if use.role.kind == "docstring":
            for leaf in leaves:
                if RUN.search(leaf.value):
                    self._docstring(leaf)
            return
        if any(id(leaf) in self._covered for leaf in leaves[:1]):
            return
        raw = node.value if len(leaves) == 1 else ""
        if raw and (len(raw) <= SHORTEST_KEY or not (RUN.search(raw) or id(node) in self._flows)):
            return
        value = self.evaluator.value(node, use.place)
        if isinstance(value, v.Text):
            self._keys_of(value, use, node)
            return
        for leaf in leaves:  # longer than a value may be: each literal for itself
            self._one_literal(leaf, use, leaf)

    def _one_literal(self, part: Node, use: Use, root: Node) -> None:
        """Look into a literal, or the text part of an f-string, without regard to what stands beside it."""
        raw = getattr(part, "value", None)
        if isinstance(raw, str) and len(raw) >= SHORTEST_KEY and id(part) not in self._covered and RUN.search(raw):
            text = v.literal_text(part)
            self._keys_of(v.Text(text, (v.Piece(0, len(text), part, 0),)), use, root)

    def _docstring(self, node: Node) -> None:
        for match in keys_in_text(node.value, self.catalogue):
            inner = (match.span.start, match.span.end)
            self.drafts.append(
                Draft(node, inner, match.value, "docstring", "literal", match, Around(), "", node, (node,))
            )

    def _composite(self, use: Use) -> None:
        node = use.node
        if type(node).__name__ == "AugAssign":
            value = self.evaluator.value(node.target, Place(use.place.scope, use.place.order + 0.5, use.place.block))
        else:
            value = self.evaluator.value(node, use.place)
        for item in v.alternatives(value):
            if isinstance(item, v.Text):
                if len(item.text) >= SHORTEST_KEY:
                    self._keys_of(item, use, node, composite=True)
                    self._literal_in_url(item, node)
            elif isinstance(item, v.Joined):
                self._joined(item, use)

    def _joined(self, value: v.Joined, use: Use) -> None:
        """Look into a text with unknown parts, and note which of them become part of a URL."""
        before = ""
        for part in value.parts:
            if isinstance(part, v.Text):
                if len(part.text) >= SHORTEST_KEY and len({id(piece.leaf) for piece in part.pieces}) > 1:
                    self._keys_of(part, use, use.node, composite=True)
                before = (before + part.text)[-512:]
                continue
            named = URL_NAME.search(before)
            if named is not None and named[1].lower() in self.tables.query:
                self.url_parts.append((use.node, named[1], before, part))
            elif USER_PART.search(before):
                self.url_parts.append((use.node, "", before, part))
            before += "{}"

    def _literal_in_url(self, value: Text, root: Node) -> None:
        """Remember a literal that another one makes part of a URL: it may turn out to be a key."""
        for before, piece in zip(value.pieces, value.pieces[1:], strict=False):
            if piece.leaf is None or piece.end - piece.start < SHORTEST_KEY or before.leaf is piece.leaf:
                continue
            named = URL_NAME.search(value.text[max(piece.start - 60, 0) : piece.start])
            if named is not None and named[1].lower() in self.tables.query:
                self.url_literals.append((root, piece.leaf))

    def _keys_of(self, value: Value, use: Use, root: Node, *, composite: bool = False) -> None:
        if not isinstance(value, v.Text) or not value.text:
            return
        leaves = {id(piece.leaf): piece.leaf for piece in value.pieces if piece.leaf is not None}
        if RUN.search(value.text) is None and not any(key in self._flows for key in leaves):
            return
        from_numbers = composite and not value.pieces and value.how == "encoded" and value.text not in self._numbers
        if from_numbers:
            self._numbers.add(value.text)
        elif composite and (not leaves or (len(leaves) == 1 and all(piece.leaf_start >= 0 for piece in value.pieces))):
            return  # the literal itself is asked
        around = self.near.around(use.role, use.place).merged(
            flow for key in leaves for flow in self._flows.get(key, ())
        )
        providers = (around.client.provider,) if around.client is not None and around.client.provider else ()
        context = Context(names=tuple(around.names), hosts=around.hosts, providers=providers, credential=around.is_key)
        for match in keys_in_value(value.text, context, self.catalogue):
            if match.case == "unknown-shape" and (composite or self.module.source.role == "test"):
                continue  # a made-up text in a test, or letters that met by chance
            self._draft(value, match, use, root, around, composite=composite)

    def _draft(self, value: Text, match: KeyMatch, use: Use, root: Node, around: Around, *, composite: bool) -> None:  # noqa: PLR0913  # all that is known of one match
        start, end = match.span.start, match.span.end
        pieces = [piece for piece in value.pieces if piece.start < end and piece.end > start]
        own = [piece for piece in pieces if piece.leaf is not None]
        leaves = {id(piece.leaf): piece.leaf for piece in own}
        if not leaves and value.pieces:
            return  # it stands in another module, and is found there
        whole = len(leaves) == 1 and len(pieces) == len(own)
        if composite and whole and all(piece.leaf_start >= 0 for piece in own):
            return  # the literal itself is asked
        where, name = self._place_of(value.text, start, end, use, around)
        if name == "env-name" and match.case == "unknown-shape":
            return  # the name of a variable
        self._covered.update(leaves)
        self.holding.update(leaves)
        form = value.how if composite or len(leaves) > 1 else "literal"
        form = form or "pieces"
        if where == "code" and name == "env-name":
            form, name = "env-name", around.given_to
        node: Node = root
        inner: tuple[int, int] | None = None
        if whole:
            node = own[0].leaf
            if own[0].leaf_start >= 0:
                inner = self._inside(
                    node, own[0].leaf_start + start - own[0].start, own[0].leaf_start + end - own[0].start
                )
        elif type(root).__name__ == "AugAssign":
            node = root.value
        self.drafts.append(
            Draft(
                node,
                inner,
                match.value,
                where,
                form,
                match,
                around,
                name,
                root,
                tuple(leaves.values()),
                place=use.place,
            )
        )

    def _inside(self, node: Node, start: int, end: int) -> tuple[int, int] | None:
        """The range of a literal's source to point at, or None for the whole literal."""
        raw: str = node.value
        is_part = type(node).__name__ != "SimpleString"
        if is_part or len(raw) > LONG_TEXT or "\n" in raw or "\r" in raw:
            return v.literal_range(node, start, end)
        return None

    def _place_of(self, text: str, start: int, end: int, use: Use, around: Around) -> tuple[str, str]:
        """Where a key stands, and the name that belongs to it: precedence is comment, URL, default, code."""
        before = text[max(start - 200, 0) : start]
        named = URL_NAME.search(before)
        if named is not None and named[1].lower() in self.tables.query:
            return "url", named[1]
        if USER_PART.search(before) and re.match(r"(?::[^/\s@]{0,80})?@", text[end : end + 90]):
            return "url", "user"
        roles = list(use.role.up())
        for position, role in enumerate(roles):
            kind = role.kind
            if kind == "dict-value" and role.names and role.names[0].lower() in self.tables.query:
                outer = roles[position + 1] if position + 1 < len(roles) else None
                if (
                    outer is not None
                    and outer.kind == "argument"
                    and outer.names
                    and outer.names[0] in QUERY_PARAMETERS
                ):
                    return "url", role.names[0]
            if kind == "docstring":
                return "docstring", ""
            found = self._default_of(role, use, around)
            if found is not None:
                return found
        return "code", ""

    def _default_of(self, role: Role, use: Use, around: Around) -> tuple[str, str] | None:  # noqa: C901, PLR0911, PLR0912  # one arm a form
        kind, node, place = role.kind, role.node, use.place
        if kind == "fallback":
            names = self.near.env_of_left(node, place)
            if names:
                return "env-default", names[0]
            left = node.left
            if type(left).__name__ == "Name" and self._is_parameter(left.value, place):
                return "parameter", left.value
        elif kind == "choice" and type(node).__name__ == "IfExp":
            for side in (node.body, node.orelse):
                for item in v.alternatives(self.evaluator.value(side, place)):
                    if isinstance(item, v.EnvRead) and item.names:
                        return "env-default", item.names[0]
        elif kind == "default":
            return "parameter", role.names[0]
        elif kind == "field":
            scope = place.scope
            if scope.kind == "class" and self.evaluator.settings_class(scope) is not None:
                return "field", role.names[0] if role.names else ""
        elif kind == "argument":
            callee = self.near.callee(node, place)
            reader = self.evaluator.access.calls.get(callee)
            if reader is not None:
                if is_argument(role, reader.default_position, reader.default_keywords):
                    return "env-default", self.near.read_name(callee, node, role, place) or around.env or ""
                if reader.kind == "env" and is_argument(role, reader.name_position, reader.name_keywords):
                    return "code", "env-name"
            option = self._option(callee, node)
            if option is not None and is_argument(role, option.default_position, option.default_keywords):
                return "option", self._option_name(option, node, use)
            if callee.endswith(".set_defaults") and role.names:
                return "option", role.names[0]
            for settings in self.evaluator.access.settings:
                if callee in settings.field_calls and is_argument(
                    role, settings.default_position, settings.default_keywords
                ):
                    return "field", _field_name(role)
        elif kind == "subscript":
            reader = self.evaluator.access.subscripts.get(self.evaluator.name(node.value, place))
            if reader is not None and reader.kind == "env":
                return "code", "env-name"
        return None

    def _is_parameter(self, name: str, place: Place) -> bool:
        found = self.evaluator.bindings(name, place)
        return bool(found) and any(binding.kind == "param" for binding in found or ())

    def _option(self, callee: str, call: Node) -> OptionDefiner | None:
        found = self.tables.options.get(callee)
        if found is not None or type(call.func).__name__ != "Attribute":
            return found
        return self.tables.option_methods.get(call.func.attr.value)

    def _option_name(self, option: OptionDefiner, call: Node, use: Use) -> str:
        positional = [item.value for item in call.args if item.keyword is None and not item.star]
        texts = [plain_string(item) or "" for at, item in enumerate(positional) if at != option.default_position]
        flags = [text for text in texts if text.startswith("-")] or texts[:1]
        if flags:
            return max(flags, key=len)
        return next((name for role in use.role.up() for name in role.names if role.kind != "argument"), "")

    def _unknown_keys(self) -> None:
        if self.module.source.role == "test":
            return
        for use in (*self.index.strings, *self.index.composites):
            node = use.node
            if type(node).__name__ not in {"SimpleString", "ConcatenatedString", "BinaryOperation"}:
                continue
            if use.root is not None or use.role.kind == "docstring":
                continue
            value = self.evaluator.value(node, use.place) if self._may_be_key(use) else None
            if not isinstance(value, v.Text) or len(value.text) < UNKNOWN_KEY:
                continue
            leaves = {id(piece.leaf): piece.leaf for piece in value.pieces if piece.leaf is not None}
            if not leaves or any(key in self.holding for key in leaves):
                continue
            around = self.near.around(use.role, use.place).merged(
                flow for key in leaves for flow in self._flows.get(key, ())
            )
            if not around.is_key or around.client is None:
                continue
            text = value.text.strip()
            if not looks_unknown(text, self.catalogue) or len(text.split()) > 1:
                continue  # a stand-in, the id of a model, a sentence
            where, name = self._place_of(value.text, 0, len(value.text), use, around)
            if name == "env-name":
                continue  # the name of a variable, unless it has a key's shape
            self.holding.update(leaves)
            self.drafts.append(
                Draft(
                    node,
                    None,
                    text,
                    where,
                    "literal",
                    None,
                    around,
                    name,
                    node,
                    tuple(leaves.values()),
                    known=False,
                    place=use.place,
                )
            )

    def _may_be_key(self, use: Use) -> bool:
        """Cheaply: is the text an argument or setting, or does a name carry it to one?"""
        if any(id(leaf) in self._flows for leaf in leaves_of(use.node)):
            return True
        return any(role.kind in {"argument", "attribute"} for role in use.role.up())


def is_text(node: Node) -> bool:
    """Tell whether an expression is a plain literal, which is asked itself."""
    return type(node).__name__ in {"SimpleString", "ConcatenatedString", "Integer", "Float"}


def _names_of(node: Node) -> tuple[str, ...]:
    kind = type(node).__name__
    if kind == "Name":
        return (node.value,)
    if kind == "Attribute":
        return (node.attr.value,)
    if kind == "Subscript" and len(node.slice) == 1 and type(node.slice[0].slice).__name__ == "Index":
        text = plain_string(node.slice[0].slice.value)
        return (text,) if text else ()
    return ()


def _texts(value: Value, name: str = "", depth: int = 0) -> Iterator[tuple[Text, str]]:  # noqa: C901  # one arm a kind of value
    """The texts inside a value, with the key of the table they stand under."""
    if depth > 4:  # noqa: PLR2004  # headers in settings in clients: deeper structures carry no key
        return
    if isinstance(value, v.Text):
        yield value, name
    elif isinstance(value, v.OneOf):
        for item in value.values:
            yield from _texts(item, name, depth + 1)
    elif isinstance(value, v.Joined):
        for item in value.parts:
            yield from _texts(item, name, depth + 1)
    elif isinstance(value, v.Sealed):
        yield from _texts(value.value, name, depth + 1)
    elif isinstance(value, v.Items):
        for item in value.items[:256]:
            yield from _texts(item, name, depth + 1)
    elif isinstance(value, v.Table):
        for key, item in value.entries[:256]:
            yield from _texts(item, key.text if isinstance(key, v.Text) else name, depth + 1)
    elif isinstance(value, v.EnvRead) and value.default is not None:
        yield from _texts(value.default, value.names[0] if value.names else name, depth + 1)


def _field_name(role: Role) -> str:
    for outer in role.up():
        if outer.kind in {"field", "assign"} and outer.names:
            return outer.names[0]
    return role.names[0] if role.names else ""
