from __future__ import annotations

from typing import Any

import torch
import transformers as hf
from torch import nn

from espalier.state.layers import first_readers, layers_of, least_input

BERT = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 4}


def test_entries_of_the_outermost_list_in_their_order() -> None:
    blocks = nn.ModuleList(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)) for _ in range(3))
    trunk = nn.Module()
    trunk.embeddings, trunk.encoder = nn.Embedding(5, 2), nn.ModuleDict({"layer": blocks})
    assert list(layers_of(trunk)) == list(blocks)


def test_what_has_no_parameters_is_no_layer() -> None:
    first, last = nn.Linear(2, 2), nn.Linear(2, 2)
    assert list(layers_of(nn.Sequential(first, nn.ReLU(), last))) == [first, last]
    assert list(layers_of(nn.Sequential(nn.Sequential(first), nn.ReLU()))) == []
    assert list(layers_of(nn.LSTM(2, 2))) == []


def test_what_a_layer_is_given_comes_before_it() -> None:
    opt: Any = hf.OPTModel(hf.OPTConfig(**BERT | {"ffn_dim": 4}))
    found = first_readers(opt, list(layers_of(opt)))
    assert found["decoder.embed_tokens.weight"] == 0
    assert found["decoder.final_layer_norm.weight"] == found["decoder.final_layer_norm"] == 2
    parts = [name for name, _ in opt.decoder.named_children()]
    assert parts.index("final_layer_norm") < parts.index("layers")


def test_other_trunks_go_by_the_order_of_their_parts() -> None:
    trunk = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2), nn.Dropout(0.5))
    found = first_readers(trunk, list(layers_of(trunk)))
    assert (found["1"], found["3"]) == (1, 2)


def test_a_model_is_tried_without_a_trace() -> None:
    bert: Any = hf.BertModel(hf.BertConfig(**BERT)).train()
    bert.embeddings.requires_grad_(False)
    bert.encoder.layer[0].eval()
    modes, learning = [m.training for m in bert.modules()], [p.requires_grad for p in bert.parameters()]
    before = torch.random.get_rng_state()
    first_readers(bert, list(layers_of(bert)))
    assert [m.training for m in bert.modules()] == modes and [p.requires_grad for p in bert.parameters()] == learning
    assert torch.equal(torch.random.get_rng_state(), before) and not any(m._forward_pre_hooks for m in bert.modules())


def test_the_least_that_a_model_takes() -> None:
    assert least_input(nn.Linear(2, 2)) == {}
    assert least_input(hf.ResNetModel(hf.ResNetConfig(hidden_sizes=[4], depths=[1], embedding_size=4))) == {}
    vit = hf.ViTModel(hf.ViTConfig(**BERT | {"image_size": 8, "patch_size": 4}))
    assert least_input(vit)["pixel_values"].shape == (1, 3, 8, 8)
    assert least_input(hf.BertModel(hf.BertConfig(**BERT)))["input_ids"].shape == (1, 2)
