"""The README beside a saved language model: the lines that load it without Espalier."""

from __future__ import annotations

from espalier.task.sampling import Sampling

_CARD = """# A language model trained with Espalier

It loads without Espalier. In this folder:

```python
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained(".").eval()
tokenizer = AutoTokenizer.from_pretrained(".")


def go_on(text):
    ids = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    told = model.generate(**ids, max_new_tokens={length}, pad_token_id=tokenizer.pad_token_id, {drawing})
    return tokenizer.decode(told[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)


text = "A text"  # yours
print(go_on(text))
```
"""


def language_card(sampling: Sampling, length: int) -> str:
    """The README's text.

    Args:
        sampling: how tokens are drawn.
        length: of what is told, in tokens.
    """
    if sampling.temperature == 0:
        drawing = "do_sample=False"
    else:
        drawing = f"do_sample=True, temperature={sampling.temperature}, top_k={sampling.top_k}, top_p={sampling.top_p}"
    return _CARD.format(length=length, drawing=drawing)
