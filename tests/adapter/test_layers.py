from __future__ import annotations

import pytest
from torch import nn

from espalier.adapter.layers import layers
from espalier.core.errors import ConfigError
from task.toy import facts_of, lstm, minilm, mlp


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
