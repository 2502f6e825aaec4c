"""Our decoder as a GPT-2 checkpoint: the same names, dense weights the other way round."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

_TURNED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")  # GPT-2 keeps them as (in, out)


def save_as_gpt2(model: Any, folder: Path) -> None:
    """Config and safetensors, as ``AutoModelForCausalLM.from_pretrained`` loads them.

    Args:
        model: a ``model.gpt.Gpt``. Of one that an adapter learned beside, the weights with the adapter's update.
    """
    trunk = model.trunk
    if hasattr(trunk, "merge_and_unload"):
        trunk = deepcopy(trunk).merge_and_unload()
    twin = GPT2LMHeadModel(_config(model, trunk))
    weights = {f"transformer.{name}": _turned(name, value) for name, value in trunk.state_dict().items()}
    weights["lm_head.weight"] = (model.head or trunk.wte).weight
    twin.load_state_dict(weights)
    twin.to(dtype=trunk.wte.weight.dtype).save_pretrained(folder)


def _config(model: Any, trunk: Any) -> GPT2Config:
    first = trunk.h[0]
    return GPT2Config(
        vocab_size=trunk.wte.num_embeddings, n_positions=trunk.wpe.num_embeddings, n_embd=model.width,
        n_layer=len(trunk.h), n_head=first.attn.heads, activation_function="gelu_new", resid_pdrop=first.drop.p,
        embd_pdrop=trunk.drop.p, attn_pdrop=first.attn.dropout, tie_word_embeddings=model.head is None,
        bos_token_id=None, eos_token_id=None,
    )  # fmt: skip


def _turned(name: str, value: Tensor) -> Tensor:
    return value.T.contiguous() if name.endswith(_TURNED) else value
