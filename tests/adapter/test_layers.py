from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers as hf
from torch import nn

from espalier.adapter.layers import layers
from espalier.core.errors import ConfigError
from espalier.state.layers import layers_of, least_input
from model.translated import encoder_decoder
from task.toy import facts_of, lstm, minilm, mlp

SIZE = {"vocab_size": 50, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 24}
DEEP = {**SIZE, "num_hidden_layers": 3}
BART = {"vocab_size": 50, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2}
RELATIVE = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "norm_rel_ebd": "layer_norm"}
# Trunk -> what comes behind its last layer, by the names of parameters without their last part.
BEHIND: dict[str, tuple[Callable[[], nn.Module], set[str]]] = {
    "bert": (lambda: hf.BertModel(hf.BertConfig(**DEEP), add_pooling_layer=False), set()),
    "deberta": (lambda: hf.DebertaV2Model(hf.DebertaV2Config(**DEEP, **RELATIVE)), set()),
    "mpnet": (lambda: hf.MPNetModel(hf.MPNetConfig(**DEEP), add_pooling_layer=False), set()),
    "opt": (
        lambda: hf.OPTModel(hf.OPTConfig(**SIZE, num_hidden_layers=3, ffn_dim=24)),
        {"decoder.final_layer_norm"},
    ),
    "bart": (
        lambda: hf.BartModel(hf.BartConfig(**BART, decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24)),
        set(),
    ),
    "llama": (lambda: hf.LlamaForCausalLM(hf.LlamaConfig(**DEEP, tie_word_embeddings=False)), {"model.norm"}),
    "vit": (
        lambda: hf.ViTModel(hf.ViTConfig(**DEEP | {"image_size": 8, "patch_size": 4}), add_pooling_layer=False),
        {"layernorm"},
    ),
}


class Reader(nn.Module):
    """A backbone that is nothing but its trunk."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk


def learned(backbone: nn.Module) -> set[str]:
    return {name.rpartition(".")[0] for name, p in backbone.named_parameters() if p.requires_grad}


def test_the_top_layers_learn_and_those_below_stay_in_evaluation_mode() -> None:
    backbone = layers(minilm(), facts_of("text"), top=2)
    assert {name.split(".")[3] for name in learned(backbone)} == {"4", "5"}
    stack = backbone.trunk.encoder.layer
    assert [layer.training for layer in stack] == [False] * 4 + [True] * 2
    assert not backbone.trunk.embeddings.training


def test_fewer_layers_than_asked_for_are_answered() -> None:
    with pytest.raises(ConfigError, match=r"Transformer has 6 layers\. Set adapter\.top=6 at most"):
        layers(minilm(), facts_of("text"), top=7)
    with pytest.raises(ConfigError, match=r"Lstm has no list of layers\. Try adapter=full"):
        layers(lstm(), facts_of("text"), top=1)


def test_what_stands_behind_the_layers_learns_with_them() -> None:
    backbone = layers(mlp(hidden=[7, 5]), facts_of("image"), top=1)
    assert learned(backbone) == {"trunk.2"}
    backbone.trunk = nn.ModuleDict(
        {"layers": nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)]), "norm": nn.LayerNorm(2)}
    )
    assert learned(layers(backbone, facts_of("image"), top=1)) == {"trunk.layers.1", "trunk.norm"}


@pytest.mark.parametrize("family", BEHIND)
def test_nothing_is_propagated_below_the_first_layer_that_learns(family: str) -> None:
    """Whatever a model gives to all of its layers, and in whichever order it registers its parts."""
    make, behind = BEHIND[family]
    backbone: Any = layers(Reader(make()), facts_of("text"), top=1)
    last = list(layers_of(backbone.trunk))[-1]
    given: list[bool] = []

    def look(_: nn.Module, args: Any, kwargs: Any) -> None:
        given.extend(v.requires_grad for v in (*args, *kwargs.values()) if isinstance(v, torch.Tensor))

    last.register_forward_pre_hook(look, with_kwargs=True)
    backbone.trunk(**least_input(backbone.trunk))
    assert given and not any(given)
    own = set(last.parameters())
    others = {n.rpartition(".")[0] for n, p in backbone.trunk.named_parameters() if p.requires_grad and p not in own}
    assert others == behind and all(p.requires_grad for p in own)


def test_what_a_model_has_behind_its_trunk_learns_but_for_a_language_models_head() -> None:
    backbone: Any = minilm()
    backbone.proj, backbone.head = nn.Linear(384, 9), nn.Linear(384, 9)
    assert {"proj", "head"} <= learned(layers(backbone, facts_of("text"), top=1)) and backbone.proj.training
    backbone.logits = backbone.head
    found = learned(layers(backbone, facts_of("text"), top=1))
    assert "proj" in found and "head" not in found


def test_what_the_model_does_in_training_is_done_over_layers_that_learn() -> None:
    """Its images are moved, and the dropout behind its last layer drops."""
    backbone: Any = mlp(hidden=[7, 5], dropout=0.5)
    frozen, chosen = backbone.trunk[2], backbone.trunk[5]
    assert isinstance(frozen, nn.Dropout) and isinstance(chosen, nn.Dropout)
    layers(backbone, facts_of("image"), top=1)
    assert backbone.training and chosen.training and not frozen.training
    whole: Any = encoder_decoder(dropout=0.5)[0]
    layers(whole, facts_of("text"), top=1)
    assert not whole.trunk.decoder.drop.training and whole.trunk.decoder.layers[-1].drop.training


def test_weights_of_few_bits_are_answered() -> None:
    backbone: Any = minilm()
    backbone.quantize = "4bit"
    with pytest.raises(ConfigError, match=r"adapter=layers .*model\.quantize=4bit are too coarse .*Set adapter=lora"):
        layers(backbone, facts_of("text"), top=1)
