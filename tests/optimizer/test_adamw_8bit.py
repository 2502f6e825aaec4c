from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.core.errors import ConfigError
from espalier.optimizer.adamw_8bit import adamw_8bit, moment_bytes


def test_its_moments_take_a_byte_and_it_steps_much_as_adamw() -> None:
    pytest.importorskip("bitsandbytes", reason="needs the extra espalier[gpu]")
    weights = [nn.Parameter(torch.linspace(-1, 1, 8192).reshape(64, 128)) for _ in range(2)]
    ours = adamw_8bit([weights[0]], **defaults_of("optimizer/adamw_8bit"))
    plain = torch.optim.AdamW([weights[1]], **defaults_of("optimizer/adamw_8bit"))
    for step in range(5):
        for weight, optimizer in zip(weights, (ours, plain), strict=True):
            weight.grad = torch.sin(weight.detach() * (step + 1))
            optimizer.step()
    assert ours.state[weights[0]]["state1"].dtype == torch.uint8
    assert moment_bytes(8192) == sum(
        value.numel() * value.element_size() for value in ours.state[weights[0]].values() if torch.is_tensor(value)
    )
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=1e-3)


def test_its_state_is_told_beforehand() -> None:
    assert moment_bytes(4095) == 8 * 4095  # whole
    assert moment_bytes(4097) == 2 * (4097 + 17 * 4 + 1024)


def test_without_the_package_it_names_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(ConfigError, match=r"needs bitsandbytes.*pip install 'espalier\[gpu\]'"):
        adamw_8bit(nn.Linear(2, 2).parameters(), **defaults_of("optimizer/adamw_8bit"))
