"""Delimited files of texts and labels as a ``Source``: which columns, which rows, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    splits, numbers, dropped = {}, {}, {}
    for split, path in files.items():
        table = read_table(path, encoding, delimiter)
        chosen = {role: _column(table, role, name, path) for role, name in columns.items()}
        fields = zip(*chosen.values(), strict=True)
        empty = {row for row, values in enumerate(fields) if not all(map(str.strip, values))}
        if empty and on_null == "error":
            raise _empty(path, [table.numbers[row] for row in sorted(empty)])
        kept = [row for row in range(len(table.rows)) if row not in empty]
        splits[split] = {role: [values[row] for row in kept] for role, values in chosen.items()}
        numbers[split] = [table.numbers[row] for row in kept]
        dropped[split] = {"empty": len(empty)} if empty else {}
    return Source(splits, origin, numbers, dropped)


def _column(table: Table, role: str, name: str, path: Path) -> list[str]:
    require_column(role, name, table.header, str(path))
    return table.column(name)


def require_column(role: str, name: str, header: Iterable[str], origin: str) -> None:
    """Say which columns there are, if ``name`` is none of them. Raises ``DataError``."""
    if name not in (names := list(header)):
        known = ", ".join(names)
        raise DataError(Fault(f"data.columns.{role}={name}", f"is no column of {origin}.", f"It has: {known}."))


def _empty(path: Path, rows: list[int]) -> DataError:
    listed = ", ".join(map(str, rows[:_SHOWN])) + (f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else "")
    return DataError(
        Fault(str(path), f"has an empty text or label on line {listed}.", "Fill them, or set data.on_null=drop.")
    )
