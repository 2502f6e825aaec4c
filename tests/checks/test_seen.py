from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from checks.examples import texts, vectors
from espalier.checks.seen import FILE, digest_of, leave, seen


def test_rows_of_training_are_known_again_whatever_their_case_place_and_label(tmp_path: Path) -> None:
    raw = texts(train=[("a fine film", 1), ("dull", 0), ("dull", 1)], test=[("never seen", 1)])
    leave(tmp_path, raw)
    other = texts(test=[("new", 0), ("A  fine\nfilm", 0), ("Dull", 1), ("dull", 0), ("duller", 0)])
    assert seen(tmp_path, other, "test", raw.kinds) == 3
    assert seen(tmp_path, raw, "test", raw.kinds) == 0 and seen(tmp_path, raw, "train", raw.kinds) == 3
    assert np.load(tmp_path / FILE).nbytes == 2 * 8


def test_what_the_run_that_it_began_with_saw_was_seen_too(tmp_path: Path) -> None:
    first, second = texts(train=[("a", 1), ("b", 0)]), texts(train=[("b", 1), ("c", 0)], test=[("a", 1), ("d", 1)])
    (tmp_path / "first").mkdir()
    leave(tmp_path / "first", first)
    leave(tmp_path, second, tmp_path / "first")
    assert seen(tmp_path, second, "test", second.kinds) == 1
    leave(tmp_path, second, tmp_path / "nothing")
    assert seen(tmp_path, second, "test", second.kinds) == 0


def test_a_split_s_digest_is_of_its_inputs_in_their_order() -> None:
    raw = texts(train=[("a", 1), ("b", 0)], test=[("c", 1), ("d", 0)])
    assert digest_of(raw, "test") == digest_of(texts(train=[("x", 1)], test=[("C", 0), ("d ", 0)]), "test")
    others = [digest_of(raw, "train"), digest_of(texts(test=[("d", 0), ("c", 1)]), "test")]
    assert digest_of(raw, "test") not in others


def test_it_goes_by_what_the_model_reads(tmp_path: Path) -> None:
    raw = texts(train=[("a", 1), ("b", 0)])
    leave(tmp_path, raw)
    table = raw.splits["train"].append_column("text_pair", pa.array(["x", "y"]))
    more = replace(raw, splits={"train": table}, kinds={**raw.kinds, "text_pair": "text"})
    assert seen(tmp_path, more, "train", raw.kinds) == 2
    assert seen(tmp_path, more, "train", more.kinds) == 0


def test_vectors_are_the_same_byte_for_byte(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    raw = vectors(values, [0, 1, 0])
    leave(tmp_path, raw)
    assert seen(tmp_path, vectors(values + np.float32([[0, 0], [1e-3, 0], [0, 0]]), [0, 1, 0]), "train", raw.kinds) == 2


def test_without_what_a_run_leaves_nothing_is_known(tmp_path: Path) -> None:
    raw = texts(train=[("a", 1), ("b", 0)])
    assert seen(tmp_path, raw, "train", raw.kinds) is None
    for content in (b"", b"no array", b"\x93NUMPY"):
        (tmp_path / FILE).write_bytes(content)
        assert seen(tmp_path, raw, "train", raw.kinds) is None
    for strange in (np.zeros(3), np.zeros((2, 2), "<u8"), np.uint64(1)):
        np.save(tmp_path / FILE, strange)
        assert seen(tmp_path, raw, "train", raw.kinds) is None
    np.save(tmp_path / FILE, np.zeros(3, "<u8"))
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole.replace(b"(3,), ", b"(9999999999,), "))  # says more than it holds
    assert seen(tmp_path, raw, "train", raw.kinds) is None
