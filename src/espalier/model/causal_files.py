"""A causal model's files: the whole as transformers has it, or an adapter as PEFT has it for the whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from espalier.model.hub import save_trunk
from espalier.model.quantized import as_code, bits_of
from espalier.model.recipe import adapting

_CONFIG, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_START = "base_model.model."  # of PEFT's names
_TASK = "CAUSAL_LM"
_LOADING = """{imports}
from transformers import {names}

base = "{source}"  # on the hub, or the path of a folder that holds it
model = AutoModelForCausalLM.from_pretrained(base, revision="{revision}", dtype=torch.float32{given})
{lines}tokenizer = AutoTokenizer.from_pretrained(".")
model.eval()
"""
_PLAIN = """import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained(".").eval()
tokenizer = AutoTokenizer.from_pretrained(".")
"""


def save_causal(whole: Any, trunk: Any, folder: Path, source: str, revision: str) -> None:
    """The whole model; of one that was adapted, the adapter's files.

    PEFT's are written as if the whole had been adapted, and not its decoder alone: that is what others look for
    (``AutoPeftModelForCausalLM``, and servers that take adapters).

    Args:
        whole: transformers' ``…ForCausalLM``.
        trunk: its decoder, perhaps within an adapter.
        source, revision: of the model that it began as.
    """
    if not hasattr(trunk, "peft_config"):
        whole.save_pretrained(folder)
        return
    save_trunk(trunk, folder, source, revision)
    if not _peft(trunk):
        return
    inner = f"{_START}{whole.base_model_prefix}."
    state = load_file(folder / _WEIGHTS)
    state = {f"{inner}{n.removeprefix(_START)}" if n.startswith(_START) else n: t for n, t in state.items()}
    save_file(state, folder / _WEIGHTS, metadata={"format": "pt"})
    config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    config |= {"task_type": _TASK, "auto_mapping": None}
    if config.get("rank_pattern"):  # AdaLoRA's
        config["rank_pattern"] = {f"{whole.base_model_prefix}.{n}": v for n, v in config["rank_pattern"].items()}
    if isinstance(pattern := config.get("target_modules"), str):
        config["target_modules"] = rf"(?:{re.escape(whole.base_model_prefix)}\.)?(?:{pattern})"
    (folder / _CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def loading(whole: Any, trunk: Any, source: str, revision: str) -> str:
    """Lines that load those files, as ``model`` and ``tokenizer``."""
    if not hasattr(trunk, "peft_config"):
        return _PLAIN
    bits = bits_of(whole)
    names = "AutoModelForCausalLM, AutoTokenizer" + (", BitsAndBytesConfig" if bits else "")
    imports, lines = adapting(trunk, "model" if _peft(trunk) else f"model.{whole.base_model_prefix}")
    return _LOADING.format(
        imports="\n".join(dict.fromkeys(["import torch", *imports])), names=names, source=source, revision=revision,
        given=f", {as_code(bits)}" if bits else "", lines=lines,
    )  # fmt: skip


def _peft(trunk: Any) -> bool:
    return not hasattr(trunk, "loading")
