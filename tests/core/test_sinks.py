from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.disk import full_disk
from espalier.core.chunks import Columns, Format, Records, read_chunks
from espalier.core.errors import DataError
from espalier.core.sinks import sink

ROWS = Records(("id", "text"), [{"id": "1", "text": 'a "b", c'}, {"id": "2", "text": None}], (2, 3))
ADDED = {"prediction": pa.array(["x", None], pa.string()), "score": pa.array([0.5, None], pa.float64())}


def test_csv_has_the_rows_and_behind_them_what_was_added(tmp_path: Path) -> None:
    with sink(str(tmp_path / "a.csv"), "csv") as write:
        write(ROWS, ADDED)
        write(ROWS, ADDED)
    row = '1,"a ""b"", c",x,0.5\n2,,,\n'
    assert (tmp_path / "a.csv").read_text() == f"id,text,prediction,score\n{row}{row}"


def test_json_lines_keep_what_rows_hold(tmp_path: Path) -> None:
    odd = Records(("n",), [{"n": {"é": [1]}}, {"m": 2}], (1, 2))
    with sink(str(tmp_path / "a.jsonl"), "jsonl") as write:
        write(odd, ADDED)
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()] == [
        {"n": {"é": [1]}, "prediction": "x", "score": 0.5},
        {"m": 2, "prediction": None, "score": None},
    ]


def test_parquet_keeps_the_types_of_parquet(tmp_path: Path) -> None:
    given = Columns(pa.table({"n": pa.array([1, 2], pa.int8())}), range(2))
    with sink(str(tmp_path / "a.parquet"), "parquet") as write:
        write(given, ADDED)
        write(given, ADDED)
    table = pq.read_table(tmp_path / "a.parquet")
    assert [str(field.type) for field in table.schema] == ["int8", "string", "double"]
    assert table["prediction"].to_pylist() == ["x", None, "x", None]


def test_parquet_to_csv_writes_lists_as_json(tmp_path: Path) -> None:
    with sink(str(tmp_path / "a.csv"), "csv") as write:
        write(Columns(pa.table({"v": [[1, 2], [3]]}), range(2)), ADDED)
    assert (tmp_path / "a.csv").read_text().splitlines()[1] == '"[1, 2]",x,0.5'


def test_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with sink("-", "tsv") as write:
        write(ROWS, ADDED)
    assert capsys.readouterr().out.startswith("id\ttext\tprediction\tscore\n1\t")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_end_before_the_end_leaves_what_was_there(tmp_path: Path, kind: str, error: type[BaseException]) -> None:
    target = tmp_path / f"a.{kind}"
    target.write_text("before")
    with pytest.raises(error), sink(str(target), kind) as write:  # type: ignore[arg-type]
        write(ROWS, ADDED)
        raise error
    assert [file.name for file in tmp_path.iterdir()] == [target.name]
    assert target.read_text() == "before"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_rows_that_do_not_fit_the_first_ones_are_named(tmp_path: Path, kind: str) -> None:
    first, later = Records(("n",), [{"n": 1}], (1,)), Records(("m",), [{"m": "x"}], (2,))
    one = {"prediction": pa.array(["x"])}
    with pytest.raises(DataError, match=r"line 2 to 2 .*JSON lines"), sink(str(tmp_path / "a"), kind) as write:  # type: ignore[arg-type]
        write(first, one)
        write(later, one)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "written"), [("out.csv", "a;b;more\n1;x,y;2\n"), ("out.tsv", "a\tb\tmore\n1\tx,y\t2\n")]
)
def test_csv_is_separated_as_what_was_read(tmp_path: Path, name: str, written: str) -> None:
    (tmp_path / "in.csv").write_text("a;b\n1;x,y\n")
    with sink(str(tmp_path / name), Path(name).suffix[1:]) as write:  # type: ignore[arg-type]
        for chunk in read_chunks(str(tmp_path / "in.csv"), "csv", 10, "utf-8"):
            write(chunk, {"more": pa.array([2])})
    assert (tmp_path / name).read_text() == written


def test_a_carriage_return_within_a_field_ends_no_row(tmp_path: Path) -> None:
    with sink(str(tmp_path / "a.csv"), "csv") as write:
        write(Records(("a\rb", "c"), [{"a\rb": "1\r2", "c": "3"}, {"a\rb": "4", "c": "5"}], (2, 3)), ADDED)
    assert [list(chunk.rows) for chunk in read_chunks(str(tmp_path / "a.csv"), "csv", 9)] == [
        [
            {"a\rb": "1\r2", "c": "3", "prediction": "x", "score": "0.5"},
            {"a\rb": "4", "c": "5", "prediction": "", "score": ""},
        ]
    ]


def test_a_key_that_the_first_object_lacks_is_a_column_of_parquet(tmp_path: Path) -> None:
    with sink(str(tmp_path / "a.parquet"), "parquet") as write:
        write(Records(("a", "b"), [{"a": 1}, {"b": 2}], (1, 2)), ADDED)
    assert pq.read_table(tmp_path / "a.parquet").select(["a", "b"]).to_pylist() == [
        {"a": 1, "b": None},
        {"a": None, "b": 2},
    ]


@pytest.mark.parametrize("values", [[{}, {}], [[1], "x"], [2**70, [0.5]], [None, {"": {}}]])
def test_what_parquet_cannot_hold_is_refused_with_what_can(values: list[object], tmp_path: Path) -> None:
    rows = Records(("a",), [{"a": value} for value in values], (1, 2))
    with (
        pytest.raises(DataError, match=r"line 1 to 2  cannot stand in parquet: .*output=….jsonl"),
        sink(str(tmp_path / "a.parquet"), "parquet") as write,
    ):
        write(rows, ADDED)
    assert list(tmp_path.iterdir()) == []


def test_a_later_key_is_never_left_out_of_parquet(tmp_path: Path) -> None:
    with (
        pytest.raises(DataError, match=r"has a key that earlier ones lack: 'b'"),
        sink(str(tmp_path / "a.parquet"), "parquet") as write,
    ):
        write(Records(("a",), [{"a": 1}, {"a": 2}], (1, 2)), ADDED)
        write(Records(("a", "b"), [{"a": 1, "b": 1}, {"a": 2}], (3, 4)), ADDED)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_name_that_ends_in_gz_is_gzipped(tmp_path: Path, kind: Format) -> None:
    for name in (f"a.{kind}", f"a.{kind}.gz"):
        with sink(str(tmp_path / name), kind) as write:
            write(ROWS, ADDED)
    assert gzip.decompress((tmp_path / f"a.{kind}.gz").read_bytes()) == (tmp_path / f"a.{kind}").read_bytes()


def test_a_full_disk_is_told_of_the_file_that_was_asked_for(tmp_path: Path) -> None:
    with full_disk(1000), pytest.raises(OSError, match="large") as error, sink(str(tmp_path / "a.csv"), "csv") as write:
        for _ in range(1000):
            write(ROWS, ADDED)
    assert error.value.filename == str(tmp_path / "a.csv") and list(tmp_path.iterdir()) == []
