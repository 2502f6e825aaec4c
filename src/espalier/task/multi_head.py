"""``task=multi_head``: a head for each source of the data, over one model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch
from annotated_types import Ge, Lt
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.counted import COUNTS, Counted, Floats, intervals, values
from espalier.core.errors import ConfigError, Fault
from espalier.core.exhibits import Exhibit
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Baseline, OptimizerFactory
from espalier.task.base import Batch, width_of
from espalier.task.baseline import guesses
from espalier.task.counted import AbstractCountedTask
from espalier.task.exact import exact
from espalier.task.heads import counts_of_head, figures_of_heads, metrics_of_heads, worst_of_heads

SOURCE = "source"
_CARD = """# A model with a head for each of several questions, trained with Espalier

It loads without Espalier. In this folder:

```python
{recipe}

import json
from safetensors.torch import load_file

labels = json.load(open("labels.json", encoding="utf-8"))
heads = {{name: value.float() for name, value in load_file("heads.safetensors").items()}}


def scores(rows):  # question -> the probability of each of its labels, for each row
    found = features(rows)
    return {{name: (found @ heads[f"{{name}}.weight"].T + heads[f"{{name}}.bias"]).softmax(-1) for name in labels}}


for name, of in scores(rows).items():
    print(name, [labels[name][int(row.argmax())] for row in of])
```
"""
_BARE_CARD = """# A model with a head for each of several questions, trained with Espalier

The weights are plain tensors by name: `load_file("model.safetensors")` of safetensors.torch gives the model's, and
`heads.safetensors` holds the linear layers after it, whose outputs are the labels of `labels.json`, in order.
"""


class MultiHead(AbstractCountedTask):
    """Features -> a linear head for each source -> softmax over its labels; a row's loss is that of its source's head.

    ``espalier train experiment=news_tone``

    Metrics are those of each head over the rows of its source (``accuracy_topic``), and their mean over heads
    (``accuracy``): accuracy, macro F1 over the classes that occur or are predicted, cross-entropy.

    Args:
        objective: the mean over heads that chooses the best checkpoint.
        head_dropout: on the features that the heads see.
        bootstrap: resamples of all rows behind each 95% interval on test.

    Shapes: ``batch["label"]`` (B,) int64 within its source's labels, ``batch["source"]`` (B,) int64; the learner gives
    (B, width).

    Raises:
        ConfigError: the data's labels come from no named sources.
    """

    learns: ClassVar[str] = "sources"

    def __init__(
        self,
        learner: nn.Module,
        facts: DataFacts,
        optimizers: OptimizerFactory,
        /,
        *,
        objective: Literal["accuracy", "f1_macro", "loss"],
        head_dropout: Annotated[float, Ge(0), Lt(1)],
        bootstrap: Annotated[int, Ge(0)],
    ) -> None:
        if SOURCE not in facts.kinds or "" in facts.labels:
            truth = "learns labels of several named sources, and this data has one."
            raise ConfigError(Fault("task=multi_head", truth, "Set  data=joint, or  task=classification"))
        self.counted: Mapping[str, Counted] = metrics_of_heads(facts.labels)  # type: ignore[misc]  # by the data
        super().__init__(learner, facts, optimizers, objective=objective, bootstrap=bootstrap)
        self.labels = facts.labels
        width = width_of(learner)
        if odd := next((name for name in facts.labels if hasattr(nn.ModuleDict(), name) or "." in name), None):
            truth = "is a name that torch keeps for itself, and each source has a head of that name."
            raise ConfigError(Fault(f"data.sources.{odd}", truth, "Call it otherwise."))
        self.heads = nn.ModuleDict({name: nn.Linear(width, len(names)) for name, names in facts.labels.items()})
        self.dropout = nn.Dropout(head_dropout)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Source -> logits of all rows, (B, labels), fp32."""
        features = self.dropout(self.learner(batch))
        with torch.autocast(features.device.type, enabled=False):
            return {name: head(features.to(head.weight.dtype)).float() for name, head in self.heads.items()}

    def training_step(self, batch: Batch) -> Tensor:
        """The mean loss of the batch's rows, scaled to its share of the global batch."""
        return self.share(self._losses(self(batch), batch).mean(), batch)

    def evaluation_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """What each row counts for its head; its target, prediction and score."""
        logits = self(batch)
        scores = {name: of.softmax(-1) for name, of in logits.items()}
        found = [of.max(-1) for of in scores.values()]
        place = batch[SOURCE].unsqueeze(0)
        score = torch.stack([one.values for one in found]).gather(0, place)[0]
        called = torch.stack([one.indices for one in found]).gather(0, place)[0]
        losses = self._losses(logits, batch)
        counts = counts_of_head(self.labels, batch[SOURCE], batch["label"], called, losses)
        told = {"source": batch[SOURCE], "target": batch["label"], "prediction": called, "score": score}
        return {**{f"{COUNTS}{name}": column for name, column in counts.items()}, **told}

    def columns(self, kept: Mapping[str, Any], /) -> Mapping[str, Any]:
        """``source``, its name; ``target`` and ``prediction``, numbers of its labels; ``score``."""
        names = list(self.labels)
        return {**kept, "source": [names[number] for number in kept["source"]]}

    def predict_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """``row`` (B,), and each head's scores (B, labels)."""
        return {"row": batch["row"], **{name: logits.softmax(-1) for name, logits in self(batch).items()}}

    def answer_schema(self, *, with_scores: bool) -> pa.Schema:
        """``prediction:<source>`` and ``score:<source>``; ``score:<source>:<label>`` where they are wanted."""
        fields = []
        for name, labels in self.labels.items():
            fields += [(f"prediction:{name}", pa.string()), (f"score:{name}", pa.float64())]
            fields += [(f"score:{name}:{label}", pa.float64()) for label in labels] if with_scores else []
        return pa.schema(fields)

    def answer(self, found: Mapping[str, Any], /, *, with_scores: bool) -> Mapping[str, Sequence[Any]]:
        """Of every head, for every row, whatever it is."""
        answers: dict[str, Sequence[Any]] = {}
        for name, labels in self.labels.items():
            scores = found[name]
            answers[f"prediction:{name}"] = [labels[i] for i in scores.argmax(1)]
            answers[f"score:{name}"] = scores.max(1)
            answers |= {f"score:{name}:{label}": scores[:, i] for i, label in enumerate(labels)} if with_scores else {}
        return answers

    def exhibits(self, split: str, /) -> Sequence[Exhibit]:
        """After the test: the classes of each head, and its most confident errors."""
        if not self.test_metrics:
            return []
        shown: list[Exhibit] = list(figures_of_heads(self.labels, self._kept))
        if split in self.rows:
            role = next((role for role, kind in self.facts.kinds.items() if kind == "text"), "")
            table = self.rows[split]
            texts = dict(zip(table["row"].to_pylist(), table[role].to_pylist(), strict=True)) if role else {}
            shown += worst_of_heads(self.labels, self._kept, texts)
        return shown

    def baseline(self, raw: Raw, split: str, /) -> Baseline:
        """A simple model for each source, on its rows alone; see ``task.baseline``."""
        parts: list[dict[str, npt.NDArray[Any]]] = []
        name = ""
        for number, labels in enumerate(self.labels.values()):
            own = {s: raw.splits[s].filter(pc.equal(raw.splits[s][SOURCE], number)) for s in ("train", split)}
            if not own[split].num_rows:
                continue
            found = guesses(replace(raw, splits=own, labels={"": labels}), split, len(labels))
            name, target = found.name, own[split]["label"].to_numpy()
            log = -np.log(found.scores.clip(1e-12))[np.arange(len(target)), target]
            parts.append({
                "row": own[split]["row"].to_numpy(), "source": np.full(len(target), number), "target": target,
                "prediction": found.scores.argmax(1), "score": found.scores.max(1), "loss": log,
            })  # fmt: skip
        whole = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        given = [torch.from_numpy(whole[key]) for key in ("source", "target", "prediction", "loss")]
        counts: dict[str, Floats] = {n: exact(c).numpy() for n, c in counts_of_head(self.labels, *given).items()}
        told = self.columns({key: column for key, column in whole.items() if key != "loss"})
        told = {**told, **{f"{COUNTS}{n}": list(column) for n, column in counts.items()}}
        metrics = values(self.counted, counts)
        return Baseline(f"{name}, one for each", metrics, intervals(self.counted, counts, self.resamples), told)

    def save(self, folder: Path, /) -> None:
        """The backbone's own files, ``heads.safetensors``, ``labels.json`` and a README that loads them."""
        recipe = self.save_learner(folder)
        state = {name: tensor.contiguous() for name, tensor in self.heads.state_dict().items()}
        save_file(state, folder / "heads.safetensors", metadata={"format": "pt"})
        names = json.dumps({name: list(labels) for name, labels in self.labels.items()}, ensure_ascii=False)
        (folder / "labels.json").write_text(names + "\n", encoding="utf-8")
        card = _CARD.format(recipe=recipe) if recipe else _BARE_CARD
        (folder / "README.md").write_text(card, encoding="utf-8")

    def _losses(self, logits: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """Cross-entropy of each row by its source's head, (B,)."""
        losses = []
        for number, of in enumerate(logits.values()):
            target = batch["label"].where(batch[SOURCE] == number, -1)
            losses.append(functional.cross_entropy(of, target, ignore_index=-1, reduction="none"))
        return torch.stack(losses).sum(0)
