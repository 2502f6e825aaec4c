"""The README beside a saved tagger: the lines that load it without Espalier."""

from __future__ import annotations

_CARD = """# A tagger of words trained with Espalier

It loads without Espalier. In this folder:

```python
{recipe}

import json
from safetensors.torch import load_file

labels = json.load(open("labels.json", encoding="utf-8"))
head = {{name: value.float() for name, value in load_file("head.safetensors").items()}}


def tags(rows):  # lists of words -> a tag for each word
    return [
        ["O" if state is None else labels[int((head["weight"] @ state + head["bias"]).argmax())] for state in row]
        for row in states(rows)
    ]


for words, found in zip(rows, tags(rows)):
    print(list(zip(words, found)))
```
"""

BARE_CARD = """# A tagger of words trained with Espalier

The weights are plain tensors by name: `load_file("model.safetensors")` of safetensors.torch gives the model's, and
`head.safetensors` holds the linear layer over the state of each word's first token, whose outputs are the tags of
`labels.json`, in order.
"""


def tagging_card(recipe: str) -> str:
    """The README's text; ``recipe``: the backbone's lines, which define ``states(rows)`` and some ``rows`` to try."""
    return _CARD.format(recipe=recipe.strip())
