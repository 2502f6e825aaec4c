from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from espalier.core.chunks import Columns, format_of, header_of, read_chunks
from espalier.core.errors import DataError, UserError
from espalier.core.tabular import read_table


def rows(path: Path, kind: str, size: int = 2, encoding: str = "utf-8") -> list[list[dict[str, object]]]:
    return [[dict(row) for row in chunk.rows] for chunk in read_chunks(str(path), kind, size, encoding)]  # type: ignore[arg-type]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_csv_comes_in_chunks_with_the_lines_where_rows_begin(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", '\ufeffid;text\n1;"a ""b""\nc;d"\n2;e\n\n3;f\n')
    assert rows(path, "csv") == [
        [{"id": "1", "text": 'a "b"\nc;d'}, {"id": "2", "text": "e"}],
        [{"id": "3", "text": "f"}],
    ]
    assert [chunk.numbers for chunk in read_chunks(str(path), "csv", 2)] == [(2, 4), (6,)]


def test_tab_separated_quotes_are_text_unless_every_field_closes_them(tmp_path: Path) -> None:
    open_quote = written(tmp_path, "a.tsv", 'text\tn\n"a\t1\nb" c\t2\n')
    assert [row["text"] for row in rows(open_quote, "tsv")[0]] == ['"a', 'b" c']
    assert rows(written(tmp_path, "b.tsv", 'text\tn\n"a\tb"\t1\n'), "tsv") == [[{"text": "a\tb", "n": "1"}]]


def test_gzipped_and_in_another_encoding(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv.gz", gzip.compress("text,n\ndélai,1\n".encode("cp1252")))
    assert rows(path, "csv", encoding="cp1252") == [[{"text": "délai", "n": "1"}]]
    with pytest.raises(DataError, match="is not utf-8, somewhere after line"):
        rows(path, "csv")


def test_json_lines_keep_every_key(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", '{"text": "a", "n": {"x": [1]}}\n\n{"text": null}\n')
    (chunk,) = read_chunks(str(path), "jsonl", 10)
    assert chunk.header == ("text", "n") and chunk.numbers == (1, 3)
    assert chunk.column("n") == [{"x": [1]}, None]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table({"v": pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], pa.list_(pa.float32(), 2)), "n": [1, 2, 3]})
    pq.write_table(table, tmp_path / "a.parquet")
    chunks = list(read_chunks(str(tmp_path / "a.parquet"), "parquet", 2))
    assert [list(chunk.numbers) for chunk in chunks] == [[0, 1], [2]]
    assert all(isinstance(chunk, Columns) and chunk.whole.schema.field("v").type.list_size == 2 for chunk in chunks)
    assert header_of(tmp_path / "a.parquet", "parquet", "utf-8") == ("v", "n")


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"text\na\n")))
    assert [chunk.rows for chunk in read_chunks("-", "csv", 5)] == [({"text": "a"},)]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "text,n\na,1\nb\n", r"a.csv line 3  has 1 fields, and the header names 2"),
        ("a.csv", 'text,n\n"a"x,1\n', r"a.csv line 2  has broken quoting"),
        ("a.csv", "text,text\na,1\n", "has the column 'text' more than once"),
        ("a.csv", "text\n", "has no rows"),
        ("a.csv", "", "is empty"),
        ("a.csv", '{"text": 1}\n', "Set  data=jsonl|holds JSON lines"),
        ("a.jsonl", '{"text": 1}\n{"text"\n', "line 2  is no JSON"),
        ("a.jsonl", '{"text": 1}\n3\n', "line 2  is no JSON object but int"),
        ("a.csv.gz", gzip.compress(b"text,n\n" + b"abc,1\n" * 9000)[:-20], "cannot be"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(DataError, match=said):
        rows(path, format_of("input", str(path), None))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        rows(tmp_path / "a.csv", "csv")


@pytest.mark.parametrize(
    ("path", "given", "said"),
    [("a.txt", None, "is of no known kind"), ("-", None, "Add  format=csv"), ("-", "parquet", "a stream of csv")],
)
def test_formats_that_nobody_knows(path: str, given: str | None, said: str) -> None:
    with pytest.raises(UserError, match=said):
        format_of("input", path, given)


def test_formats_by_their_endings() -> None:
    assert [format_of("input", name, None) for name in ("a.CSV", "a.tsv.gz", "a.b.ndjson", "x.parquet")] == [
        "csv", "tsv", "jsonl", "parquet",
    ]  # fmt: skip
    assert format_of("output", "-", "tsv") == "tsv"


def test_a_tab_separated_table_is_read_as_training_reads_it(tmp_path: Path) -> None:
    """Whether it quotes its fields is told by all of its lines, not by its first ones."""
    file = tmp_path / "a.tsv"
    file.write_text("text\tlabel\n" + "plain\t1\n" * 150 + '"a\tb"\t0\n')
    found = [row for chunk in read_chunks(str(file), "tsv", 100) for row in chunk.rows]
    assert found[-1] == {"text": "a\tb", "label": "0"}
    assert [tuple(row.values()) for row in found] == [tuple(row) for row in read_table(file).rows]


@pytest.mark.parametrize("line", ['{"a": 1, "a": 2}', '{"a": "\\ud83d"}', "[1]"])
def test_objects_that_training_refuses_are_refused(line: str, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(f'{{"a": 1}}\n{line}\n')
    with pytest.raises(DataError, match=r"a\.jsonl line 2"):
        list(read_chunks(str(file), "jsonl", 9))


@pytest.mark.parametrize("encoding", ["no-such", "base64", "utf-16", "punycode"])
def test_a_wrong_encoding_is_answered(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text\nz~\n|/\n")
    with pytest.raises(DataError, match="encoding"):
        list(read_chunks(str(file), "csv", 9, encoding))


def test_of_one_column_an_empty_line_is_an_empty_cell_but_not_at_the_end(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "text\neins\n\n\ndrei\n\n\n")
    assert rows(path, "csv", 9) == [[{"text": "eins"}, {"text": ""}, {"text": ""}, {"text": "drei"}]]
    assert [chunk.numbers for chunk in read_chunks(str(path), "csv", 9)] == [(2, 3, 4, 5)]
    table = read_table(path)
    assert (table.column("text"), list(table.numbers)) == (["eins", "", "", "drei"], [2, 3, 4, 5])


def test_a_key_that_the_first_object_lacks_is_a_column(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", '{"id": 1}\n{"id": 2, "text": "x"}\n')
    assert header_of(path, "jsonl", "utf-8") == ("id", "text")


def test_a_given_delimiter_wins(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "Text, lang, kurz;Bewertung\nja;1\n")
    with pytest.raises(DataError, match="the header names 3 columns"):
        header_of(path, "csv", "utf-8")
    assert header_of(path, "csv", "utf-8", ";") == ("Text, lang, kurz", "Bewertung")
    (chunk,) = read_chunks(str(path), "csv", 5, delimiter=";")
    assert chunk.column("Bewertung") == ["1"] and chunk.separator == ";"  # type: ignore[union-attr]
    with pytest.raises(DataError, match="delimiter=;;  is not one character"):
        header_of(path, "csv", "utf-8", ";;")


def test_a_parquet_file_is_not_gzipped() -> None:
    with pytest.raises(UserError, match="compressed as a whole"):
        format_of("input", "a.parquet.gz", None)
