from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from espalier.core.errors import DataError
from espalier.core.formats import Format, open_text, read_bytes, require_format

TABLE, LINES, PARQUET = b"text,label\na,1\n", b'{"text": "a"}\n', b"PAR1...PAR1"


@pytest.mark.parametrize("packed", [False, True])
def test_gzipped_files_are_read_like_plain_ones(packed: bool, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"  # told by its content, not by its name
    file.write_bytes(gzip.compress(TABLE, mtime=0) if packed else TABLE)
    assert read_bytes(file) == TABLE and read_bytes(file, 4) == b"text"
    with open_text(file, "utf-8") as opened:
        assert opened.readline() == "text,label\n"


def test_packed_file_that_was_cut_off(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(TABLE * 100, mtime=0)[:-9])
    with pytest.raises(DataError, match="cannot be unpacked: it was cut off or damaged"):
        read_bytes(tmp_path / "a.gz")


@pytest.mark.parametrize(
    ("content", "wanted"),
    [(TABLE, "csv"), (LINES, "jsonl"), (b"\xef\xbb\xbf" + LINES, "jsonl"), (b"{}\n", "jsonl"), (PARQUET, "parquet"),
     (b"{a,b}\n1,2\n", "csv"), (b"", "csv"), (b"", "jsonl")],
)  # fmt: skip
def test_the_right_format_is_left_alone(content: bytes, wanted: Format, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    require_format(tmp_path / "a", wanted)


@pytest.mark.parametrize(
    ("content", "wanted", "said"),
    [
        (LINES, "csv", "holds JSON lines, not a delimited table. Set  data=jsonl"),
        (PARQUET, "csv", "holds parquet, not a delimited table. Set  data=parquet"),
        (gzip.compress(LINES, mtime=0), "csv", "Set  data=jsonl"),
        (LINES, "parquet", "Set  data=jsonl"),
        (TABLE, "jsonl", "holds no JSON lines: it begins with 'text,label'. If it is a delimited table, set  data=csv"),
        (TABLE, "parquet", "holds no parquet"),
        (b"PK\x03\x04 ...", "csv", "is a zip archive or an Excel sheet, and not a delimited table."),
        (b'[{"text": "a"}]', "jsonl", "is one JSON array, and not an object a line."),
        (b'[\n {"text": "a"}]', "csv", "is one JSON array, and not an object a line."),
    ],
)
def test_another_format_names_the_option_that_reads_it(
    content: bytes, wanted: Format, said: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        require_format(tmp_path / "a.csv", wanted)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["a b.jsonl", "a b.json.gz"])
def test_the_command_that_makes_lines_of_an_array_leaves_the_array(name: str, tmp_path: Path) -> None:
    content = b'[{"text": "a"}]'
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.raises(DataError) as caught:
        require_format(tmp_path / name, "jsonl")
    source, made = f"'{tmp_path / name}'", f"'{tmp_path / 'a b-lines.jsonl'}'"
    command = f"gzip -dc {source} | jq -c '.[]'" if name.endswith("gz") else f"jq -c '.[]' {source}"
    assert f"{command} > {made}" in str(caught.value)


def test_a_table_may_begin_with_a_bracket(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"[id],text\n1,a\n")
    require_format(tmp_path / "a.csv", "csv")


def test_a_few_bytes_that_unpack_to_gigabytes_are_not_read_to_their_end(tmp_path: Path) -> None:
    honest = b"".join(b"%d,%x\n" % (n, n * 2654435761 % 2**32) for n in range(400_000))
    for begins in (b"", honest):  # a bomb may begin as a table does
        (tmp_path / "a.gz").write_bytes(gzip.compress(begins + b"a,b\n" * 2**23, 9))
        with pytest.raises(DataError, match=r"bytes that unpack to .* and more: no table's do") as refused:
            read_bytes(tmp_path / "a.gz")
        assert "gunzip" in str(refused.value)
    (tmp_path / "a.gz").write_bytes(gzip.compress(honest + b"0,0\n" * 2**19, 9))  # some equal rows are no bomb
    assert len(read_bytes(tmp_path / "a.gz")) == len(honest) + 2**21


def test_what_was_opened_is_closed(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(TABLE))
    with open_text(tmp_path / "a.gz", "utf-8") as file:
        inner = file.buffer.raw._file  # type: ignore[attr-defined]
    assert inner.closed
