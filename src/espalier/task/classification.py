"""``task=classification``: one label per sample."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Lt
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.facts import DataFacts
from espalier.core.parts import OptimizerFactory
from espalier.task.base import AbstractTask, Batch
from espalier.task.card import loading_card
from espalier.task.metrics import bootstrap, metrics_of


class Classification(AbstractTask):
    """Features -> linear head -> softmax over the labels; cross-entropy. Two classes are two logits.

    ``espalier train task=classification task.objective=f1_macro``

    Args:
        objective: the validation metric that chooses the best checkpoint.
        label_smoothing: share of the target spread over all classes (Szegedy et al. 2016, arXiv:1512.00567).
        head_dropout: on the features that the head sees.
        bootstrap: resamples behind each 95% interval on test.

    Shapes: the learner gives (B, width); logits are (B, classes); ``batch["label"]`` is (B,) int64.
    """

    directions: ClassVar[Mapping[str, str]] = {"accuracy": "max", "f1_macro": "max", "auroc": "max", "loss": "min"}

    def __init__(
        self,
        learner: nn.Module,
        facts: DataFacts,
        optimizers: OptimizerFactory,
        /,
        *,
        objective: Literal["accuracy", "f1_macro", "auroc", "loss"],
        label_smoothing: Annotated[float, Ge(0), Lt(1)],
        head_dropout: Annotated[float, Ge(0), Lt(1)],
        bootstrap: Annotated[int, Ge(0)],
    ) -> None:
        super().__init__(learner, facts, optimizers)
        self.objective, self.direction = f"validation/{objective}", self.directions[objective]
        self.label_smoothing, self.resamples = label_smoothing, bootstrap
        width: Any = learner.width
        self.head = nn.Linear(width, len(facts.label_names))
        self.dropout = nn.Dropout(head_dropout)
        self._last: dict[str, Tensor] = {}

    def forward(self, batch: Batch) -> Tensor:
        """Logits, (B, classes)."""
        logits: Tensor = self.head(self.dropout(self.learner(batch)))
        return logits

    def training_step(self, batch: Mapping[str, Any], batch_idx: int) -> Tensor:
        """The mean loss of the batch's rows, scaled to its share of the global batch."""
        loss = functional.cross_entropy(self(batch), batch["label"], label_smoothing=self.label_smoothing)
        return loss * batch["scale"] if batch["scale"] != 1.0 else loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep logits and targets."""
        self.keep(row=batch["row"], target=batch["label"], logits=self(batch).float())

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep logits and targets."""
        self.validation_step(batch, batch_idx)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of all rows as ``validation/…``."""
        self.log_dict({f"validation/{k}": v for k, v in self._evaluate().items()}, rank_zero_only=False)

    def on_test_epoch_end(self) -> None:
        """Metrics and intervals of all rows."""
        self.test_metrics = self._evaluate()
        intervals = bootstrap(self._last["scores"], self._last["target"], self.resamples)
        self.test_intervals = intervals

    def _evaluate(self) -> dict[str, float]:
        kept = self.kept()
        logits, target = kept["logits"], kept["target"]
        scores = logits.softmax(-1)
        self._last = {"row": kept["row"], "target": target, "scores": scores}
        return {"loss": float(functional.cross_entropy(logits, target)), **metrics_of(scores, target)}

    def predictions(self) -> Mapping[str, Any]:
        """row, target, prediction (int64) and scores (list of float) of the last evaluation."""
        scores = self._last["scores"]
        return {
            "row": self._last["row"].numpy(),
            "target": self._last["target"].numpy(),
            "prediction": scores.argmax(1).numpy(),
            "scores": list(scores.numpy()),
        }

    def save(self, folder: Path, /) -> None:
        """The backbone's own files, ``head.safetensors`` (weight, bias), ``labels.json`` and a README that loads them."""
        backbone: Any = self.learner
        backbone.save(folder)
        with torch.no_grad():
            save_file({name: value.contiguous() for name, value in self.head.state_dict().items()}, folder / "head.safetensors")
        (folder / "labels.json").write_text(json.dumps(list(self.facts.label_names), ensure_ascii=False) + "\n")
        (folder / "README.md").write_text(loading_card(folder, getattr(backbone, "pooling", "")))
