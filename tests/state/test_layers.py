from __future__ import annotations

from torch import nn

from espalier.state.layers import layers_of


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
