from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file

from espalier.core.errors import ConfigError
from espalier.model.encoding.pixels import Pixels
from espalier.model.mlp import Mlp
from model.examples import batch_of, vectors

GIVEN: dict[str, Any] = {"hidden": [8, 5], "activation": "relu", "dropout": 0.0, "shift": 0}
VALUES = np.random.default_rng(0).integers(0, 256, (6, 1, 4, 4), np.uint8)


def make(**changed: Any) -> tuple[Mlp, dict[str, Any]]:
    torch.manual_seed(0)
    raw, facts = vectors(VALUES, "image", (1, 4, 4))
    encoding = Pixels(facts)
    encoding.fit(raw)
    batch = batch_of(encoding.apply(raw.splits["train"]), {}, [0, 3, 5])
    return Mlp(facts, encoding=encoding, **{**GIVEN, **changed}), batch


def test_features_are_those_of_the_normalised_pixels() -> None:
    model, batch = make()
    pixels = torch.from_numpy(VALUES[[0, 3, 5]]).flatten(1).float()
    normal = (pixels - VALUES.mean()) / VALUES.std()
    torch.testing.assert_close(model(batch), model.trunk(normal), rtol=1e-4, atol=1e-5)
    assert model(batch).shape == (3, model.width) == (3, 5)


@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh"])
def test_activations_follow_every_layer(activation: str) -> None:
    model, _ = make(activation=activation)
    assert [type(layer).__name__.lower() for layer in model.trunk][1::2] == [activation] * 2  # type: ignore[attr-defined]


def test_dropout_drops_in_training_only() -> None:
    model, batch = make(dropout=0.5)
    assert not torch.equal(model(batch), model(batch))
    model.eval()
    assert torch.equal(model(batch), model(batch))


def test_images_are_moved_in_training_only() -> None:
    model, batch = make(shift=1)
    assert not torch.equal(model(batch), model(batch))
    model.eval()
    assert torch.equal(model(batch), make()[0].eval()(batch))


def test_vectors_are_not_moved() -> None:
    _, facts = vectors(np.eye(3, dtype=np.float32), "vector", (3,))
    with pytest.raises(
        ConfigError, match=r"model.shift=1  is for images, and this data has vectors\. Set model.shift=0"
    ):
        Mlp(facts, encoding=Pixels(facts), **{**GIVEN, "shift": 1})


def test_vectors_are_taken_too() -> None:
    raw, facts = vectors(np.eye(3, dtype=np.float32), "vector", (3,))
    encoding = Pixels(facts)
    batch = batch_of(encoding.apply(raw.splits["train"]), {}, [0, 1])
    assert Mlp(facts, encoding=encoding, **GIVEN)(batch).shape == (2, 5)


@pytest.mark.parametrize("target", list(Mlp.targets))
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_peft_finds_the_targets(target: str, dropout: float) -> None:
    model, batch = make(dropout=dropout)
    trunk = model.trunk
    model.trunk = get_peft_model(trunk, LoraConfig(r=2, target_modules=Mlp.targets[target]))  # type: ignore[arg-type]
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert len(trained) == 4 and all("lora_" in name for name in trained), "A and B of two layers"
    model(batch).sum().backward()


@pytest.mark.parametrize("adapted", [False, True])
def test_saved_weights_have_plain_names(adapted: bool, tmp_path: Path) -> None:
    model, _ = make()
    plain = {name: value.clone() for name, value in model.state_dict().items()}
    if adapted:
        model.trunk = get_peft_model(model.trunk, LoraConfig(r=2, target_modules="all-linear"))  # type: ignore[arg-type]
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    saved = load_file(tmp_path / "model.safetensors")
    assert saved.keys() == plain.keys() and all(torch.equal(saved[name], plain[name]) for name in plain)
    assert json.loads((tmp_path / "pixels.json").read_text())["mean"] == pytest.approx(VALUES.mean())
    assert (tmp_path / "adapter_model.safetensors").exists() is adapted
