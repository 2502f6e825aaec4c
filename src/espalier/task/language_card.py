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
    ids = tokenizer(text, return_tensors="pt", return_token_type_ids=False).to(model.device){cut}
    told = model.generate(
        **ids, max_new_tokens={most}, eos_token_id={ends}, pad_token_id=tokenizer.pad_token_id, {drawing}
    )
    before, whole = (tokenizer.decode(row, skip_special_tokens=True) for row in (ids["input_ids"][0], told[0]))
    return whole[len(before) :]  # with the blank that it begins with


text = "A text"  # yours
print(go_on(text))"""
_LONGEST = """
    ids = {{name: rows[:, {left}] for name, rows in ids.items()}}  # no more than it was given in training"""
_END = """
    ids = {{name: rows[:, -{before}:] for name, rows in ids.items()}}  # of {context} places; Espalier goes on beyond"""
_ANSWERS = """
def answer(messages):
    asked = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(asked, return_tensors="pt", add_special_tokens=False, return_token_type_ids=False)
    ids = ids.to(model.device){cut}
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
    max_length: int | None = None,
    keep: str = "end",
    loading: str | None = None,
) -> str:
    """The README's text.

    Args:
        sampling: how tokens are drawn.
        length: of what is told, in tokens.
        ends: ids behind which a text, or an answer, is at its end.
        context: places that the model has; None: there is no limit.
        answers: whether it answers messages; else it goes on with texts.
        max_length: tokens of a prompt that are read; None: all.
        keep: which end of a longer one: its ``start`` or its ``end``.
        loading: lines that define ``model`` and ``tokenizer``; None: those of a whole model.
    """
    if sampling.temperature == 0:
        drawing = "do_sample=False"
    else:
        drawing = f"do_sample=True, temperature={sampling.temperature}, top_k={sampling.top_k}, top_p={sampling.top_p}"
    most, cut = str(length), ""
    if max_length:
        cut = _LONGEST.format(left=f":{max_length}" if keep == "start" else f"-{max_length}:")
    if context:
        most = f'min({length}, {context} - ids["input_ids"].shape[1])'
    if context:
        cut += _END.format(before=context - length if length < context else max(1, context // 2), context=context)
    lines = (_ANSWERS if answers else _GOES_ON).format(most=most, drawing=drawing, ends=ends or None, cut=cut)
    return _CARD.format(loading=f"{(loading or _LOADING).strip()}\n{_ALONE}", lines=lines)
