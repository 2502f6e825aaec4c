"""A part's settings, read from its source: names, types, ranges. 0.5 ms each; nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from espalier.config.locate import Definition, Found, Module, find, find_in, read_module
from espalier.config.types import Anything, Bound, Bounded, Choice, DictOf, Either, ListOf, Part, Plain

_PLAIN = ("int", "float", "str", "bool", "None")
_DEPTH = 8


@dataclass(frozen=True)
class Parameter:
    """One setting. ``required``: the signature has no default, so that YAML must state it."""

    name: str
    type: Any
    required: bool


@dataclass(frozen=True)
class Signature:
    """What YAML may and must give to a part.

    Attributes:
        parameters: name -> setting (keyword-only ones, and ordinary ones of other people's classes).
        open: whether further names are taken (``**kwargs``).
        found: the source; None where only importing would tell, and nothing can be said.
    """

    parameters: Mapping[str, Parameter]
    open: bool = False
    found: Found | None = None


@cache
def signature_of(target: str) -> Signature:
    """The settings of a class or function."""
    found = find(target)
    if found is None:
        return Signature({}, open=True)
    function = found.definition if isinstance(found.definition, ast.FunctionDef) else None
    owner = found
    if isinstance(found.definition, ast.ClassDef):
        inherited = _initialiser(found)
        if inherited is None:
            return Signature({}, open=_has_unknown_base(found), found=found)
        owner, function = inherited
    assert function is not None
    return _signature(function, owner, found)


def class_attribute(target: str, name: str) -> Any:
    """The literal value of an attribute in a class' body; None where it has none that can be read."""
    found = find(target)
    for node in found.definition.body if found else ():
        named = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(named, ast.Name) and named.id == name and isinstance(node, ast.AnnAssign) and node.value:
            return _literal(node.value)
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return _literal(node.value)
    return None


def _signature(function: ast.FunctionDef, owner: Found, found: Found) -> Signature:
    arguments = function.args
    parameters: dict[str, Parameter] = {}
    ordinary = arguments.args[1:] if isinstance(owner.definition, ast.ClassDef) and not arguments.posonlyargs else arguments.args
    defaults = [None] * (len(ordinary) - len(arguments.defaults)) + list(arguments.defaults[-len(ordinary) :] if ordinary else [])
    for argument, default in zip(ordinary, defaults, strict=True):
        parameters[argument.arg] = Parameter(argument.arg, _type(argument.annotation, owner.module), default is None)
    for argument, keyword_default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parameters[argument.arg] = Parameter(argument.arg, _type(argument.annotation, owner.module), keyword_default is None)
    is_open = arguments.kwarg is not None
    if arguments.kwarg is not None and (unpacked := _unpacked(arguments.kwarg.annotation, owner.module)):
        parameters |= unpacked
        is_open = False
    return Signature(parameters, is_open, found)


def _initialiser(found: Found, depth: int = _DEPTH) -> tuple[Found, ast.FunctionDef] | None:
    definition = found.definition
    if not isinstance(definition, ast.ClassDef) or not depth:
        return None
    for node in definition.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return found, node
    for base in _bases(found):
        if base and (inherited := _initialiser(base, depth - 1)):
            return inherited
    return None


def _bases(found: Found) -> Iterator[Found | None]:
    definition = found.definition
    for base in definition.bases if isinstance(definition, ast.ClassDef) else ():
        name = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(name, ast.Name) and name.id not in ("object", "ABC", "Protocol", "Generic"):
            yield find_in(found.module.name, name.id)
        elif isinstance(name, ast.Attribute):
            yield None


def _has_unknown_base(found: Found) -> bool:
    return any(base is None or _has_unknown_base(base) for base in _bases(found))


def _unpacked(annotation: ast.expr | None, module: Module) -> dict[str, Parameter] | None:
    """The keys of ``**common: Unpack[Common]``."""
    if not isinstance(annotation, ast.Subscript) or _name(annotation.value) != "Unpack":
        return None
    typed = find_in(module.name, _name(annotation.slice))
    if typed is None or not isinstance(typed.definition, ast.ClassDef):
        return None
    return {
        node.target.id: Parameter(node.target.id, _type(node.annotation, typed.module), True)
        for node in typed.definition.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _type(node: ast.expr | None, module: Module, depth: int = _DEPTH) -> Any:
    if node is None or not depth:
        return Anything()
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return _type(ast.parse(node.value, mode="eval").body, module, depth - 1)
        return Plain("None") if node.value is None else Anything()
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _either([_type(node.left, module, depth), _type(node.right, module, depth)])
    if isinstance(node, ast.Subscript):
        return _subscript(node, module, depth)
    return _named(_name(node), module, depth)


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
        return _type(module.aliases[name], module, depth - 1)
    if name in module.imports:
        from_module, original = module.imports[name]
        other = _alias_of(from_module, original)
        if other:
            return _type(other[1], other[0], depth - 1)
    return Part()


def _alias_of(module: str, name: str) -> tuple[Module, ast.expr] | None:
    source = read_module(module) if name else None
    return (source, source.aliases[name]) if source and name in source.aliases else None


def _subscript(node: ast.Subscript, module: Module, depth: int) -> Any:
    name = _name(node.value)
    arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Annotated":
        bounds = tuple(bound for argument in arguments[1:] if (bound := _bound(argument)))
        return Bounded(_type(arguments[0], module, depth), bounds)
    if name == "Literal":
        return Choice(tuple(_literal(argument) for argument in arguments))
    if name == "Optional":
        return _either([_type(arguments[0], module, depth), Plain("None")])
    if name == "Union":
        return _either([_type(argument, module, depth) for argument in arguments])
    if name in ("list", "List", "Sequence"):
        return ListOf(_type(arguments[0], module, depth))
    if name in ("tuple", "Tuple"):
        return ListOf(Anything())
    if name in ("dict", "Dict", "Mapping"):
        return DictOf(_type(arguments[-1], module, depth))
    return _named(name, module, depth)


def _either(types: list[Any]) -> Any:
    flat = [option for kind in types for option in (kind.options if isinstance(kind, Either) else (kind,))]
    return Either(tuple(flat))


def _bound(node: ast.expr) -> Bound | None:
    if not isinstance(node, ast.Call):
        return None
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    return Bound(_name(node.func), tuple(_literal(value) for value in values))


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def summary(definition: Definition) -> str:
    """The first line of a definition's docstring."""
    return (ast.get_docstring(definition) or "").partition("\n")[0]
