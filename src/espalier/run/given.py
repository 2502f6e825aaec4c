"""Rows of a user's table -> what a trained model's encoding reads, without labels."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from espalier.core.arrays import array
from espalier.core.chunks import Chunk, Columns
from espalier.core.conversations import messages_of
from espalier.core.empty_cells import by_column
from espalier.core.errors import DataError, Fault
from espalier.core.facts import DataFacts, Kind
from espalier.run.pictures import Pictures, holds_pictures

OnEmpty = Literal["error", "skip"]
Bools = npt.NDArray[np.bool_]
_SHOWN = 5
_SAID = pa.struct([("role", pa.string()), ("content", pa.string())])
_LISTED = {"text": pa.string(), "aside": pa.string(), "words": pa.list_(pa.string()), "messages": pa.list_(_SAID)}


def rows_of(
    chunk: Chunk,
    facts: DataFacts,
    columns: Mapping[str, str],
    on_empty: OnEmpty,
    pictures: Pictures | None = None,
    origin: str = "the input",
) -> tuple[pa.Table, Bools]:
    """The columns that the model reads, of the rows that have a text, or a whole image.

    Args:
        facts: of the data that the model was trained on.
        columns: role -> column of the chunk; that of a text beside another one need not be there.
        on_empty: whether rows of which a text is empty, or an image is none, are an error, or are left out.
        pictures: reads images that stand in files; None: there are lists of numbers only.
        origin: what the rows are of, for people.

    Returns:
        A table of roles; and which rows are left out, (rows,).

    Raises:
        DataError: a column that is missing, a value that is no text, no list of numbers, or a list of another length
            than the model reads; empty texts and broken images, with their lines.
    """
    absent = [role for role, name in columns.items() if facts.kinds[role] == "aside" and name not in chunk.header]
    columns = {role: name for role, name in columns.items() if role not in absent}
    _require_columns(chunk, facts, columns)
    arrays: dict[str, Any] = {}
    lacking: dict[str, Bools] = {}
    for role, name in columns.items():
        if (kind := facts.kinds[role]) in _LISTED:
            arrays[role] = _listed(chunk, name, kind)
            says = [value.strip() if isinstance(value, str) else value for value in arrays[role]]
            lacking |= {} if kind == "aside" else {name: np.array([not said for said in says], bool)}
    empty = np.logical_or.reduce([np.zeros(len(chunk.numbers), bool), *lacking.values()])
    if empty.any() and on_empty == "error":
        raise _empty(chunk, lacking, origin)
    for role, name in columns.items():
        if facts.kinds[role] == "image" and pictures and holds_pictures(values := chunk.column(name)):
            arrays[role], broken = pictures(values)
            if broken and on_empty == "error":
                raise _broken(chunk, broken, origin)
            empty[list(broken)] = True
    kept = np.flatnonzero(~empty)
    for role, name in columns.items():
        kind = facts.kinds[role]
        if kind in _LISTED:
            arrays[role] = pa.array([arrays[role][i] for i in kept], _LISTED[kind])
        elif role in arrays:
            arrays[role] = array(arrays[role][kept])
        else:
            values = _numbers(chunk, name, facts.shape, np.uint8 if kind == "image" else np.float32)
            arrays[role] = values.take(pa.array(kept))
    arrays |= {role: pa.array([""] * len(kept), pa.string()) for role in absent}
    return pa.table(arrays), empty


def _require_columns(chunk: Chunk, facts: DataFacts, columns: Mapping[str, str]) -> None:
    for role, name in columns.items():
        if name not in chunk.header:
            known = ", ".join(chunk.header)
            remedy = f"It has: {known}.  Write  column{'' if role == facts.inputs[0] else f'.{role}'}=…"
            raise DataError(Fault(name, "is no column of the input.", remedy))


def numbers_of(chunk: Chunk, roles: Collection[str], columns: Mapping[str, str], first: int) -> pa.Table:
    """A whole number for each role and row, for a task that is ``asked`` for such (``core.parts.Answers``).

    Args:
        columns: role -> column; a role without one is read from the column of its own name, and where that is not
            there either, it is the row's place in the table, whose chunk begins with row ``first``.

    Raises:
        DataError: a column that was named is missing, or holds something else.
    """
    found: dict[str, Any] = {}
    for role in roles:
        name = columns.get(role, role)
        if name in chunk.header:
            values = zip(chunk.column(name), chunk.numbers, strict=True)
            found[role] = np.array([_whole(value, name, f"{chunk.unit} {number}") for value, number in values])
        elif role in columns:
            raise DataError(Fault(name, "is no column of the input.", f"It has: {', '.join(chunk.header)}."))
        else:
            found[role] = np.arange(first, first + len(chunk.numbers))
    return pa.table(found)


def _whole(value: Any, name: str, where: str) -> int:
    try:
        if isinstance(value, float) and value != int(value):
            raise ValueError
        return int(np.int64(int(value)))
    except (ValueError, TypeError, OverflowError):
        truth = f"must be a whole number, and on {where} it is {value!r}."
        raise DataError(Fault(name, truth, "Mend it, or leave the column out.")) from None


def _listed(chunk: Chunk, name: str, kind: Kind) -> list[Any]:
    """A column's texts, words or messages; None, or an empty one, where a row has none."""
    if kind in ("text", "aside"):
        texts = _texts(chunk, name)
        return texts if kind == "text" else [text or "" for text in texts]
    placed = [(value, f"{chunk.unit} {n}") for value, n in zip(chunk.column(name), chunk.numbers, strict=True)]
    if kind == "words":
        return [_words(value, name, where) for value, where in placed]
    return [messages_of(value, name, where) if value else [] for value, where in placed]


def _words(value: Any, name: str, where: str) -> list[str]:
    """A list of words as it is, a text at its blanks."""
    if value is None or isinstance(value, str):
        return (value or "").split()
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return value
    truth = f"is neither a text nor a list of words on {where}: {value!r:.60}."
    raise DataError(Fault(name, truth, "Write a text, or a list of texts."))


def _texts(chunk: Chunk, name: str) -> list[str | None]:
    texts: list[str | None] = []
    for value, number in zip(chunk.column(name), chunk.numbers, strict=True):
        if isinstance(value, bool):
            texts.append(str(value).lower())
        elif value is None or isinstance(value, str):
            texts.append(value)
        elif isinstance(value, int | float):
            texts.append(None if math.isnan(value) else str(value))
        else:
            raise DataError(Fault(name, f"is no text on {chunk.unit} {number}: it is a {type(value).__name__} there."))
    return texts


def _numbers(chunk: Chunk, name: str, shape: Sequence[int], kind: type[np.generic]) -> pa.Array:
    """A fixed-size list of as many numbers as the shape has, for each row."""
    wanted = math.prod(shape)
    if isinstance(chunk, Columns) and (flat := _flat(chunk.whole[name], wanted)) is not None:
        return pa.FixedSizeListArray.from_arrays(pa.array(flat.astype(kind)), wanted)
    rows = chunk.column(name)
    for value, number in zip(rows, chunk.numbers, strict=True):
        if not isinstance(value, list) or len(value) != wanted:
            found = f"{len(value)} values" if isinstance(value, list) else f"a {type(value).__name__}"
            truth = f"must be a list of {wanted} numbers, and on {chunk.unit} {number} it is {found}."
            raise DataError(Fault(name, truth, "Lists stand in parquet and JSON lines."))
    try:
        values = np.asarray(rows, kind)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(Fault(name, f"holds what is no number: {error}.")) from None
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), wanted)


def _flat(column: pa.ChunkedArray, wanted: int) -> npt.NDArray[Any] | None:
    """The numbers of a column of lists that are all as long as wanted; else None."""
    kind = column.type
    if not pa.types.is_fixed_size_list(kind) or kind.list_size != wanted or column.null_count:
        return None
    values: npt.NDArray[Any] = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return values if np.issubdtype(values.dtype, np.number) else None


def _broken(chunk: Chunk, broken: Mapping[int, str], origin: str) -> DataError:
    listed = "; ".join(f"{chunk.unit} {chunk.numbers[i]}: {said}" for i, said in [*broken.items()][:_SHOWN])
    more = f"; and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
    what = "an image that cannot be read" if len(broken) == 1 else f"{len(broken):,} images that cannot be read"
    remedy = "Mend it, or set on_empty=skip: such rows are kept, without a prediction."
    return DataError(Fault(origin, f"has {what} ({listed}{more}).", remedy))


def _empty(chunk: Chunk, lacking: Mapping[str, Bools], origin: str) -> DataError:
    numbers = {name: [chunk.numbers[int(i)] for i in np.flatnonzero(rows)] for name, rows in lacking.items()}
    remedy = "Fill them, or set on_empty=skip: such rows are kept, without a prediction."
    return DataError(Fault(origin, f"has empty texts: {by_column(numbers, chunk.unit)}.", remedy))
