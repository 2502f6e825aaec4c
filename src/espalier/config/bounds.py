"""Bounds that look beyond their own value: the machine, a file, another group's part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espalier.config.signature import class_attribute, owner_of
from espalier.config.suggest import asked, listed, nearest
from espalier.config.types import Bound
from espalier.config.words import as_word
from espalier.core.errors import DataError
from espalier.core.machine import probe
from espalier.core.tabular import read_header

Answer = tuple[str, str, str]
"""(the key that is to be changed, what is true, what to type)"""


@dataclass(frozen=True)
class Setting:
    """A value and where it stands.

    Attributes:
        key: dotted.
        siblings: the settings of the same part.
        tree: the whole config, resolved; groups of which nothing is known are left out.
    """

    key: str
    value: Any
    siblings: Mapping[str, Any]
    tree: Mapping[str, Any]


def outside(bound: Bound, setting: Setting) -> Iterator[Answer]:
    """What is wrong with a value under a bound of ``core.bounds``."""
    test = _TESTS.get(bound.name)
    yield from test(bound.arguments, setting) if test else ()


def _at_most(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    machine, value = probe(), setting.value
    there = getattr(machine, arguments[0])
    if isinstance(value, int) and value > there:
        less = f"Set {setting.key}={there}, or run where there are {value}."
        many = f"hardware=ddp_cpu hardware.devices={min(value, machine.cpus)}"
        none = f"Set {many if min(value, machine.cpus) > 1 else 'hardware=cpu'}, or run where there are GPUs."
        yield setting.key, f"this machine has {machine}.", less if there else none


def _file_exists(_: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    path = Path(setting.value).expanduser()
    if path.is_file():
        return
    if path.is_dir():
        yield setting.key, "is a folder.", "Name the file."
        return
    folder = path.parent if path.parent.is_dir() else Path()
    guess = nearest(path.name, sorted(file.name for file in folder.iterdir() if file.is_file()))
    remedy = asked([as_word(setting.key, str(folder / guess))] if guess else [])
    yield setting.key, f"there is no such file (looked in {folder.resolve()}).", remedy


def _columns_of(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    siblings, path = setting.siblings, setting.siblings.get(arguments[0])
    if not isinstance(path, str) or not Path(path).expanduser().is_file():
        return
    try:
        header = read_header(Path(path).expanduser(), siblings.get("encoding") or "utf-8", siblings.get("delimiter"))
    except DataError as error:
        fault = error.faults[0]
        yield f"{setting.key.rpartition('.')[0]}.{arguments[0]}", f"{fault.what} {fault.truth}", fault.remedy
        return
    for role, name in setting.value.items():
        if name not in header:
            key = f"{setting.key}.{role}"
            guess = nearest(str(name), header) or (header[0] if len(header) == 1 else "")
            truth = f"{path} has no column {name!r}. It has: {listed(header)}."
            yield key, truth, f"Set  {as_word(key, guess or '…')}"


def _keys(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    (names,) = arguments
    for name in setting.value:
        if name not in names:
            guess = nearest(str(name), names)
            remedy = asked([f"{setting.key}.{guess}"]) if guess else f"It has: {listed(names)}."
            yield f"{setting.key}.{name}", f'{setting.key} has no "{name}".', remedy


def _offered_by(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    group, attribute = arguments
    target = (setting.tree.get(group) or {}).get("_target_")
    if not isinstance(target, str):
        return
    offered = class_attribute(target, attribute) or {}
    if setting.value in offered:
        return
    if offered:
        yield setting.key, f"{owner_of(target)} offers {listed(offered)}.", f"Set {setting.key}={next(iter(offered))}"
    else:
        other = "Try adapter=full." if group == "model" else ""
        yield setting.key, f"{owner_of(target)} offers no {attribute}.", other


def _reads(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    readers = [
        part for part in (setting.value.get("encoding"), setting.tree.get(arguments[0])) if isinstance(part, Mapping)
    ]
    targets = [target for part in readers if isinstance(target := part.get("_target_"), str)]
    if len(targets) < 2:
        return
    read, kinds = class_attribute(targets[0], "reads"), class_attribute(targets[1], "kinds")
    if not read or not isinstance(kinds, Mapping) or set(read) & set(kinds.values()):
        return
    there = listed(kind for kind in dict.fromkeys(kinds.values()) if kind not in ("label", "id"))
    truth = f"reads {' or '.join(read)}, and {owner_of(targets[1])} has {there}."
    yield setting.key, truth, "Choose a model for such data; see  espalier train --help"


_TESTS: Mapping[str, Callable[[Sequence[Any], Setting], Iterator[Answer]]] = {
    "AtMost": _at_most,
    "FileExists": _file_exists,
    "ColumnsOf": _columns_of,
    "Keys": _keys,
    "OfferedBy": _offered_by,
    "Reads": _reads,
}
