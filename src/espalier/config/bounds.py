"""Bounds that look beyond their own value: the machine, a file, another group's part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from espalier.config.signature import class_attribute
from espalier.config.suggest import listed, nearest
from espalier.config.types import Bound
from espalier.core.errors import DataError
from espalier.core.machine import probe
from espalier.core.tabular import read_header

Answer = tuple[str, str]
"""(what is true, what to type)"""


def outside(bound: Bound, key: str, value: Any, tree: Mapping[str, Any], siblings: Mapping[str, Any]) -> Answer | None:
    """What is wrong with a value under a bound of ``core.bounds``; None where nothing is, or where another type holds.

    Args:
        key: the setting's dotted key.
        tree: the whole config, resolved.
        siblings: the settings of the same part.
    """
    test = _TESTS.get(bound.name)
    return test(bound, key, value, tree, siblings) if test else None


def _at_most(
    bound: Bound, key: str, value: Any, tree: Mapping[str, Any], siblings: Mapping[str, Any]
) -> Answer | None:
    machine, resource = probe(), bound.arguments[0]
    there = getattr(machine, resource)
    if not isinstance(value, int) or value <= there:
        return None
    if not there:
        return f"this machine has {machine}.", "Choose hardware=auto or hardware=cpu, or run where there is one."
    return f"this machine has {machine}.", f"Set {key}={there}, or run where there are {value}."


def _file_exists(
    bound: Bound, key: str, value: Any, tree: Mapping[str, Any], siblings: Mapping[str, Any]
) -> Answer | None:
    path = Path(value)
    if path.is_file():
        return None
    if path.is_dir():
        return "is a folder.", "Name the file."
    folder = path.parent if path.parent.is_dir() else Path()
    names = sorted(file.name for file in folder.iterdir() if file.is_file())
    guess = nearest(path.name, names)
    return f"there is no such file (looked in {folder.resolve()}).", f"Did you mean  {folder / guess} ?" if guess else ""


def _columns_of(
    bound: Bound, key: str, value: Any, tree: Mapping[str, Any], siblings: Mapping[str, Any]
) -> Answer | None:
    path = siblings.get(bound.arguments[0])
    if not isinstance(path, str) or not Path(path).is_file():
        return None
    try:
        header = read_header(Path(path), siblings.get("encoding") or "utf-8", siblings.get("delimiter"))
    except DataError as error:
        fault = error.faults[0]
        return f"cannot be looked up: {fault.what} {fault.truth}", fault.remedy
    lacking = {role: name for role, name in value.items() if name not in header}
    if not lacking:
        return None
    guesses = {role: nearest(str(name), header) for role, name in lacking.items()}
    said = "; ".join(f"no column {name!r} for {role}" for role, name in lacking.items())
    typed = " ".join(f"{key}.{role}={guesses[role] or '…'}" for role in lacking)
    return f"{path} has {said}. It has: {listed(header)}.", f"Set {typed}"


def _offered_by(
    bound: Bound, key: str, value: Any, tree: Mapping[str, Any], siblings: Mapping[str, Any]
) -> Answer | None:
    group, attribute = bound.arguments
    target = (tree.get(group) or {}).get("_target_")
    if not isinstance(target, str):
        return None
    offered = class_attribute(target, attribute) or {}
    if value in offered:
        return None
    part = target.split(".")[-2] if target.count(".") else target
    if not offered:
        return f"{part} offers no {attribute}.", "Try adapter=full." if group == "model" else ""
    return f"{part} offers {listed(offered)}.", f"Set {key}={next(iter(offered))}"


_TESTS: Mapping[str, Callable[[Bound, str, Any, Mapping[str, Any], Mapping[str, Any]], Answer | None]] = {
    "AtMost": _at_most,
    "FileExists": _file_exists,
    "ColumnsOf": _columns_of,
    "OfferedBy": _offered_by,
}
