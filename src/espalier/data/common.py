"""What every data option shares: its common keys, and the way from a source's columns to ``Raw``."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, TypedDict

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from annotated_types import Ge, Gt, Lt

from espalier.core.arrays import array
from espalier.core.bounds import Keys
from espalier.core.errors import DataError, Fault
from espalier.core.facts import Counts, Kind, Raw
from espalier.core.parts import Batching
from espalier.data import labels as labelling
from espalier.data.base import AbstractData
from espalier.data.labels import is_many, natural_order
from espalier.data.outside import Outside, called_outside, cut_around, require_outside, with_outside
from espalier.data.soundness import require_equal_lengths, require_known_labels, require_labels, require_rows
from espalier.data.split import cut, thin

Values = Sequence[Any] | npt.NDArray[Any]


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
    """What a source hands over: split -> role -> values, all of equal length within a split.

    A label is a text, or a tuple of any number of texts on every row. ``slice:<name>`` are texts too.

    Attributes:
        origin: where it was taken from, for people.
        numbers: split -> row numbers in the source, where they are not 0, 1, 2, …
        dropped: split -> reason -> rows that the source left out, with the reason.
        shape: of one image or vector.
        labels: label names in index order, where the source knows them better than sorting does.
        places: split -> (first row number, file) of each file that it was read from.
        unit: what a row of them is called.
        header: every column there is.
        notes: what people should know of them, a sentence each.
    """

    splits: Mapping[str, Mapping[str, Values]]
    origin: str
    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)
    dropped: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    places: Mapping[str, Sequence[tuple[int, str]]] = field(default_factory=dict)
    unit: str = "row"
    header: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def row_numbers(self, split: str) -> npt.NDArray[np.int64]:
        """Of each row of a split."""
        rows = len(next(iter(self.splits[split].values())))
        return np.asarray(self.numbers.get(split, range(rows)), np.int64)

    def where(self, split: str, position: int) -> str:
        """Where a row stands, for people: ``line 3 of b.csv``, ``row 3``."""
        number = int(self.numbers[split][position]) if split in self.numbers else position
        begun = [(first, name) for first, name in self.places.get(split, ()) if first <= number]
        return f"{self.unit} {number - begun[-1][0]} of {begun[-1][1]}" if begun else f"{self.unit} {number}"


class TableData(AbstractData):
    """A source of rows. A subclass says ``tables``; splitting, limits and counts are done here.

    Attributes:
        kinds: role -> kind.
        labelled: whether each row has one label, or any number of them, as texts under ``label``. Of others the values
            are taken as they are, and names of tags are the source's ``labels``.
        outside: how rows are known that are of none of the classes (``data.outside``); None: there are none.
        together: a role of texts: rows that share one are cut into one split; None: each row goes by itself.
    """

    kinds: ClassVar[Mapping[str, Kind]]
    labelled: ClassVar[bool] = True
    together: ClassVar[str | None] = None
    outside: Outside | None = None

    def __init__(
        self,
        *,
        columns: Mapping[str, str | None],
        batch_size: int,
        eval_batch_size: int,
        limit: int | None,
        split: dict[str, float],
        max_length: int,
        num_workers: int,
        bucket: bool,
    ) -> None:
        self.columns = {role: name for role, name in columns.items() if name is not None}
        self.limit, self.split = limit, split
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
            DataError: columns of different length, no label column or one that is none, one class only, a label in
                validation or test that training lacks, no rows to train or to validate on, a split of which all rows
                were left out; of rows of none of the classes see ``data.outside``.
        """
        source = self._tables()
        require_rows(source)
        names = self._names(source) if self.labelled else source.labels
        many = self.labelled and is_many(source.splits["train"]["label"])
        whole = {split: _table(source, split, names if self.labelled else None, many=many) for split in source.splits}
        by, running = {"by": "label" if self.labelled else None, "together": self.together}, self.batching.windows
        splits, unused = cut_around(whole, self.split, names) if self.outside else (cut(whole, self.split, **by), {})
        limited = {split: thin(table, self.limit, running=running) for split, table in splits.items() if table.num_rows}
        trained = labelling.label_counts(limited["train"]["label"], len(names)) if self.labelled else np.zeros(0, int)
        if self.labelled:
            labelling.require_two(trained, names)
        if "validation" not in limited:
            raise DataError(
                Fault(f"data.split.validation={self.split.get('validation', 0)}", "leaves no rows to validate on.",
                      "Raise it, or name a file of validation rows.")
            )  # fmt: skip
        if self.outside:
            require_outside(limited, names, self.outside)
        left_out = {s: {**source.dropped.get(s, {}), **unused.get(s, {})} for s in splits}
        counts = {s: _count(t, limited.get(s, t), left_out[s]) for s, t in splits.items()}
        raw = self._raw(source, limited, counts, names)
        return replace(raw, label_counts=tuple(trained.tolist()), notes=(*source.notes, *_notes(trained)))

    def _tables(self) -> Source:
        source = self.tables()
        require_equal_lengths(source)
        return called_outside(source, self.outside) if self.outside else source

    def _names(self, source: Source) -> tuple[str, ...]:
        """The labels' names, in index order. Raises ``DataError``."""
        many = require_labels(source, "train")
        train = source.splits["train"]
        if not many:
            labelling.require_labels(dict(train), self.columns, source.header)
        names = source.labels or natural_order(set(labelling.flat(train["label"])))
        names = with_outside(names, self.outside) if self.outside else names
        if not names:
            raise DataError(Fault("data.columns.label", "has no label on any row.", "Name the column of labels."))
        require_known_labels(source, names)
        return names

    def rows(self, labels: tuple[str, ...]) -> Raw:
        """Rows to evaluate on: those that the source calls test; all of them, where it has no test split.

        Args:
            labels: names in the order of a trained model's labels.

        Returns:
            A single split ``test``.

        Raises:
            DataError: a label that is none of ``labels``, with its row; columns of different length; no rows.
        """
        source = _as_test(self._tables())
        require_rows(source)
        many = self.labelled and require_labels(source, "test")
        if self.labelled:
            require_known_labels(source, labels, of="the model")
        whole = _table(source, "test", labels if self.labelled else None, many=many)
        if not whole.num_rows:
            raise DataError(Fault(source.origin, "has no rows."))
        limited = thin(whole, self.limit, running=self.batching.windows)
        counts = {"test": _count(whole, limited, source.dropped.get("test", {}))}
        return self._raw(source, {"test": limited}, counts, labels)

    def _raw(
        self,
        source: Source,
        splits: Mapping[str, pa.Table],
        counts: Mapping[str, Counts],
        names: tuple[str, ...],
    ) -> Raw:
        first = next(iter(splits.values()))
        kinds = {role: kind for role, kind in self.kinds.items() if role in first.column_names}
        if kinds.get("label") == "label" and not pa.types.is_integer(first["label"].type):
            kinds["label"] = "labels"
        fingerprint = _fingerprint(splits, kinds, names, source.shape)
        raw = Raw(splits, kinds, {"": names} if names else {}, counts, fingerprint, source.origin, source.shape)
        return replace(raw, outside=self.outside is not None)


def _table(source: Source, split: str, names: Sequence[str] | None, *, many: bool) -> pa.Table:
    """Columns of a split as they are; of the labels, where ``names`` are given, their indices."""
    columns = dict(source.splits[split])
    labels = columns.pop("label") if names is not None else None
    arrays = {role: array(values) for role, values in columns.items()}
    if labels is not None and names is not None:
        arrays["label"] = labelling.indexed(labels, names, many=many)
    return pa.table({"row": array(source.row_numbers(split)), **arrays})


def _as_test(source: Source) -> Source:
    """Its test split alone; or else all of its rows as one, numbered on where numbers would repeat."""
    chosen = ["test"] if "test" in source.splits else list(source.splits)
    columns: dict[str, list[Any]] = {role: [] for role in source.splits[chosen[0]]}
    numbers: list[int] = []
    places: list[tuple[int, str]] = []
    for split in chosen:
        start = numbers[-1] + 1 if numbers else 0
        for role, values in source.splits[split].items():
            columns[role].extend(values)
        numbers += [start + int(number) for number in source.row_numbers(split)]
        places += [(start + first, name) for first, name in source.places.get(split, ())]
    reasons = {reason for split in chosen for reason in source.dropped.get(split, ())}
    dropped = {reason: sum(source.dropped.get(split, {}).get(reason, 0) for split in chosen) for reason in reasons}
    return replace(
        source, splits={"test": {role: _joined(values) for role, values in columns.items()}},
        numbers={"test": numbers}, places={"test": places}, dropped={"test": dropped},
    )  # fmt: skip


def _joined(values: list[Any]) -> Values:
    return np.stack(values) if values and isinstance(values[0], np.ndarray) else values


def _notes(trained: npt.NDArray[np.int64]) -> tuple[str, ...]:
    if once := int((trained == 1).sum()):
        return (f"{once:,} of {len(trained):,} labels {'occur' if once > 1 else 'occurs'} once in training",)
    return ()


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
