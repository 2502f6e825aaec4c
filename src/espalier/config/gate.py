"""Which code a config may name: our parts, and packages that the user trusts outside of every config.

Hydra's own block-list let 23 of 59 hostile configs act, and prefix lists (``torch.*``) admit ``torch.load``; so a
target is looked up in its source, without importing it, and must be a class or function that a trusted package itself
defines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from espalier.config.layers import shown
from espalier.config.locate import broken_at, find, is_bare_folder, is_package, module_file, read_module
from espalier.config.sources import shipped
from espalier.config.suggest import asked, listed, nearest
from espalier.config.trust import is_trusted, why_never
from espalier.core.errors import Fault, TrustError

ROOT = "espalier.build.assemble.assemble"
SWEEP = "espalier.sweep.settings.Settings"  # of the root multirun, at its node ``sweep``
_STOCK = (  # what Hydra's own default tree names: targets, and classes of its logging
    "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
    "hydra._internal.core_plugins.basic_sweeper.BasicSweeper",
    "logging.StreamHandler",
    "logging.FileHandler",
)
_ACTING = re.compile(r"_(?!target_$)\w*_")  # _args_, _partial_, _recursive_, _convert_, and what is yet to come
_LOGGING = ("class", "()")


def gate(tree: Mapping[str, Any], key: str = "") -> None:
    """Judge every ``_target_`` of a tree of plain, resolved values.

    Args:
        tree: what will be called, exactly.
        key: where it stands in the config; only the root may name ``assemble``.

    Raises:
        TrustError: every target that is neither ours nor trusted, each with the line that would trust its package.
    """
    if faults := list(judge(tree, key)):
        raise TrustError(*faults)


def judge(tree: Any, key: str = "") -> Iterator[Fault]:
    """A fault for each target that may not be called, wherever it stands, lists included."""
    if isinstance(tree, Mapping):
        yield from _judge_node(tree, key)
        for word, value in tree.items():
            yield from judge(value, f"{key}.{word}" if key else str(word))
    elif isinstance(tree, list | tuple):
        for position, value in enumerate(tree):
            yield from judge(value, f"{key}[{position}]")


def _judge_node(node: Mapping[str, Any], key: str) -> Iterator[Fault]:
    prefix = f"{key}." if key else ""
    within_hydra = key.partition(".")[0] == "hydra"
    for word in _LOGGING if within_hydra else ():
        if isinstance(node.get(word), str) and node[word] not in _STOCK:
            yield Fault(f"{prefix}{word}={node[word]}", *_STRANGE_IN_HYDRA)
    if "_target_" in node:
        target = node["_target_"]
        refusal = _refusal_in_hydra(target) if within_hydra else _refusal(target, key)
        if refusal:
            yield Fault(f"{prefix}_target_={target}", *refusal)
        yield from (
            Fault(f"{prefix}{word}", "is a word of Hydra's own, which change how code is called.", "Take it out.")
            for word in node
            if isinstance(word, str) and _ACTING.fullmatch(word)
        )


_STRANGE_IN_HYDRA = ("is not Hydra's own, and nothing else may stand there.", "Take it out.")


def _refusal_in_hydra(target: Any) -> tuple[str, str] | None:
    return None if target in _STOCK else _STRANGE_IN_HYDRA


def _refusal(target: Any, key: str) -> tuple[str, str] | None:
    """(what is true, what to type), or None for a target that may be called."""
    if not isinstance(target, str) or not _is_dotted(target):
        return "is no dotted name of a class or function.", "Write  _target_: package.module.Name"
    package = target.partition(".")[0]
    if package == "espalier":
        return _refusal_of_ours(target, key)
    if reason := why_never(package):
        return f"is code of {package}, which {reason}", "Wrap what you need of it in a package of yours."
    if not is_trusted(package):
        return f"is code of the package {package}, which you do not trust.", f"If you do:  espalier trust {package}"
    found = find(target)
    if found is None:
        return _not_found(target, package)
    if found.module.name.partition(".")[0] != package:
        return f"leads out of {package}, to {found.module.name}, which you do not trust.", f"Wrap it in {package}."
    return None


def _not_found(target: str, package: str) -> tuple[str, str]:
    """Which part of the name leads nowhere."""
    module, _, name = target.rpartition(".")
    if not is_package(package) and not module_file(package):
        return f"cannot be looked up: there is no package {package} here.", "Install it, or run where it lies."
    file = module_file(module)
    if file is None and is_bare_folder(package):
        return f"cannot be looked up: the folder {package} here is no package.", "Install it, or run where it lies."
    if file is None:
        return f"leads nowhere: {package} has no module {module}.", "Check the name."
    source = read_module(module)
    if source is None:
        line, why = broken_at(file)
        return f"cannot be looked up: its source is no Python ({why}).", f"Mend  {shown(file)}:{line}"
    return f"is no class or function that {module} defines.", asked(
        [f"{module}.{guess}"] if (guess := nearest(name, source.definitions)) else []
    ) or f"It has: {listed(source.definitions)}."


def _is_dotted(target: str) -> bool:
    parts = target.split(".")
    return len(parts) > 1 and all(part.isidentifier() and not part.startswith("__") for part in parts)


def _refusal_of_ours(target: str, key: str) -> tuple[str, str] | None:
    if target == ROOT:
        return ("may stand at the top only.", "Take it out.") if key else None
    if target == SWEEP:
        return None if key == "sweep" else ("may stand at the node sweep only.", "Take it out.")
    module, _, name = target.rpartition(".")
    if module in _parts() and (found := find(target)) and found.module.name == module and not name.startswith("_"):
        return None
    return "is no part that a config may name.", "Name a part: a module of espalier that has an option of its own name."


@cache
def _parts() -> frozenset[str]:
    """Modules of ours that have an option of their name: ``conf/model/mlp.yaml`` -> ``espalier.model.mlp``."""
    folder = shipped()
    places = (file.relative_to(folder).with_suffix("").parts for file in folder.rglob("*.yaml"))
    return frozenset(".".join(("espalier", *parts)) for parts in places if len(parts) > 1)
