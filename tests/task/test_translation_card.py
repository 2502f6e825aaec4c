from __future__ import annotations

import ast

from espalier.task.beam import Search
from espalier.task.translation_card import translation_card


def test_it_says_how_translations_are_found() -> None:
    card = translation_card(Search(4, 0.6), 50, 64, start=0, end=1, pad=2)
    code = card.partition("```python\n")[2].partition("```")[0]
    ast.parse(code)
    for said in (
        "num_beams=4",
        "length_penalty=0.6",
        "max_new_tokens=min(50, 2 *",
        "decoder_start_token_id=0, eos_token_id=1, pad_token_id=2",
        "max_length=64",
    ):
        assert said in code


def test_it_begins_and_ends_as_the_model_does() -> None:
    card = translation_card(Search(4, 0.6), 50, 64, start=0, end=1, pad=2)
    assert "GenerationConfig(decoder_start_token_id=0, eos_token_id=1, pad_token_id=2)" in card
    named = translation_card(Search(4, 0.6), 50, 64, start=2, end=2, pad=1, first=9)
    assert "eos_token_id=2, pad_token_id=1, forced_bos_token_id=9)" in named
