"""``task=multilabel``: any number of labels per sample."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.facts import DataFacts
from espalier.core.parts import OptimizerFactory
from espalier.task.base import Batch
from espalier.task.card import Scoring, sigmoid_scoring
from espalier.task.head import AbstractLabelTask
from espalier.task.label_metrics import label_metrics_of, weighted_label_metrics
from espalier.task.metrics import bootstrap as intervals_of


class Multilabel(AbstractLabelTask):
    """Features -> linear head -> a sigmoid for each label; binary cross-entropy, the mean over rows and labels.

    ``espalier train task=multilabel data=csv data.path=films.csv data.columns.label=genres data.label_separator='|'``

    Args:
        objective: the validation metric that chooses the best checkpoint.
        pos_weight: ``balanced`` weighs a label's positive rows by negatives / positives of training, so that both
            count the same in the training loss.
        threshold: a label is predicted where its score is as high.
        head_dropout: on the features that the head sees.
        bootstrap: resamples behind each 95% interval on test.

    Shapes: ``batch["label"]`` is (B, labels), 0 or 1.

    Raises:
        ConfigError: the data has not any number of labels for each row.
    """

    learns: ClassVar[str] = "labels"
    directions: ClassVar[Mapping[str, str]] = {
        "f1_micro": "max", "f1_macro": "max", "mean_average_precision": "max", "subset_accuracy": "max", "loss": "min",
    }  # fmt: skip

    def __init__(
        self,
        learner: nn.Module,
        facts: DataFacts,
        optimizers: OptimizerFactory,
        /,
        *,
        objective: Literal["f1_micro", "f1_macro", "mean_average_precision", "subset_accuracy", "loss"],
        pos_weight: Literal["none", "balanced"],
        threshold: Annotated[float, Gt(0), Lt(1)],
        head_dropout: Annotated[float, Ge(0), Lt(1)],
        bootstrap: Annotated[int, Ge(0)],
    ) -> None:
        super().__init__(
            learner, facts, optimizers, objective=objective, head_dropout=head_dropout, bootstrap=bootstrap
        )
        self.threshold = threshold
        self.pos_weight: Tensor | None
        self.register_buffer("pos_weight", _balanced(facts) if pos_weight == "balanced" else None, persistent=False)

    def training_step(self, batch: Batch) -> Tensor:
        """The mean loss of the batch's rows, scaled to its share of the global batch."""
        logits = self(batch)
        target = batch["label"].to(logits.dtype)
        loss = functional.binary_cross_entropy_with_logits(logits, target, pos_weight=self.pos_weight)
        return self.share(loss, batch)

    def loss(self, logits: Tensor, target: Tensor, /) -> Tensor:
        """Binary cross-entropy, without weights."""
        return functional.binary_cross_entropy_with_logits(logits, target.to(logits.dtype))

    def scores(self, logits: Tensor, /) -> Tensor:
        """Sigmoid."""
        return logits.sigmoid()

    def metrics(self, scores: npt.NDArray[Any], target: npt.NDArray[Any], /) -> dict[str, float]:
        """See ``task.label_metrics``."""
        return label_metrics_of(scores, target, self.threshold)

    def intervals(self, scores: npt.NDArray[Any], target: npt.NDArray[Any], /) -> dict[str, tuple[float, float]]:
        """See ``task.label_metrics``."""
        return intervals_of(
            scores, target, self.resamples, of=partial(weighted_label_metrics, threshold=self.threshold)
        )

    def scoring(self) -> Scoring:
        """Sigmoid, and the threshold."""
        return sigmoid_scoring(self.threshold)

    def answers(self, scores: npt.NDArray[Any], /) -> tuple[list[tuple[str, ...]], npt.NDArray[Any]]:
        """The labels whose scores reach the threshold; as sure as the least sure decision of all labels."""
        called = scores >= self.threshold
        names = [tuple(self.labels[i] for i in np.flatnonzero(row)) for row in called]
        return names, np.where(called, scores, 1 - scores).min(1)

    def predictions(self) -> Mapping[str, Any]:
        """row; target and prediction (lists of 0 and 1) and scores (list of float), a place for each label."""
        scores = self._last["scores"]
        return {
            "row": self._last["row"],
            "target": list(self._last["target"]),
            "prediction": list((scores >= self.threshold).astype(np.uint8)),
            "scores": list(scores),
        }


def _balanced(facts: DataFacts) -> Tensor:
    positives = torch.tensor(facts.label_counts or [1] * len(facts.label_names), dtype=torch.float32).clamp(min=1)
    return (facts.sizes["train"] - positives).clamp(min=1) / positives
