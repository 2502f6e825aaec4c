from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import ViTImageProcessorPil

from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts
from espalier.model.encoding.image import Image, Transform
from model import checkpoints
from model.examples import sentences, vectors

SMOOTH = np.linspace(0, 255, 4 * 3 * 12 * 20).reshape(4, 3, 12, 20).astype(np.uint8)
PLAIN: dict[str, Any] = {
    "size": {"height": 6, "width": 10},
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.5, 0.2, 0.1],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.write(tmp_path_factory.mktemp("models"), "vit")


def facts_of(shape: tuple[int, ...]) -> DataFacts:
    return vectors(np.zeros((2, *shape), np.uint8), "image", shape)[1]


def transformed(settings: Mapping[str, Any], images: np.ndarray[Any, Any] = SMOOTH) -> torch.Tensor:
    return Transform(settings, images.shape[1:])(torch.from_numpy(images))


@pytest.mark.parametrize("resample", [0, 2, 3])
def test_pixels_are_those_of_transformers_processor(resample: int) -> None:
    """Pillow rounds a resized pixel to a byte, and cuts off what overshoots."""
    settings = {**PLAIN, "resample": resample}
    own = ViTImageProcessorPil(**settings)(list(SMOOTH), input_data_format="channels_first", return_tensors="pt")
    steps = 2.0 if resample else 0.1
    tolerance = steps / 255 / torch.tensor(settings["image_std"]).view(3, 1, 1)
    assert ((transformed(settings) - own["pixel_values"]).abs() <= tolerance).all()


def test_an_image_of_the_right_size_is_only_normalised() -> None:
    settings = {**PLAIN, "size": {"height": 12, "width": 20}}
    mean, std = (torch.tensor(PLAIN[name]).view(3, 1, 1) for name in ("image_mean", "image_std"))
    torch.testing.assert_close(transformed(settings), (torch.from_numpy(SMOOTH) / 255 - mean) / std)


def test_by_the_shortest_edge_and_from_the_centre() -> None:
    settings = {**PLAIN, "size": {"shortest_edge": 6}, "do_center_crop": True, "crop_size": {"height": 4, "width": 4}}
    whole = transformed(PLAIN)
    torch.testing.assert_close(transformed(settings), whole[:, :, 1:5, 3:7])


def test_steps_that_are_off_are_left_out() -> None:
    raw = {**PLAIN, "do_resize": False, "do_rescale": False, "do_normalize": False}
    assert torch.equal(transformed(raw), torch.from_numpy(SMOOTH).float())


def test_one_channel_becomes_all() -> None:
    grey = transformed({**PLAIN, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}, SMOOTH[:, :1])
    assert grey.shape == (4, 3, 6, 10) and torch.equal(grey[:, 0], grey[:, 2])


def test_code_does_the_same() -> None:
    for settings in (PLAIN, {**PLAIN, "resample": 0}, {**PLAIN, "do_center_crop": True, "crop_size": 4}):
        transform = Transform(settings, (3, 12, 20))
        names = {"torch": torch, "rows": torch.from_numpy(SMOOTH)}
        exec("if True:\n    " + transform.code(), names)
        torch.testing.assert_close(names["pixels"], transform(torch.from_numpy(SMOOTH)), atol=1e-5, rtol=1e-5)


def test_the_transform_is_no_weight() -> None:
    assert not Transform(PLAIN, (3, 12, 20)).state_dict()


def test_images_stay_bytes_and_the_file_is_saved(folder: Path, tmp_path: Path) -> None:
    raw, facts = vectors(SMOOTH, "image", (3, 12, 20))
    encoding = Image(facts, source=str(folder), revision="main")
    encoded = encoding.apply(raw.splits["train"])["image"]
    assert isinstance(encoded, np.ndarray) and encoded.dtype == np.uint8 and (encoded == SMOOTH).all()
    encoding.save(tmp_path)
    saved = (folder / "preprocessor_config.json").read_text()
    assert json.loads((tmp_path / "preprocessor_config.json").read_text()) == json.loads(saved)
    assert encoding.fingerprint() != Image(facts_of((1, 8, 8)), source=str(folder), revision="main").fingerprint()
    assert Image.costs_nothing and encoding.facts() == {}


def test_what_does_not_fit_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs images, and this data has text"):
        Image(sentences()[1], source=str(folder), revision="main")
    with pytest.raises(ConfigError, match="reads images of 3 channels, and these have 2"):
        Image(facts_of((2, 8, 8)), source=str(folder), revision="main")
    with pytest.raises(ConfigError, match=r"has no preprocessor_config.json: it reads no images"):
        Image(facts_of((1, 8, 8)), source=str(checkpoints.write(tmp_path, "bert")), revision="main")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "JSONDecodeError"),
        ('{"image_mean": [0.5, 0.5, 0.5], "image_std": [1, 1, 1]}', "KeyError: 'size'"),
        ('{"size": 224}', "KeyError: 'image_mean'"),
        (
            '{"size": 6, "do_normalize": false, "do_center_crop": true, "crop_size": 8}',
            r"ValueError: \(8, 8\) pixels cannot",
        ),
    ],
    ids=["no JSON", "no size", "no mean", "a crop larger than the image"],
)
def test_settings_that_cannot_be_followed_are_refused(content: str, said: str, tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path, "vit")
    (folder / "preprocessor_config.json").write_text(content)
    with pytest.raises(ConfigError, match=f"has a preprocessor_config.json that Espalier cannot follow: {said}"):
        Image(facts_of((3, 12, 20)), source=str(folder), revision="main")
