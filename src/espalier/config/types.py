"""Types of settings as data: what a signature's annotation allows, and what is wrong with a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Type = "Anything | Plain | Choice | Either | Bounded | ListOf | DictOf | Part"
_NAMES = {"int": "an integer", "float": "a number", "str": "a text", "bool": "true or false", "None": "null"}
_SIGNS = {"Gt": ">", "Ge": ">=", "Lt": "<", "Le": "<="}


@dataclass(frozen=True)
class Anything:
    """No statement."""

    def __str__(self) -> str:
        return "anything"


@dataclass(frozen=True)
class Part:
    """An object: in a config, a node with ``_target_``."""

    def __str__(self) -> str:
        return "a part"


@dataclass(frozen=True)
class Plain:
    """``int``, ``float``, ``str``, ``bool`` or ``None``."""

    name: str

    def __str__(self) -> str:
        return "null" if self.name == "None" else self.name


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))


@dataclass(frozen=True)
class Bound:
    """What ``Annotated`` adds: a name (``Ge``, ``AtMost``, …) and its arguments."""

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Bounded:
    """A type within bounds."""

    inner: Any
    bounds: tuple[Bound, ...]

    def __str__(self) -> str:
        limits = [f"{_SIGNS[b.name]} {b.arguments[0]}" for b in self.bounds if b.name in _SIGNS]
        return f"{self.inner} {' and '.join(limits)}".strip()


@dataclass(frozen=True)
class ListOf:
    """A list."""

    item: Any

    def __str__(self) -> str:
        return f"list of {self.item}"


@dataclass(frozen=True)
class DictOf:
    """A mapping from names."""

    value: Any

    def __str__(self) -> str:
        return f"mapping of names to {self.value}"


@dataclass(frozen=True)
class Either:
    """One of several types."""

    options: tuple[Any, ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.options))


def wrong(kind: Any, value: Any) -> str | None:
    """What is wrong with a value, as the end of a sentence; None where nothing is.

    Bounds that look beyond the value (``AtMost`` …) are ``config.bounds``' business.
    """
    if isinstance(kind, Plain):
        return None if _is_plain(kind.name, value) else f"is not {_NAMES[kind.name]}"
    if isinstance(kind, Choice):
        return None if any(_same(value, v) for v in kind.values) else f"is none of {kind}"
    if isinstance(kind, Bounded):
        return wrong(kind.inner, value) or next((w for b in kind.bounds if (w := _outside(b, value))), None)
    if isinstance(kind, ListOf):
        return _wrong_list(kind, value)
    if isinstance(kind, DictOf):
        return None if isinstance(value, Mapping) else "is no mapping of names to values"
    if isinstance(kind, Either):
        return _wrong_either(kind, value)
    return None


def branches(kind: Any) -> tuple[Any, ...]:
    """A type's alternatives: of ``Either`` its options, of any other itself."""
    return kind.options if isinstance(kind, Either) else (kind,)


def _is_plain(name: str, value: Any) -> bool:
    if name == "None":
        return value is None
    if name == "bool":
        return isinstance(value, bool)
    if name == "str":
        return isinstance(value, str)
    numbers = (int, float) if name == "float" else (int,)
    return isinstance(value, numbers) and not isinstance(value, bool)


def _same(value: Any, wanted: Any) -> bool:
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _outside(bound: Bound, value: Any) -> str | None:
    limit = bound.arguments[0] if bound.arguments else None
    tests = {"Gt": lambda: value > limit, "Ge": lambda: value >= limit, "Lt": lambda: value < limit,
             "Le": lambda: value <= limit}  # fmt: skip
    if bound.name in tests:
        return None if tests[bound.name]() else f"must be {_SIGNS[bound.name]} {limit}"
    if bound.name == "MinLen" and len(value) < bound.arguments[0]:
        return f"needs {limit} or more items"
    if bound.name == "Len":
        low, high = (*bound.arguments, None)[:2]
        if len(value) < low or (high is not None and len(value) > high):
            return f"needs {low if low == high else f'{low} to {high}'} items"
    return None


def _wrong_list(kind: ListOf, value: Any) -> str | None:
    if not isinstance(value, list):
        return "is no list"
    for position, item in enumerate(value):
        if said := wrong(kind.item, item):
            return f"{said} (item {position + 1}: {item!r})"
    return None


def _wrong_either(kind: Either, value: Any) -> str | None:
    said = [wrong(option, value) for option in kind.options]
    if None in said:
        return None
    # The branch that has the right type and only the wrong range says more than "is none of these".
    close = [s for s in said if s and (s.startswith(("must", "needs")) or "(item" in s)]
    if close:
        bounded = [option for option in kind.options if isinstance(option, Bounded) and isinstance(option.inner, Plain)]
        if len(bounded) > 1:
            return f"must be {' or '.join(map(str, bounded))}"
        others = [str(o) for o in kind.options if isinstance(o, Choice) or o == Plain("None")]
        return close[0] + f", or {' or '.join(others)}" * (bool(others) and close[0].startswith("must"))
    words = [_NAMES.get(o.name, str(o)) if isinstance(o, Plain) else f"one of {o}" if isinstance(o, Choice) else str(o)
             for o in kind.options]  # fmt: skip
    return "is not " + " or ".join(words)
