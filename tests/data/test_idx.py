from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from conf.toy_data import write_idx
from espalier.core.errors import DataError
from espalier.data.idx import read_idx

VALUES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def test_zipped_and_plain_files_read_alike(tmp_path: Path) -> None:
    write_idx(tmp_path / "a.gz", VALUES)
    (tmp_path / "a").write_bytes(gzip.decompress((tmp_path / "a.gz").read_bytes()))
    assert (read_idx(tmp_path / "a.gz") == VALUES).all()
    assert (read_idx(tmp_path / "a") == VALUES).all()


def test_a_shape_of_nothing_that_no_array_has_is_answered(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0\0\x08\x03" + b"\xff\xff\xff\xfe" * 2 + b"\0" * 4)
    with pytest.raises(DataError, match="a shape that is none: 4294967294 x 4294967294 x 0"):
        read_idx(tmp_path / "a")


def test_missing_file_is_answered(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        read_idx(tmp_path / "none.gz")


@pytest.mark.parametrize("end", [5, 20, 40])
def test_truncated_file_is_answered(end: int, tmp_path: Path) -> None:
    write_idx(tmp_path / "a.gz", VALUES)
    plain = gzip.decompress((tmp_path / "a.gz").read_bytes())
    (tmp_path / "a").write_bytes(plain[:end] if end < 40 else plain[:-1])
    with pytest.raises(DataError, match="cut off"):
        read_idx(tmp_path / "a")
    (tmp_path / "b.gz").write_bytes((tmp_path / "a.gz").read_bytes()[:end])
    with pytest.raises(DataError):
        read_idx(tmp_path / "b.gz")


def test_zipped_file_with_a_broken_middle_is_answered(tmp_path: Path) -> None:
    write_idx(tmp_path / "a.gz", VALUES)
    content = bytearray((tmp_path / "a.gz").read_bytes())
    content[12:20] = b"\xff" * 8
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(DataError, match="cannot be unpacked"):
        read_idx(tmp_path / "a.gz")


def test_other_format_is_answered(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(DataError, match="is not an idx file of bytes"):
        read_idx(tmp_path / "a")


def test_a_file_that_unpacks_to_gigabytes_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(2**26), 9))
    with pytest.raises(DataError, match=r"has .* bytes that unpack to 4,1.* and more"):
        read_idx(tmp_path / "a.gz")
