"""The README beside a saved classifier: the lines that load it without Espalier."""

from __future__ import annotations

from pathlib import Path

_HEAD = """
head = load_file("head.safetensors")            # weight (classes, width), bias (classes,)
labels = json.load(open("labels.json"))
"""

_TRANSFORMERS = """```python
import json, torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer
{imports}
tokenizer = AutoTokenizer.from_pretrained(".")
model = {model}
model.eval()
{head}
batch = tokenizer(["a text"], return_tensors="pt", padding=True)
states = model(**batch).last_hidden_state
mask = batch["attention_mask"].unsqueeze(-1)
features = {features}
scores = (features @ head["weight"].T + head["bias"]).softmax(-1)
print(labels[scores.argmax(-1).item()])
```
"""

_PLAIN = """The weights are plain tensors by name: `load_file("model.safetensors")`; the head's are in `head.safetensors`,
the labels in `labels.json`, the input's encoding in `tokenizer.json` or `pixels.json`.
"""


def loading_card(folder: Path, pooling: str) -> str:
    """How to load what lies in ``folder``, which the backbone has filled already."""
    adapted, pretrained = (folder / "adapter_config.json").exists(), (folder / "config.json").exists()
    if not (adapted or pretrained) or (folder / "pixels.json").exists() or not pooling_is_of_encoder(folder):
        return "# A classifier trained with Espalier\n\n" + _PLAIN
    features = "(states * mask).sum(1) / mask.sum(1)" if pooling == "mean" else "states[:, 0]"
    imports = "from peft import PeftConfig, PeftModel\n" if adapted else ""
    model = (
        'PeftModel.from_pretrained(AutoModel.from_pretrained(PeftConfig.from_pretrained(".").base_model_name_or_path), ".")'
        if adapted
        else 'AutoModel.from_pretrained(".")'
    )
    text = _TRANSFORMERS.format(imports=imports, model=model, head=_HEAD, features=features)
    return "# A classifier trained with Espalier\n\nIt loads without Espalier, from this folder:\n\n" + text


def pooling_is_of_encoder(folder: Path) -> bool:
    """Whether the folder has a tokenizer that transformers loads."""
    return (folder / "tokenizer_config.json").exists()
