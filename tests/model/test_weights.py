from __future__ import annotations

from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from torch import nn

from espalier.model.weights import save_weights


class Net(nn.Module):
    """A backbone."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk: nn.Module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4))
        self.scale = nn.Parameter(torch.ones(2))


def test_plain_module_is_saved_whole(tmp_path: Path) -> None:
    net = Net()
    save_weights(net, tmp_path)
    saved = load_file(tmp_path / "model.safetensors")
    assert saved.keys() == net.state_dict().keys()
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_views_are_saved_as_they_look(tmp_path: Path) -> None:
    net = nn.Module()
    net.register_buffer("turned", torch.arange(6.0).reshape(2, 3).T)
    save_weights(net, tmp_path)
    assert torch.equal(load_file(tmp_path / "model.safetensors")["turned"], torch.arange(6.0).reshape(2, 3).T)


def test_adapter_lies_beside_the_base_and_loads_onto_it(tmp_path: Path) -> None:
    net, x = Net(), torch.randn(2, 3)
    net.trunk = get_peft_model(net.trunk, LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False))  # type: ignore[arg-type]
    save_weights(net, tmp_path)
    base = Net().trunk
    saved = load_file(tmp_path / "model.safetensors")
    base.load_state_dict({k.removeprefix("trunk."): v for k, v in saved.items() if k.startswith("trunk.")})
    torch.testing.assert_close(PeftModel.from_pretrained(base, tmp_path)(x), net.trunk(x))
