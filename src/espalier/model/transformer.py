"""Any of transformers' models from a folder: its class, what it reads, its dropout, how long a text it takes."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import nn
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_FOR_TEXT_ENCODING_MAPPING,
    MODEL_MAPPING,
    AutoConfig,
)

from espalier.core.errors import ConfigError, Fault
from espalier.model.frequencies import keep_frequencies
from espalier.model.quantized import Bits, loading
from espalier.model.source import UNREADABLE, tensors_of

_DROPOUTS = (
    "hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout", "activation_dropout",
    "attn_pdrop", "embd_pdrop", "resid_pdrop", "dropout_rate", "hidden_dropout", "embedding_dropout", "embed_dropout",
    "resid_dropout", "mlp_dropout", "ffn_dropout",
)  # fmt: skip
_LAYERS = ("num_hidden_layers", "num_layers", "encoder_layers", "decoder_layers", "num_decoder_layers")
Pooling = Literal["mean", "cls", "last"]


@dataclass(frozen=True)
class Family:
    """What an architecture is.

    Attributes:
        model: its class.
        reads: the kind of column that it takes.
        pooling: of its states, by which they become one vector where nobody asks for another.
        extra: arguments of its ``forward`` besides the input.
    """

    model: Any
    reads: Literal["text", "image"]
    pooling: Pooling
    extra: dict[str, Any]


def read_config(folder: Path, source: str) -> Any:
    """transformers' config of the weights; code that comes with them, or that they name on the hub, is never run.

    Raises:
        ConfigError: transformers does not know the architecture, or the file cannot be read; the weights are quantised
            otherwise than by bitsandbytes.
    """
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        return _without_choices(config, source)
    except (OSError, StrictDataclassError, TypeError, AttributeError, RecursionError) as error:
        truth = f"has a config.json that cannot be read: {' '.join(str(error).split()).rstrip('.')}."
        raise ConfigError(Fault(f"model.source={source}", truth, "Fetch or copy it again.")) from error
    except (ValueError, KeyError) as error:
        truth = (
            "is of no architecture that the installed transformers knows, or brings code of its own, which is not run."
        )
        remedy = "Choose another model, or a newer transformers: pip install -U transformers"
        raise ConfigError(Fault(f"model.source={source}", truth, remedy)) from error


def _without_choices(config: Any, source: str) -> Any:
    """Which kernels are fetched and called, and which file is read, is no matter of a checkpoint's."""
    if (made := getattr(config, "quantization_config", None)) is not None:
        method = made.get("quant_method") if isinstance(made, dict) else getattr(made, "quant_method", None)
        if method != "bitsandbytes":
            truth = f"is quantised by {method}, which Espalier does not load."
            raise ConfigError(Fault(f"model.source={source}", truth, "Choose the model that it was made of."))
    config._attn_implementation = None  # may name a repository of compiled code: kernels-community/…
    if hasattr(config, "_experts_implementation"):
        config._experts_implementation = None
    vars(config).pop("transformers_weights", None)
    return config


def family_of(config: Any, source: str) -> Family:
    """Encoder, decoder, encoder of an encoder-decoder, or image encoder.

    Raises:
        ConfigError: it is none of these.
    """
    kind = type(config)
    plain = hasattr(config, "hidden_size")
    if plain and kind in MODEL_FOR_TEXT_ENCODING_MAPPING:
        encoder = MODEL_FOR_TEXT_ENCODING_MAPPING[kind]
        # A saved T5 encoder says that it is no encoder-decoder; it is half of one, and has no token of the whole text.
        half = config.is_encoder_decoder or MODEL_MAPPING.get(kind, encoder) is not encoder
        return Family(encoder, "text", "mean" if half else "cls", {})
    if plain and not config.is_encoder_decoder and kind in MODEL_MAPPING:
        if kind in MODEL_FOR_MASKED_LM_MAPPING:
            return Family(MODEL_MAPPING[kind], "text", "cls", {})
        if kind in MODEL_FOR_CAUSAL_LM_MAPPING:
            return Family(MODEL_MAPPING[kind], "text", "last", {"use_cache": False})
        if kind in MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING and hasattr(config, "patch_size"):
            return Family(MODEL_MAPPING[kind], "image", "cls", {})
    truth = f"is a {config.model_type}, of which Espalier makes no vector for each row."
    remedy = "Choose an encoder (bert, roberta, t5 …), a decoder (gpt2, llama, qwen …) or an image encoder (vit …)."
    raise ConfigError(Fault(f"model.source={source}", truth, remedy))


def load_trunk(
    family: Family, config: Any, folder: Path, source: str, *, dropout: float | None, quantize: Bits | None = None
) -> nn.Module:
    """The model in fp32 and in training mode, without a pooling layer.

    Args:
        dropout: sets every share that the architecture drops of states and attention weights; None: the config's own.
        quantize: bits of each weight of a dense layer; None: 32.

    Raises:
        ConfigError: it drops nothing that could be set; the weights are not those of the architecture; they are to be
            quantised, and bitsandbytes does not load.
    """
    if dropout is not None:
        names = [name for name in _DROPOUTS if hasattr(config, name)]
        if not names:
            truth = f"cannot be set: a {config.model_type} has no dropout."
            raise ConfigError(Fault(f"model.dropout={dropout}", truth, "Set model.dropout=null."))
        for name in names:
            setattr(config, name, dropout)
    bare = (
        {"add_pooling_layer": False}
        if "add_pooling_layer" in inspect.signature(family.model.__init__).parameters
        else {}
    )
    quantised = loading(quantize) if quantize else {}
    _require_plausible(config, folder, source)
    try:
        trunk, info = family.model.from_pretrained(
            folder, config=config, dtype=torch.float32, use_safetensors=True, local_files_only=True,
            output_loading_info=True, ignore_mismatched_sizes=True, **bare, **quantised,
        )  # fmt: skip
    except UNREADABLE as error:
        truth = f"could not be read: {str(error).strip().partition(chr(10))[0].rstrip('.')}."
        raise ConfigError(Fault(f"model.source={source}", truth, "Fetch or copy it again.")) from error
    _require_whole(info, family, source)
    module: nn.Module = trunk.train()  # from_pretrained leaves it in evaluation mode, without dropout
    keep_frequencies(module)
    return module


def _require_plausible(config: Any, folder: Path, source: str) -> None:
    """Layers are made before their weights are read: a config.json alone could ask for all of the memory."""
    layers = max((n for name in _LAYERS if isinstance(n := getattr(config, name, None), int)), default=0)
    if layers > (tensors := tensors_of(folder, source)):
        truth = f"has {tensors:,} tensors, and its config.json says {layers:,} layers."
        raise ConfigError(Fault(f"model.source={source}", truth, "Fetch or copy it again."))


def _require_whole(info: Any, family: Family, source: str) -> None:
    """transformers fills what a checkpoint lacks with random numbers, and warns."""
    missing = sorted(name for name in info["missing_keys"] if "pooler" not in name)
    other = sorted(str(key[0]) for key in info["mismatched_keys"])
    if missing:
        truth = f"lacks {len(missing)} weights of a {family.model.__name__} ({missing[0]} …): they would be random."
        raise ConfigError(Fault(f"model.source={source}", truth, "Choose a checkpoint of the whole model."))
    if other:
        truth = f"has {len(other)} weights of other shapes than its config.json says ({other[0]} …)."
        raise ConfigError(Fault(f"model.source={source}", truth, "Fetch or copy it again."))
