"""Our encoder-decoder as a Pegasus checkpoint: the same layers, keys and values by matrices of their own."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import PegasusConfig, PegasusForConditionalGeneration


def save_as_pegasus(model: Any, folder: Path) -> None:
    """Config and safetensors, as ``AutoModelForSeq2SeqLM.from_pretrained`` loads them.

    Args:
        model: a ``model.encoder_decoder.EncoderDecoder``. Of one that an adapter learned beside, the weights with the
            adapter's update.
    """
    trunk = model.trunk
    if hasattr(trunk, "merge_and_unload"):
        trunk = deepcopy(trunk).merge_and_unload()
    twin = PegasusForConditionalGeneration(_config(model, trunk))
    twin.load_state_dict(_weights(trunk), strict=False)  # its tied matrices and a bias of zeros are not in ours
    twin.to(dtype=trunk.shared.weight.dtype).save_pretrained(folder)


def _weights(trunk: Any) -> dict[str, Tensor]:
    weights = {"lm_head.weight": trunk.shared.weight}
    for name, value in trunk.state_dict().items():
        weights |= {f"model.{n}": part.contiguous() for n, part in _named(name, value)}
    for side in ("encoder", "decoder"):
        weights[f"model.{side}.embed_tokens.weight"] = trunk.shared.weight
        weights[f"model.{side}.embed_positions.weight"] = getattr(trunk, side).positions
    return weights


def _named(name: str, value: Tensor) -> Iterator[tuple[str, Tensor]]:
    """By Pegasus' names."""
    if name.endswith(".positions"):
        return
    if ".kv_proj." not in name:
        yield name, value
        return
    for letter, half in zip("kv", value.chunk(2), strict=True):
        yield name.replace("kv_proj", f"{letter}_proj"), half


def _config(model: Any, trunk: Any) -> PegasusConfig:
    first = trunk.encoder.layers[0]
    return PegasusConfig(
        vocab_size=trunk.shared.num_embeddings, max_position_embeddings=model.context, d_model=model.width,
        encoder_layers=len(trunk.encoder.layers), decoder_layers=len(trunk.decoder.layers),
        encoder_attention_heads=trunk.heads, decoder_attention_heads=trunk.heads,
        encoder_ffn_dim=first.fc1.out_features, decoder_ffn_dim=first.fc1.out_features, activation_function="relu",
        dropout=first.drop.p, attention_dropout=first.self_attn.dropout, scale_embedding=True, pad_token_id=0,
        bos_token_id=model.start, eos_token_id=model.end, decoder_start_token_id=model.start,
        forced_eos_token_id=None,
    )  # fmt: skip
