from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, Sequence, Value
from PIL import Image as Picture

from conf.defaults import defaults_of
from conf.toy_data import write_images
from data.examples import COMMON
from espalier.core.errors import DataError
from espalier.data.hub import Hub


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))


def hub(source: Path | str, **changed: Any) -> Hub:
    return Hub(**{**defaults_of("data/hub"), **COMMON, "source": str(source), **changed})


def folder(path: Path, label: Any, values: list[Any]) -> Path:
    """A set as it lies on the hub: parquet files that know their features."""
    features = Features({"text": Value("string"), "label": label, "country": Value("string")})
    rows = {"text": [f"text {i}" for i in range(len(values))], "label": values, "country": ["de"] * len(values)}
    DatasetDict({"train": Dataset.from_dict(rows, features)})["train"].to_parquet(path / "train.parquet")
    return path


def test_labels_are_called_by_the_sets_names_in_its_order(tmp_path: Path) -> None:
    raw = hub(folder(tmp_path / "set", ClassLabel(names=["worse", "better"]), [0, 1] * 20), slices=["country"]).read()
    assert raw.labels[""] == ("worse", "better") and raw.origin == str(tmp_path / "set")
    train = raw.splits["train"]
    assert train["label"].to_pylist() == [row % 2 for row in train["row"].to_pylist()]
    assert set(train["slice:country"].to_pylist()) == {"de"}


def test_any_number_of_labels(tmp_path: Path) -> None:
    label = Sequence(ClassLabel(names=["a", "b"]))
    raw = hub(folder(tmp_path / "set", label, [[0], [0, 1], []] * 10)).read()
    assert (raw.labels[""], raw.kinds["label"]) == (("a", "b"), "labels")


def test_hidden_labels_are_no_class(tmp_path: Path) -> None:
    path = folder(tmp_path / "set", ClassLabel(names=["a", "b"]), [0, 1] * 10 + [-1])
    with pytest.raises(DataError, match=r"has empty cells: .*on row 20"):
        hub(path).read()
    assert hub(path, on_null="drop").read().counts["train"].dropped == {"empty": 1}


def test_streaming_reads_the_first_rows(tmp_path: Path) -> None:
    path = folder(tmp_path / "set", ClassLabel(names=["a", "b"]), [0, 1] * 30)
    source = hub(path, streaming=True, limit=10).tables()
    assert source.splits["train"]["text"] == [f"text {i}" for i in range(10)]
    with pytest.raises(DataError, match=r"there is no limit\. Set  data.limit="):
        hub(path, streaming=True).tables()


def test_images(tmp_path: Path) -> None:
    write_images(tmp_path / "png", 20)
    files = [str(file) for file in sorted((tmp_path / "png").rglob("*.png"))]
    rows = {"image": files, "label": [file.split("/")[-2] for file in files]}
    made = Dataset.from_dict(rows).cast_column("image", Image())
    made.to_parquet(tmp_path / "set" / "train.parquet")
    columns = {"text": None, "image": "image", "label": "label"}
    raw = hub(tmp_path / "set", columns=columns, size=[4, 4]).read()
    assert (raw.shape, raw.kinds) == ((1, 4, 4), {"image": "image", "label": "label"})
    assert raw.labels[""] == ("bright", "dark")
    with pytest.raises(DataError, match=r"data.columns.image=label  is no whole image on row 0"):
        hub(tmp_path / "set", columns={"image": "label", "label": "label"}).read()


def test_a_grey_image_first_leaves_the_others_their_colours(tmp_path: Path) -> None:
    write_images(tmp_path / "png", 20)
    files = [str(file) for file in sorted((tmp_path / "png").rglob("*.png"))]
    Picture.new("RGB", (8, 8), (200, 10, 20)).save(files[-1])
    made = Dataset.from_dict({"image": files, "label": [file.split("/")[-2] for file in files]})
    made.cast_column("image", Image()).to_parquet(tmp_path / "set" / "train.parquet")
    source = hub(tmp_path / "set", columns={"text": None, "image": "image", "label": "label"}).tables()
    assert source.shape == (3, 8, 8)
    assert np.asarray(source.splits["train"]["image"])[-1, :, 0, 0].tolist() == [200, 10, 20]


def test_splits_by_their_own_names(tmp_path: Path) -> None:
    path = folder(tmp_path / "set", ClassLabel(names=["a", "b"]), [0, 1] * 10)
    splits = {"train": "training", "validation": None, "test": "test"}
    with pytest.raises(DataError, match=r"data.splits.train=training  is no split of .* It has: train. Set"):
        hub(path, splits=splits).read()


def test_splits_that_nobody_reads_are_told(tmp_path: Path) -> None:
    path = folder(tmp_path / "set", ClassLabel(names=["a", "b"]), [0, 1] * 10)
    (path / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: train.parquet\n"
        "  - split: dev\n    path: dev.parquet\n---\n"
    )
    (path / "dev.parquet").write_bytes((path / "train.parquet").read_bytes())
    raw = hub(path).read()
    (note,) = raw.notes
    assert note.startswith("there is no split validation and test: cut from train, by data.split. Not read: dev (data.")
    assert hub(path, splits={"train": "train", "validation": "dev", "test": None}).read().notes == ()


@pytest.mark.parametrize("labels", [[-1] * 4, None])
def test_a_test_split_with_hidden_labels(tmp_path: Path, labels: list[int] | None) -> None:
    path = folder(tmp_path / "set", ClassLabel(names=["a", "b"]), [0, 1] * 10)
    features = Features(
        {"text": Value("string"), **({} if labels is None else {"label": ClassLabel(names=["a", "b"])})}
    )
    rows = {"text": ["x"] * 4, **({} if labels is None else {"label": labels})}
    Dataset.from_dict(rows, features).to_parquet(path / "test.parquet")
    with pytest.raises(DataError, match=r"data.splits.test=test  has no labels: .* Set  data.splits.test=null"):
        hub(path).tables()


def test_pairs_of_texts(tmp_path: Path) -> None:
    rows = {"premise": ["a", "b"] * 10, "claim": ["c", "d"] * 10, "label": [0, 1] * 10}
    (tmp_path / "set").mkdir()
    Dataset.from_dict(rows).cast_column("label", ClassLabel(names=["no", "yes"])).to_parquet(
        tmp_path / "set" / "train.parquet"
    )
    columns = {"text": "premise", "text_pair": "claim", "label": "label"}
    raw = hub(tmp_path / "set", columns=columns).read()
    assert raw.kinds == {"text": "text", "text_pair": "text", "label": "label"}
    first = raw.splits["train"].to_pylist()[0]
    assert (first["text"], first["text_pair"], first["label"]) in (("a", "c", 0), ("b", "d", 1))


def test_the_first_rows_of_a_sorted_set_are_no_sample(tmp_path: Path) -> None:
    path = folder(tmp_path / "set", ClassLabel(names=["worse", "better"]), [0] * 30 + [1] * 30)
    with pytest.raises(DataError, match=r"the first 20 are all 'worse': the set is sorted\. Set  data.streaming=false"):
        hub(path, streaming=True, limit=20).tables()
    assert len(hub(path, streaming=True, limit=40).tables().splits["train"]["label"]) == 40


def test_a_set_that_is_nowhere_is_answered_at_once() -> None:
    """Tests run with HF_HUB_OFFLINE=1, so the hub has nothing."""
    with pytest.raises(DataError, match=r"data.source=espalier-tests/none  is not on this machine, and HF_HUB_OFFLINE"):
        hub("espalier-tests/none").read()


def test_labels_that_are_not_split_are_noted(tmp_path: Path) -> None:
    path = folder(tmp_path / "set", Value("string"), ["a|b", "b", "b|a", "a"] * 10)
    assert any("hold '|', as 'a|b' does" in note for note in hub(path).read().notes)
    assert not any("hold '|'" in note for note in hub(path, label_separator="|").read().notes)
