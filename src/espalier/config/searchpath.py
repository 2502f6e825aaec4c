"""``hydra.searchpath`` may name packages, and looking into a package imports it: only trusted ones may stand there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from espalier.config.trust import is_trusted
from espalier.config.words import Word
from espalier.core.errors import Fault, TrustError


def require_trusted_searchpath(words: Sequence[Word], root: str, folders: Sequence[Path]) -> None:
    """Look at the root config and the command line before Hydra does.

    Raises:
        TrustError: an entry ``pkg://…`` names a package that is not trusted.
    """
    entries: list[Any] = []
    primary = next((file for folder in folders if (file := folder / f"{root}.yaml").is_file()), None)
    if primary:
        entries += _entries(primary)
    for word in words:
        if word.key == "hydra.searchpath":
            value = word.override.value()
            entries += value if isinstance(value, list) else [value]
    strange = [e for e in map(str, entries) if e.startswith("pkg://") and not _is_fine(_package(e))]
    if strange:
        raise TrustError(
            *(Fault(f"hydra.searchpath: {e}", "would import a package that you do not trust.",
                    f"If you do:  espalier trust {_package(e)}") for e in strange)
        )  # fmt: skip


def _is_fine(package: str) -> bool:
    return package in ("espalier", "hydra") or is_trusted(package)


def _package(entry: str) -> str:
    return entry.removeprefix("pkg://").replace("/", ".").partition(".")[0]


def _entries(primary: Path) -> list[Any]:
    try:
        content = yaml.safe_load(primary.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return []  # composing will say what is wrong with the file
    hydra = content.get("hydra") if isinstance(content, dict) else None
    found = hydra.get("searchpath") if isinstance(hydra, dict) else None
    return found if isinstance(found, list) else []
