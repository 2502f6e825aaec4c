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


def _matching(path: str) -> list[Path]:
    whole = expanded(path)
    if whole.exists() or not glob.has_magic(path) or "\0" in path:  # of which no file's name has any
        return [whole]
    names = glob.glob(str(whole), recursive=True)  # noqa: PTH207  # Path.glob takes no absolute patterns
    return [file for name in sorted(names) if (file := Path(name)).is_file()]
