from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from model.test_gpt import CONTEXT, make


def test_files_are_a_gpt2_checkpoint(tmp_path: Path) -> None:
    model, _ = make(tied=False, dropout=0.25)
    model.save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    wanted = {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_layer": 2, "n_head": 2, "n_embd": 8,
        "n_positions": CONTEXT, "activation_function": "gelu_new", "resid_pdrop": 0.25, "attn_pdrop": 0.0,
        "tie_word_embeddings": False, "eos_token_id": None,
    }  # fmt: skip
    assert {key: config[key] for key in wanted} == wanted
    weights = load_file(tmp_path / "model.safetensors")
    first = model.trunk.h[0]  # type: ignore[union-attr, index]
    assert torch.equal(weights["transformer.h.0.attn.c_attn.weight"], first.attn.c_attn.weight.T)  # type: ignore[union-attr]
    assert model.head is not None and torch.equal(weights["lm_head.weight"], model.head.weight)
