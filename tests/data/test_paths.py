from __future__ import annotations

from pathlib import Path

import pytest

from espalier.core.errors import DataError
from espalier.data.paths import files_of


def test_files_by_split_and_where_they_are_from(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "held.csv"):
        (tmp_path / name).touch()
    files, origin = files_of(
        {"train": str(tmp_path / "?.csv"), "validation": None, "test": [str(tmp_path / "held.csv")]}
    )
    assert files == {"train": [tmp_path / "a.csv", tmp_path / "b.csv"], "test": [tmp_path / "held.csv"]}
    assert origin == f"{tmp_path / 'a.csv'} and 1 more"
    assert files_of({"train": str(tmp_path / "b.csv")})[1] == str(tmp_path / "b.csv")


@pytest.mark.parametrize(("split", "key"), [("train", "path"), ("validation", "validation_path")])
def test_a_pattern_without_a_file_is_told_by_its_setting(tmp_path: Path, split: str, key: str) -> None:
    (tmp_path / "a.csv").touch()
    with pytest.raises(DataError, match=rf"data\.{key}=.*x\*\.csv  matches no file"):
        files_of({"train": str(tmp_path / "a.csv"), split: str(tmp_path / "x*.csv")})
