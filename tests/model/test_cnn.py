from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from espalier.core.errors import ConfigError
from espalier.model.cnn import Cnn
from espalier.model.encoding.pixels import Pixels
from model.examples import batch_of, run_recipe, vectors

GIVEN: dict[str, Any] = {
    "channels": [4, 6],
    "convolutions": 2,
    "kernel": 3,
    "pooling": "max",
    "dropout": 0.0,
    "shift": 0,
    "flip": False,
}


def make(shape: tuple[int, ...] = (1, 8, 8), **changed: Any) -> tuple[Cnn, dict[str, Any]]:
    torch.manual_seed(0)
    values = np.random.default_rng(0).integers(0, 256, (6, *shape), np.uint8)
    raw, facts = vectors(values, "image", shape)
    encoding = Pixels(facts)
    encoding.fit(raw)
    batch = batch_of(encoding.apply(raw.splits["train"]), {}, [0, 3, 5])
    return Cnn(facts, encoding=encoding, **{**GIVEN, **changed}), batch


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (3, 5, 17)])
@pytest.mark.parametrize("kernel", [1, 5])
def test_images_of_any_size_and_channels(shape: tuple[int, ...], kernel: int) -> None:
    model, batch = make(shape, kernel=kernel)
    features = model(batch)
    assert features.shape == (3, model.width) == (3, 6)
    features.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_a_block_is_convolutions_and_a_pool() -> None:
    model, _ = make(pooling="mean", dropout=0.5)
    block = [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 2 + [nn.AvgPool2d]
    assert [type(layer) for layer in model.trunk.children()] == [
        *block, *block, nn.AdaptiveAvgPool2d, nn.Flatten, nn.Dropout
    ]  # fmt: skip
    convolutions = [layer for layer in model.trunk.children() if isinstance(layer, nn.Conv2d)]
    assert [(layer.in_channels, layer.out_channels) for layer in convolutions] == [(1, 4), (4, 4), (4, 6), (6, 6)]


def test_pixels_are_normalised() -> None:
    model, batch = make()
    pixels = (batch["image"].float() - model.mean) / model.std
    torch.testing.assert_close(model(batch), model.trunk(pixels), rtol=1e-4, atol=1e-5)


def test_images_are_changed_in_training_only() -> None:
    for changed in ({"shift": 2}, {"flip": True}):
        model, batch = make(**changed)
        assert not torch.equal(model(batch), model(batch))
        model.eval()
        assert torch.equal(model(batch), model(batch))


def test_one_row_is_enough_to_train_on() -> None:
    """Batch norm wants more than one value for each channel: a last batch may be a single image."""
    model, batch = make((1, 4, 4))
    assert model({"image": batch["image"][:1]}).isfinite().all()


def test_small_images_are_not_halved_away() -> None:
    with pytest.raises(ConfigError, match=r"model.channels  has 3 blocks.* images are 5 x 17\. Name at most 2"):
        make((3, 5, 17), channels=[2, 2, 2])


def test_vectors_are_refused() -> None:
    _, facts = vectors(np.eye(3, dtype=np.float32), "vector", (3,))
    with pytest.raises(ConfigError, match="model=cnn  needs images, and this data has vectors"):
        Cnn(facts, encoding=Pixels(facts), **GIVEN)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 6, 4)])
def test_recipe_gives_the_same_features(shape: tuple[int, ...], tmp_path: Path) -> None:
    model, batch = make(shape, dropout=0.1)
    for _ in range(3):
        model(batch)  # running statistics are saved too
    model.save(tmp_path)
    names = run_recipe(model.recipe(), tmp_path)
    torch.testing.assert_close(names["features"](batch["image"]), model.eval()(batch))
    assert names["features"](names["rows"]).shape == (2, 6)
