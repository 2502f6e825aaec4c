"""The README beside a saved reader: the lines that load it without Espalier."""

from __future__ import annotations

_CARD = """# A reader of texts trained with Espalier

It finds the span of a text that answers a question, or tells that there is none. It loads without Espalier. In this
folder:

```python
{recipe}

import json
from safetensors.torch import load_file

known = json.load(open("reading.json", encoding="utf-8"))
head = {{name: value.float() for name, value in load_file("head.safetensors").items()}}


def answer(question, context):  # -> (text, begin, end), or None where there is no answer
    best, null = (float("-inf"), 0, 0), float("inf")
    for states, offsets, place in windows(question, context):
        start, end = (states @ head["weight"].T + head["bias"]).T
        null = min(null, float(start[place] + end[place]))
        outside = torch.tensor([pair is None for pair in offsets])
        scores = start.masked_fill(outside, float("-inf"))[:, None] + end.masked_fill(outside, float("-inf"))[None, :]
        band = torch.ones_like(scores, dtype=torch.bool).triu().tril(known["longest"] - 1)
        score, at = scores.masked_fill(~band, float("-inf")).flatten().max(0)
        first, last = divmod(int(at), len(offsets))
        if float(score) > best[0]:
            best = (float(score), offsets[first][0], offsets[last][1])
    if null - best[0] > known["threshold"]:
        return None
    return context[best[1] : best[2]], best[1], best[2]


for question, context in rows:
    print(question, answer(question, context))
```
"""

BARE_CARD = """# A reader of texts trained with Espalier

The weights are plain tensors by name: `load_file("model.safetensors")` of safetensors.torch gives the model's, and
`head.safetensors` holds the linear layer over each token's state, whose two outputs score it as an answer's first and
as its last token. `reading.json` tells how much higher "no answer" has to score than the best span to be told.
"""


def reading_card(recipe: str) -> str:
    """The README's text; ``recipe``: the backbone's lines, which define ``windows(question, context)`` and ``rows``."""
    return _CARD.format(recipe=recipe.strip())
