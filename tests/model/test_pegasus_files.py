from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load_file

from espalier.model.pegasus_files import save_as_pegasus
from model.translated import encoder_decoder


def test_every_weight_is_in_the_file(tmp_path: Path) -> None:
    model, _ = encoder_decoder(positions="learned")
    save_as_pegasus(model, tmp_path)
    saved = load_file(tmp_path / "model.safetensors")
    assert sum(value.numel() for name, value in saved.items() if "logits_bias" not in name) == sum(
        parameter.numel() for parameter in model.parameters()
    )
    keys, values = model.trunk.decoder.layers[1].encoder_attn.kv_proj.weight.chunk(2)  # type: ignore[union-attr, index, operator]
    for letter, half in (("k", keys), ("v", values)):
        assert saved[f"model.decoder.layers.1.encoder_attn.{letter}_proj.weight"].equal(half.detach())


def test_the_config_says_how_to_write(tmp_path: Path) -> None:
    model, _ = encoder_decoder()
    save_as_pegasus(model, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["decoder_start_token_id"], config["eos_token_id"], config["pad_token_id"]) == (1, 2, 0)
    assert config["max_position_embeddings"] == 32 and config["scale_embedding"]
