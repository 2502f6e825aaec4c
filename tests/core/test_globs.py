from __future__ import annotations

from pathlib import Path

import pytest

from espalier.core.globs import expand, is_pattern


def test_patterns_lists_and_names_that_look_like_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.csv", "a.csv", "c.tsv", "[1].csv", "below/d.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert expand("?.csv") == [Path("a.csv"), Path("b.csv")]
    assert expand("**/d.csv") == [Path("below/d.csv")]
    assert expand(["c.tsv", "a*"]) == [Path("c.tsv"), Path("a.csv")]
    assert expand("[1].csv") == [Path("[1].csv")]
    assert expand(str(tmp_path / "*.tsv")) == [tmp_path / "c.tsv"]
    assert expand(["b.csv", "?.csv"]) == [Path("b.csv"), Path("a.csv")]  # each once
    assert is_pattern("?.csv") and not is_pattern("[1].csv") and not is_pattern("none.csv")
    assert expand("be*") == [] and expand("none.csv") == [Path("none.csv")]


def test_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.csv").touch()
    assert expand("~/a.csv") == expand("~/*.csv") == [tmp_path / "a.csv"]


@pytest.mark.parametrize("path", ["~no-such-user/a.csv", "~\0", "a\0b", "\0/?"])
def test_what_names_no_home_and_no_path_is_a_file_that_is_not_there(path: str) -> None:
    assert expand(path) == [Path(path)]
