from __future__ import annotations

import ast

from espalier.task.card import BARE_CARD, loading_card, softmax_scoring


def test_the_block_is_python_around_the_backbones_lines() -> None:
    card = loading_card("\ndef features(rows):\n    return {1: rows}[1]\n\n\nrows = [[1.0]]\n", softmax_scoring())
    block = card.split("```python\n")[1].split("```")[0]
    names = [node.name for node in ast.parse(block).body if isinstance(node, ast.FunctionDef)]
    assert names == ["features", "scores"]
    assert "espalier" not in block


def test_without_those_lines_it_says_what_the_files_hold() -> None:
    assert "head.safetensors" in BARE_CARD
