"""Annotations in a part's source, as types of settings."""

from __future__ import annotations

import ast
from typing import Any

from espalier.config.locate import Module, parsed, read_module
from espalier.config.types import Anything, Bound, Bounded, Choice, DictOf, Either, ListOf, Part, Plain

_PLAIN = ("int", "float", "str", "bool", "None")
_DEPTH = 8


def type_of(node: ast.expr | None, module: Module, depth: int = _DEPTH) -> Any:
    """The type that an annotation states; its names are looked up where ``module`` has them from."""
    if node is None or not depth:
        return Anything()
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return type_of(parsed(node.value, "eval"), module, depth - 1)
        return Plain("None") if node.value is None else Anything()
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _either([type_of(node.left, module, depth), type_of(node.right, module, depth)])
    if isinstance(node, ast.Subscript):
        return _subscript(node, module, depth)
    return _named(name_of(node), module, depth)


def _named(name: str, module: Module, depth: int) -> Any:
    if name in _PLAIN:
        return Plain(name)
    if name in ("Any", "object"):
        return Anything()
    if name in ("list", "List", "Sequence", "tuple", "Tuple"):
        return ListOf(Anything())
    if name in ("dict", "Dict", "Mapping"):
        return DictOf(Anything())
    if name in module.aliases:
        return type_of(module.aliases[name], module, depth - 1)
    if name in module.imports:
        from_module, original = module.imports[name]
        other = _alias_of(from_module, original)
        if other:
            return type_of(other[1], other[0], depth - 1)
    return Part()


def _alias_of(module: str, name: str) -> tuple[Module, ast.expr] | None:
    source = read_module(module) if name else None
    return (source, source.aliases[name]) if source and name in source.aliases else None


def _subscript(node: ast.Subscript, module: Module, depth: int) -> Any:
    name = name_of(node.value)
    arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Annotated":
        bounds = tuple(bound for argument in arguments[1:] if (bound := _bound(argument)))
        return Bounded(type_of(arguments[0], module, depth), bounds)
    if name == "Literal":
        return Choice(tuple(literal(argument) for argument in arguments))
    if name == "Optional":
        return _either([type_of(arguments[0], module, depth), Plain("None")])
    if name == "Union":
        return _either([type_of(argument, module, depth) for argument in arguments])
    if name in ("list", "List", "Sequence"):
        return ListOf(type_of(arguments[0], module, depth))
    if name in ("tuple", "Tuple"):
        return ListOf(Anything())
    if name in ("dict", "Dict", "Mapping"):
        return DictOf(type_of(arguments[-1], module, depth))
    return _named(name, module, depth)


def _either(types: list[Any]) -> Any:
    flat = [option for kind in types for option in (kind.options if isinstance(kind, Either) else (kind,))]
    return Either(tuple(flat))


def _bound(node: ast.expr) -> Bound | None:
    if not isinstance(node, ast.Call):
        return None
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    return Bound(name_of(node.func), tuple(literal(value) for value in values))


def literal(node: ast.expr) -> Any:
    """The value of an expression; None where it is no plain one."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def name_of(node: ast.expr) -> str:
    """The last part of a dotted name, of what is called (``dataclass(frozen=True)``), or nothing."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
