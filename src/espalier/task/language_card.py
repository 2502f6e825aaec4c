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
_ALONE = """for part in (model, getattr(model, "get_base_model", lambda: model)()):
    part.generation_config = type(part.generation_config)()  # none of the base model's own habits"""
_GOES_ON = """
def go_on(text):
    ids = tokenizer(text, return_tensors="pt", return_token_type_ids=False).to(model.device){end}
    told = model.generate(
        **ids, max_new_tokens={most}, eos_token_id={ends}, pad_token_id=tokenizer.pad_token_id, {drawing}
    )
    return tokenizer.decode(told[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)


text = "A text"  # yours
print(go_on(text))"""
_END = """
    ids = {{name: rows[:, -{before}:] for name, rows in ids.items()}}  # of {context} places; Espalier goes on beyond"""
_ANSWERS = """
def answer(messages):
    asked = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(asked, return_tensors="pt", add_special_tokens=False, return_token_type_ids=False).to(model.device)
    told = model.generate(
        **ids, max_new_tokens={most}, eos_token_id={ends}, pad_token_id=tokenizer.pad_token_id, {drawing}
    )
    return tokenizer.decode(told[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)


messages = [{{"role": "user", "content": "What is an espalier?"}}]  # yours
print(answer(messages))"""


def language_card(
    sampling: Sampling,
    length: int,
    *,
    ends: list[int],
    context: int | None,
    answers: bool,
    loading: str | None = None,
) -> str:
    """The README's text.

    Args:
        sampling: how tokens are drawn.
        length: of what is told, in tokens.
        ends: ids behind which a text, or an answer, is at its end.
        context: places that the model has; None: there is no limit.
        answers: whether it answers messages; else it goes on with texts.
        loading: lines that define ``model`` and ``tokenizer``; None: those of a whole model.
    """
    if sampling.temperature == 0:
        drawing = "do_sample=False"
    else:
        drawing = f"do_sample=True, temperature={sampling.temperature}, top_k={sampling.top_k}, top_p={sampling.top_p}"
    most, end = str(length), ""
    if context:
        most = f'min({length}, {context} - ids["input_ids"].shape[1])'
        end = _END.format(before=context - length if length < context else max(1, context // 2), context=context)
    lines = (_ANSWERS if answers else _GOES_ON).format(most=most, drawing=drawing, ends=ends or None, end=end)
    return _CARD.format(loading=f"{(loading or _LOADING).strip()}\n{_ALONE}", lines=lines)
