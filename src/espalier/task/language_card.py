"""The README beside a saved language model: the lines that load it without Espalier."""

from __future__ import annotations

from espalier.task.sampling import Sampling

_CARD = """# A language model trained with Espalier

It loads without Espalier. In this folder:

```python
{loading}

{lines}
```
"""
_LOADING = """import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

model = AutoModelForCausalLM.from_pretrained(".").eval()
tokenizer = AutoTokenizer.from_pretrained(".")"""
_GOES_ON = """
def go_on(text):
    ids = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    told = model.generate(**ids, max_new_tokens={length}, pad_token_id=tokenizer.pad_token_id, {drawing})
    return tokenizer.decode(told[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)


text = "A text"  # yours
print(go_on(text))"""
_ANSWERS = """
def answer(messages):
    asked = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(asked, return_tensors="pt", add_special_tokens=False, return_token_type_ids=False)
    told = model.generate(
        **ids, max_new_tokens={length}, eos_token_id={ends}, pad_token_id=tokenizer.pad_token_id, {drawing}
    )
    return tokenizer.decode(told[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)


messages = [{{"role": "user", "content": "What is an espalier?"}}]  # yours
print(answer(messages))"""


def language_card(sampling: Sampling, length: int, *, loading: str | None = None, ends: list[int] | None = None) -> str:
    """The README's text.

    Args:
        sampling: how tokens are drawn.
        length: of what is told, in tokens.
        loading: lines that define ``model`` and ``tokenizer``; None: those of a whole model.
        ends: ids that end an answer, of a model that answers messages; None: of one that goes on with texts.
    """
    if sampling.temperature == 0:
        drawing = "do_sample=False"
    else:
        drawing = f"do_sample=True, temperature={sampling.temperature}, top_k={sampling.top_k}, top_p={sampling.top_p}"
    lines = _GOES_ON if ends is None else _ANSWERS
    return _CARD.format(
        loading=(loading or _LOADING).strip(), lines=lines.format(length=length, drawing=drawing, ends=ends)
    )
