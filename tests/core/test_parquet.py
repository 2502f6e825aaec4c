from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from espalier.core.chunks import read_chunks
from espalier.core.errors import DataError
from espalier.core.parquet import peek_parquet, peek_values, read_parquet


@pytest.fixture
def file(tmp_path: Path) -> Path:
    pq.write_table(pa.table({"a": ["x", "y"], "b": [[1], []], "c": [0.5, None]}), tmp_path / "a.parquet")
    return tmp_path / "a.parquet"


def test_only_what_is_asked_for_is_read(file: Path) -> None:
    found = read_parquet(file, ["b", "nothing", "b"])
    assert (found.header, found.table.column_names, list(found.numbers)) == (("a", "b", "c"), ["b"], [0, 1])
    assert found.column("b") == [[1], []]


def test_a_look_at_the_first_row(file: Path) -> None:
    assert peek_parquet(file) == {"a": "x", "b": [1], "c": 0.5}


def test_no_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.string())}), tmp_path / "a.parquet")
    assert peek_parquet(tmp_path / "a.parquet") == {"a": None}
    with pytest.raises(DataError, match="has no rows"):
        read_parquet(tmp_path / "a.parquet", ["a"])


def test_two_columns_of_one_name_are_refused_where_it_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table([pa.array(["x"]), pa.array(["y"]), pa.array([1])], names=["a", "a", "b"]), file)
    assert read_parquet(file, ["b"]).column("b") == [1]
    with pytest.raises(DataError, match=r"a.parquet  has the column 'a' more than once\. Rename one of them"):
        read_parquet(file, ["b", "a"])
    with pytest.raises(DataError, match="has the column 'a' more than once"):
        next(read_chunks(str(file), "parquet", 10))


def test_a_file_that_was_cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"a.parquet  is cut off or damaged: .* Fetch or export the file again"):
        peek_parquet(file)


def test_a_page_that_was_damaged_is_told_before_all_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["a", "b", None]}), file)
    content = bytearray(file.read_bytes())
    content[4:20] = b"\xff" * 16
    file.write_bytes(content)
    with pytest.raises(DataError, match="is cut off or damaged"):
        peek_parquet(file)


def test_a_few_values_that_are_repeated_without_end_are_not_read_to_it(tmp_path: Path) -> None:
    few = pa.DictionaryArray.from_arrays(pa.array([0] * 2**20, pa.int32()), pa.array(["x" * 1000]))
    pq.write_table(pa.table({"text": few, "n": [1] * 2**20}), tmp_path / "a.parquet", store_schema=False)
    assert (tmp_path / "a.parquet").stat().st_size < 200_000
    with pytest.raises(DataError, match=r"unpacks to more than .* MB: no table does"):
        read_parquet(tmp_path / "a.parquet", ["text"])
    assert len(read_parquet(tmp_path / "a.parquet", ["n"]).column("n")) == 2**20
    assert list(read_parquet(tmp_path / "a.parquet", ["other"]).numbers) == list(range(2**20))


def test_more_rows_than_bytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    equal = pa.table({"a": pa.array(["x"]).take(pa.array([0] * (2**20 + 1)))})
    pq.write_table(equal, tmp_path / "a.parquet")
    with pytest.raises(DataError, match="nearly all of them are the same"):
        read_parquet(tmp_path / "a.parquet", ["a"])
    pq.write_table(equal.slice(0, 1000), tmp_path / "few.parquet")
    assert read_parquet(tmp_path / "few.parquet", ["a"]).table.num_rows == 1000


@pytest.mark.parametrize("wrong", [b"name_of_it", b"text_in_it"])
def test_names_and_texts_that_are_no_utf8_are_refused(wrong: bytes, tmp_path: Path) -> None:
    place = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"name_of_it": ["text_in_it"], "b": ["c"]}), place, compression="none", write_statistics=False
    )
    place.write_bytes(place.read_bytes().replace(wrong, wrong[:-1] + b"\x80"))
    with pytest.raises(DataError, match="is cut off or damaged"):
        read_parquet(place, ["name_of_it"])
    with pytest.raises(DataError, match="is cut off or damaged"):
        list(read_chunks(str(place), "parquet", 10))


def test_the_first_values_of_a_column(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": range(5000), "b": ["x"] * 5000}), tmp_path / "a.parquet")
    assert peek_values(tmp_path / "a.parquet", "a") == list(range(1000))
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "none.parquet")
    assert peek_values(tmp_path / "none.parquet", "a") == []
