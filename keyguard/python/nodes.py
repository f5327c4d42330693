"""LibCST, loaded with nodes that are as light as trees allow which are read and never built by hand."""

from __future__ import annotations

import dataclasses
import sys
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TypeVar

from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

# What LibCST imports to offer it under its own name, and neither its nodes nor its native parser use: 17 ms of 42.
_OFFERED = (
    "libcst._parser.entrypoints",
    "libcst._parser.types.config",
    "libcst.helpers",
    "libcst.metadata.base_provider",
    "libcst.metadata.wrapper",
)


def libcst() -> ModuleType:
    """Import LibCST with its native parser and give it.

    Its 200 node classes are frozen dataclasses. Each has functions compiled to compare and print it, which LibCST then
    throws away, to set fields past the freezing, and to check a node that somebody built; the native parser makes
    nodes of text that it accepted, and keyguard changes none. Without all that, and with each `__init__` compiled when
    the first node of its kind is made (six modules had 107 kinds), LibCST is there in 23 ms instead of 95, and parses
    3,900 lines in 121 ms instead of 136 (or 160 with the check). Whoever imported it before gets it as it is.
    """
    if "libcst" in sys.modules:
        import_module("libcst.native")
        return sys.modules["libcst"]
    with _lean_nodes(), _later(*map(_Later, _OFFERED), _types()):
        import_module("libcst.native")
    library = sys.modules["libcst"]
    _resolve_later(library)
    return library


@contextmanager
def _lean_nodes() -> Iterator[None]:
    library: Any = dataclasses
    made = library.dataclass
    library.dataclass = _lean(made)
    try:
        yield
    finally:
        library.dataclass = made


def _lean(made: Callable[..., Any]) -> Callable[..., Any]:
    """`dataclass` as it is for everybody (other threads import, too), and lighter for LibCST's nodes."""

    def dataclass(cls: type | None = None, /, **options: Any) -> Any:  # noqa: ANN401  # as the original
        def decorated(one: Any) -> Any:  # noqa: ANN401  # as the original
            if not one.__module__.startswith("libcst._nodes."):
                return made(one, **options)
            if "__post_init__" in vars(one):
                del one.__post_init__  # it was looked for
            if options.get("init", True) and "__init__" not in vars(one):
                one.__init__ = _init_when_called()
            return made(one, **{**options, "init": False, "frozen": False, "eq": False, "repr": False})

        return decorated if cls is None else decorated(cls)

    return dataclass


def _init_when_called() -> Callable[..., None]:
    """An `__init__` that puts in its place the one which `dataclass` makes for the fields of its class."""
    init: Any = None

    def first(self: Any, *args: Any, **given: Any) -> None:  # noqa: ANN401  # any node and its fields
        nonlocal init
        # LibCST makes each class anew, to give it slots: the one that holds this function is known only now. There is
        # none when another thread was faster.
        owner: Any = next((one for one in type(self).__mro__ if vars(one).get("__init__") is first), None)
        if owner is not None:
            init = _init_of(dataclasses.fields(owner))
            owner.__init__ = init
        init(self, *args, **given)

    return first


def _init_of(fields: tuple[dataclasses.Field[Any], ...]) -> Any:  # noqa: ANN401  # a function of many forms
    """Compile what `dataclass` would, in 0.05 ms and not in 0.13: it reads the fields of the class anew."""
    known: dict[str, Any] = {"unset": dataclasses.MISSING}
    parameters, body = [], []
    for one in fields:
        value = one.name
        if one.default_factory is not dataclasses.MISSING:
            known[f"make_{one.name}"] = one.default_factory
            parameters.append(f"{one.name}=unset")
            value = f"make_{one.name}() if {one.name} is unset else {one.name}"
        elif one.default is not dataclasses.MISSING:
            known[f"default_{one.name}"] = one.default
            parameters.append(f"{one.name}=default_{one.name}")
        else:
            parameters.append(one.name)
        body.append(f"self.{one.name} = {value}")
    text = f"def __init__({', '.join(['self', *parameters])}):\n  " + "\n  ".join(body or ["pass"])
    exec(text, known)  # noqa: S102  # the names of LibCST's own fields
    return known["__init__"]


class _Offered(NamedTuple):
    """Stands for what another module of a package holds."""

    module: str
    name: str


class _Later(ModuleType):
    """Stands in for a module from which something is only passed on."""

    def __getattr__(self, name: str) -> _Offered:
        """Whatever is asked for."""
        if name.startswith("__"):
            raise AttributeError(name)
        return _Offered(self.__name__, name)


def _types() -> ModuleType:
    """Give what LibCST's annotations are made of, without `pathlib` for the type of a path: 3.4 ms."""
    types: Any = _Later("libcst._types")
    types.CSTNodeT = TypeVar("CSTNodeT")
    types.CSTNodeT_co = TypeVar("CSTNodeT_co", covariant=True)
    return types  # type: ignore[no-any-return]  # a module with names of its own


@contextmanager
def _later(*modules: ModuleType) -> Iterator[None]:
    """Let modules stand in for others while what needs those is imported."""
    stand_ins = {one.__name__: one for one in modules if one.__name__ not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]


def _resolve_later(package: ModuleType) -> None:
    """Let a package import what it passes on when somebody asks for it."""
    offered = {name: value for name, value in vars(package).items() if isinstance(value, _Offered)}

    def asked(name: str) -> Any:  # noqa: ANN401  # whatever the package offers
        if name not in offered:
            msg = f"module {package.__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        value = getattr(import_module(offered[name].module), offered[name].name)
        setattr(package, name, value)
        return value

    for name in offered:
        delattr(package, name)
    package.__getattr__ = asked  # type: ignore[method-assign]  # as a module may have its own (PEP 562)
