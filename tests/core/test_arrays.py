from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from espalier.core.arrays import array, numbers

VALUES: list[Any] = [
    ["a", "", "é", "a\0b"], ["a", None, "b"], [], [""], [1, 2], [True, None], [["a"], []], [b"x"], [np.str_("a"), "b"],
    ("a", "b"), range(3),
    np.arange(4), np.arange(4)[::2], np.arange(3, dtype=np.uint8), np.arange(3, dtype=np.float32),
    np.array([np.nan, 1.0]),
    np.array([True, False]), np.array(["a", "bc"]), np.array(["a", None], object),
    np.zeros(0, np.int64),
]  # fmt: skip


@pytest.mark.parametrize("values", VALUES, ids=repr)
def test_as_pyarrow_has_them(values: Any) -> None:
    made, theirs = array(values), pa.array(values)
    made.validate(full=True)
    assert made.type == theirs.type
    assert pa.record_batch([made], ["x"]).serialize() == pa.record_batch([theirs], ["x"]).serialize()


def test_texts_too_long_for_one_column_of_strings_are_one_column_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("espalier.core.arrays._MOST", 7)
    texts = ["ab", "", "é", "abcd"]
    made = array(texts)
    made.validate(full=True)
    assert isinstance(made, pa.Array) and made.type == pa.large_string() and made.to_pylist() == texts
    assert array(texts[:3]).type == pa.string()
    assert pa.table({"text": made}).take(array([3, 0]))["text"].to_pylist() == ["abcd", "ab"]


def test_several_axes_are_lists_of_one_size() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4).transpose(0, 2, 1)
    made = array(pixels)
    assert made.type == pa.list_(pa.uint8(), 12)
    assert made.to_pylist() == pixels.reshape(2, -1).tolist()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2, 3]), pa.array([1, 2, 3]).slice(1), pa.array([0.5, None]), pa.array([True, False]),
        pa.array([], pa.int64()), pa.chunked_array([[1], [2, 3]]), pa.chunked_array([], pa.int64()),
        pa.array([1, 2], pa.uint8()),
    ],
    ids=lambda column: f"{column.type} {column.to_pylist()}",
)  # fmt: skip
def test_numbers_as_pyarrow_gives_them(column: Any) -> None:
    theirs = column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy()
    np.testing.assert_array_equal(numbers(column), theirs)
    assert numbers(column).dtype == theirs.dtype


def test_lists_of_one_size_are_rows() -> None:
    table = pa.table({"x": array(np.arange(6, dtype=np.float32).reshape(3, 2))})
    whole = pa.concat_tables([table.slice(1), table.slice(0, 1)])["x"]
    assert numbers(whole).tolist() == [[2, 3], [4, 5], [0, 1]]


def test_what_no_utf8_has_is_refused_as_by_pyarrow() -> None:
    for make in (array, pa.array):
        with pytest.raises(UnicodeEncodeError):
            make(["a", "\ud800"])


def test_loads_no_pandas() -> None:
    program = (
        "import sys, numpy as np\nfrom espalier.core.arrays import array, numbers\n"
        "array(['a']), array(np.zeros((2, 3), np.uint8)), numbers(array(np.arange(2)))\nprint('pandas' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
