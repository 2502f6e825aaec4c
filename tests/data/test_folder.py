from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conf.toy_data import write_images
from data.examples import COMMON
from espalier.core.errors import DataError
from espalier.data.folder import Folder


def folder(path: Path, **changed: Any) -> Folder:
    columns = {"image": "image", "label": "label"}
    return Folder(**{**COMMON, "size": None, "channels": None, "columns": columns, "on_error": "error", **changed},
                  path=str(path))  # fmt: skip


def test_labels_are_the_folders_names(tmp_path: Path) -> None:
    write_images(tmp_path / "all", 40)
    raw = folder(tmp_path / "all").read()
    assert (raw.labels[""], raw.shape, raw.kinds) == (
        ("bright", "dark"),
        (1, 8, 8),
        {"image": "image", "label": "label"},
    )
    assert {split: table.num_rows for split, table in raw.splits.items()} == {"train": 28, "validation": 8, "test": 4}
    for row in raw.splits["train"].to_pylist():
        assert (min(row["image"]) >= 128) == (row["label"] == 0)


def test_splits_have_several_names_and_each_once(tmp_path: Path) -> None:
    for name, rows in {"Training": 8, "Testing": 4}.items():
        write_images(tmp_path / name, rows)
    assert folder(tmp_path).read().splits["test"].num_rows == 4
    write_images(tmp_path / "test", 4)
    with pytest.raises(DataError, match="has two folders of test images: Testing and test"):
        folder(tmp_path).read()


def test_splits_without_training_are_no_labels(tmp_path: Path) -> None:
    for name in ("val", "test"):
        write_images(tmp_path / name, 4)
    with pytest.raises(DataError, match=r"has test and val, and no folder of training images\. Call it train"):
        folder(tmp_path).read()


def test_hidden_folders_and_files_are_passed_over(tmp_path: Path) -> None:
    write_images(tmp_path, 40)
    before = folder(tmp_path).read()
    for hidden in (tmp_path / "dark" / ".thumbnails", tmp_path / "dark" / "one" / ".@__thumb"):
        hidden.mkdir(parents=True)
        (hidden / "0.png").write_bytes((tmp_path / "dark" / "0.png").read_bytes())
    assert folder(tmp_path).read().fingerprint == before.fingerprint


def test_folders_named_as_splits(tmp_path: Path) -> None:
    for name, rows in {"train": 8, "Val": 4, "test": 6}.items():
        write_images(tmp_path / name, rows)
    raw = folder(tmp_path, size=[4, 6], channels=3).read()
    assert {split: table.num_rows for split, table in raw.splits.items()} == {"train": 8, "validation": 4, "test": 6}
    assert raw.shape == (3, 4, 6) and len(raw.splits["test"]["image"][0]) == 72


def test_colours_that_a_later_split_has_first_are_kept(tmp_path: Path) -> None:
    for name, rows in {"train": 8, "val": 4, "test": 6}.items():
        write_images(tmp_path / name, rows)
    Image.new("RGB", (8, 8), (200, 10, 20)).save(tmp_path / "val" / "dark" / "z.png")
    raw = folder(tmp_path).read()
    assert raw.shape == (3, 8, 8) and {len(t["image"][0]) for t in raw.splits.values()} == {192}
    assert raw.splits["validation"]["image"][-1].as_py() == [200] * 64 + [10] * 64 + [20] * 64


def test_broken_images_are_named_or_dropped_and_counted(tmp_path: Path) -> None:
    write_images(tmp_path, 40)
    whole = (tmp_path / "dark" / "0.png").read_bytes()
    (tmp_path / "dark" / "0.png").write_bytes(whole[:40])
    (tmp_path / "bright" / "1.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"has 2 files that are no whole images: .*bright/1.png .*dark/0.png"):
        folder(tmp_path).read()
    raw = folder(tmp_path, on_error="drop").read()
    assert raw.counts["train"].dropped["broken"] == 2
    assert sum(counts.read for counts in raw.counts.values()) == 40


def test_sizes_that_differ_are_named(tmp_path: Path) -> None:
    write_images(tmp_path, 10)
    Image.new("L", (9, 9)).save(tmp_path / "dark" / "zz.png")
    with pytest.raises(DataError, match=r"dark/zz.png  is 9 x 9, and images before it are 8 x 8"):
        folder(tmp_path).read()


def test_no_images_and_no_labels(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"has no images in folders named by their labels .*/cat/1.jpg"):
        folder(tmp_path).read()
