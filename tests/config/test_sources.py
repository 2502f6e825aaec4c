from __future__ import annotations

from pathlib import Path

import pytest

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
