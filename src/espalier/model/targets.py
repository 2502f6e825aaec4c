"""Names for the layers of transformers' models, by which adapters find them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class OfTransformers:
    """A backbone whose trunk is one of transformers' models; ``targets`` are as ``core.parts.Backbone`` has them."""

    targets: ClassVar[Mapping[str, str]] = {
        "attention": (
            r".*\.\w*[aA]tt(entio)?n(\.(self|output|attn|attention))?\."
            r"(query|key|value|dense|query_key_value|[qkvo]|([qkvo]|out|qkv|query|key|value)_proj|([qkv]|out)_lin"
            r"|c_attn|c_proj|Wqkv|Wo)"
        ),
        "mlp": (
            r"(?!.*[aA]tt(entio)?n\.).*\."
            r"((intermediate|output)\.dense|dense_(h_to_4h|4h_to_h)|albert_layers\.\d+\.ffn(_output)?|lin[12]|c_fc|c_proj"
            r"|(gate|up|down|gate_up)_proj|wi|wi_[01]|wo|Wi|Wo|fc[12])"
        ),
        "all_linear": "all-linear",
        "outputs": (
            r".*\.\w*[aA]tt(entio)?n(\.(self|output|attn|attention))?\.(dense|o|(o|out)_proj|out_lin|c_proj|Wo)"
            r"|(?!.*[aA]tt(entio)?n\.).*\."
            r"(output\.dense|dense_4h_to_h|albert_layers\.\d+\.ffn_output|lin2|c_proj|down_proj|wo|Wo|fc2)"
        ),
        "mlp_outputs": (
            r"(?!.*[aA]tt(entio)?n\.).*\."
            r"(output\.dense|dense_4h_to_h|albert_layers\.\d+\.ffn_output|lin2|c_proj|down_proj|wo|Wo|fc2)"
        ),
    }
