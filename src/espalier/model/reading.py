"""What backbones over token ids share: which text they read, and the lines that encode one outside of Espalier."""

from __future__ import annotations

from espalier.core.facts import DataFacts
from espalier.core.parts import Encoding

_UNKNOWN = """
def encode(texts):
    raise NotImplementedError("ids of each text, as the encoding that the model was trained with makes them")


rows = ["a text", "another one"]
"""


def text_role(facts: DataFacts) -> str:
    """The column of ids: the first text's, or its words'; a second one of a pair is joined to it by the encoding."""
    return next(role for role, kind in facts.kinds.items() if kind in ("text", "words"))


def encoding_lines(encoding: Encoding) -> str:
    """The encoding's recipe: Python lines that define ``encode(texts)`` -> ids of each, and some ``rows``."""
    recipe = getattr(encoding, "recipe", None)
    return str(recipe() if recipe else _UNKNOWN).strip()
