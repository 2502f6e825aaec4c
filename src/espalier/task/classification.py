"""``task=classification``: one label per sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.errors import ConfigError, Fault
from espalier.core.exhibits import Exhibit
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Baseline, OptimizerFactory
from espalier.task.base import Batch
from espalier.task.baseline import guesser
from espalier.task.card import Scoring, rejecting_scoring, softmax_scoring
from espalier.task.head import AbstractLabelTask
from espalier.task.metrics import bootstrap as intervals_of
from espalier.task.metrics import metrics_of
from espalier.task.rejection import Rejection, rejection_metrics, trade_off, weighted_rejection


class Classification(AbstractLabelTask):
    """Features -> linear head -> softmax over the labels; cross-entropy. Two classes are two logits.

    ``espalier train task=classification task.objective=f1_macro``

    Args:
        objective: the validation metric that chooses the best checkpoint.
        class_weights: ``balanced`` weighs a row by rows / (classes * rows of its class), so that each class counts the
            same in the training loss (King & Zeng 2001, doi:10.1093/oxfordjournals.pan.a004868). A list: a weight for
            each class, in the order of the labels.
        reject: how rows of none of the classes are told, of data that has such rows to choose a threshold by
            (``data.outside``); see ``task.rejection``. Their answer is ``out_of_scope``.
        reject_weight: how much the share of them that is rejected counts in that choice, beside ``accuracy_in_scope``.
        label_smoothing: share of the target spread over all classes (Szegedy et al. 2016, arXiv:1512.00567), in
            training; ``loss`` on validation and test is the plain cross-entropy, without it and without weights.
        head_dropout: on the features that the head sees.
        bootstrap: resamples behind each 95% interval on test.

    Shapes: ``batch["label"]`` is (B,) int64.

    Raises:
        ConfigError: the data has not one label for each row; weights are not as many as classes; rows of none of the
            classes are there and not to be told, or the other way round.
    """

    rejects: ClassVar[bool] = True
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
        class_weights: Literal["none", "balanced"] | list[Annotated[float, Ge(0)]],
        label_smoothing: Annotated[float, Ge(0), Lt(1)],
        head_dropout: Annotated[float, Ge(0), Lt(1)],
        reject: Literal["none", "max_probability", "energy"],
        reject_weight: Annotated[float, Gt(0), Lt(1)],
        bootstrap: Annotated[int, Ge(0)],
    ) -> None:
        _require_told(facts, reject)
        super().__init__(
            learner, facts, optimizers, objective=objective, head_dropout=head_dropout, bootstrap=bootstrap
        )
        self.label_smoothing = label_smoothing
        self.weights: Tensor | None
        self.register_buffer("weights", _weights(self.labels[: self.head.out_features], facts, class_weights), False)
        self.rejection = Rejection(reject, reject_weight) if reject != "none" else None

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
        """Cross-entropy, of the rows that are of a class."""
        return functional.cross_entropy(logits, target, ignore_index=logits.shape[1])

    def scores(self, logits: Tensor, /) -> Tensor:
        """Softmax; see ``task.rejection``."""
        return self.rejection.scores(logits) if self.rejection else logits.softmax(-1)

    def choose(self, logits: Tensor, target: Tensor, /) -> None:
        """The threshold of rejection."""
        if self.rejection:
            self.rejection.choose(logits, target)

    def metrics(self, scores: npt.NDArray[Any], target: npt.NDArray[Any], /) -> dict[str, float]:
        """See ``task.metrics`` and ``task.rejection``."""
        return rejection_metrics(scores, target) if self.rejection else metrics_of(scores, target)

    def intervals(self, scores: npt.NDArray[Any], target: npt.NDArray[Any], /) -> dict[str, tuple[float, float]]:
        """Of the same."""
        return intervals_of(scores, target, self.resamples, of=weighted_rejection if self.rejection else None)

    def scoring(self) -> Scoring:
        """Softmax, or with the threshold."""
        return rejecting_scoring(self.rejection.as_code()) if self.rejection else softmax_scoring()

    def answers(self, scores: npt.NDArray[Any], /) -> tuple[list[tuple[str, ...]], npt.NDArray[Any]]:
        """The label with the highest score, and that score."""
        return [(self.labels[i],) for i in scores.argmax(1)], scores.max(1)

    def exhibits(self, split: str, /) -> Sequence[Exhibit]:
        """After the test, of a task that rejects: what rejecting more or less would cost."""
        if not self.rejection or split == "validation":
            return []
        table = trade_off(self._last["scores"], self._last["target"])
        return [table] if table else []

    def predictions(self) -> Mapping[str, Any]:
        """row, target, prediction (int64) and scores (list of float) of the last evaluation."""
        return _columns(**self._last)

    def baseline(self, raw: Raw, split: str, /) -> Baseline:
        """A regression on words, or the most frequent class: see ``guesser``. It rejects by its own probabilities."""
        name, told = guesser(raw, self.head.out_features)
        table, scores = raw.splits[split], told(raw.splits[split])
        target = table["label"].to_numpy()
        inside = target < scores.shape[1]
        loss = float(-np.log(scores[inside, target[inside]].clip(1e-12)).mean())
        if self.rejection:
            held = raw.splits["validation"]
            rule = Rejection("max_probability", self.rejection.weight)
            rule.choose(_logs(told(held)), torch.tensor(held["label"].to_numpy()))
            scores = rule.scores(_logs(scores)).numpy()
        return Baseline(
            name,
            {"loss": loss, **self.metrics(scores, target)},
            self.intervals(scores, target),
            _columns(row=table["row"].to_numpy(), target=target, scores=scores),
        )


def _columns(row: npt.NDArray[Any], target: npt.NDArray[Any], scores: npt.NDArray[Any]) -> dict[str, Any]:
    return {"row": row, "target": target, "prediction": scores.argmax(1), "scores": list(scores)}


def _logs(probabilities: npt.NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(np.log(probabilities.clip(1e-12)))


def _weights(classes: Sequence[str], facts: DataFacts, given: str | Sequence[float]) -> Tensor | None:
    """A weight for each class, (C,); None: all count the same."""
    if given == "none":
        return None
    if given != "balanced":
        if len(given) != len(classes):
            named = ", ".join(classes[:10]) + (" …" if len(classes) > 10 else "")
            truth = f"has {len(given)} weights, and there are {len(classes)} classes: {named}."
            raise ConfigError(Fault("task.class_weights", truth, "Name a weight for each, in this order."))
        return torch.tensor(given, dtype=torch.float32)
    # A class that training lacks has no rows to weigh.
    counts = torch.tensor((facts.label_counts or [1] * len(classes))[: len(classes)], dtype=torch.float32)
    return counts.sum() / (counts.count_nonzero() * counts.clamp(min=1))


def _require_told(facts: DataFacts, reject: str) -> None:
    if facts.outside and reject == "none":
        truth = "cannot answer rows of none of the classes, which this data has."
        raise ConfigError(Fault("task.reject=none", truth, "Set  task.reject=max_probability"))
    if reject != "none" and not facts.outside:
        truth = "chooses its threshold by rows that are of none of the classes, and this data names none."
        raise ConfigError(
            Fault(f"task.reject={reject}", truth, "Set  data.outside=LABEL  (of data=clinc150: data.oos=outside)")
        )
