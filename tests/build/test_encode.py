from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from espalier.build import encode as module
from espalier.build.encode import Encoded, encode
from espalier.core.columns import Columns, Ragged
from espalier.core.facts import Counts, Raw


class Letters:
    """A user's encoding: letters as numbers, at most ``limit`` of them; counts how often it is applied."""

    def __init__(self, limit: int = 4) -> None:
        self.limit, self.applied = limit, 0

    def fit(self, raw: Raw, /) -> None: ...

    def apply(self, table: pa.Table, /) -> Columns:
        self.applied += 1
        rows = [[ord(letter) for letter in text] for text in table["text"].to_pylist()]
        cut = np.array([len(row) > self.limit for row in rows], bool)
        return {
            "text": Ragged.of([row[: self.limit] for row in rows]),
            "odd/name": np.ones((len(rows), 2), np.float32),
            "truncated": cut,
        }

    def facts(self) -> Mapping[str, Any]:
        return {}

    def fingerprint(self) -> str:
        return f"letters {self.limit}"

    def save(self, folder: Path, /) -> None: ...


class Free(Letters):
    costs_nothing = True


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ESPALIER_CACHE", str(tmp_path))
    return tmp_path / "encoded"


def raw(*, first: int = 0, fingerprint: str = "data", texts: tuple[str, ...] = ("ab", "abcdef", "a", "abcde")) -> Raw:
    def table(rows: range) -> pa.Table:
        chosen = [texts[row % len(texts)] for row in rows]
        return pa.table({"row": np.array(rows), "text": chosen, "label": pa.array([0] * len(rows), pa.int32())})

    splits = {"train": table(range(first, 4)), "test": table(range(4, 6))}
    counts = {split: Counts(part.num_rows, part.num_rows) for split, part in splits.items()}
    return Raw(splits, {"text": "text", "label": "label"}, {"": ("x",)}, counts, fingerprint, "here")


def plain(encoded: Encoded) -> Any:
    def values(column: Any) -> Any:
        return [row.tolist() for row in column]

    return {s: {n: values(c) for n, c in columns.items()} for s, columns in encoded.splits.items()}, encoded.truncated


def entry(cache: Path) -> Path:
    (found,) = (folder for folder in cache.iterdir())
    return found


def test_integer_columns_pass_and_cut_rows_are_counted() -> None:
    encoded = encode(raw(), Letters())
    train = encoded.splits["train"]
    assert set(train) == {"row", "label", "text", "odd/name"}
    assert (np.asarray(train["label"]).dtype, np.asarray(train["row"]).tolist()) == (np.int64, [0, 1, 2, 3])
    assert encoded.truncated == {"train": 2, "test": 1}


def test_lists_of_labels_pass_as_rows_of_0_and_1() -> None:
    before = raw()
    lists = pa.FixedSizeListArray.from_arrays(pa.array([0, 1, 1, 1, 0, 0], pa.uint8()), 3)
    rows = before.splits["train"].slice(0, 2)
    train = rows.drop_columns("label").append_column("label", lists)
    many = replace(before, splits={"train": train}, kinds={"text": "text", "label": "labels"})
    assert encode(many, Letters()).splits["train"]["label"].tolist() == [[0, 1, 1], [1, 0, 0]]  # type: ignore[union-attr]


def test_repeating_reads_what_was_made() -> None:
    first, second = Letters(), Letters()
    made, read = encode(raw(), first), encode(raw(), second)
    assert (first.applied, second.applied) == (2, 0)
    assert plain(made) == plain(read)
    kinds = {
        name: np.asarray(c.values if isinstance(c, Ragged) else c).dtype for name, c in made.splits["train"].items()
    }
    assert kinds == {
        name: np.asarray(c.values if isinstance(c, Ragged) else c).dtype for name, c in read.splits["train"].items()
    }


def test_changing_any_one_thing_makes_it_again(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    encode(raw(), Letters())
    encode(raw(fingerprint="other bytes"), Letters())
    encode(raw(first=1), Letters())
    encode(raw(), Letters(limit=3))
    monkeypatch.setattr(module, "version", lambda package: "99")
    encode(raw(), Letters())
    monkeypatch.setattr(module, "_FORMAT", 99)
    encode(raw(), Letters())
    assert len(list(cache.iterdir())) == 6


@pytest.mark.parametrize(
    "harm", ["flip", "truncate", "remove", "manifest", "empty manifest", "another json", "no manifest"]
)
def test_broken_entry_is_made_again(harm: str, cache: Path) -> None:
    good = plain(encode(raw(), Letters()))
    file, manifest = entry(cache) / "0.npy", entry(cache) / "manifest.json"
    content = bytearray(file.read_bytes())
    if harm == "flip":
        content[-1] ^= 1
        file.write_bytes(content)
    elif harm == "truncate":
        file.write_bytes(content[:-3])
    elif harm == "remove":
        file.unlink()
    elif harm == "no manifest":
        manifest.unlink()
    else:
        manifest.write_text({"manifest": manifest.read_text()[:40], "empty manifest": "", "another json": "[1]"}[harm])
    again = Letters()
    assert plain(encode(raw(), again)) == good
    assert again.applied == 2
    third = Letters()
    assert plain(encode(raw(), third)) == good
    assert third.applied == 0, "the broken one was replaced"
    assert [folder.name[0] for folder in cache.iterdir()].count(".") == 0


def test_what_costs_nothing_or_cannot_be_told_is_not_kept(cache: Path) -> None:
    assert plain(encode(raw(), Free())) == plain(encode(raw(fingerprint=""), Letters()))
    assert not cache.exists()


def test_cache_that_cannot_be_written_does_not_stop_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ESPALIER_CACHE", str(tmp_path / "file"))
    assert encode(raw(), Letters()).truncated == {"train": 2, "test": 1}


def test_killed_writer_leaves_nothing_that_is_read(cache: Path) -> None:
    """Its folder has another name until it is whole."""
    (cache / ".new-abc").mkdir(parents=True)
    (cache / ".new-abc" / "0.npy").write_bytes(b"half")
    encoding = Letters()
    encode(raw(), encoding)
    encode(raw(), encoding)
    assert encoding.applied == 2


def test_split_without_rows_comes_back() -> None:
    given = raw()
    given = replace(given, splits={**given.splits, "test": given.splits["test"].slice(0, 0)})
    encode(given, Letters())
    again = Letters()
    assert len(encode(given, again).splits["test"]["text"]) == 0
    assert again.applied == 0


def test_column_of_objects_is_refused(cache: Path) -> None:
    class Words(Letters):
        def apply(self, table: pa.Table, /) -> Columns:
            return {"text": np.array(table["text"].to_pylist(), object)}

    with pytest.raises(ValueError, match="allow_pickle"):
        encode(raw(), Words())
    assert list(cache.iterdir()) == []


def race(barrier: Any, results: Any) -> None:
    barrier.wait()
    for turn in range(12):
        encoded = encode(raw(fingerprint=f"turn {turn}"), Letters())
        results.put(plain(encoded) == plain(encode(raw(fingerprint=""), Letters())))


def test_processes_that_race_do_no_harm(cache: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(3), context.Queue()
    workers = [context.Process(target=race, args=(barrier, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    said = [results.get(timeout=60) for _ in range(3 * 12)]
    for worker in workers:
        worker.join(timeout=60)
    assert all(said)
    assert len([folder for folder in cache.iterdir() if not folder.name.startswith(".")]) == 12
    assert [folder.name for folder in cache.iterdir() if folder.name.startswith(".")] == []
    again = Letters()
    encode(raw(fingerprint="turn 3"), again)
    assert again.applied == 0


def test_lengths_are_those_of_texts() -> None:
    length = np.array([3, 1], np.int32)
    columns = {"train": {"row": np.arange(2), "length": length}, "test": {"row": np.arange(2)}}
    assert {split: found.tolist() for split, found in Encoded(columns, {}).lengths.items()} == {"train": [3, 1]}
