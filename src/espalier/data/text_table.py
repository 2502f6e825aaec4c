"""Tables of texts and labels as a ``Source``, whatever file they stand in: which columns and rows, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Literal, Protocol

from espalier.core.empty_cells import by_column
from espalier.core.errors import DataError, Fault
from espalier.core.tabular import read_table
from espalier.data.common import Source
from espalier.data.labels import SLICE, as_labels, as_slice, as_text, is_empty, is_nothing

_FILL = "Fill them, or set data.on_null=drop."


class Tabular(Protocol):
    """Named columns of equal length; ``numbers[i]`` is the number of row ``i`` in its file."""

    @property
    def header(self) -> tuple[str, ...]:
        """All names."""

    @property
    def numbers(self) -> Sequence[int]:
        """Of the rows that were read."""

    def column(self, name: str) -> list[Any]:
        """One column's values."""


@dataclass(frozen=True)
class Reading:
    """Which columns of a table are meant, and what becomes of rows that lack something.

    Attributes:
        columns: role -> column name.
        slices: columns by which results are told apart.
        label_separator: what stands between several labels in a text.
        on_null: whether a row without text or label is an error, or is dropped and counted.
        unit: what a row is called: ``line``, ``row``.
    """

    columns: Mapping[str, str]
    slices: Sequence[str] = ()
    label_separator: str | None = None
    on_null: Literal["error", "drop"] = "error"
    unit: str = "line"

    @property
    def names(self) -> list[str]:
        """The columns that are read."""
        return [*self.columns.values(), *self.slices]


@dataclass
class Split:
    """The rows of a split as they are gathered, file by file.

    Attributes:
        columns: role -> values.
        numbers: of the rows.
        begins: (first number, file) of each file.
        empty: rows left out since they lack something.
        header: every column there is.
    """

    columns: dict[str, list[Any]]
    numbers: list[int] = field(default_factory=list)
    begins: list[tuple[int, str]] = field(default_factory=list)
    empty: int = 0
    header: tuple[str, ...] = ()


def read_text_files(
    files: Mapping[str, Path],
    columns: Mapping[str, str],
    *,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    on_null: Literal["error", "drop"] = "error",
    origin: str,
) -> Source:
    """Read one delimited file a split.

    Raises:
        DataError: see ``core.tabular.read_table`` and ``gather``.
    """
    reading = Reading(columns, on_null=on_null)
    whole = {split: [path] for split, path in files.items()}
    read = partial(read_table, encoding=encoding, delimiter=delimiter, names=reading.names)
    return gather(whole, read, reading, origin=origin)


def gather(
    files: Mapping[str, Sequence[Path]], read: Callable[[Path], Tabular], reading: Reading, *, origin: str
) -> Source:
    """Read the files of each split, one after the other.

    Row numbers are those of the file; a later file's go on where the one before it ended.

    Raises:
        DataError: what ``read`` raises; a column that a file does not have (with those it has); rows with empty fields;
            values that are neither texts nor labels.
    """
    splits = {}
    for split, paths in files.items():
        splits[split] = Split({})
        for path in paths:
            add(splits[split], read(path), reading, str(path))
    return source_of(splits, reading, origin)


def add(split: Split, table: Tabular, reading: Reading, name: str) -> None:
    """Add a table's rows to a split, under numbers that go on. Raises ``DataError``: see ``gather``."""
    start = split.numbers[-1] + 1 if split.numbers else 0
    chosen = {role: _column(table, role, reading, name) for role in _roles(reading)}
    lacking = {
        reading.columns[role]: [row for row, value in enumerate(values) if is_empty(value)]
        for role, values in chosen.items() if not role.startswith(SLICE)
    }  # fmt: skip
    empty = set(chain.from_iterable(lacking.values()))
    if empty and reading.on_null == "error":
        numbers = {column: [table.numbers[row] for row in rows] for column, rows in lacking.items()}
        raise DataError(Fault(name, f"has empty cells: {by_column(numbers, reading.unit)}.", _FILL))
    kept = [row for row in range(len(table.numbers)) if row not in empty]
    for role, values in chosen.items():
        split.columns.setdefault(role, []).extend(values[row] for row in kept)
    split.numbers += [start + table.numbers[row] for row in kept]
    split.begins.append((start, name))
    split.header = table.header
    split.empty += len(empty)


def source_of(splits: Mapping[str, Split], reading: Reading, origin: str, labels: tuple[str, ...] = ()) -> Source:
    """The rows that were added, with where they stood."""
    return Source(
        {name: split.columns for name, split in splits.items()},
        origin,
        {name: split.numbers for name, split in splits.items()},
        {name: {"empty": split.empty} if split.empty else {} for name, split in splits.items()},
        labels=labels,
        places={name: split.begins for name, split in splits.items()},
        unit=reading.unit,
        header=next(iter(splits.values())).header,
    )


def require_column(role: str, name: str, header: Iterable[str], origin: str) -> None:
    """Say which columns there are, if ``name`` is none of them. Raises ``DataError``."""
    if name not in (names := list(header)):
        known = ", ".join(names)
        raise DataError(Fault(f"data.columns.{role}={name}", f"is no column of {origin}.", f"It has: {known}."))


def _roles(reading: Reading) -> dict[str, str]:
    return {**reading.columns, **{f"{SLICE}{name}": name for name in reading.slices}}


def _column(table: Tabular, role: str, reading: Reading, origin: str) -> list[Any]:
    name = _roles(reading)[role]
    if role.startswith(SLICE):
        if name not in table.header:
            known = ", ".join(table.header)
            raise DataError(Fault(f"data.slices=[{name}]", f"is no column of {origin}.", f"It has: {known}."))
        return [as_slice(value) for value in table.column(name)]
    require_column(role, name, table.header, origin)
    values = table.column(name)
    if role == "image":
        return values
    if role == "label":
        return as_labels(values, reading.label_separator, lambda i: _where(origin, reading.unit, table.numbers[i]))
    texts = [as_text(value) for value in values]
    if None in texts:
        strange = [i for i, text in enumerate(texts) if text is None and not is_nothing(values[i])]
        if strange:
            kind, where = type(values[strange[0]]).__name__, _where(origin, reading.unit, table.numbers[strange[0]])
            raise DataError(Fault(f"data.columns.{role}={name}", f"is no text on {where}: it is a {kind} there."))
    return texts


def _where(origin: str, unit: str, number: int) -> str:
    return f"{unit} {number} of {origin}"
