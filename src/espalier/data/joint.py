"""``data=joint``: several data options as one, each a source with labels of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar

import pyarrow as pa
from annotated_types import Ge, Gt, MinLen

from espalier.core.errors import DataError, Fault
from espalier.core.facts import Counts, Kind, Raw
from espalier.core.parts import Batching, Data
from espalier.data.base import AbstractData
from espalier.data.split import thin

SOURCE = "source"
_SPLITS = ("train", "validation", "test")


class Joint(AbstractData):
    """The rows of all sources together: their texts, a label of their own source each, and ``source``, its number.

    ``espalier train data=news_tone`` is two of them. Rows are numbered on from source to source. A source's own
    settings say how it is read (``data.sources.topic.limit=1000``); how rows become batches is said here: theirs go
    unread. A batch holds rows of all sources, as many of each as there are.

    Args:
        sources: name -> a data option with one label for each row.
        limit: at most so many rows of each split, of all sources together.
        batch_size, eval_batch_size, max_length, num_workers, bucket: of all rows; see ``conf/data/_common.yaml``.

    Raises:
        DataError: a source has other columns than the first, or not one label for each row; see their own ``read``.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "label": "label", SOURCE: "id"}
    teaches: ClassVar[str] = "sources"

    def __init__(
        self,
        *,
        sources: Annotated[dict[str, Data], MinLen(1)],
        batch_size: Annotated[int, Ge(1)],
        eval_batch_size: Annotated[int, Ge(1)],
        limit: Annotated[int, Ge(1)] | None,
        max_length: Annotated[int, Gt(2)],
        num_workers: Annotated[int, Ge(0)],
        bucket: bool,
    ) -> None:
        self.sources, self.limit = sources, limit
        self._batching = Batching(batch_size, eval_batch_size, num_workers, bucket, max_length)

    @property
    def batching(self) -> Batching:
        """How all rows become batches."""
        return self._batching

    def read(self) -> Raw:
        """Read each source, and put their splits together."""
        raws = {name: source.read() for name, source in self.sources.items()}
        first_name, first = next(iter(raws.items()))
        for name, raw in raws.items():
            _require_alike(name, raw, first_name, first)
        tables: dict[str, list[pa.Table]] = {}
        start = 0
        for number, raw in enumerate(raws.values()):
            for split, table in raw.splits.items():
                tables.setdefault(split, []).append(_placed(table, raw, start, number))
            start += 1 + max(_last(table) for table in raw.splits.values() if table.num_rows)
        whole = {s: pa.concat_tables(tables[s], promote_options="permissive") for s in _SPLITS if s in tables}
        splits = {split: thin(table, self.limit) for split, table in whole.items()}
        said = f"{self.limit} " + "".join(f"{name} {raw.fingerprint} " for name, raw in raws.items())
        return replace(
            first,
            splits=splits,
            kinds={**first.kinds, SOURCE: "id"},
            labels={name: _names(raw) for name, raw in raws.items()},
            counts={split: _counts(split, raws, table.num_rows) for split, table in splits.items()},
            fingerprint=hashlib.sha256(said.encode()).hexdigest() if all(r.fingerprint for r in raws.values()) else "",
            origin="; ".join(f"{name}: {raw.origin}" for name, raw in raws.items()),
            label_counts=(),
            notes=tuple(f"{name}: {note}" for name, raw in raws.items() for note in raw.notes),
        )


def _require_alike(name: str, raw: Raw, first_name: str, first: Raw) -> None:
    if raw.kinds.get("label") != "label" or len(raw.labels) != 1:
        truth = "has not one label for each row, which each source must have."
        raise DataError(Fault(f"data.sources.{name}", truth, "Choose another data option for it."))
    if raw.outside:
        truth = "has rows of none of the classes, which a head beside others cannot tell."
        raise DataError(Fault(f"data.sources.{name}.outside", truth, "Set it to null."))
    if (raw.kinds, raw.shape) != (first.kinds, first.shape):
        mine, theirs = (", ".join(f"{role} ({kind})" for role, kind in one.kinds.items()) for one in (raw, first))
        truth = f"has {mine}, and {first_name} has {theirs}: rows of all sources must be alike."
        raise DataError(Fault(f"data.sources.{name}", truth, "Choose sources of one kind."))


def _placed(table: pa.Table, raw: Raw, start: int, number: int) -> pa.Table:
    """The columns that all sources have, rows numbered from ``start``."""
    rows = [row + start for row in table["row"].to_pylist()]
    columns = {role: table[role] for role in raw.kinds}
    return pa.table({"row": pa.array(rows, pa.int64()), **columns, SOURCE: pa.array([number] * len(rows), pa.int64())})


def _last(table: pa.Table) -> int:
    return int(max(table["row"].to_pylist()))


def _names(raw: Raw) -> tuple[str, ...]:
    (names,) = raw.labels.values()
    return names


def _counts(split: str, raws: Mapping[str, Raw], kept: int) -> Counts:
    """Of a split of all sources together, of which so many rows were kept."""
    counts = [raw.counts[split] for raw in raws.values() if split in raw.counts]
    reasons = dict.fromkeys(reason for one in counts for reason in one.dropped)
    dropped = {reason: sum(one.dropped.get(reason, 0) for one in counts) for reason in reasons}
    if thinned := sum(one.kept for one in counts) - kept:
        dropped["limit"] = dropped.get("limit", 0) + thinned
    return Counts(sum(one.read for one in counts), kept, dropped)
