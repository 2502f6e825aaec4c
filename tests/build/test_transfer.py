from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from conf.defaults import defaults_of
from espalier.adapter.adalora import adalora
from espalier.adapter.bottleneck import bottleneck
from espalier.adapter.lora import lora
from espalier.adapter.prompt import prompt
from espalier.adapter.side import side
from espalier.build.transfer import merge, read_weights, require_merged, take_up
from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts
from task.toy import facts_of, minilm

FACTS = DataFacts({}, {}, {})


class Net(nn.Module):
    """A backbone of one layer."""

    targets: ClassVar[dict[str, str]] = {"dense": "dense"}

    def __init__(self, outputs: int = 3) -> None:
        super().__init__()
        self.trunk = nn.Sequential()
        self.trunk.add_module("dense", nn.Linear(4, outputs))

    def forward(self, values: torch.Tensor) -> Any:
        return self.trunk(values)


def test_what_lora_learned_is_merged_under_the_plain_names() -> None:
    net: Any = lora(Net(), FACTS, target="dense", rank=2, alpha=4.0, dropout=0.0, variant="plain")
    for name, parameter in net.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter)
    values = torch.randn(5, 4)
    before = net(values)
    plain = merge(net)
    assert plain.state_dict().keys() == Net().state_dict().keys()
    torch.testing.assert_close(plain(values), before)


def test_what_an_adapter_counts_for_its_training_is_no_weight_of_the_model() -> None:
    facts = facts_of("text").learn(total_steps=20)
    adapted = merge(adalora(minilm(), facts, **defaults_of("adapter/adalora")))
    assert adapted.state_dict().keys() == minilm().state_dict().keys()


@pytest.mark.parametrize("option", ["prompt", "bottleneck", "side"])
def test_what_has_no_place_in_the_weights_stays_beside_them_and_is_no_beginning(option: str) -> None:
    adapters: dict[str, Callable[..., nn.Module]] = {"prompt": prompt, "bottleneck": bottleneck, "side": side}
    adapted: Any = adapters[option](minilm(), facts_of("text"), **defaults_of(f"adapter/{option}"))
    trunk = adapted.trunk
    assert merge(adapted).trunk is trunk
    with pytest.raises(ConfigError, match=r"adapter learned beside the model.*Set weights=null"):
        require_merged(adapted)
    require_merged(minilm())


@pytest.mark.parametrize("prefix", ["", "trunk."], ids=["of the trunk alone", "of the backbone"])
def test_weights_of_a_file_are_taken_up(tmp_path: Path, prefix: str) -> None:
    weights = {f"{prefix}dense.weight": torch.ones(3, 4), f"{prefix}dense.bias": torch.zeros(3)}
    save_file(weights, tmp_path / "w.safetensors")
    net = Net()
    take_up(net, read_weights(tmp_path / "w.safetensors"), tmp_path, "x")
    assert net.state_dict()["trunk.dense.weight"].sum() == 12


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"trunk.dense.weight": torch.ones(3, 4)}, r"lack 1 that it needs \(trunk.dense.bias\)"),
        ({**Net().state_dict(), "trunk.more": torch.ones(1)}, r"have 1 that it has not \(trunk.more\)"),
        (Net(5).state_dict(), r"have 2 of other shapes \(trunk.dense.weight: 5 x 4 there, 3 x 4 here\)"),
        ({"other": torch.ones(1)}, r"lack 2 .*have 1 that it has not \(other\)"),
    ],
    ids=["missing", "strange", "shapes", "another"],
)
def test_weights_of_another_model_are_refused_with_both_named(weights: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=f"are weights of model=lstm, and do not fit this Net: they {said}"):
        take_up(Net(), weights, Path("run"), "model=lstm")


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(ConfigError, match="cannot be read as safetensors"):
        read_weights(tmp_path / "w.safetensors")


def test_quantised_weights_are_left_alone(tmp_path: Path) -> None:
    net: Any = lora(Net(), FACTS, target="dense", rank=2, alpha=4.0, dropout=0.0, variant="plain")
    net.quantize = "4bit"
    assert hasattr(merge(net).trunk, "peft_config")
    with pytest.raises(ConfigError, match=r"model.quantize=4bit .*model.quantize=null or weights=null"):
        take_up(net, net.state_dict(), tmp_path, "minilm")
