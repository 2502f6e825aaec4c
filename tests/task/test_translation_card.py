from __future__ import annotations

import ast

from espalier.task.beam import Search
from espalier.task.translation_card import translation_card


def test_it_says_how_translations_are_found() -> None:
    code = translation_card(Search(4, 0.6), 50, 64).partition("```python\n")[2].partition("```")[0]
    ast.parse(code)
    for said in ("num_beams=4", "length_penalty=0.6", "max_new_tokens=50", "max_length=64"):
        assert said in code
