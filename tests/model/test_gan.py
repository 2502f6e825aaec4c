from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.core.errors import ConfigError
from espalier.model.encoding.pixels import Pixels
from espalier.model.gan import Gan
from model.examples import batch_of, run_recipe, vectors


def make(shape: tuple[int, ...] = (1, 8, 8), **changed: Any) -> tuple[Gan, dict[str, Any]]:
    torch.manual_seed(0)
    values = np.random.default_rng(0).integers(0, 256, (6, *shape), np.uint8)
    raw, facts = vectors(values, "image", shape)
    encoding = Pixels(facts)
    values_of = defaults_of("model/gan", noise=5, **{"channels": [6, 4], **changed})
    return Gan(facts, encoding=encoding, **values_of), batch_of(encoding.apply(raw.splits["train"]), {}, [0, 3, 5])


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (3, 5, 17), (1, 28, 28), (2, 7, 6)])
@pytest.mark.parametrize("spectral_norm", [True, False])
def test_images_of_any_size_and_channels(shape: tuple[int, ...], spectral_norm: bool) -> None:
    model, batch = make(shape, spectral_norm=spectral_norm)
    made = model.generator(torch.randn(3, 5))
    assert made.shape == (3, *shape) and made.abs().max() <= 1
    assert model.discriminator(made).shape == (3, 1)
    assert model(batch).shape == (3, model.width)
    (model.discriminator(made).sum() + model.discriminator(model.scaled(batch["image"])).sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_one_row_is_enough_to_train_on() -> None:
    """Batch norm wants more than one value for each channel: a last batch may be a single image."""
    model, batch = make((1, 5, 5), channels=[6], spectral_norm=False)
    assert model.discriminator(model.generator(torch.randn(1, 5))).isfinite().all()
    assert model({"image": batch["image"][:1]}).isfinite().all()


def test_layers_are_those_of_dcgan() -> None:
    model, _ = make((1, 28, 28), spectral_norm=False)
    up = [nn.BatchNorm2d, nn.ReLU, nn.ConvTranspose2d]
    assert [type(layer) for layer in model.generator] == [nn.Linear, nn.Unflatten, *up, *up, nn.Tanh]
    assert [type(layer) for layer in model.discriminator] == [
        nn.Conv2d, nn.LeakyReLU, nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU, nn.Flatten, nn.Linear
    ]  # fmt: skip
    kernels = [layer.kernel_size for layer in model.generator if isinstance(layer, nn.ConvTranspose2d)]
    assert kernels == [(4, 4), (4, 4)]


def test_spectral_norm_bounds_the_largest_singular_value() -> None:
    model, batch = make()
    for layer in (model.discriminator[0], model.discriminator[-1]):
        with torch.no_grad():
            layer.parametrizations.weight.original.mul_(50)  # type: ignore[union-attr, operator]
    for _ in range(30):  # an iteration of the power method each
        model.discriminator(model.scaled(batch["image"]))
    for layer in (model.discriminator[0], model.discriminator[-1]):
        weight: Any = layer.weight.detach()  # type: ignore[union-attr, operator]
        assert float(torch.linalg.matrix_norm(weight.flatten(1), 2)) == pytest.approx(1, abs=1e-3)


def test_pixels_are_those_that_were_scaled() -> None:
    model, _ = make()
    every = torch.arange(256, dtype=torch.uint8)
    assert model.scaled(every).aminmax() == (-1, 1)
    assert torch.equal(model.pixels(model.scaled(every)), every)


def test_features_are_what_the_discriminator_judges_by() -> None:
    model, batch = make()
    model.eval()
    whole = model.discriminator(model.scaled(batch["image"]))
    torch.testing.assert_close(model.discriminator[-1](model(batch)), whole)


def test_small_images_are_not_halved_away() -> None:
    with pytest.raises(ConfigError, match=r"model.channels  has 3 layers.* images are 5 x 17\. Name at most 2"):
        make((3, 5, 17), channels=[2, 2, 2])


def test_vectors_are_refused() -> None:
    _, facts = vectors(np.eye(3, dtype=np.float32), "vector", (3,))
    with pytest.raises(ConfigError, match="model=gan  makes images, and this data has none"):
        Gan(facts, encoding=Pixels(facts), **defaults_of("model/gan"))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 7, 6)])
def test_recipe_makes_the_same_images(shape: tuple[int, ...], tmp_path: Path) -> None:
    model, _ = make(shape)
    for _ in range(3):
        model.generator(torch.randn(4, 5))  # running statistics are saved too
    model.save(tmp_path)
    names = run_recipe(model.sampling(), tmp_path)
    noise = torch.randn(2, 5)
    with torch.no_grad():
        made = model.pixels(model.eval().generator(noise))
    assert torch.equal(names["samples"](noise), made) and made.dtype == torch.uint8
