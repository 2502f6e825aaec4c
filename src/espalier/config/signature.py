"""A part's settings, read from its source: names, types, ranges. 0.5 ms each; nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from espalier.config.annotations import literal, name_of, type_of
from espalier.config.locate import Definition, Found, Module, find, find_in

_DEPTH = 8
# How many values the run gives to a part, where its signature does not say so by positional-only parameters.
_GIVEN = {"model": 1, "model.encoding": 1, "adapter": 2, "task": 3, "optimizer": 1, "scheduler": 2, "callback": 1}
_BARE = ("Module",)  # torch's, which brings nothing that a part is asked for
_PLAIN_MARKS = ("dataclass", "final", "runtime_checkable", "total_ordering")


@dataclass(frozen=True)
class Parameter:
    """One setting.

    Attributes:
        required: the signature has no default, so that YAML must state it.
        default: as the source writes it; ``""`` where there is none.
    """

    name: str
    type: Any
    required: bool
    default: str = ""


@dataclass(frozen=True)
class Signature:
    """What YAML may and must give to a part.

    Attributes:
        parameters: name -> setting (keyword-only ones, and ordinary ones of other people's classes).
        open: whether further names are taken (``**kwargs``).
        found: the source; None where only importing would tell, and nothing can be said.
        positional: whether it says by positional-only parameters (or ``*args``) what the run gives.
        ordinary: how many of the first parameters may be given by place as well.
    """

    parameters: Mapping[str, Parameter]
    open: bool = False
    found: Found | None = None
    positional: bool = False
    ordinary: int = 0


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
            fields = _fields(found)
            return Signature(fields, open=_has_unknown_base(found), found=found, ordinary=len(fields))
        owner, function = inherited
    assert function is not None
    return _signature(function, owner, found)


def settings_at(key: str, target: str) -> Signature:
    """The settings of the part at a key: without the first ones, which the run gives, where no sign sets them apart."""
    given, signature = _GIVEN.get(key, _GIVEN.get(key.rpartition(".")[0], 0)), signature_of(target)
    if not given or signature.positional:
        return signature
    kept = list(signature.parameters.items())[given:] if signature.ordinary >= given else signature.parameters.items()
    return replace(signature, parameters=dict(kept))


def class_attribute(target: str, name: str) -> Any:
    """The literal value of an attribute in a class' body, or a base's; None where it has none that can be read."""
    found = find(target)
    return _attribute(found, name) if found else None


def _attribute(found: Found, name: str, depth: int = _DEPTH) -> Any:
    for node in found.definition.body:
        named = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(named, ast.Name) and named.id == name and isinstance(node, ast.AnnAssign) and node.value:
            return literal(node.value)
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return literal(node.value)
    bases = (base for base in _bases(found) if base) if depth else ()
    return next((value for base in bases if (value := _attribute(base, name, depth - 1)) is not None), None)


def has_member(target: str, name: str) -> bool:
    """Whether objects of a class have a method or an attribute, or may have: a base or the class cannot be read."""
    found = find(target)
    return found is None or not isinstance(found.definition, ast.ClassDef) or _member(found, name)


def _member(found: Found, name: str, depth: int = _DEPTH) -> bool:
    marks = found.definition.decorator_list
    own = any(_names(node, name) for node in ast.walk(found.definition))
    return own or bool(marks) or not depth or any(_of_base(base, name, depth) for base in _bases(found, _BARE))


def _of_base(base: Found | None, name: str, depth: int) -> bool:
    return base is None or _member(base, name, depth - 1)


def _names(node: ast.AST, name: str) -> bool:
    """``def name``, ``name = …`` and ``self.name = …``."""
    if isinstance(node, ast.FunctionDef):
        return node.name == name
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
        return (node.id if isinstance(node, ast.Name) else node.attr) == name
    return False


def _signature(function: ast.FunctionDef, owner: Found, found: Found) -> Signature:
    arguments, module = function.args, owner.module
    own = isinstance(owner.definition, ast.ClassDef)
    ordinary = arguments.args[1:] if own and not arguments.posonlyargs else arguments.args
    first = len(ordinary) - len(arguments.defaults)
    defaults = [*[None] * first, *arguments.defaults[max(0, -first) :], *arguments.kw_defaults]
    parameters = {
        a.arg: Parameter(a.arg, type_of(a.annotation, module), default is None, _written(default))
        for a, default in zip([*ordinary, *arguments.kwonlyargs], defaults, strict=True)
    }
    unpacked = _unpacked(arguments.kwarg.annotation, module) if arguments.kwarg else None
    positional = len(arguments.posonlyargs) > own or arguments.vararg is not None
    is_open = arguments.kwarg is not None and unpacked is None
    return Signature({**parameters, **(unpacked or {})}, is_open, found, positional, len(ordinary))


def _written(default: ast.expr | None) -> str:
    return ast.unparse(default) if default else ""


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


def _bases(found: Found, plain: Sequence[str] = ()) -> Iterator[Found | None]:
    """What a class stands on, None where that cannot be read; without those of other modules that are ``plain``."""
    definition = found.definition
    for base in definition.bases if isinstance(definition, ast.ClassDef) else ():
        name = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(name, ast.Name) and name.id not in ("object", "ABC", "Protocol", "Generic"):
            base_found = find_in(found.module.name, name.id)
            yield base_found if base_found and isinstance(base_found.definition, ast.ClassDef) else None
        elif isinstance(name, ast.Attribute) and name.attr not in plain:
            yield None


def _has_unknown_base(found: Found) -> bool:
    """Whether parameters may come from where the source does not tell: a base, or a decorator but ``dataclass``."""
    strange = [mark for mark in found.definition.decorator_list if name_of(mark) not in _PLAIN_MARKS]
    return bool(strange) or any(base is None or _has_unknown_base(base) for base in _bases(found))


def _fields(found: Found, depth: int = _DEPTH) -> dict[str, Parameter]:
    """The parameters of a dataclass, inherited ones first."""
    fields: dict[str, Parameter] = {}
    for base in reversed([base for base in _bases(found) if base] if depth else []):
        fields |= _fields(base, depth - 1)
    marks = [name_of(mark) for mark in found.definition.decorator_list]
    for node in found.definition.body if "dataclass" in marks else ():
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not _is_no_field(node):
            name = node.target.id
            kind = type_of(node.annotation, found.module)
            fields[name] = Parameter(name, kind, node.value is None, _written(node.value))
    return fields


def _is_no_field(node: ast.AnnAssign) -> bool:
    annotation = node.annotation.value if isinstance(node.annotation, ast.Subscript) else node.annotation
    call = node.value if isinstance(node.value, ast.Call) else None
    hidden = [k for k in (call.keywords if call else ()) if k.arg == "init" and literal(k.value) is False]
    return name_of(annotation) == "ClassVar" or bool(hidden)


def _unpacked(annotation: ast.expr | None, module: Module) -> dict[str, Parameter] | None:
    """The keys of ``**common: Unpack[Common]``."""
    if not isinstance(annotation, ast.Subscript) or name_of(annotation.value) != "Unpack":
        return None
    typed = find_in(module.name, name_of(annotation.slice))
    if typed is None or not isinstance(typed.definition, ast.ClassDef):
        return None
    return _typed_keys(typed)


def _typed_keys(typed: Found, depth: int = _DEPTH) -> dict[str, Parameter]:
    """The keys of a TypedDict, inherited ones first."""
    keys: dict[str, Parameter] = {}
    for base in [base for base in _bases(typed) if base] if depth else []:
        keys |= _typed_keys(base, depth - 1)
    for node in typed.definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            keys[node.target.id] = Parameter(node.target.id, type_of(node.annotation, typed.module), True)
    return keys


def owner_of(target: str) -> str:
    """A part's name for people: the option's (``adamw``) where it is ours, else the class' or function's."""
    if not target.startswith("espalier."):
        return target.rpartition(".")[2]
    room, module = target.split(".")[-3:-1]
    return room if module == "settings" else module


def summary(definition: Definition) -> str:
    """The first line of a definition's docstring."""
    return (ast.get_docstring(definition) or "").partition("\n")[0]
