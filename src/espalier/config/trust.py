"""Packages whose code a config may name. The list is kept outside of every config: in the user's home."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from espalier.core.errors import Fault, UserError
from espalier.core.files import write_atomic
from espalier.core.home import home

_NAME = re.compile(r"[^\W\d]\w*")
# Each of these loads or runs whatever it is told to: torch.load, torch.hub.load, hydra.utils.call, numpy.load …
_ALL_POWERFUL = frozenset({
    "IPython", "accelerate", "cloudpickle", "dask", "datasets", "dill", "hydra", "jax", "joblib", "keras",
    "lightning", "lightning_fabric", "numba", "numpy", "omegaconf", "pandas", "peft", "pip", "pkg_resources",
    "pyarrow", "pytest", "pytorch_lightning", "ray", "scipy", "setuptools", "sklearn", "tensorflow", "torch",
    "transformers", "wandb", "yaml"
})  # fmt: skip


def trusted() -> list[str]:
    """Packages trusted by hand (``espalier trust``) or by ``ESPALIER_TRUST=a,b``."""
    return list(dict.fromkeys([*_kept(), *os.environ.get("ESPALIER_TRUST", "").replace(",", " ").split()]))


def is_trusted(package: str) -> bool:
    """Whether a top-level package is trusted, or is installed with an entry point in the group ``espalier.parts``."""
    return why_never(package) is None and (package in trusted() or package in _announced())


def why_never(package: str) -> str | None:
    """Why nobody may trust a package, as the end of a sentence; None for one that may be trusted."""
    if not _NAME.fullmatch(package) or package.startswith("__"):
        return "is no package's name."
    if package in sys.stdlib_module_names:
        return "is Python's own and could run anything."
    if package in _ALL_POWERFUL:
        return "can load and run anything that it is told to."
    return "is trusted anyway, as far as its parts go." if package == "espalier" else None


def trust(package: str) -> bool:
    """Add a package to the list; whether it was new.

    Raises:
        UserError: no name of a package; one that could run anything, which no experiment is made of.
    """
    if reason := why_never(package):
        whole = package.partition(".")[0]
        remedy = "Wrap what you need of it in a package of yours." if _NAME.fullmatch(package) else (
            f"Trust a whole package:  espalier trust {whole if _NAME.fullmatch(whole) else 'my_package'}")  # fmt: skip
        raise UserError(Fault(package, reason, "" if package == "espalier" else remedy))
    known = _kept()
    _write([*known, package])
    return package not in known


def distrust(package: str) -> bool:
    """Take a package off the list; whether it was there."""
    known = _kept()
    _write([name for name in known if name != package])
    return package in known


class WorkingFolderFinder:
    """Finds trusted packages, and nothing else, in one folder: put on ``sys.meta_path`` by the process that trains."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As ``importlib.abc.MetaPathFinder`` says."""
        if path is not None or not is_trusted(name):
            return None
        return PathFinder.find_spec(name, [str(self.folder)], target)


def _kept() -> list[str]:
    file = home() / "trusted"
    return file.read_text(encoding="utf-8").split() if file.is_file() else []


def _write(names: Sequence[str]) -> None:
    home().mkdir(parents=True, exist_ok=True)
    write_atomic(home() / "trusted", "".join(f"{name}\n" for name in dict.fromkeys(names)))


@cache
def _announced() -> frozenset[str]:
    return frozenset(entry.value.partition(":")[0].partition(".")[0] for entry in entry_points(group="espalier.parts"))
