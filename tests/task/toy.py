"""Small tasks over the real backbones, and an optimizer factory without a config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytorch_lightning as pl
import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.batch.batches import Batches
from espalier.core.columns import Columns
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Batching
from espalier.model.encoding.pixels import Pixels
from espalier.model.encoding.pretrained import Pretrained
from espalier.model.encoding.words import Words
from espalier.model.hub import Transformer
from espalier.model.lstm import Lstm
from espalier.model.mlp import Mlp
from espalier.model.source import locate
from espalier.task.classification import Classification
from espalier.task.multilabel import Multilabel

TEXTS = ["Where is my order?", "refund!", "It came broken, and I would like to send it back, please. " * 3]
LABELS = ("délai", "refund", "return")
SHAPE = (1, 4, 4)


def sgd(learned: Any, /, part: str = "") -> dict[str, Any]:
    parameters = learned.parameters() if isinstance(learned, nn.Module) else learned
    return {"optimizer": torch.optim.SGD([p for p in parameters if p.requires_grad], lr=0.1)}


def facts_of(kind: str, classes: int = 3) -> DataFacts:
    """Of data with one ``text`` or ``image`` column."""
    kinds: Any = {kind: kind, "label": "label"}
    names = tuple(LABELS[:classes]) if classes <= 3 else tuple(map(str, range(classes)))
    return DataFacts(kinds, {"": names}, {"train": 3}, SHAPE if kind == "image" else (), max_length=24)


def minilm(**values: Any) -> nn.Module:
    """The embedded encoder."""
    defaults = defaults_of("model/minilm", **values)
    facts = facts_of("text")
    return Transformer(
        facts, encoding=Pretrained(facts, source=defaults["source"], revision=defaults["revision"]), **defaults
    )


def lstm(**values: Any) -> nn.Module:
    """A small LSTM with the words of TEXTS."""
    facts = facts_of("text")
    encoding = Words(facts, **defaults_of("model/encoding/words"))
    encoding.fit(raw(pa.table({"text": TEXTS}), facts))
    values = defaults_of("model/lstm", embedding=6, hidden=5, **values)
    return Lstm(facts.learn(**encoding.facts()), encoding=encoding, **values)


def mlp(**values: Any) -> nn.Module:
    """Dense layers over 4 x 4 images."""
    facts = facts_of("image")
    encoding = Pixels(facts)
    encoding.fit(raw(images(), facts))
    return Mlp(facts, encoding=encoding, **defaults_of("model/mlp", **{"hidden": [7, 5], **values}))


def images() -> pa.Table:
    values = np.random.default_rng(0).integers(0, 256, 3 * 16, np.uint8)
    return pa.table({"image": pa.FixedSizeListArray.from_arrays(pa.array(values), 16)})


def raw(table: pa.Table, facts: DataFacts) -> Raw:
    return Raw({"train": table}, facts.kinds, facts.labels, {}, "", "toy", facts.shape)


def classification(learner: Any, **values: Any) -> Classification:
    """A task over a backbone of this file, or one whose learner is given with ``facts``."""
    kind = "image" if isinstance(learner, Mlp) else "text"
    facts = values.pop("facts", None) or facts_of(kind)
    return Classification(learner, facts, sgd, **defaults_of("task/classification", **values))


def multilabel(learner: Any, facts: DataFacts | None = None, **values: Any) -> Multilabel:
    """As ``classification``, of data whose rows have any number of labels."""
    known = facts or facts_of("text")
    many = known.learn(kinds={**known.kinds, "label": "labels"})
    return Multilabel(learner, many, sgd, **defaults_of("task/multilabel", **values))


def trainer(folder: Path, **values: Any) -> pl.Trainer:
    """One without output."""
    return pl.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False, num_sanity_val_steps=0, default_root_dir=folder,
        **values,
    )  # fmt: skip


def gradients(task: Any, columns: Columns, pad: dict[str, int], *, accumulate: int) -> dict[str, torch.Tensor]:
    """Of one optimizer step over all rows, in micro-batches, as Lightning adds them up; without dropout."""
    task.eval().zero_grad()
    size = len(columns["row"])
    batches = Batches({"train": columns}, Batching(size, size, 0, bucket=False), pad, seed=0, accumulate=accumulate)
    for batch in batches.train_dataloader():
        (task.training_step(batch) / accumulate).backward()
    return {name: p.grad.clone() for name, p in task.named_parameters() if p.grad is not None}


def hub_cache(folder: Path) -> Path:
    """A hub cache that has the embedded encoder at its pinned revision, as a download would have left it."""
    learner: Any = minilm()
    home = folder / "hub" / ("models--" + str(learner.source).replace("/", "--"))
    (home / "snapshots").mkdir(parents=True)
    (home / "snapshots" / str(learner.revision)).symlink_to(locate(str(learner.source), str(learner.revision)).folder)
    return folder / "hub"
