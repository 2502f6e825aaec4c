"""From a dotted name to the source that defines it, without importing anything."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from espalier.config.trust import is_trusted

Definition = ast.ClassDef | ast.FunctionDef
_DEPTH = 8


@dataclass(frozen=True)
class Module:
    """A module's source.

    Attributes:
        name: dotted.
        file: its path.
        definitions: name -> class or function at the top level.
        imports: name -> (module, name in it); (module, "") for a module itself.
        aliases: name -> the expression that it stands for (``Batches = Annotated[int, Ge(1)]``).
    """

    name: str
    file: Path
    definitions: Mapping[str, Definition]
    imports: Mapping[str, tuple[str, str]]
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
    return None


@cache
def read_module(name: str) -> Module | None:
    """The source of a module; None where there is none to read (not found, compiled, not Python 3)."""
    file = module_file(name)
    if file is None:
        return None
    try:
        body = ast.parse(file.read_bytes()).body
    except (SyntaxError, ValueError):
        return None
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    definitions, imports, aliases = {}, {}, {}
    for node in _top_level(body):
        if isinstance(node, Definition):
            definitions[node.name] = node
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(node, package)
            imports.update({alias.asname or alias.name: (origin, alias.name) for alias in node.names})
        elif isinstance(node, ast.Import):
            imports.update({a.asname or a.name.partition(".")[0]: (a.name if a.asname else a.name.partition(".")[0], "")
                            for a in node.names})  # fmt: skip
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            aliases[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            aliases[node.target.id] = node.value
    return Module(name, file, definitions, imports, aliases)


def module_file(name: str) -> Path | None:
    """The file of a module, looked for as Python would: on ``sys.path``, and for trusted packages in the working folder."""
    head, *rest = name.split(".")
    places = [Path(entry) for entry in sys.path if entry] + ([Path.cwd()] if is_trusted(head) else [])
    if head == "espalier":
        places = [Path(__file__).parents[2]]
    for place in places:
        base = place.joinpath(head, *rest)
        for file in (base / "__init__.py", base.with_name(base.name + ".py")):
            if file.is_file():
                return file
    return None


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from _top_level([*node.body, *node.orelse])
        else:
            yield node


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])
