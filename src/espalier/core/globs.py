"""Paths as people write them for data: one, several, or a pattern."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from espalier.core.home import expanded


def expand(paths: str | Sequence[str]) -> list[Path]:
    """The files that are meant: ``~`` is the home folder, ``shards/*.csv`` all that it matches, in the order of names.

    A name that is there is no pattern, whatever it looks like; what matches nothing gives nothing. A file that is meant
    twice (``[a.csv,*.csv]``) stands once: its rows would come up in training and in validation.
    """
    names = [paths] if isinstance(paths, str) else paths
    return list(dict.fromkeys(file for path in names for file in _matching(path)))


def is_pattern(path: str) -> bool:
    """Whether it means what it matches, and not the one file of its name."""
    return glob.has_magic(path) and "\0" not in path and not expanded(path).exists()  # no file's name has a null


def _matching(path: str) -> list[Path]:
    whole = expanded(path)
    if not is_pattern(path):
        return [whole]
    names = glob.glob(str(whole), recursive=True)  # noqa: PTH207  # Path.glob takes no absolute patterns
    return [file for name in sorted(names) if (file := Path(name)).is_file()]
