from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from data.examples import write
from espalier.core.errors import DataError
from espalier.core.jsonl import first_records, peek_records, read_records


def test_objects_keep_their_lines_and_lack_what_they_lack(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", '{"a": 1}\n\n{"b": [2, 3], "a": null}\n')
    records = read_records(file)
    assert (records.header, records.numbers) == (("a", "b"), (1, 3))
    assert (records.column("a"), records.column("b")) == ([1, None], [None, [2, 3]])
    assert peek_records(file) == {"a": 1, "b": [2, 3]}


def test_separators_of_other_alphabets_end_no_line(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", '{"a": "x\u2028y\x85z"}\n{"a": "2"}')
    assert read_records(file).column("a") == ["x\u2028y\x85z", "2"]


def test_gzipped(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n'))
    assert read_records(tmp_path / "a.jsonl.gz").column("a") == [1]
    assert peek_records(tmp_path / "a.jsonl.gz") == {"a": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ('{"a": 1}\n{"a": }\n', "a.jsonl line 2  is no JSON: Expecting value"),
        ('{"a": 1}\n[1, 2]\n', "a.jsonl line 2  is no JSON object but list"),
        ('{"a": 1, "a": 2}\n', "a.jsonl line 1  has the key 'a' twice"),
        ('{"a": "\\ud83d\\ude00"}\n{"a": "\\ud83d"}\n', "a.jsonl line 2  has half a character"),
        ('{"a": 1}\n{"a": "hal', "a.jsonl line 2  ends in the middle: it was cut off"),
        ('{"a": 1}\n{"a": ' + "[" * 100_000 + "\n", "a.jsonl line 2  is nested too deeply"),
    ],
)
def test_faults_are_named_by_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_records(write(tmp_path / "a.jsonl", text))
    assert said in str(caught.value)


def test_wrong_byte_is_named_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"a": 1}\n{"a": "caf\xe9"}\n')
    for reader in (read_records, peek_records):
        with pytest.raises(DataError, match=r"a.jsonl line 2  is not UTF-8: byte 0xe9 at position 19"):
            reader(tmp_path / "a.jsonl")


def test_damage_beyond_the_first_bytes_is_told_when_only_the_head_is_read(tmp_path: Path) -> None:
    words = hashlib.shake_256(b"").hexdigest(10_000)  # hardly to be packed
    lines = "".join(f'{{"a": "{words[i : i + 400]}"}}\n' for i in range(0, 20_000, 400))
    packed = bytearray(gzip.compress(lines.encode()))
    packed[4000:4040] = b"\xff" * 40
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    for read in (peek_records, read_records):
        with pytest.raises(DataError, match="cannot be unpacked: it was cut off or damaged"):
            read(tmp_path / "a.jsonl.gz")


def test_the_first_objects(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", '{"a": 1}\n\n{"b": [2]}\n' + '{"a": 3}\n' * 2000)
    found = list(first_records(file))
    assert found[:3] == [{"a": 1}, {"b": [2]}, {"a": 3}] and len(found) == 999
