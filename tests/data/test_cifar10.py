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
def test_real_files() -> None:
    raw = Cifar10(columns=COLUMNS, **{**COMMON, "split": {"validation": 0.1}}).read()
    assert {s: t.num_rows for s, t in raw.splits.items()} == {"train": 45_000, "validation": 5_000, "test": 10_000}
