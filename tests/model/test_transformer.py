from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf

from espalier.core.errors import ConfigError
from espalier.model.transformer import family_of, load_trunk, read_config
from espalier.state.layers import positions_of
from model import checkpoints
from model.checkpoints import SIZE

TINY = {"vocab_size": 40, **SIZE}


def load(folder: Path, dropout: float | None = None) -> Any:
    config = read_config(folder, "some/model")
    return load_trunk(family_of(config, "some/model"), config, folder, "some/model", dropout=dropout)


@pytest.mark.parametrize(
    ("config", "model", "reads", "pooling"),
    [
        (hf.BertConfig(), "BertModel", "text", "cls"),
        (hf.ModernBertConfig(), "ModernBertModel", "text", "cls"),
        (hf.LlamaConfig(), "LlamaModel", "text", "last"),
        (hf.T5Config(), "T5EncoderModel", "text", "mean"),
        (hf.Dinov2Config(), "Dinov2Model", "image", "cls"),
    ],
    ids=["encoder", "encoder of masked tokens alone", "decoder", "encoder of two", "images"],
)
def test_family(config: Any, model: str, reads: str, pooling: str) -> None:
    family = family_of(config, "x")
    assert (family.model.__name__, family.reads, family.pooling) == (model, reads, pooling)


@pytest.mark.parametrize("config", [hf.BartConfig(), hf.CLIPConfig(), hf.WhisperConfig()], ids=lambda c: c.model_type)
def test_what_gives_no_vector_for_a_row_is_refused(config: Any) -> None:
    with pytest.raises(ConfigError, match=f"is a {config.model_type}, of which Espalier makes no vector"):
        family_of(config, "x")


def test_code_that_comes_with_weights_is_not_run(tmp_path: Path) -> None:
    told = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(told))
    (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(ConfigError, match="no architecture that the installed transformers knows, or brings code"):
        read_config(tmp_path, "some/model")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("dropout", [None, 0.0, 0.3])
def test_dropout_reaches_every_part_and_null_keeps_the_checkpoints(dropout: float | None, tmp_path: Path) -> None:
    made = hf.GPT2Config(vocab_size=40, n_layer=1, n_embd=8, n_head=2, attn_pdrop=0.2, summary_first_dropout=0.4)
    hf.GPT2Model(made).save_pretrained(tmp_path)
    trunk = load(tmp_path, dropout)
    shares = {module.p for module in trunk.modules() if isinstance(module, torch.nn.Dropout)}
    assert shares == ({0.1, 0.2} if dropout is None else {dropout})
    assert trunk.config.summary_first_dropout == 0.4, "a head's"
    assert trunk.training


def test_dropout_where_there_is_none_is_refused(tmp_path: Path) -> None:
    class Bare:
        model_type = "bare"

    family = family_of(hf.BertConfig(), "x")
    with pytest.raises(ConfigError, match=r"model.dropout=0.1  cannot be set: a bare has no dropout"):
        load_trunk(family, Bare(), tmp_path, "x", dropout=0.1)


def test_weights_in_half_precision_are_loaded_in_fp32(tmp_path: Path) -> None:
    hf.BertModel(hf.BertConfig(**TINY)).to(torch.bfloat16).save_pretrained(tmp_path)
    assert {parameter.dtype for parameter in load(tmp_path).parameters()} == {torch.float32}


def test_the_pooling_layer_is_left_out_and_no_head_is_needed(tmp_path: Path) -> None:
    hf.BertForMaskedLM(hf.BertConfig(**TINY)).save_pretrained(tmp_path)
    assert not [name for name, _ in load(tmp_path).named_parameters() if "pooler" in name]


def test_missing_weights_are_refused_and_not_made_up(tmp_path: Path) -> None:
    hf.BertModel(hf.BertConfig(**TINY)).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(ConfigError, match=r"lacks 16 weights of a BertModel \(encoder.layer.2.* would be random"):
        load(tmp_path)


def test_weights_of_other_shapes_and_broken_files_are_refused(tmp_path: Path) -> None:
    hf.BertModel(hf.BertConfig(**TINY)).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "intermediate_size": 32}))
    with pytest.raises(ConfigError, match=r"has 6 weights of other shapes than its config.json says \(encoder.layer.0"):
        load(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(b"not safetensors at all")
    with pytest.raises(ConfigError, match="could not be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("family", "places"),
    {"bert": 160, "distilbert": 160, "roberta": 160, "gpt2": 160, "llama": None, "t5": None}.items(),
)
def test_longest_text(family: str, places: int | None, tmp_path: Path) -> None:
    assert positions_of(load(checkpoints.write(tmp_path, family))) == places


def test_longest_text_of_one_that_counts_from_two(tmp_path: Path) -> None:
    config = {**SIZE, "ffn_dim": 8, "word_embed_proj_dim": 16, "max_position_embeddings": 30}
    hf.OPTModel(hf.OPTConfig(vocab_size=40, pad_token_id=1, **config)).save_pretrained(tmp_path)
    assert positions_of(load(tmp_path)) == 30


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "not a valid JSON file"), ('{"model_type": "bert", "hidden_size": "x"}', "expected int")],
)
def test_a_config_that_cannot_be_read(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ConfigError, match=f"has a config.json that cannot be read: .*{said}"):
        read_config(tmp_path, "some/model")


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        ({"num_hidden_layers": 10**7}, "its config.json says 10,000,000 layers"),
        ({"num_attention_heads": 0}, "could not be read"),
        ({"hidden_act": "os.system"}, "could not be read"),
        ({"hidden_size": 10**9}, "could not be read|of other shapes"),
    ],
)
def test_a_config_that_its_weights_cannot_be_of_is_refused(said: dict[str, Any], truth: str, tmp_path: Path) -> None:
    checkpoints.bert(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | said))
    with pytest.raises(ConfigError, match=truth):
        load(tmp_path)


def test_a_config_that_is_nested_too_deep_is_refused(tmp_path: Path) -> None:
    checkpoints.bert(tmp_path)
    (tmp_path / "config.json").write_text('{"a":' + "[" * 100_000 + "]" * 100_000 + "}")
    with pytest.raises(ConfigError, match=r"config\.json that cannot be read"):
        read_config(tmp_path, "some/model")


@pytest.mark.parametrize("method", ["gptq", "awq", "compressed-tensors", None])
def test_weights_that_somebody_quantised_are_refused(method: str | None, tmp_path: Path) -> None:
    checkpoints.bert(tmp_path)
    _add(tmp_path, {"quantization_config": {"quant_method": method, "bits": 4}})
    with pytest.raises(ConfigError, match=rf"is quantised by {method}, which Espalier does not load"):
        read_config(tmp_path, "some/model")


def test_kernels_and_files_that_a_checkpoint_chooses_are_not_fetched(tmp_path: Path) -> None:
    checkpoints.bert(tmp_path)
    chosen = {"attn_implementation": "some/kernels", "_attn_implementation": "some/kernels"}
    _add(tmp_path, {**chosen, "transformers_weights": "other.safetensors", "experts_implementation": "some/kernels"})
    assert load(tmp_path).config._attn_implementation == "sdpa"


def _add(folder: Path, said: dict[str, Any]) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | said))


def test_half_of_a_model_is_pooled_alike_when_it_was_saved_alone(tmp_path: Path) -> None:
    small = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2, "vocab_size": 20}
    hf.T5EncoderModel(hf.T5Config(**small)).save_pretrained(tmp_path)
    assert family_of(read_config(tmp_path, "x"), "x").pooling == "mean"
