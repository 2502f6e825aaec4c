from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conf.toy_data import write_data_root
from data.examples import COMMON
from espalier.core.errors import DataError
from espalier.data.cifar10 import Cifar10
from espalier.data.named import local_folder

COLUMNS = {"image": "image", "label": "label"}


def test_local_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = Cifar10(columns=COLUMNS, **COMMON).read()
    assert raw.shape == (3, 32, 32)
    assert raw.labels[""][:2] == ("airplane", "automobile")
    bright = np.asarray(raw.splits["test"]["image"][1].as_py()).reshape(3, 32, 32)
    assert [channel.mean() > 200 for channel in bright] == [True, False, False]  # red, in the first channel


def test_a_broken_image_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    file = tmp_path / "cifar10_jpeg" / "test.parquet"
    rows = pq.read_table(file).to_pylist()
    rows[3]["image"]["bytes"] = b"no image"
    pq.write_table(pa.Table.from_pylist(rows), file)
    with pytest.raises(DataError, match=r"test\.parquet row 3"):
        Cifar10(columns=COLUMNS, **COMMON).read()


@pytest.mark.data
@pytest.mark.slow
def test_real_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = local_folder("cifar10") or local_folder("cifar10_jpeg")
    assert folder
    (tmp_path / "cifar10").mkdir()
    for split, rows in {"train": 50_000, "test": 10_000}.items():
        file = pq.ParquetFile(folder / f"{split}.parquet")
        assert file.metadata.num_rows == rows
        first = pa.Table.from_batches([next(file.iter_batches(2_000))])
        pq.write_table(first, tmp_path / "cifar10" / f"{split}.parquet")
    monkeypatch.setenv("ESPALIER_DATA", str(tmp_path))
    raw = Cifar10(columns=COLUMNS, **{**COMMON, "split": {"validation": 0.1}}).read()
    sizes = {split: table.num_rows for split, table in raw.splits.items()}
    assert sizes["train"] + sizes["validation"] == sizes["test"] == 2_000
    assert sizes["validation"] == pytest.approx(200, abs=10)  # a tenth of each class
