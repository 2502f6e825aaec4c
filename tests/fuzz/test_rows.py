"""Rows from a file to a batch: each one is kept or counted, stands in one split, and comes up once in an epoch."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.examples import FILES
from espalier.batch.order import Sampler, Share, shuffled
from espalier.core.errors import DataError
from espalier.core.facts import Raw
from espalier.data.csv import Csv
from espalier.data.files import FileData
from espalier.data.jsonl import Jsonl
from espalier.data.parquet import Parquet
from espalier.data.split import cut, thin
from fuzz.effort import WHOLE, effort
from fuzz.tables import JSON


@pytest.fixture(autouse=True, scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with nothing of ours in it."""
    before, place = Path.cwd(), tmp_path_factory.mktemp("rows")
    os.chdir(place)
    yield place
    os.chdir(before)


LABELS = st.sampled_from(["a", "b", "ü", "1", "2.0", "a|b", "", " ", "nan"])
ROWS = st.lists(st.tuples(WHOLE, LABELS), min_size=1, max_size=40)
SETTINGS = st.fixed_dictionaries({
    "on_null": st.sampled_from(["error", "drop"]),
    "limit": st.none() | st.integers(1, 50),
    "split": st.fixed_dictionaries({"validation": st.floats(0, 0.9), "test": st.floats(0, 0.9)}),
    "label_separator": st.sampled_from([None, None, "|", ","]),
    "slices": st.sampled_from([[], ["label"]]),
})  # fmt: skip
COLUMNS = st.fixed_dictionaries({"text": WHOLE.filter(str.strip), "label": WHOLE.filter(str.strip)}).filter(
    lambda names: names["text"] != names["label"] and not names["text"].startswith("\ufeff")
)


def read(make: type[FileData], path: str, columns: Mapping[str, str | None], **settings: Any) -> Raw | None:
    """What a data option reads, twice the same; None where it refuses in words."""
    own = {"encoding": "utf-8", "delimiter": None} if make is Csv else {}
    settings = {**settings, "slices": [columns["label"]] if settings["slices"] else []}
    found: list[Raw | None] = []
    for _ in range(2):
        try:
            found.append(make(**{**FILES, **own, "path": path, "columns": columns, **settings}).read())
        except DataError as error:
            assert all(fault.truth for fault in error.faults)
            found.append(None)
    first, second = found
    assert (first is None) == (second is None)
    if first and second:
        assert first.fingerprint == second.fingerprint and first.splits == second.splits
    return first


def require_each_row_once(raw: Raw, written: int) -> None:
    """Kept, or counted as dropped with the reason; in one split only, under a number of its own."""
    assert sum(counts.read for counts in raw.counts.values()) == written
    numbers = [number for table in raw.splits.values() for number in table["row"].to_pylist()]
    assert len(set(numbers)) == len(numbers)
    for split, counts in raw.counts.items():
        assert counts.read == counts.kept + sum(counts.dropped.values())
        assert counts.kept == (raw.splits[split].num_rows if split in raw.splits else 0)


@effort(60, 20_000)
@given(ROWS, SETTINGS, COLUMNS)
def test_each_row_of_a_delimited_file_is_kept_or_counted(
    rows: list[tuple[str, str]], settings: dict[str, Any], columns: dict[str, str | None]
) -> None:
    with Path("a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([(columns["text"], columns["label"]), *rows])
    raw = read(Csv, "a.csv", {**columns, "text_pair": None}, **settings)
    if raw is None:
        return
    require_each_row_once(raw, len(rows))
    none_is_a_label = bool(settings["label_separator"])  # of several labels a row, it may have none
    full = [text for text, label in rows if text.strip() and (label.strip() or none_is_a_label)]
    kept = [text for table in raw.splits.values() for text in table["text"].to_pylist()]
    assert not Counter(kept) - Counter(full)
    if settings["limit"] is None:
        assert Counter(kept) == Counter(full)


OBJECTS = st.fixed_dictionaries({
    "text": WHOLE | JSON, "label": LABELS | st.integers(0, 2) | st.lists(LABELS, max_size=2) | JSON,
})  # fmt: skip


@effort(40, 20_000)
@given(st.lists(OBJECTS, min_size=1, max_size=12), SETTINGS, st.booleans())
def test_each_object_is_kept_or_counted(records: list[dict[str, Any]], settings: dict[str, Any], plainly: bool) -> None:
    if plainly:
        records = [{"text": f"t {i}", "label": str(record["label"])[:1]} for i, record in enumerate(records * 4)]
    Path("a.jsonl").write_bytes("".join(json.dumps(record) + "\n" for record in records).encode())
    raw = read(Jsonl, "a.jsonl", {"text": "text", "text_pair": None, "label": "label"}, **settings)
    if raw is not None:
        require_each_row_once(raw, len(records))


PARQUET = st.sampled_from([
    pa.array(["a", None, "b", "", "a", "b"]), pa.array([1, 2, None, 1, 2, 1], pa.int8()),
    pa.array([0.5, None, 1, 2, 2, 1]),
    pa.array([True, False, None, True, False, True]), pa.array([["a"], [], None, ["b"], ["a", "b"], ["a"]]),
    pa.array([b"a", b"\xff", None, b"", b"a", b"b"]), pa.array(["a", "b", None, "a", "b", "a"]).dictionary_encode(),
    pa.array([0, 1, None, 0, 1, 0], pa.date32()), pa.nulls(6), pa.array([{"a": 1}, None, {"a": 2}, {}, {}, {}]),
    pa.array(["x", "y", "x", "y", "x", "z"], pa.string_view()), pa.array([1, 2, 1, 2, 1, 2], pa.decimal128(5, 2)),
    pa.array([1.5, float("nan"), None, 1, 1.5, 1], pa.float16()), pa.array(["", " ", "\u2003", "\0", "a", "b"]),
])  # fmt: skip


@effort(40, 10_000)
@given(PARQUET, PARQUET, SETTINGS)
def test_each_row_of_a_parquet_file_is_kept_or_counted(
    texts: pa.Array, labels: pa.Array, settings: dict[str, Any]
) -> None:
    pq.write_table(pa.table({"text": texts, "label": labels}), "a.parquet")
    raw = read(Parquet, "a.parquet", {"text": "text", "text_pair": None, "label": "label"}, **settings)
    if raw is not None:
        require_each_row_once(raw, 6)


@effort(100, 20_000)
@given(
    st.lists(st.integers(0, 4) | st.integers(0, 300), min_size=1, max_size=120),
    st.floats(0, 0.6),
    st.floats(0, 0.6),
    st.integers(1, 200),
)
def test_splits_are_disjoint_and_complete(labels: list[int], validation: float, test: float, limit: int) -> None:
    table = pa.table({"row": np.arange(len(labels)), "label": np.asarray(labels, np.int64)})
    try:
        splits = cut({"train": table}, {"validation": validation, "test": test}, by="label")
    except DataError:
        assert validation + test >= 1
        return
    rows = [row for split in splits.values() for row in split["row"].to_pylist()]
    assert sorted(rows) == list(range(len(labels)))
    assert set(splits["train"]["label"].to_pylist()) == set(labels), "training has each label"
    assert splits == cut({"train": table}, {"validation": validation, "test": test}, by="label")
    thinned = thin(table, limit)["row"].to_pylist()
    assert len(thinned) == min(limit, len(labels)) == len(set(thinned)) and thinned == sorted(thinned)


@effort(100, 20_000)
@given(
    st.integers(1, 200),
    st.integers(1, 40),
    st.integers(0, 2**63),
    st.integers(0, 1000),
    st.booleans(),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_each_row_comes_up_once_an_epoch(
    rows: int, size: int, seed: int, epoch: int, sorted_by_length: bool, ranks: int, accumulate: int
) -> None:
    lengths = np.random.default_rng(rows).integers(1, 30, rows) if sorted_by_length else None
    order = shuffled(rows, size, seed, epoch, lengths)
    assert sorted(order) == list(range(rows))
    assert (order == shuffled(rows, size, seed, epoch, lengths)).all()
    seen: list[int] = []
    for rank in range(ranks):
        share = Share(rank, ranks, accumulate)
        seen += [
            int(row) for chosen, scale, _ in Sampler(rows, size, share, lambda _: order) if scale for row in chosen
        ]
    assert sorted(seen) == list(range(rows))
