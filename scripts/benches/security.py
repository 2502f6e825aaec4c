"""What hostile configs and hostile files do: each is tried for real, in a child that notes whatever acts."""

from __future__ import annotations

import importlib
import pkgutil
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import espalier
from benches.hostile import configs
from benches.hostile.payloads import CANARY, lay_out
from benches.hostile.watch import Tried, tried

_LIGHT = ("core", "config", "search", "pruning", "launcher", "report", "sweep", "cli", "build")


def warm() -> None:
    """Import what commands import: a child imports nothing more but what a config made it import."""
    for room in _LIGHT:
        package = importlib.import_module(f"espalier.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            try:
                importlib.import_module(module.name)
            except ImportError:  # of an extra that is not installed
                continue


def main(words: Sequence[str], folder: Path) -> Tried:
    from espalier.cli.dispatch import main

    return tried(lambda: main(words), folder, writable=[folder / "outputs", folder / "page.html", folder / "comparison.html"])
