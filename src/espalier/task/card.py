"""The README beside a saved model: the lines that load it without Espalier."""

from __future__ import annotations

_CARD = """# A classifier trained with Espalier

It loads without Espalier. In this folder:

```python
{recipe}

import json
from safetensors.torch import load_file

labels = json.load(open("labels.json", encoding="utf-8"))
head = {{name: value.float() for name, value in load_file("head.safetensors").items()}}


def scores(rows):
    return (features(rows) @ head["weight"].T + head["bias"]).{scores}


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

BARE_CARD = """# A classifier trained with Espalier

The weights are plain tensors by name: `load_file("model.safetensors")` of safetensors.torch gives the model's, and
`head.safetensors` holds the linear layer after it, whose outputs are the labels of `labels.json`, in order.
"""


def loading_card(recipe: str, threshold: float | None = None) -> str:
    """The README's text.

    Args:
        recipe: the backbone's lines: they define ``features(rows)``, (rows, width), and some ``rows`` to try.
        threshold: of the score of each label, where a row has any number of them.
    """
    if threshold is None:
        scores, said = "softmax(-1)", "labels[int(row.argmax())], float(row.max())"
    else:
        scores, said = "sigmoid()", f"[(labels[i], float(row[i])) for i in range(len(labels)) if row[i] >= {threshold}]"
    return _CARD.format(recipe=recipe.strip(), scores=scores, said=said)


def answers_card(recipe: str, *, projected: bool) -> str:
    """The README's text of a bi-encoder; ``projected``: whether a linear layer stands behind the encoder."""
    found = "features(rows)" + (' @ load_file("projection.safetensors")["weight"].T' if projected else "")
    return _ANSWERS.format(recipe=recipe.strip(), projected=found)
