from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data.examples import FILES, write
from espalier.core.errors import DataError
from espalier.core.facts import Raw
from espalier.data.csv import Csv

GOOD = "text,label\n" + "".join(f"text {i},{'xy'[i % 2]}\n" for i in range(40))


def read(path: Path, **changed: Any) -> Raw:
    return Csv(**{**FILES, "path": str(path), "encoding": "utf-8", "delimiter": None, **changed}).read()


def test_validation_and_test_are_cut_from_one_file(tmp_path: Path) -> None:
    raw = read(write(tmp_path / "réponse du client.csv", GOOD))
    assert {split: table.num_rows for split, table in raw.splits.items()} == {"train": 28, "validation": 8, "test": 4}
    assert raw.origin.endswith("réponse du client.csv")


def test_own_files_for_validation_and_test(tmp_path: Path) -> None:
    other = write(tmp_path / "b.csv", "text,label\nmore,x\n")
    raw = read(write(tmp_path / "a.csv", GOOD), validation_path=str(other), test_path=str(other))
    assert {split: table.num_rows for split, table in raw.splits.items()} == {"train": 40, "validation": 1, "test": 1}


def test_the_same_bytes_in_another_encoding_are_other_data(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", GOOD.replace("text 3,", "caf\xe9,"), "cp1252")
    first, second = read(file, encoding="cp1252"), read(file, encoding="cp1250")
    assert first.splits["train"].num_rows == second.splits["train"].num_rows
    third = read(file, encoding="cp1253")
    assert first.fingerprint != third.fingerprint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty: it has no header"),
        (b"text,label\n", "has a header and no rows"),
        (b"text,label\ngood,x\ncaf\xe9,y\n", "is not utf-8: byte 0xe9 at position 21 (line 3). Set data.encoding"),
        (b'text,label\n"good,x\nfine,y\n', "has broken quoting in the row that begins on line 2"),
        (b"text,label\na,b,x\nfine,y\n", "has 2 columns, but other numbers of fields on line 2 (3)"),
        (b"text,label\na,x\nb\nc,x,y\n", "on line 3 (1), 4 (3)"),
        (b"text,label\n,x\nfine,y\n", "has empty cells: 'text' on line 2"),
        (b"text,label\na,x\nb,x\n", "has one class only in training: 'x'"),
        (b"text,label\na,x\nb,y\nlast", "ends in the middle of line 4: it was cut off"),
        (b"text,label\na,x\nb,\xc3", "ends in the middle of a character on line 3: it was cut off"),
        (b"review,label\na,x\nb,y\n", "is no column of"),
    ],
)  # fmt: skip
def test_file_that_misbehaves_is_answered(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.csv")
    assert said in str(caught.value)


def test_label_in_validation_that_training_lacks_has_its_line(tmp_path: Path) -> None:
    other = write(tmp_path / "b.csv", "text,label\nfine,x\nmore,z\n")
    with pytest.raises(DataError, match=r"the validation rows .*'z' \(line 3 of .*b.csv\)"):
        read(write(tmp_path / "a.csv", GOOD), validation_path=str(other))


def test_dropped_rows_are_counted(tmp_path: Path) -> None:
    raw = read(write(tmp_path / "a.csv", GOOD + ",x\n"), on_null="drop")
    assert raw.counts["train"].dropped == {"empty": 1}
    assert sum(counts.read for counts in raw.counts.values()) == 41
