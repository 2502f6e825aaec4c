"""The README beside a saved model that translates: the lines that load it without Espalier."""

from __future__ import annotations

from espalier.task.beam import Search

_CARD = """# A model that translates, trained with Espalier

It loads without Espalier. In this folder:

```python
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig

model = AutoModelForSeq2SeqLM.from_pretrained(".").eval()
model.generation_config = GenerationConfig({ids})
tokenizer = AutoTokenizer.from_pretrained(".")


def translate(rows):
    rows = [{prefix!r} + row for row in rows]
    batch = tokenizer(rows, padding=True, return_tensors="pt", truncation=True, max_length={positions})
    told = model.generate(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], do_sample=False,
        num_beams={beams}, length_penalty={penalty},
        max_new_tokens=min({length}, 2 * batch["input_ids"].shape[1] + 10),
    )
    return tokenizer.batch_decode(told, skip_special_tokens=True)


rows = ["a text", "another one"]  # yours
print(translate(rows))
```
"""


def translation_card(
    search: Search,
    length: int,
    positions: int,
    prefix: str = "",
    *,
    start: int,
    end: int,
    pad: int,
    first: int | None = None,
) -> str:
    """The README's text.

    Args:
        search: how translations are found.
        length: of a translation at most, in tokens.
        positions: of a source.
        prefix: what stands before each source.
        start, end, pad: ids with which a translation begins and ends, and that fills shorter ones up.
        first: the id of its language, with which it begins behind ``start``; None: it has none.
    """
    ids = f"decoder_start_token_id={start}, eos_token_id={end}, pad_token_id={pad}"
    ids += "" if first is None else f", forced_bos_token_id={first}"
    card = _CARD if prefix else _CARD.replace("    rows = [{prefix!r} + row for row in rows]\n", "")
    return card.format(
        beams=search.beams, penalty=search.length_penalty, length=length, positions=positions, prefix=prefix,
        ids=ids,
    )  # fmt: skip
