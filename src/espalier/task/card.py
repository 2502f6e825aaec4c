"""The README beside a saved classifier: the lines that load it without Espalier."""

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
