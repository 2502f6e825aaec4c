from __future__ import annotations

import gzip
import hashlib
import tracemalloc
from pathlib import Path

import pytest

from data.examples import write
from espalier.core.errors import DataError
from espalier.core.tabular import peek_column, read_header, read_table, sniff_delimiter


@pytest.mark.parametrize(
    ("text", "name"),
    [("a,b\n1,2\n", "x.csv"), ("a;b\n1;2\n", "x.csv"), ("a|b\n1|2\n", "x.txt"), ("a\tb\n1\t2\n", "x.tsv")],
)
def test_delimiter_is_found(text: str, name: str, tmp_path: Path) -> None:
    table = read_table(write(tmp_path / name, text))
    assert (table.header, table.rows, table.numbers) == (("a", "b"), [["1", "2"]], [2])
    assert table.column("b") == ["2"]


def test_ending_decides_before_the_header() -> None:
    assert sniff_delimiter(Path("x.tsv"), "a,b,c") == "\t"


def test_given_delimiter_wins_and_a_written_tab_is_a_tab(tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", "a,b\tc\n1,2\t3\n")
    assert read_header(file, delimiter="\\t") == read_header(file, delimiter="\t") == ["a,b", "c"]
    with pytest.raises(DataError, match=r"data.delimiter=ab  is not one character"):
        read_table(file, delimiter="ab")


def test_marks_in_a_tab_separated_file_are_letters_unless_it_quotes(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.tsv", 'text\tlabel\nhe said "no"\t1\n')
    assert read_table(plain).rows == [['he said "no"', "1"]]
    quoted = write(tmp_path / "b.tsv", 'text\tlabel\n"a\tb ""c"""\t1\n')
    assert read_table(quoted).rows == [['a\tb "c"', "1"]]


def test_quoted_header_may_span_lines(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", '"the\ntext",label\na,1\n')
    assert read_header(file) == ["the\ntext", "label"]
    assert read_table(file).numbers == [3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "tëxt,label\ncafé,1\n", encoding)
    assert read_header(file, encoding) == ["tëxt", "label"]
    assert read_table(file, encoding).rows == [["café", "1"]]


def test_byte_order_mark_is_no_letter(tmp_path: Path) -> None:
    assert read_header(write(tmp_path / "a.csv", "text,label\n", "utf-8-sig")) == ["text", "label"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_wrong_byte_is_named_where_it_stands(mark: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(mark + b"text,label\ncaf\xe9 au lait,1\n")
    for reader in (read_header, read_table):
        with pytest.raises(DataError, match=rf"is not utf-8: byte 0xe9 at position {14 + len(mark)} \(line 2\)"):
            reader(tmp_path / "a.csv")


def test_unknown_encoding_is_answered(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data.encoding=utf-9  is no encoding"):
        read_header(write(tmp_path / "a.csv", "a,b\n"), "utf-9")


def test_missing_file_and_folder_are_answered(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none.csv  is not there \(looked from "):
        read_header(tmp_path / "none.csv")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b\n", "has a header and no rows"),
        ("a,b,a\n1,2,3\n", "has the column 'a' more than once"),
        ('a,b\n1,2\n"x"y,3\n', "has broken quoting in the row that begins on line 3"),
        ('a,b\n"1,2\n3,4\n', "has broken quoting in the row that begins on line 2"),
        ('"a,b\n1,2\n', "has broken quoting in the row that begins on line 1"),
        ("a,b\n1\n2,3\n4,5,6\n", "has 2 columns, but other numbers of fields on line 2 (1), 4 (3)"),
        ("a,b\n" + "1\n" * 7, "and 2 more"),
        ("a,b\n1,2\n3", "ends in the middle of line 3: it was cut off"),
    ],
)
def test_faults_are_named_by_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_table(write(tmp_path / "a.csv", text))
    assert said in str(caught.value)


def test_long_fields_are_read(tmp_path: Path) -> None:
    long = "x" * 300_000
    assert read_table(write(tmp_path / "a.csv", f"a,b\n{long},1\n")).rows == [[long, "1"]]


def test_a_tsv_with_a_stray_mark_merges_no_rows(tmp_path: Path) -> None:
    file = tmp_path / "a.tsv"
    file.write_text('text\tlabel\n" hello\tpos\nmiddle\tneg\nbar "\tneg\n"quite\tpos\n')
    assert read_table(file).column("text") == ['" hello', "middle", 'bar "', '"quite']


def test_damage_beyond_the_first_bytes_is_told_when_only_the_header_is_read(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(f"{hashlib.shake_256(b'').hexdigest(10_000)},label\n".encode()))
    packed[4000:4040] = b"\xff" * 40
    (tmp_path / "a.csv.gz").write_bytes(packed)
    with pytest.raises(DataError, match="cannot be unpacked: it was cut off or damaged"):
        read_header(tmp_path / "a.csv.gz")


def test_a_tab_separated_table_with_line_ends_in_its_fields_is_read_as_it_was_exported(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tsv", 'text\tlabel\n"two\nlines, ""so""\nto say"\t1\nplain\t0\n')
    assert read_table(file).rows == [['two\nlines, "so"\nto say', "1"], ["plain", "0"]]


def test_a_mark_that_is_never_closed_is_a_letter_where_all_rows_fit(tmp_path: Path) -> None:
    file = write(tmp_path / "a.tsv", 'text\tlabel\n"Good\t1\nbad"\t0\n')
    assert read_table(file).rows == [['"Good', "1"], ['bad"', "0"]]


@pytest.mark.parametrize("sign", ["\x1c", "\x85", "\u2028"])
def test_what_unicode_calls_a_line_end_is_none_in_a_table(sign: str, tmp_path: Path) -> None:
    file = write(tmp_path / "a.tsv", f'text\tlabel\n"a{sign}b"\t1\n')
    assert read_table(file).rows == [[f"a{sign}b", "1"]]


def test_a_table_that_ends_its_lines_by_carriage_returns(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text;label\ra,b;1\r")
    assert (read_header(file), read_table(file).rows) == (["text", "label"], [["a,b", "1"]])


def test_a_byte_order_mark_is_no_letter_in_any_encoding(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "\ufefftext,label\na,1\n", "utf-16-le")
    assert read_header(file, "utf-16-le") == ["text", "label"] == list(read_table(file, "utf-16-le").header)


def test_only_columns_that_are_named_are_kept_and_a_fault_names_all(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "id,text,label\n1,a,x\n\n2,b,y\n")
    table = read_table(file, names=["label", "text", "label", "stars"])
    assert (table.header, table.names, table.numbers) == (("id", "text", "label"), ("label", "text"), [2, 4])
    assert (table.column("text"), table.column("label")) == (["a", "b"], ["x", "y"])
    with pytest.raises(DataError, match=r"has 3 columns, but other numbers of fields on line 3 \(2\)"):
        read_table(write(file, "id,text,label\n1,a,x\n2,b\n3,c,z\n"), names=["text"])
    assert read_table(write(file, "text\na\n\nb\n"), names=["stars"]).numbers == [2, 3, 4]


@pytest.mark.parametrize(("name", "sign"), [("a.csv", "a"), ("a.tsv", "a"), ("a.csv", "\U0001f642")])
def test_a_table_takes_little_more_than_what_is_kept_of_it(name: str, sign: str, tmp_path: Path) -> None:
    between = "\t" if name.endswith("tsv") else ","
    line = between.join(["1", f"{sign} text {'of some words ' * 10}", "x" * 300, "y" * 300]) + "\n"
    file = write(tmp_path / name, between.join(["id", "text", "more", "most"]) + "\n" + line * 2000)
    tracemalloc.start()
    try:
        table = read_table(file, names=["text"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(table.rows) == 2000 and peak < 2.5 * file.stat().st_size


def test_a_wrong_byte_is_told_before_what_else_is_broken(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'text,label\n"x"y,1\n' + b"a,b\n" * 5000 + b"caf\xe9,1\n")
    with pytest.raises(DataError, match=r"is not utf-8: byte 0xe9 .*line 5003"):
        read_table(tmp_path / "a.csv")


def test_the_first_values_of_a_column(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", 'text;label\n"a;\nb";x\nc\n\nd;y\n')
    assert peek_column(file, "label") == ["x", "y"]
    assert peek_column(write(file, "l\n" + "x\n" * 5000), "l") == ["x"] * 999
    (tmp_path / "b.csv").write_bytes(b"text,label\n" + b"a,b\n" * 5000 + b"caf\xe9,1\n")
    assert len(peek_column(tmp_path / "b.csv", "label")) == 999
