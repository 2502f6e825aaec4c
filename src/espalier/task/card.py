"""The README beside a saved model: the lines that load it without Espalier."""

from __future__ import annotations

from dataclasses import dataclass

_CARD = """# A classifier trained with Espalier

It loads without Espalier. In this folder:

```python
{recipe}

import json
from safetensors.torch import load_file

labels = json.load(open("labels.json", encoding="utf-8"))
head = {{name: value.float() for name, value in load_file("head.safetensors").items()}}


def scores(rows):
    logits = features(rows) @ head["weight"].T + head["bias"]
    {scores}


for row in scores(rows):
    print({said})
```
"""

_ANSWERS = """# A bi-encoder trained with Espalier

It finds the answers of `answers.json` for a text, and loads without Espalier. In this folder:

```python
{recipe}

import json
from safetensors.torch import load_file

answers = json.load(open("answers.json", encoding="utf-8"))
texts = [name if " " in name else name.replace("_", " ") for name in answers]


def vectors(rows):
    found = {projected}
    return found / found.norm(dim=-1, keepdim=True)


for row in vectors(rows) @ vectors(texts).T:
    print(answers[int(row.argmax())], float(row.max()))
```
"""

_BEST = "labels[int(row.argmax())], float(row.max())"

BARE_CARD = """# A classifier trained with Espalier

The weights are plain tensors by name: `load_file("model.safetensors")` of safetensors.torch gives the model's, and
`head.safetensors` holds the linear layer after it, whose outputs are the labels of `labels.json`, in order.
"""


@dataclass(frozen=True)
class Scoring:
    """Plain torch of a classifier.

    Attributes:
        scores: lines that return scores of ``logits``, (rows, labels).
        said: what is printed of a ``row`` of them.
    """

    scores: str
    said: str


def softmax_scoring() -> Scoring:
    """Of one label a row."""
    return Scoring("return logits.softmax(-1)", _BEST)


def sigmoid_scoring(threshold: float) -> Scoring:
    """Of any number of labels a row: those that score as high."""
    said = f"[(labels[i], float(row[i])) for i in range(len(labels)) if row[i] >= {threshold}]"
    return Scoring("return logits.sigmoid()", said)


def rejecting_scoring(strange: str) -> Scoring:
    """Of one label a row, or none.

    Args:
        strange: of ``logits`` and ``known``, their softmax: (rows,), above 0 where a row is of none of the classes.
    """
    lines = (
        "logits = logits.type(torch.float64)  # confident rows differ in their last digits",
        "known = logits.softmax(-1)",
        f"strange = {strange}  # above 0: of none of the classes",
        "whole = torch.cat([known, (known.amax(-1) * strange.exp()).unsqueeze(-1)], -1)",
        "return (whole / whole.sum(-1, keepdim=True)).float()",
    )
    return Scoring("\n    ".join(lines), _BEST)


def loading_card(recipe: str, scoring: Scoring) -> str:
    """The README's text.

    Args:
        recipe: the backbone's lines: they define ``features(rows)``, (rows, width), and some ``rows`` to try.
        scoring: what becomes of the head's outputs.
    """
    return _CARD.format(recipe=recipe.strip(), scores=scoring.scores, said=scoring.said)


def answers_card(recipe: str, *, projected: bool) -> str:
    """The README's text of a bi-encoder; ``projected``: whether a linear layer stands behind the encoder."""
    found = "features(rows)" + (' @ load_file("projection.safetensors")["weight"].float().T' if projected else "")
    return _ANSWERS.format(recipe=recipe.strip(), projected=found)
