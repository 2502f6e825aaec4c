from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conf.toy_data import write_data_root, write_idx
from data.examples import COMMON
from espalier.core.errors import DataError
from espalier.data.mnist import Mnist

COLUMNS = {"image": "image", "label": "label"}


def test_local_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = Mnist(columns=COLUMNS, **{**COMMON, "split": {"validation": 0.25}}).read()
    assert {split: table.num_rows for split, table in raw.splits.items()} == {"train": 90, "validation": 30, "test": 20}
    assert raw.labels[""] == tuple("0123456789")
    assert (raw.shape, raw.kinds) == ((1, 28, 28), {"image": "image", "label": "label"})
    assert len(raw.splits["train"]["image"][0].as_py()) == 784
    assert raw.origin == str(tmp_path / "mnist")


def test_images_without_their_labels_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    write_idx(tmp_path / "mnist" / "train-labels-idx1-ubyte.gz", np.zeros(7, np.uint8))
    with pytest.raises(DataError, match="120 of image, 7 of label"):
        Mnist(columns=COLUMNS, **COMMON).read()


def test_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    (tmp_path / "mnist" / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(DataError, match="t10k-images-idx3-ubyte"):
        Mnist(columns=COLUMNS, **COMMON).read()


@pytest.mark.data
def test_real_files() -> None:
    raw = Mnist(columns=COLUMNS, **{**COMMON, "split": {"validation": 0.0833333}}).read()
    sizes = {split: table.num_rows for split, table in raw.splits.items()}
    assert sizes["train"] + sizes["validation"] == 60_000
    assert (round(sizes["validation"], -2), sizes["test"]) == (5_000, 10_000)
