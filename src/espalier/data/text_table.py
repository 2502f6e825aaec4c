"""Delimited files of texts and labels as a ``Source``: which columns, which rows, what is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from espalier.core.errors import DataError, Fault
from espalier.core.tabular import Table, read_table
from espalier.data.common import Source

_SHOWN = 5


def read_text_files(
    files: Mapping[str, Path],
    columns: Mapping[str, str],
    *,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    on_null: Literal["error", "drop"] = "error",
    origin: str,
) -> Source:
    """Read one file a split.

    Args:
        files: split -> file.
        columns: role -> column name.
        on_null: whether a row with an empty field is an error or is dropped and counted.

    Raises:
        DataError: see ``read_table``; a column that a file does not have (with those it has); rows with empty fields.
    """
    splits, numbers, dropped, digest = {}, {}, {}, hashlib.sha256()
    for split, path in files.items():
        table = read_table(path, encoding, delimiter)
        digest.update(path.read_bytes())
        chosen = {role: _column(table, role, name, path) for role, name in columns.items()}
        empty = [row for row, fields in enumerate(zip(*chosen.values(), strict=True)) if not all(map(str.strip, fields))]
        if empty and on_null == "error":
            raise _empty(path, [table.numbers[row] for row in empty])
        kept = sorted(set(range(len(table.rows))) - set(empty))
        splits[split] = {role: [values[row] for row in kept] for role, values in chosen.items()}
        numbers[split] = [table.numbers[row] for row in kept]
        dropped[split] = {"empty": len(empty)} if empty else {}
    return Source(splits, origin, digest.hexdigest(), numbers, dropped)


def _column(table: Table, role: str, name: str, path: Path) -> list[str]:
    if name not in table.header:
        raise DataError(
            Fault(f"data.columns.{role}={name}", f"is no column of {path}.", f"It has: {', '.join(table.header)}.")
        )
    return table.column(name)


def _empty(path: Path, rows: list[int]) -> DataError:
    listed = ", ".join(map(str, rows[:_SHOWN])) + (f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else "")
    return DataError(
        Fault(str(path), f"has an empty text or label on line {listed}.", "Fill them, or set data.on_null=drop.")
    )
