from __future__ import annotations

from espalier.adapter.prompt import prompt
from task.toy import facts_of, minilm


def test_one_vector_of_the_models_width_for_each_token() -> None:
    backbone = prompt(minilm(), facts_of("text"), tokens=7)
    assert [tuple(p.shape) for p in backbone.parameters() if p.requires_grad] == [(7, 384)]
