from __future__ import annotations

from pathlib import Path

import pytest

from conf.toy_data import write_data_root
from data.examples import COMMON
from espalier.core.errors import DataError
from espalier.data.shakespeare import Shakespeare

GIVEN = {**COMMON, "split": {"validation": 0.1, "test": 0.0}}


def test_the_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = Shakespeare(**GIVEN).read()  # type: ignore[arg-type]
    text = (tmp_path / "tiny_shakespeare" / "input.txt").read_text()
    assert "".join("".join(table["text"].to_pylist()) for table in raw.splits.values()) == text


def test_the_folder_that_is_wanted_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(tmp_path))
    with pytest.raises(DataError, match="tiny_shakespeare"):
        Shakespeare(**GIVEN).read()  # type: ignore[arg-type]


@pytest.mark.data
def test_real_file() -> None:
    raw = Shakespeare(**GIVEN).read()  # type: ignore[arg-type]
    train, validation = ("".join(table["text"].to_pylist()) for table in raw.splits.values())
    assert (len(train), len(validation), len(set(train + validation))) == (1_003_854, 111_540, 65)
