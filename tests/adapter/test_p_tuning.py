from __future__ import annotations

from espalier.adapter.p_tuning import p_tuning
from task.toy import facts_of, minilm


def test_a_network_of_three_layers_makes_the_vectors() -> None:
    backbone = p_tuning(minilm(), facts_of("text"), tokens=7, hidden=16)
    shapes = [tuple(p.shape) for p in backbone.parameters() if p.requires_grad and p.ndim == 2]
    assert shapes == [(7, 384), (16, 384), (16, 16), (384, 16)]
