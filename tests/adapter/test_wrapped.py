from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import nn

from adapter.tiny import IMAGES, Tiny
from conf.defaults import defaults_of
from espalier.adapter.bottleneck import bottleneck
from espalier.adapter.side import side
from model.examples import SENTENCES, run_recipe
from task.toy import facts_of, mlp

OPTIONS: dict[str, Callable[..., nn.Module]] = {"bottleneck": bottleneck, "side": side}
WAYS = [("bottleneck", {"form": form}) for form in ("serial", "parallel")] + [("side", {"reduction": 2})]
each_way = pytest.mark.parametrize(("option", "values"), WAYS, ids=["serial", "parallel", "side"])


def adapted(backbone: nn.Module, option: str, **values: Any) -> Any:
    """As after some training."""
    model = OPTIONS[option](backbone, facts_of("text"), **defaults_of(f"adapter/{option}", **values))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()


@each_way
@pytest.mark.parametrize("family", ["bert", "gpt2", "t5", "vit"])
def test_the_recipe_loads_what_was_saved_without_us(
    option: str, values: dict[str, Any], family: str, tiny: Tiny, tmp_path: Path
) -> None:
    backbone, batch = tiny(family)
    plain = backbone.eval()(batch)
    model = adapted(backbone, option, **values)
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    expected = model(batch)
    assert not torch.allclose(expected, plain, atol=1e-3)
    recipe = model.recipe()
    assert "espalier" not in recipe and "peft import" not in recipe
    features = run_recipe(recipe, tmp_path)["features"]
    rows: Any = torch.from_numpy(IMAGES) if family == "vit" else SENTENCES
    torch.testing.assert_close(features(rows), expected, atol=1e-5, rtol=0)


def test_the_recipe_of_dense_layers_too(tmp_path: Path) -> None:
    model = adapted(mlp(hidden=[7, 5]), "bottleneck", target="mlp")
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    assert set(load_file(tmp_path / "model.safetensors")) == {
        f"trunk.{i}.{n}" for i in (0, 2) for n in ("weight", "bias")
    }
    images = torch.randint(0, 256, (3, 1, 4, 4), dtype=torch.uint8)
    expected = model({"image": images})
    torch.testing.assert_close(run_recipe(model.recipe(), tmp_path)["features"](images), expected, atol=1e-5, rtol=0)


@each_way
def test_the_folder_holds_what_was_trained_alone(
    option: str, values: dict[str, Any], tiny: Tiny, tmp_path: Path
) -> None:
    backbone, _ = tiny("bert")
    model = adapted(backbone, option, **values)
    model.save(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    learned = [p for p in model.parameters() if p.requires_grad]
    saved = load_file(tmp_path / "adapter_model.safetensors")
    assert sorted(map(torch.numel, saved.values())) == sorted(map(torch.numel, learned))
    assert all(name.startswith("base_model.model.") for name in saved)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config["peft_type"] == option.upper()
    assert config["base_model_name_or_path"] == backbone.source and config["revision"] is None


def test_peft_says_that_it_does_not_know_it(tiny: Tiny, tmp_path: Path) -> None:
    backbone, _ = tiny("bert")
    model = adapted(backbone, "side", reduction=2)
    model.save(tmp_path)
    with pytest.raises((KeyError, ValueError, TypeError)):
        PeftModel.from_pretrained(model.trunk.get_base_model(), str(tmp_path))
