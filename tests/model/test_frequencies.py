from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import nn

from espalier.model.frequencies import keep_frequencies
from model.test_causal_lm import both, make


class Rotary(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("inv_freq", 1 / 10000 ** (torch.arange(0, 8, 2) / 8), persistent=False)
        self.register_buffer("scale", torch.full((1,), 0.1))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_they_go_to_other_devices_and_to_no_other_precision(dtype: torch.dtype) -> None:
    trunk = nn.Sequential(nn.Linear(2, 2), Rotary())
    keep_frequencies(trunk)
    before = trunk[1].inv_freq.clone()  # type: ignore[union-attr,operator]
    for module in (deepcopy(trunk).to(dtype), trunk.to(dtype)):
        rotary = module[1]
        assert torch.equal(rotary.inv_freq, before) and rotary.inv_freq.dtype == torch.float32
        assert rotary.scale.dtype == module[0].weight.dtype == dtype
    assert trunk.to("meta")[1].inv_freq.device.type == "meta"  # type: ignore[union-attr]


def test_a_model_in_half_precision_tells_places_apart_as_in_fp32(tmp_path: Path) -> None:
    model = make(tmp_path, "llama")
    batch, _ = both([40, 3])
    exact = model.states(batch)
    rotary = next(part for part in model.trunk.modules() if "inv_freq" in part._buffers)
    before = rotary.inv_freq.clone()  # type: ignore[operator,union-attr]
    half = model.to(torch.bfloat16)
    assert torch.equal(rotary.inv_freq, before)  # type: ignore[arg-type]
    torch.testing.assert_close(
        half.states(batch).float()[batch["text_mask"]], exact[batch["text_mask"]], atol=0.3, rtol=0
    )
