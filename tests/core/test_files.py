from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from core.disk import full_disk
from espalier.core.files import parse_json, read_json, sha256_of, sync_file, sync_folder, write_atomic, write_json


def test_new_content_takes_the_place_of_the_old_and_leaves_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_atomic(file, "old")
    write_atomic(file, b"new \xff")
    assert file.read_bytes() == b"new \xff"
    assert list(tmp_path.iterdir()) == [file]


def test_failure_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_json(file, {"x": 1})
    with pytest.raises(ValueError):
        write_json(file, {"x": float("nan")})
    assert file.read_text() == '{\n  "x": 1\n}\n'


def test_json_keeps_letters_of_any_language(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", "é中")
    assert "é中" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_digest_is_of_the_bytes(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", b"abc")
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_sync_takes_files_and_folders(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", "x")
    sync_file(tmp_path / "a")
    sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "none")


def test_a_full_disk_leaves_the_old_file_and_nothing_of_the_new(tmp_path: Path) -> None:
    file = tmp_path / "a"
    write_atomic(file, "old")
    with full_disk(10), pytest.raises(OSError, match="large") as error:
        write_atomic(file, b"x" * 1000)
    assert error.value.filename == str(file)
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]


def test_json_that_nobody_can_read_is_a_value_error(tmp_path: Path) -> None:
    (file := tmp_path / "a.json").write_text('{"a": [1]}')
    assert read_json(file) == {"a": [1]}
    for content in (b"[" * 100_000, b'{"a":' * 100_000, b"{", b"\xff"):
        file.write_bytes(content)
        with pytest.raises(ValueError):
            read_json(file)
    with pytest.raises(ValueError, match="nested too deep"):
        parse_json("[" * 100_000)
