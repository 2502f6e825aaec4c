"""``data.path``, ``data.validation_path`` and ``data.test_path``: which files make which split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from annotated_types import MinLen

from espalier.core.bounds import FileExists
from espalier.core.errors import DataError, Fault
from espalier.core.globs import expand, is_pattern

Paths = Annotated[str | list[str], FileExists(), MinLen(1)]
Files = Mapping[str, Sequence[Path]]
"""Split -> its files."""


def files_of(paths: Mapping[str, str | Sequence[str] | None]) -> tuple[Files, str]:
    """The files of each split that has paths, and where they were taken from, for people.

    A pattern leaves out what another split names, that of ``train`` also what another's pattern matches: no file is in
    two splits, unless it is named for both validation and test.

    Args:
        paths: split -> what its setting says; that of ``train`` is ``data.path``.

    Raises:
        DataError: a pattern matches nothing that other splits leave; two splits mean a file.
    """
    files = _apart({split: given for split, given in paths.items() if given is not None})
    first, *others = files["train"]
    return files, f"{first} and {len(others)} more" if others else str(first)


def _apart(paths: Mapping[str, str | Sequence[str]]) -> dict[str, list[Path]]:
    """The files of each split without those of another one."""
    files = {split: _found(given, split) for split, given in paths.items()}
    meant: dict[Path, list[str]] = {}
    for split, found in files.items():
        for file in {file.resolve() for file in found}:
            meant.setdefault(file, []).append(split)
    shared = {file: splits for file, splits in meant.items() if len(splits) > 1}
    named = {split: _named(paths[split]) for split in paths} if shared else {}
    for file, splits in shared.items():
        owners = [split for split in splits if file in named[split]]
        claims = owners or [split for split in splits if split != "train"]
        alike = len({str(paths[split]) for split in claims}) == 1  # one set to validate and to test on
        if len(claims) > 1 and (not (owners or alike) or "train" in owners):
            truth, remedy = f"both mean {file}: its rows would be in two splits.", "Leave it out of one of them."
            raise DataError(Fault(f"{_key(claims[0])} and {_key(claims[1])}", truth, remedy))
        shared[file] = claims
    for split, found in files.items():
        files[split] = [file for file in found if not shared or split in shared.get(file.resolve(), (split,))]
        if not files[split]:
            truth = "matches only files that other splits have."
            raise DataError(Fault(f"{_key(split)}={paths[split]}", truth, "Give a file of its own."))
    return files


def _found(paths: str | Sequence[str], split: str) -> list[Path]:
    found = expand(paths)
    if not found:
        raise DataError(Fault(f"{_key(split)}={paths}", f"matches no file (looked from {Path.cwd()})."))
    return found


def _named(paths: str | Sequence[str]) -> set[Path]:
    """The files that are no matches of a pattern."""
    names = [paths] if isinstance(paths, str) else paths
    return {file.resolve() for name in names if not is_pattern(name) for file in expand(name)}


def _key(split: str) -> str:
    return "data.path" if split == "train" else f"data.{split}_path"
