"""Which env files a module loads when it runs, by a quick look at its text; nothing is imported or run."""

from __future__ import annotations

import ast
import os
import warnings

from keyguard.source import is_env_file
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# os.path, as in reading: these paths are compared with what the finder of files gives.
# ruff: noqa: PTH118, PTH120, PTH113, PTH100

_PATHS = ("dotenv_path", "path", "env_file")
_OVERRIDES = ("override", "overwrite")
_SETTING = "env_file"  # where settings classes name the files that they read


class Load(NamedTuple):
    """One env file that is loaded: `path` as it is written, None for the nearest `.env` from the module upwards.

    `is_beside` says that the path counts from the module's file, `overrides` that the file wins over the shell.
    """

    path: str | None
    overrides: bool = False
    is_beside: bool = False


def may_load(data: bytes, loaders: Iterable[str]) -> bool:
    """Tell whether a module's bytes name anything that loads an env file."""
    return _SETTING.encode() in data or any(name.rpartition(".")[2].encode() in data for name in loaders)


def loads_of(text: str, loaders: Iterable[str]) -> tuple[Load, ...]:
    """The env files that a module loads, in the order of its text; none where it cannot be parsed.

    Args:
        text: the module's.
        loaders: dotted names of what fills the environment from a file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in a text that is read is nobody's business here
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    names = {name.rpartition(".")[2] for name in loaders}
    tops = {name.partition(".")[0] for name in loaders}
    called = _called(tree, names, tops)
    found = [(getattr(node, "lineno", 0), load) for node in ast.walk(tree) for load in _loads(node, called)]
    return tuple(load for _, load in sorted(found, key=lambda item: item[0]))


def resolved(load: Load, module: str, root: str) -> str | None:
    """The file that a load reads, from the root or the module's folder; None where there is none."""
    folder = os.path.dirname(os.path.abspath(module))
    if load.path is None:
        return _upwards(folder)
    for base in (folder, root) if load.is_beside else (root, folder):
        file = os.path.join(base, load.path)
        if os.path.isfile(file):
            return os.path.abspath(file)
    return None


def _upwards(folder: str) -> str | None:
    """The nearest `.env` from a folder up to the root of the file system, as loaders look for it."""
    while not os.path.isfile(os.path.join(folder, ".env")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return os.path.join(folder, ".env")


def _called(tree: ast.Module, names: set[str], tops: set[str]) -> frozenset[str]:
    """What the loaders are called in a module that imports them; empty where it imports none of their packages."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(item.name.partition(".")[0] in tops for item in node.names):
            found |= names
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in tops:
            found |= names
            found |= {item.asname for item in node.names if item.name in names and item.asname}
    return frozenset(found)


def _loads(node: ast.AST, called: frozenset[str]) -> Iterator[Load]:
    if isinstance(node, ast.Call):
        last = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if last in called:
            named = next((item.value for item in node.keywords if item.arg in _PATHS), None)
            given = named if named is not None else next(iter(node.args), None)
            overrides = any(
                item.arg in _OVERRIDES and isinstance(item.value, ast.Constant) and item.value.value is True
                for item in node.keywords
            )
            yield Load(_path(given), overrides, is_beside=given is not None and not isinstance(given, ast.Constant))
            return
        for item in node.keywords:
            if item.arg == _SETTING:
                yield from map(Load, _paths(item.value))
    elif isinstance(node, ast.Assign) and any(getattr(target, "id", "") == _SETTING for target in node.targets):
        yield from map(Load, _paths(node.value))


def _path(node: ast.expr | None) -> str | None:
    """The path in an expression: its last text that names an env file, with the folders written before it."""
    paths = list(_paths(node)) if node is not None else []
    return paths[-1] if paths else None


def _paths(node: ast.expr) -> Iterator[str]:
    """The paths of env files in an expression, `BASE / "config" / ".env"` included."""
    if isinstance(node, (ast.Tuple, ast.List)):
        for item in node.elts:
            yield from _paths(item)
        return
    texts = [item.value for item in _in_order(node) if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    for at, text in enumerate(texts):
        if is_env_file(text):
            yield os.path.join(*texts[:at], text) if at else text
            return


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)
