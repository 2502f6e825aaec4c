from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

from espalier.core.errors import DataError
from espalier.data.download import fetch, fetch_folder, from_hub


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))


def test_source_that_is_nowhere_says_which_folder_would_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run with HF_HUB_OFFLINE=1, so the hub has nothing."""
    monkeypatch.setenv("ESPALIER_DATA", str(tmp_path))
    with pytest.raises(DataError) as caught:
        from_hub("sst2", "espalier-tests/no-such-set")
    said = str(caught.value)
    assert f"data=sst2  is not at {tmp_path / 'sst2'}" in said
    assert "Set ESPALIER_DATA to the folder that holds sst2/, or go online." in said


def test_hub_out_of_reach_is_answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    began = time.perf_counter()
    with pytest.raises(DataError, match=r"is not on this machine, and the hub is out of reach \(ConnectError\)"):
        fetch("espalier-tests/none", revision="main")
    assert time.perf_counter() - began < 5
    assert constants.HF_HUB_OFFLINE is False


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (RepositoryNotFoundError, "data.source=some/set  is no data set on the hub that you may see"),
        (GatedRepoError, "data.source=some/set  is gated. Accept its terms at"),
        (RevisionNotFoundError, "data.revision=v9  is no revision of some/set"),
    ],
)
def test_what_the_hub_answers(kind: Any, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = kind("no", response=httpx.Response(404, request=httpx.Request("GET", "http://hub")))

    def asked(*_: Any, **__: Any) -> None:
        raise answer

    monkeypatch.setattr(HfApi, "dataset_info", asked)
    with pytest.raises(DataError) as caught:
        fetch("some/set", revision="v9")
    assert said in str(caught.value)


def test_a_folder_that_holds_no_set(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError, match=r"data.source=.*/set  cannot be read: "):
        fetch_folder(tmp_path / "set")
