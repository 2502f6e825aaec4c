"""What every data option shares: its common keys, and the way from a source's columns to ``Raw``."""

from __future__ import annotations

import hashlib
import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, TypedDict

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from annotated_types import Ge, Gt, Lt

from espalier.core.bounds import Keys
from espalier.core.errors import DataError, Fault
from espalier.core.facts import Counts, Kind, Raw
from espalier.core.parts import Batching
from espalier.data.base import AbstractData
from espalier.data.split import cut, thin

Values = Sequence[str] | npt.NDArray[Any]
_SHOWN = 5


class Common(TypedDict):
    """The keys of every data option besides ``columns``; meanings and defaults stand in ``conf/data/_common.yaml``."""

    batch_size: Annotated[int, Ge(1)]
    eval_batch_size: Annotated[int, Ge(1)]
    limit: Annotated[int, Ge(1)] | None
    split: Annotated[dict[str, Annotated[float, Ge(0), Lt(1)]], Keys(("validation", "test"))]
    max_length: Annotated[int, Gt(2)]
    num_workers: Annotated[int, Ge(0)]
    bucket: bool


@dataclass(frozen=True)
class Source:
    """What a source hands over: split -> role -> values (labels as strings), all of equal length within a split.

    Attributes:
        origin: where it was taken from, for people.
        numbers: split -> row numbers in the source, where they are not 0, 1, 2, …
        dropped: split -> reason -> rows that the source left out, with the reason.
        shape: of one image or vector.
        labels: label names in index order, where the source knows them better than sorting does.
    """

    splits: Mapping[str, Mapping[str, Values]]
    origin: str
    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)
    dropped: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()


class TableData(AbstractData):
    """A source of rows with one label each. A subclass says ``tables``; splitting, limits and counts are done here."""

    kinds: ClassVar[Mapping[str, Kind]]

    def __init__(
        self,
        *,
        columns: dict[str, str],
        batch_size: int,
        eval_batch_size: int,
        limit: int | None,
        split: dict[str, float],
        max_length: int,
        num_workers: int,
        bucket: bool,
    ) -> None:
        self.columns, self.limit, self.split = columns, limit, split
        self._batching = Batching(batch_size, eval_batch_size, num_workers, bucket, max_length)

    @abstractmethod
    def tables(self) -> Source:
        """Read the source. Raises ``DataError``."""

    @property
    def batching(self) -> Batching:
        """How its rows become batches."""
        return self._batching

    def read(self) -> Raw:
        """Read, split, limit, index labels.

        Raises:
            DataError: columns of different length, one class only, a label in validation or test that training lacks,
                no rows to train or to validate on.
        """
        source = self.tables()
        _require_equal_lengths(source)
        if not len(source.splits["train"]["label"]):
            raise DataError(Fault(source.origin, "has no rows to train on."))
        names = source.labels or _names(source.splits["train"]["label"])
        _require_known_labels(source, names)
        indexed = {split: self._indexed(source, split, names) for split in source.splits}
        splits = cut(indexed, self.split, by="label")
        limited = {split: thin(table, self.limit) for split, table in splits.items() if table.num_rows}
        _require_two_classes(limited["train"], names)
        if "validation" not in limited:
            raise DataError(
                Fault(f"data.split.validation={self.split.get('validation', 0)}", "leaves no rows to validate on.",
                      "Raise it, or name a file of validation rows.")
            )  # fmt: skip
        counts = {s: _count(t, limited.get(s, t), source.dropped.get(s, {})) for s, t in splits.items()}
        fingerprint = _fingerprint(limited, self.kinds, names, source.shape)
        return Raw(limited, dict(self.kinds), {"": names}, counts, fingerprint, source.origin, source.shape)

    def _indexed(self, source: Source, split: str, names: Sequence[str]) -> pa.Table:
        columns = dict(source.splits[split])
        index = {name: position for position, name in enumerate(names)}
        labels = np.asarray([index[str(value)] for value in columns.pop("label")], np.int64)
        rows = np.asarray(source.numbers.get(split, range(len(labels))), np.int64)
        arrays = {role: _array(values) for role, values in columns.items()}
        return pa.table({"row": pa.array(rows), **arrays, "label": pa.array(labels)})


def natural_order(names: set[str]) -> tuple[str, ...]:
    """Label names in the order in which people list them: numbers by value, words by alphabet."""
    try:
        values = {name: float(name) for name in names}
    except ValueError:
        return tuple(sorted(names))
    finite = all(map(math.isfinite, values.values()))  # "nan" is a word here
    return tuple(sorted(names, key=lambda name: (values[name], name) if finite else (0.0, name)))


def _names(values: Values) -> tuple[str, ...]:
    return natural_order({str(value) for value in values})


def _array(values: Values) -> pa.Array:
    if isinstance(values, np.ndarray) and values.ndim > 1:
        flat = values.reshape(len(values), -1)
        return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])
    return pa.array(values)


def _fingerprint(
    splits: Mapping[str, pa.Table], kinds: Mapping[str, Kind], names: Sequence[str], shape: Sequence[int]
) -> str:
    # Of the rows themselves, whatever they were read from and how: a file's encoding or a user's own code included.
    digest = hashlib.sha256(repr((sorted(kinds.items()), tuple(names), tuple(shape))).encode())
    for split, table in splits.items():
        digest.update(f"{split} {table.schema.to_string()}".encode())
        for batch in table.combine_chunks().to_batches():
            digest.update(batch.serialize())
    return digest.hexdigest()


def _count(before: pa.Table, after: pa.Table, left_out: Mapping[str, int]) -> Counts:
    dropped = dict(left_out)
    if thinned := before.num_rows - after.num_rows:
        dropped["limit"] = thinned
    return Counts(before.num_rows + sum(left_out.values()), after.num_rows, dropped)


def _require_equal_lengths(source: Source) -> None:
    for split, columns in source.splits.items():
        lengths = {role: len(values) for role, values in columns.items()}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{count:,} of {role}" for role, count in lengths.items())
            raise DataError(Fault(source.origin, f"has unequal numbers of values in its {split} rows: {found}."))


def _require_two_classes(train: pa.Table, names: Sequence[str]) -> None:
    present = np.unique(train["label"].to_numpy())
    if len(present) < 2:
        only = names[present[0]]
        raise DataError(
            Fault("data.columns.label", f"has one class only in training: {only!r}.",
                  "Name the column that tells classes apart, or raise data.limit.")
        )  # fmt: skip


def _require_known_labels(source: Source, names: Sequence[str]) -> None:
    trained = set(names)
    for split, columns in source.splits.items():
        strange = [(row, str(v)) for row, v in enumerate(columns["label"]) if str(v) not in trained]
        if not strange:
            continue
        numbers = source.numbers.get(split, range(len(columns["label"])))
        listed = ", ".join(f"{value!r} (row {numbers[row]})" for row, value in strange[:_SHOWN])
        more = f" and {len(strange) - _SHOWN} more" if len(strange) > _SHOWN else ""
        known = ", ".join(map(repr, names[:10])) + (" …" if len(names) > 10 else "")
        raise DataError(
            Fault(f"the {split} rows", f"have labels that training lacks: {listed}{more}. Training has {known}.",
                  "Mend those rows, or add such rows to training.")
        )  # fmt: skip
