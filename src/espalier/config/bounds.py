"""Bounds that look beyond their own value: the machine, a file, another group's part."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from espalier.config.data_files import columns_of, file_exists, folder_exists, learns
from espalier.config.setting import Answer, Setting
from espalier.config.signature import class_attribute, has_member, owner_of, signature_of
from espalier.config.suggest import asked, listed, nearest
from espalier.config.trained_run import run_or_weights
from espalier.config.tree import at
from espalier.config.types import Bound, wrong
from espalier.core.home import folder_of
from espalier.core.machine import Machine, compiler

_EXTRAS = {"bitsandbytes": "gpu"}  # package -> the extra of ours that brings it
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def outside(bound: Bound, setting: Setting) -> Iterator[Answer]:
    """What is wrong with a value under a bound of ``core.bounds``."""
    test = _TESTS.get(bound.name)
    yield from test(bound.arguments, setting) if test else ()


def _asks(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    task, part = setting.value.get("_target_"), setting.tree.get(arguments[0])
    target = part.get("_target_") if isinstance(part, Mapping) else None
    if not isinstance(task, str) or not isinstance(target, str):
        return
    missing = next((name for name in class_attribute(task, "asks") or () if not has_member(target, name)), None)
    if missing:
        truth = f"asks a model for {missing}, and this one has none."
        yield setting.key, truth, class_attribute(task, "suits") or ""


def _at_most(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    value = setting.value
    if not isinstance(value, int) or (machine := setting.machine()) is None:
        return
    there = getattr(machine, arguments[0])
    if value > there:
        less = f"Set {setting.key}={there}, or run where there are {value}."
        yield setting.key, f"{machine.tell()}.", less if there else _without(arguments[0], value, machine)


def _needs(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    if not setting.value or (machine := setting.machine()) is None:
        return
    if arguments[0] == "gpus" and not machine.gpus:
        yield setting.key, f"{machine.tell()}.", _without("gpus", machine.cpus, machine)
    if machine.cluster:
        return  # what is installed there is not known
    if arguments[0] == "compiler" and compiler() is None:
        truth = "needs a C++ compiler, and there is none (looked for $CXX, g++, clang++)."
        yield setting.key, truth, f"Install one:  apt install g++   or set {setting.key}=false"

    if (extra := _EXTRAS.get(arguments[0])) and find_spec(arguments[0]) is None:
        remedy = f"pip install 'espalier[{extra}]'   or set {setting.key}=null"
        yield setting.key, f"needs {arguments[0]}, which is not installed.", remedy


def _without(resource: str, processes: int, machine: Machine) -> str:
    many = min(processes, machine.cpus)
    instead = f"hardware=ddp_cpu hardware.devices={many}" if many > 1 else "hardware=cpu"
    return f"Set {instead}, or run where there are {'Apple GPUs' if resource == 'apple_gpus' else 'GPUs'}."


def _hub_or_folder(_: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    folder = folder_of(setting.value)
    if folder and not folder.is_dir():
        yield setting.key, f"there is no such folder (looked for {folder}).", "Name one, or a hub id: ORG/NAME"
    elif not folder and not _HUB_ID.fullmatch(setting.value):
        yield setting.key, "is no hub id and no folder.", "Write ORG/NAME, or a folder: ./NAME, /PATH/NAME"


def _keys(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    (names,) = arguments
    for name in setting.value:
        if name not in names:
            guess = nearest(str(name), names)
            remedy = asked([f"{setting.key}.{guess}"]) if guess else f"It has: {listed(names)}."
            yield f"{setting.key}.{name}", f'{setting.key} has no "{name}".', remedy


def _offered_by(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    group, attribute = arguments
    part = setting.tree.get(group)
    target = part.get("_target_") if isinstance(part, Mapping) else None
    if not isinstance(target, str):
        return
    offered = class_attribute(target, attribute) or {}
    if isinstance(setting.value, list) or setting.value in offered:
        return  # what a list names is known when the part is made
    if offered:
        yield setting.key, f"{owner_of(target)} offers {listed(offered)}.", f"Set {setting.key}={next(iter(offered))}"
    else:
        other = "Try adapter=full." if group == "model" else ""
        yield setting.key, f"{owner_of(target)} offers no {attribute}.", other


def _own_settings(_: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    part = at(setting.tree, setting.key.rpartition(".")[0]) or {}
    target = str(part.get("_target_"))
    signature = signature_of(target)
    known = {n: p for n, p in signature.parameters.items() if n != setting.key.rpartition(".")[2]}
    for name, values in setting.value.items():
        for key, value in values.items() if isinstance(values, Mapping) else ():
            place = f"{setting.key}.{name}.{key}"
            if key in known and (said := wrong(known[key].type, value)):
                yield place, f"{key} {said}.", "" if "must be" in said else f"It takes: {known[key].type}."
            elif key not in known and not signature.open:
                guess = nearest(str(key), known)
                remedy = asked([f"{setting.key}.{name}.{guess}"]) if guess else f"It has: {listed(known)}."
                yield place, f'{owner_of(target)} has no setting "{key}".', remedy


def _reads(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    readers = [
        part for part in (setting.value.get("encoding"), setting.tree.get(arguments[0])) if isinstance(part, Mapping)
    ]
    targets = [target for part in readers if isinstance(target := part.get("_target_"), str)]
    if len(targets) < 2:
        return
    read, kinds = class_attribute(targets[0], "reads"), class_attribute(targets[1], "kinds")
    if not read or not isinstance(kinds, Mapping):
        return
    writes = class_attribute(targets[0], "writes")
    if writes and writes not in kinds.values():
        truth = f"reads one text and writes another, and {owner_of(targets[1])} has no {writes}."
        yield setting.key, truth, "Choose such data:  data=pairs, data=multi30k ; or a model that reads"
    if set(read) & set(kinds.values()):
        return
    there = listed(kind for kind in dict.fromkeys(kinds.values()) if kind not in ("label", "labels", "tags", "id"))
    truth = f"reads {' or '.join(read)}, and {owner_of(targets[1])} has {there}."
    yield setting.key, truth, "Choose a model for such data; see  espalier train --help"


_TESTS: Mapping[str, Callable[[Sequence[Any], Setting], Iterator[Answer]]] = {
    "Asks": _asks,
    "AtMost": _at_most,
    "FileExists": file_exists,
    "FolderExists": folder_exists,
    "HubOrFolder": _hub_or_folder,
    "ColumnsOf": columns_of,
    "Learns": learns,
    "Keys": _keys,
    "Needs": _needs,
    "OfferedBy": _offered_by,
    "OwnSettings": _own_settings,
    "Reads": _reads,
    "RunOrWeights": run_or_weights,
}
