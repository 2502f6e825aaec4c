"""Which code a config may name: our parts, and packages that the user trusts outside of every config.

Hydra's own block-list let 23 of 59 hostile configs act, and prefix lists (``torch.*``) admit ``torch.load``; so a target
is looked up in its source, without importing it, and must be a class or function that a trusted package itself defines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from espalier.config.locate import find, module_file
from espalier.config.sources import shipped
from espalier.config.trust import is_trusted
from espalier.core.errors import Fault, TrustError

ROOT = "espalier.build.assemble.assemble"
_STOCK = (  # what Hydra's own default tree names
    "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
    "hydra._internal.core_plugins.basic_sweeper.BasicSweeper",
)
_ACTING = ("_args_", "_partial_", "_recursive_", "_convert_")


def gate(*trees: Mapping[str, Any]) -> None:
    """Judge every ``_target_`` in some trees of plain, resolved values.

    Raises:
        TrustError: every target that is neither ours nor trusted, each with the line that would trust its package.
    """
    faults = [fault for tree in trees for fault in judge(tree)]
    if faults:
        raise TrustError(*faults)


def judge(tree: Any, key: str = "") -> Iterator[Fault]:
    """A fault for each target that may not be called, wherever it stands, lists included."""
    if isinstance(tree, Mapping):
        if "_target_" in tree:
            target, name = tree["_target_"], f"{key}._target_".lstrip(".")
            if refusal := _refusal(target, key):
                yield Fault(f"{name}={target}", *refusal)
            yield from (Fault(f"{key}.{word}".lstrip("."), "is Hydra's own word and changes how code is called.",
                              "Take it out.") for word in _ACTING if word in tree)  # fmt: skip
        for word, value in tree.items():
            yield from judge(value, f"{key}.{word}" if key else str(word))
    elif isinstance(tree, list | tuple):
        for position, value in enumerate(tree):
            yield from judge(value, f"{key}[{position}]")


def _refusal(target: Any, key: str) -> tuple[str, str] | None:
    """(what is true, what to type), or None for a target that may be called."""
    if not isinstance(target, str) or not all(part.isidentifier() for part in target.split(".")):
        return "is no dotted name of a class or function.", ""
    package = target.partition(".")[0]
    if key.partition(".")[0] == "hydra":
        return None if target in _STOCK else ("is not Hydra's own, and nothing else may stand there.", "Take it out.")
    if package == "espalier":
        return _refusal_of_ours(target, key)
    if not is_trusted(package):
        return f"is code of the package {package}, which you do not trust.", f"If you do:  espalier trust {package}"
    found = find(target)
    if found is None:
        what = "is not there" if module_file(package) else f"cannot be looked up: no package {package} is found"
        return f"{what}, or no class or function of that name is defined in it.", "Check the name; see where it stands."
    if found.module.name.partition(".")[0] != package:
        return f"leads out of {package}, to {found.module.name}, which you do not trust.", f"Wrap it in {package}."
    return None


def _refusal_of_ours(target: str, key: str) -> tuple[str, str] | None:
    if target == ROOT:
        return ("may stand at the top only.", "Take it out.") if key else None
    module, _, name = target.rpartition(".")
    if module in _parts() and (found := find(target)) and found.module.name == module and not name.startswith("_"):
        return None
    return "is no part that a config may name.", "Name a part: a module of espalier that has an option of its own name."


@cache
def _parts() -> frozenset[str]:
    """Modules of ours that have an option of the same name beside them: ``conf/model/mlp.yaml`` -> ``espalier.model.mlp``."""
    folder = shipped()
    places: Iterable[Any] = (file.relative_to(folder).with_suffix("").parts for file in folder.rglob("*.yaml"))
    return frozenset(".".join(("espalier", *parts)) for parts in places if len(parts) > 1)
