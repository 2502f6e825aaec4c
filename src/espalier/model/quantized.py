"""Pretrained weights in 4 or 8 bits each, which an adapter is trained beside (QLoRA), by bitsandbytes."""

from __future__ import annotations

import importlib
import logging
import os
from typing import Any, Literal

import torch
from transformers import BitsAndBytesConfig

from espalier.core.errors import ConfigError, Fault

Bits = Literal["4bit", "8bit"]
_SETTINGS: dict[Bits, dict[str, Any]] = {
    "4bit": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True},
    "8bit": {"load_in_8bit": True},
}


def loading(bits: Bits) -> dict[str, Any]:
    """What ``from_pretrained`` is told, to quantise weights as they are read: on this process' GPU, or on the CPU.

    4 bits: normal floats whose scales are quantised too (Dettmers et al. 2023, arXiv:2305.14314); 8 bits: integers,
    with outlying features in fp16 (Dettmers et al. 2022, arXiv:2208.07339). Embeddings and norms stay in fp32. What is
    multiplied by 4 bits is multiplied in bf16, or in fp16 on GPUs that have no bf16; on the CPU in fp32.

    Raises:
        ConfigError: bitsandbytes does not load here.
    """
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # at each layer of each step: inputs are cast to fp16
    try:
        importlib.import_module("bitsandbytes")
    except Exception as error:  # a library of the wrong CUDA version raises whatever it likes
        truth = f"needs bitsandbytes, which cannot be imported ({type(error).__name__})."
        remedy = "pip install 'espalier[gpu]', or set model.quantize=null"
        raise ConfigError(Fault(f"model.quantize={bits}", truth, remedy)) from error
    settings = {**_SETTINGS[bits], **({"bnb_4bit_compute_dtype": _computing()} if bits == "4bit" else {})}
    return {"quantization_config": BitsAndBytesConfig(**settings), "device_map": {"": _device()}}


def as_code(bits: Bits) -> str:
    """The argument of ``from_pretrained``, as Python."""
    settings = ", ".join(f"{name}={value!r}" for name, value in _SETTINGS[bits].items())
    return f"quantization_config=BitsAndBytesConfig({settings})"


def bits_of(trunk: Any) -> Bits | None:
    """How its weights were loaded."""
    if getattr(trunk, "is_loaded_in_4bit", False):
        return "4bit"
    return "8bit" if getattr(trunk, "is_loaded_in_8bit", False) else None


def _computing() -> torch.dtype:
    if not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.get_device_capability(_device()) >= (8, 0) else torch.float16


def _device() -> str:
    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{os.environ.get('LOCAL_RANK') or os.environ.get('SLURM_LOCALID') or 0}"
