from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, GPTBigCodeConfig, GPTBigCodeForCausalLM

from espalier.core.errors import ConfigError
from espalier.model import places
from espalier.model.places import BY_PLACES, by_places, goes_by_places
from model import checkpoints
from model.test_causal_lm import make


@pytest.mark.parametrize(
    ("attention", "expected"),
    [
        ("flash_attention_2", True),
        ("kernels-community/flash-attn3", True),
        (BY_PLACES, True),
        ("sdpa", False),
        ("", False),
    ],
)
def test_flash_attention_of_any_kind_goes_by_places(attention: str, *, expected: bool) -> None:
    assert goes_by_places(attention) is expected


def test_texts_of_a_single_row_are_told_apart_and_of_several_rows_are_not() -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(1, 4, 6, 8), torch.randn(1, 2, 6, 8), torch.randn(1, 2, 6, 8)
    place = torch.tensor([[0, 1, 2, 0, 1, 2]])

    def told(some: slice, rows: int = 1) -> torch.Tensor:
        given = [part[:, :, some].repeat(rows, 1, 1, 1) for part in (query, key, value)]
        return by_places(None, *given, None, 0.3, place[:, some].repeat(rows, 1))[0]

    whole = told(slice(0, 6))
    torch.testing.assert_close(whole, torch.cat([told(slice(0, 3)), told(slice(3, 6))], 1))
    assert not torch.allclose(told(slice(0, 6), rows=2)[0], whole[0])


def test_a_model_that_keeps_places_from_its_attention_is_refused(tmp_path: Path) -> None:
    """As GPTBigCode does: by a mask its texts would be apart, and flash attention is given none."""
    checkpoints.FAMILIES["gpt2"](tmp_path / "gpt2")
    size = AutoModelForCausalLM.from_pretrained(tmp_path / "gpt2").config.vocab_size
    config = GPTBigCodeConfig(vocab_size=size, n_positions=64, n_embd=16, n_layer=2, n_head=2)
    torch.manual_seed(0)
    model = GPTBigCodeForCausalLM(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    for file in (tmp_path / "gpt2").iterdir():
        if file.name.startswith(("tokenizer", "special")):
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "bigcode").mkdir()
    model.save_pretrained(tmp_path / "bigcode")
    for file in tmp_path.glob("*.json"):
        file.replace(tmp_path / "bigcode" / file.name)
    made = make(tmp_path, "bigcode")
    made.require_apart()
    made._whole[0].set_attn_implementation(places.BY_PLACES)
    with pytest.raises(ConfigError, match=r"data.packing=true .*does not keep them apart"):
        made.require_apart()
