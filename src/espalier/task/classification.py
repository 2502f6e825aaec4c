"""``task=classification``: one label per sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Baseline, OptimizerFactory
from espalier.task.base import Batch
from espalier.task.baseline import guesses
from espalier.task.head import AbstractLabelTask
from espalier.task.metrics import bootstrap as intervals_of
from espalier.task.metrics import metrics_of


class Classification(AbstractLabelTask):
    """Features -> linear head -> softmax over the labels; cross-entropy. Two classes are two logits.

    ``espalier train task=classification task.objective=f1_macro``

    Args:
        objective: the validation metric that chooses the best checkpoint.
        class_weights: ``balanced`` weighs a row by rows / (classes * rows of its class), so that each class counts the
            same in the training loss (King & Zeng 2001, doi:10.1093/oxfordjournals.pan.a004868).
        label_smoothing: share of the target spread over all classes (Szegedy et al. 2016, arXiv:1512.00567), in
            training; ``loss`` on validation and test is the plain cross-entropy, without it and without weights.
        head_dropout: on the features that the head sees.
        bootstrap: resamples behind each 95% interval on test.

    Shapes: ``batch["label"]`` is (B,) int64.

    Raises:
        ConfigError: the data has not one label for each row.
    """

    learns: ClassVar[str] = "label"
    directions: ClassVar[Mapping[str, str]] = {"accuracy": "max", "f1_macro": "max", "auroc": "max", "loss": "min"}

    def __init__(
        self,
        learner: nn.Module,
        facts: DataFacts,
        optimizers: OptimizerFactory,
        /,
        *,
        objective: Literal["accuracy", "f1_macro", "auroc", "loss"],
        class_weights: Literal["none", "balanced"],
        label_smoothing: Annotated[float, Ge(0), Lt(1)],
        head_dropout: Annotated[float, Ge(0), Lt(1)],
        bootstrap: Annotated[int, Ge(0)],
    ) -> None:
        super().__init__(
            learner, facts, optimizers, objective=objective, head_dropout=head_dropout, bootstrap=bootstrap
        )
        self.label_smoothing = label_smoothing
        self.weights: Tensor | None
        self.register_buffer("weights", _balanced(facts) if class_weights == "balanced" else None, persistent=False)

    def training_step(self, batch: Batch) -> Tensor:
        """The mean loss of the batch's rows, scaled to its share of the global batch."""
        logits, target = self(batch), batch["label"]
        if self.weights is None:
            loss = functional.cross_entropy(logits, target, label_smoothing=self.label_smoothing)
        else:  # torch's own mean divides by the batch's weights, by which a micro-batch would not be its share
            weighted = functional.cross_entropy(
                logits, target, weight=self.weights, label_smoothing=self.label_smoothing, reduction="sum"
            )
            loss = weighted / len(target)
        return self.share(loss, batch)

    def loss(self, logits: Tensor, target: Tensor, /) -> Tensor:
        """Cross-entropy."""
        return functional.cross_entropy(logits, target)

    def scores(self, logits: Tensor, /) -> Tensor:
        """Softmax."""
        return logits.softmax(-1)

    def metrics(self, scores: npt.NDArray[Any], target: npt.NDArray[Any], /) -> dict[str, float]:
        """See ``task.metrics``."""
        return metrics_of(scores, target)

    def intervals(self, scores: npt.NDArray[Any], target: npt.NDArray[Any], /) -> dict[str, tuple[float, float]]:
        """See ``task.metrics``."""
        return intervals_of(scores, target, self.resamples)

    def answers(self, scores: npt.NDArray[Any], /) -> tuple[list[tuple[str, ...]], npt.NDArray[Any]]:
        """The label with the highest score, and that score."""
        return [(self.labels[i],) for i in scores.argmax(1)], scores.max(1)

    def predictions(self) -> Mapping[str, Any]:
        """row, target, prediction (int64) and scores (list of float) of the last evaluation."""
        return _columns(**self._last)

    def baseline(self, raw: Raw, split: str, /) -> Baseline:
        """A bag of words, or the most frequent class; see ``task.baseline``."""
        found, table = guesses(raw, split, len(self.labels)), raw.splits[split]
        target = table["label"].to_numpy()
        clipped = found.scores.clip(1e-12)
        loss = float(-np.log(clipped[np.arange(len(target)), target]).mean())
        return Baseline(
            found.name,
            {"loss": loss, **self.metrics(found.scores, target)},
            self.intervals(found.scores, target),
            _columns(row=table["row"].to_numpy(), target=target, scores=found.scores),
        )


def _columns(row: npt.NDArray[Any], target: npt.NDArray[Any], scores: npt.NDArray[Any]) -> dict[str, Any]:
    return {"row": row, "target": target, "prediction": scores.argmax(1), "scores": list(scores)}


def _balanced(facts: DataFacts) -> Tensor:
    # A class that training lacks has no rows to weigh.
    counts = torch.tensor(facts.label_counts or [1] * len(facts.label_names), dtype=torch.float32)
    return counts.sum() / (counts.count_nonzero() * counts.clamp(min=1))
