from __future__ import annotations

from pathlib import Path

import pytest

from espalier.config.compose import compose
from espalier.config.sources import loader, shipped
from espalier.core.errors import ConfigError


def test_the_shipped_groups() -> None:
    assert (shipped() / "train.yaml").is_file()


def test_a_users_folder_comes_first(tmp_path: Path) -> None:
    paths = [str(place.path) for place in loader([tmp_path]).get_search_path().get_path()]
    assert paths == [f"file://{tmp_path}", f"file://{shipped()}", "pkg://hydra.conf", "structured://"]


def test_every_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        loader([tmp_path / "a", tmp_path, tmp_path / "b"])
    assert [fault.what for fault in refused.value.faults] == [f"--config-dir {tmp_path / n}" for n in "ab"]


@pytest.mark.parametrize("line", ["../../beside/theirs", "/../beside/theirs", "/model/../../beside/theirs"])
def test_an_option_lies_in_its_folder(line: str, tmp_path: Path) -> None:
    for name, text in {
        "own/experiment/mine.yaml": f"# @package _global_\ndefaults:\n  - {line}\n", "beside/theirs.yaml": "seed: 7\n"
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=r"leads out of the folder of options"):
        compose(["experiment=mine"], config_dirs=[tmp_path / "own"])


def test_an_option_that_unfolds_without_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    laughs = "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else '1'] * 9)}]\n" for n in range(12))
    (tmp_path / "experiment" / "theirs.yaml").write_text(f"# @package _global_\nvars:\n{laughs}")
    with pytest.raises(ConfigError, match=r"unfolds to more than 20,000 values"):
        compose(["experiment=theirs"], config_dirs=[tmp_path])
