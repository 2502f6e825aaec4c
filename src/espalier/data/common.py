"""What every data option shares: its common keys, and the way from a source's columns to ``Raw``."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, TypedDict

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from annotated_types import Ge, Gt, Lt

from espalier.core.errors import DataError, Fault
from espalier.core.facts import Counts, Kind, Raw
from espalier.core.parts import Batching
from espalier.data.split import cut, thin

Values = Sequence[str] | npt.NDArray[Any]
_SHOWN = 5


class Common(TypedDict):
    """The keys of every data option besides ``columns`` (role -> column); meanings and defaults stand in ``conf/data/_common.yaml``."""

    batch_size: Annotated[int, Ge(1)]
    eval_batch_size: Annotated[int, Ge(1)]
    limit: Annotated[int, Ge(1)] | None
    split: dict[str, Annotated[float, Ge(0), Lt(1)]]
    max_length: Annotated[int, Gt(2)]
    num_workers: Annotated[int, Ge(0)]
    bucket: bool


@dataclass(frozen=True)
class Source:
    """What a source hands over: split -> role -> values (labels as strings), all of equal length within a split.

    Attributes:
        origin: where it was taken from, for people.
        digest: sha256 over the bytes that were read.
        numbers: split -> row numbers in the source, where they are not 0, 1, 2, …
        dropped: split -> reason -> rows that the source left out, with the reason.
        shape: of one image or vector.
        labels: label names in index order, where the source knows them better than sorting does.
    """

    splits: Mapping[str, Mapping[str, Values]]
    origin: str
    digest: str = ""
    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)
    dropped: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()


class TableData(ABC):
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
            DataError: one class only, a label in validation or test that training lacks, no rows to validate on.
        """
        source = self.tables()
        names = source.labels or _names(source.splits["train"]["label"])
        _require_known_labels(source, names)
        indexed = {split: self._indexed(source, split, names) for split in source.splits}
        splits = cut(indexed, self.split, by="label")
        limited = {split: thin(table, self.limit) for split, table in splits.items()}
        if not limited.get("validation"):
            raise DataError(
                Fault(f"data.split.validation={self.split.get('validation', 0)}", "leaves no rows to validate on.",
                      "Set data.split.validation=0.1, or name a file of validation rows.")
            )  # fmt: skip
        _require_two_classes(limited["train"], names)
        counts = {s: _count(t, limited[s], source.dropped.get(s, {})) for s, t in splits.items()}
        return Raw(limited, dict(self.kinds), {"": names}, counts, self._fingerprint(source), source.origin, source.shape)

    def _indexed(self, source: Source, split: str, names: Sequence[str]) -> pa.Table:
        columns = dict(source.splits[split])
        index = {name: position for position, name in enumerate(names)}
        labels = np.asarray([index[str(value)] for value in columns.pop("label")], np.int64)
        rows = np.asarray(source.numbers.get(split, range(len(labels))), np.int64)
        arrays = {role: _array(values) for role, values in columns.items()}
        return pa.table({"row": pa.array(rows), **arrays, "label": pa.array(labels)})

    def _fingerprint(self, source: Source) -> str:
        parameters = json.dumps([self.columns, self.limit, self.split, sorted(self.kinds.items())], sort_keys=True)
        return hashlib.sha256((source.digest + parameters).encode()).hexdigest()


def natural_order(names: set[str]) -> tuple[str, ...]:
    """Label names in the order in which people list them: numbers by value, words by alphabet."""
    try:
        return tuple(sorted(names, key=float))
    except ValueError:
        return tuple(sorted(names))


def _names(values: Values) -> tuple[str, ...]:
    return natural_order({str(value) for value in values})


def _array(values: Values) -> pa.Array:
    if isinstance(values, np.ndarray) and values.ndim > 1:
        flat = values.reshape(len(values), -1)
        return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])
    return pa.array(values)


def _count(before: pa.Table, after: pa.Table, left_out: Mapping[str, int]) -> Counts:
    dropped = dict(left_out)
    if thinned := before.num_rows - after.num_rows:
        dropped["limit"] = thinned
    return Counts(before.num_rows + sum(left_out.values()), after.num_rows, dropped)


def _require_two_classes(train: pa.Table, names: Sequence[str]) -> None:
    present = set(train["label"].to_pylist())
    if len(present) < 2:
        only = names[present.pop()] if present else "none"
        raise DataError(
            Fault("data.columns.label", f"has one class only in training: {only!r}.",
                  "Name the column that tells classes apart, or raise data.limit.")
        )  # fmt: skip


def _require_known_labels(source: Source, names: Sequence[str]) -> None:
    for split, columns in source.splits.items():
        strange = [(row, str(v)) for row, v in enumerate(columns["label"]) if str(v) not in set(names)]
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
