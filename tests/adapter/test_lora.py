from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from peft.tuners.lora import LoraLayer
from torch import nn
from transformers.pytorch_utils import Conv1D

from conf.defaults import defaults_of
from espalier.adapter.lora import lora
from espalier.core.errors import ConfigError
from model import checkpoints
from task.toy import classification, facts_of, lstm, minilm, mlp

LAYERS, WIDTH, INNER = 6, 384, 1536
ATTENTION = LAYERS * 4 * (WIDTH + WIDTH)
MLP = LAYERS * 2 * (WIDTH + INNER)


def adapted(backbone: nn.Module, **values: Any) -> nn.Module:
    return lora(backbone, facts_of("text"), **defaults_of("adapter/lora", **values))


def trained(module: nn.Module) -> dict[str, int]:
    return {name: p.numel() for name, p in module.named_parameters() if p.requires_grad}


@pytest.mark.parametrize(("target", "count"), [("attention", ATTENTION), ("mlp", MLP), ("all_linear", ATTENTION + MLP)])
def test_each_target_of_minilm_trains_rank_times_the_sides(target: str, count: int) -> None:
    learned = trained(adapted(minilm(), target=target, rank=4))
    assert sum(learned.values()) == 4 * count
    assert all("lora_" in name for name in learned)


def test_names_are_stable_and_the_head_learns() -> None:
    names = trained(classification(adapted(mlp(hidden=[7]), target="mlp", rank=2)))
    assert names == {
        "learner.trunk.base_model.model.0.lora_A.default.weight": 2 * 16,
        "learner.trunk.base_model.model.0.lora_B.default.weight": 2 * 7,
        "head.weight": 3 * 7,
        "head.bias": 3,
    }


def test_at_first_it_changes_nothing_and_then_by_alpha_over_rank() -> None:
    backbone = mlp(hidden=[7])
    weight = backbone.trunk[0].weight.detach().clone()
    module = adapted(backbone, target="mlp", rank=2, alpha=6)
    layer = next(part for part in module.modules() if isinstance(part, LoraLayer))
    inputs = torch.randn(3, 16)
    plain = inputs @ weight.T + layer.base_layer.bias
    torch.testing.assert_close(layer(inputs), plain)
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    nn.init.normal_(b)
    torch.testing.assert_close(layer(inputs), plain + 3 * inputs @ a.T @ b.T)


def test_dropout_is_on_the_updates_input_and_in_training_mode() -> None:
    module = adapted(minilm(), dropout=0.25)
    layer = next(part for part in module.modules() if isinstance(part, LoraLayer))
    assert layer.lora_dropout["default"].p == 0.25
    assert all(part.training for part in module.modules())


def test_the_folder_holds_the_adapter_and_the_tokenizer(tmp_path: Path) -> None:
    model = adapted(minilm(), rank=1)
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    files = {file.name for file in tmp_path.iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= files
    assert "model.safetensors" not in files  # the base's weights stay where they came from


def test_the_folder_names_its_base_as_others_know_it_and_nothing_of_this_machine(tmp_path: Path) -> None:
    model = adapted(minilm(), rank=1)
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert config["revision"] == defaults_of("model/minilm")["revision"]
    texts = {file.name: file.read_text() for file in tmp_path.iterdir() if file.suffix in (".json", ".md")}
    places = {str(Path(peft.__file__).parents[1]), str(Path.home()), str(Path.cwd())}
    assert [name for name, text in texts.items() if any(place in text for place in places)] == []


def test_weights_of_which_nobody_else_knows_are_named_by_their_folder(tmp_path: Path) -> None:
    checkpoints.write(tmp_path, "bert")
    (base,) = tmp_path.iterdir()
    model = adapted(minilm(source=str(base)), rank=1)
    model.save(tmp_path / "adapter")
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["revision"]) == (str(base.resolve()), None)


def test_a_model_without_such_layers_is_answered() -> None:
    with pytest.raises(ConfigError, match=r"Lstm offers no layers to adapt\. Try adapter=full"):
        adapted(lstm())
    with pytest.raises(ConfigError, match=r"Mlp offers mlp, all_linear\. Try adapter\.target=mlp or"):
        adapted(mlp(), target="attention")


def test_layers_that_peft_cannot_adapt_are_answered() -> None:
    backbone = mlp()
    backbone.targets = {"mlp": r".*\d+"}  # activations too
    with pytest.raises(ConfigError, match="PEFT cannot adapt this Mlp: Target module ReLU"):
        adapted(backbone, target="mlp")


@pytest.mark.parametrize("layer", [nn.Linear, Conv1D])
def test_peft_has_nothing_to_warn_of(layer: type[nn.Module], recwarn: pytest.WarningsRecorder) -> None:
    """GPT-2's layers hold their weights transposed, and PEFT is told so."""
    backbone = mlp()
    backbone.trunk = nn.Sequential(layer(16, 16))
    (adapted_layer,) = (part for part in adapted(backbone, target="mlp").modules() if isinstance(part, LoraLayer))
    assert adapted_layer.fan_in_fan_out == (layer is Conv1D)
    assert not [warning for warning in recwarn if "fan_in_fan_out" in str(warning.message)]


def test_a_rank_stabilised_one_is_scaled_by_the_root_of_its_rank() -> None:
    module = lora(mlp(hidden=[7]), facts_of("text"), **defaults_of("adapter/rslora", target="mlp", rank=4, alpha=6))
    layer = next(part for part in module.modules() if isinstance(part, LoraLayer))
    assert layer.scaling["default"] == 3.0


def test_a_weight_decomposed_one_keeps_the_lengths_of_columns_apart() -> None:
    """DoRA's formula 5: W' = m (W + s B A) / |W + s B A|, lengths over a column of (in) weights."""
    module = lora(mlp(hidden=[7]), facts_of("text"), **defaults_of("adapter/dora", target="mlp", rank=2, alpha=4))
    layer: Any = next(part for part in module.modules() if isinstance(part, LoraLayer))
    weight, a, b = layer.base_layer.weight, layer.lora_A["default"].weight, layer.lora_B["default"].weight
    nn.init.normal_(b)
    length = layer.lora_magnitude_vector["default"].weight
    torch.testing.assert_close(length, weight.norm(dim=1))
    updated = weight + 2 * b @ a
    expected = length[:, None] * updated / updated.norm(dim=1, keepdim=True)
    inputs = torch.randn(3, 16)
    torch.testing.assert_close(layer(inputs), inputs @ expected.T + layer.base_layer.bias)


@pytest.mark.parametrize("option", ["lora", "rslora", "dora"])
def test_merged_it_says_the_same(option: str) -> None:
    module: Any = lora(mlp(hidden=[7]), facts_of("text"), **defaults_of(f"adapter/{option}", target="mlp")).eval()
    for name, parameter in module.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.1)
    inputs = torch.randn(3, 16)
    before = module.trunk(inputs)
    torch.testing.assert_close(module.trunk.merge_and_unload()(inputs), before, atol=1e-5, rtol=0)
