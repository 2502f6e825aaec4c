from __future__ import annotations

from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"train": "*.csv", "validation": "val.csv"}, {"train": ["a.csv", "test.csv"], "validation": ["val.csv"]}),
        ({"train": "*.csv", "test": "./link"}, {"train": ["a.csv", "val.csv"], "test": ["link"]}),
        (
            {"train": "*.csv", "validation": "v*.csv", "test": ["t*.csv"]},
            {"train": ["a.csv"], "validation": ["val.csv"], "test": ["test.csv"]},
        ),
        (
            {"train": "*.csv", "validation": "val.csv", "test": ["val.csv", "test.csv"]},
            {"train": ["a.csv"], "validation": ["val.csv"], "test": ["val.csv", "test.csv"]},
        ),
        ({"train": ["a.csv", "v*.csv"], "test": "*.csv"}, {"train": ["a.csv"], "test": ["test.csv", "val.csv"]}),
        (
            {"train": "*.csv", "validation": "[tv]*.csv", "test": "[tv]*.csv"},
            {"train": ["a.csv"], "validation": ["test.csv", "val.csv"], "test": ["test.csv", "val.csv"]},
        ),
    ],
)
def test_patterns_leave_out_what_other_splits_have(
    given: Any, wanted: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_three(tmp_path, monkeypatch)
    assert files_of(given)[0] == {split: [Path(name) for name in names] for split, names in wanted.items()}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"train": "a.csv", "validation": "./a.csv"}, "data.path and data.validation_path  both mean .*a.csv: its"),
        ({"train": "a.csv", "validation": "[t-v]*.csv", "test": "t*"}, "data.validation_path and data.test_path  both"),
        ({"train": "v*.csv", "test": "val.csv"}, r"data.path=v\*.csv  matches only files that other splits have"),
    ],
)
def test_a_file_that_two_splits_mean_is_refused(
    given: Any, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_three(tmp_path, monkeypatch)
    with pytest.raises(DataError, match=said):
        files_of(given)


def _write_three(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tables, and a link to one of them."""
    monkeypatch.chdir(folder)
    for name in ("a.csv", "val.csv", "test.csv"):
        (folder / name).touch()
    (folder / "link").symlink_to("test.csv")
