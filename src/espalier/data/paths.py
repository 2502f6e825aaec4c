"""``data.path``, ``data.validation_path`` and ``data.test_path``: which files make which split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from annotated_types import MinLen

from espalier.core.bounds import FileExists
from espalier.core.errors import DataError, Fault
from espalier.core.globs import expand

Paths = Annotated[str | list[str], FileExists(), MinLen(1)]
Files = Mapping[str, Sequence[Path]]
"""Split -> its files."""


def files_of(paths: Mapping[str, str | Sequence[str] | None]) -> tuple[Files, str]:
    """The files of each split that has paths, and where they were taken from, for people.

    Args:
        paths: split -> what its setting says; that of ``train`` is ``data.path``.

    Raises:
        DataError: a pattern matches nothing.
    """
    files = {split: _found(given, split) for split, given in paths.items() if given is not None}
    first, *others = files["train"]
    return files, f"{first} and {len(others)} more" if others else str(first)


def _found(paths: str | Sequence[str], split: str) -> list[Path]:
    found = expand(paths)
    if not found:
        key = "path" if split == "train" else f"{split}_path"
        raise DataError(Fault(f"data.{key}={paths}", f"matches no file (looked from {Path.cwd()})."))
    return found
