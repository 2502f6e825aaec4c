"""From a dotted name to the source that defines it, without importing anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from espalier.config.trust import is_trusted

Definition = ast.ClassDef | ast.FunctionDef
_DEPTH = 8
# Python 3.11 and 3.12 count one depth for all threads (https://github.com/python/cpython/issues/106905).
_PARSING = Lock()


@dataclass(frozen=True)
class Module:
    """A module's source.

    Attributes:
        name: dotted.
        file: its path.
        definitions: name -> class or function at the top level.
        imports: name -> (module, name in it); (module, "") for a module itself.
        stars: modules of which everything is imported (``from .net import *``).
        aliases: name -> the expression that it stands for (``Batches = Annotated[int, Ge(1)]``).
    """

    name: str
    file: Path
    definitions: Mapping[str, Definition]
    imports: Mapping[str, tuple[str, str]]
    stars: tuple[str, ...]
    aliases: Mapping[str, ast.expr]


@dataclass(frozen=True)
class Found:
    """A class or function and the module whose source defines it."""

    module: Module
    definition: Definition


def find(dotted: str) -> Found | None:
    """The class or function that a dotted name leads to, re-exports followed; None where the source does not tell."""
    module, _, name = dotted.rpartition(".")
    return find_in(module, name) if module else None


def find_in(module: str, name: str, depth: int = _DEPTH) -> Found | None:
    """The class or function ``name`` of a module."""
    source = read_module(module)
    if source is None or not depth:
        return None
    if name in source.definitions:
        return Found(source, source.definitions[name])
    if name in source.imports:
        return find_in(*source.imports[name], depth - 1)
    if name.startswith("_"):
        return None
    return next((found for star in source.stars if (found := find_in(star, name, depth - 1))), None)


def parsed(source: str | bytes, mode: Literal["exec", "eval"] = "exec") -> Any:
    """Statements, or an expression; threads wait for each other. Raises ``SyntaxError`` or ``ValueError``."""
    with _PARSING:
        return ast.parse(source, mode=mode).body  # type: ignore[attr-defined]


@cache
def read_module(name: str) -> Module | None:
    """The source of a module; None where there is none to read (not found, compiled, not Python 3)."""
    file = module_file(name)
    if file is None:
        return None
    try:
        body = parsed(file.read_bytes())
    except (SyntaxError, ValueError):
        return None
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    definitions: dict[str, Definition] = {}
    imports: dict[str, tuple[str, str]] = {}
    aliases: dict[str, ast.expr] = {}
    stars: list[str] = []
    for node in _top_level(body):
        if isinstance(node, Definition):
            definitions[node.name] = node
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(node, package)
            imports.update({alias.asname or alias.name: (origin, alias.name) for alias in node.names})
            stars += [origin] if "*" in imports else []
            imports.pop("*", None)
        elif isinstance(node, ast.Import):
            imports.update(_imported(alias) for alias in node.names)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            aliases[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            aliases[node.target.id] = node.value
    return Module(name, file, definitions, imports, tuple(stars), aliases)


def broken_at(file: Path) -> tuple[int, str]:
    """The line of a source that cannot be read as Python, and why."""
    try:
        parsed(file.read_bytes())
    except SyntaxError as error:
        return error.lineno or 1, error.msg
    except ValueError as error:
        return 1, str(error)
    return 1, "it is compiled"


@cache
def module_file(name: str) -> Path | None:
    """The file of a module, looked for as Python would, but without importing anything.

    Installed packages (editable ones and namespaces too); trusted ones in the working folder as well.
    """
    head, *rest = name.split(".")
    spec = _spec(head)
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
    for place in spec.submodule_search_locations or ():
        base = Path(place, *rest)
        for file in (base / "__init__.py", base.with_name(f"{base.name}.py")):
            if file.is_file():
                return file
    return None


def is_package(name: str) -> bool:
    """Whether a top-level package is there, with or without an ``__init__.py``."""
    spec = _spec(name)
    return spec is not None and spec.submodule_search_locations is not None


def is_bare_folder(name: str) -> bool:
    """Whether Python takes a folder without a module for the package: a project's, which has the package in it."""
    spec = _spec(name)
    places = (spec and spec.origin is None and spec.submodule_search_locations) or ()
    return bool(places) and not any(any(Path(place).glob("*.py")) for place in places)


def is_there(name: str) -> bool:
    """Whether a top-level package or module is installed, or lies in the working folder, trusted or not."""
    return _spec(name) is not None or PathFinder.find_spec(name, [str(Path.cwd())]) is not None


def _spec(package: str) -> ModuleSpec | None:
    spec = None
    with suppress(ValueError, ImportError):  # of a top-level name: asks the finders, and imports nothing
        spec = find_spec(package)
    return spec or (PathFinder.find_spec(package, [str(Path.cwd())]) if is_trusted(package) else None)


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from _top_level([*node.body, *node.orelse])
        else:
            yield node


def _imported(alias: ast.alias) -> tuple[str, tuple[str, str]]:
    """``import a.b`` binds a, ``import a.b as c`` binds a.b."""
    module = alias.name if alias.asname else alias.name.partition(".")[0]
    return alias.asname or module, (module, "")


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])
