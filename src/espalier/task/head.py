"""``AbstractLabelTask``: a linear head over features that tells labels; what one label a row and many of them share."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt
import pyarrow as pa
import torch
from safetensors.torch import save_model
from torch import Tensor, nn

from espalier.core.errors import ConfigError, Fault, RunFailedError
from espalier.core.facts import DataFacts
from espalier.core.parts import OptimizerFactory
from espalier.task.base import AbstractTask, Batch, width_of
from espalier.task.card import BARE_CARD, Scoring, loading_card
from espalier.task.exact import exact

_MEANT = {"label": "one label for each row", "labels": "any number of labels for each row"}
_TASKS = {"label": "classification", "labels": "multilabel"}


class AbstractLabelTask(AbstractTask):
    """Features -> linear head -> logits, a score for each label, metrics of all rows.

    A subclass says which kind of labels it learns and which objectives there are; its training loss, the loss that is
    measured, scores, metrics with intervals, ``predictions``, and the end of the card.

    Attributes:
        labels: their names, in the order of the head's outputs; of data with rows of none of them, one name more.

    Shapes: the learner gives (B, width); logits are (B, labels) in fp32, without one for rows of no label.

    Raises:
        ConfigError: the data has not the kind of labels that the task learns.
    """

    learns: ClassVar[str]
    directions: ClassVar[Mapping[str, str]]

    def __init__(
        self,
        learner: nn.Module,
        facts: DataFacts,
        optimizers: OptimizerFactory,
        /,
        *,
        objective: str,
        head_dropout: float,
        bootstrap: int,
    ) -> None:
        super().__init__(learner, facts, optimizers)
        self.objective, self.direction = f"validation/{objective}", self.directions[objective]
        self.resamples = bootstrap
        self.labels = _labels(facts, self.learns)
        width = width_of(learner)
        self.head = nn.Linear(width, len(self.labels) - facts.outside)
        self.dropout = nn.Dropout(head_dropout)
        self._last: dict[str, npt.NDArray[Any]] = {}

    @abstractmethod
    def loss(self, logits: Tensor, target: Tensor, /) -> Tensor:
        """The loss that is measured on validation and test, the mean over rows."""

    @abstractmethod
    def scores(self, logits: Tensor, /) -> Tensor:
        """A probability for each label."""

    def choose(self, logits: Tensor, target: Tensor, /) -> None:
        """Set what all validation rows together choose, before they are scored; nothing, if not said otherwise."""

    @abstractmethod
    def metrics(self, scores: npt.NDArray[Any], target: npt.NDArray[Any], /) -> dict[str, float]:
        """Point values."""

    @abstractmethod
    def intervals(self, scores: npt.NDArray[Any], target: npt.NDArray[Any], /) -> dict[str, tuple[float, float]]:
        """95% intervals of them."""

    def forward(self, batch: Batch) -> Tensor:
        """Logits, (B, labels), fp32."""
        given = self.learner(batch)
        if not isinstance(given, Tensor) or given.ndim != 2 or given.shape[1] != self.head.in_features:
            raise _wrong_features(self.learner, given, batch, self.head.in_features)
        features = self.dropout(given)
        # Autocast would round each logit to bf16's 8 bits: scores would tie, and calibration suffer.
        with torch.autocast(features.device.type, enabled=False):
            logits: Tensor = self.head(features.to(self.head.weight.dtype))
        return logits.float()

    def validation_step(self, batch: Batch) -> None:
        """Keep logits and targets."""
        self.keep(row=batch["row"], target=batch["label"], logits=self(batch))

    def test_step(self, batch: Batch) -> None:
        """Keep logits and targets."""
        self.validation_step(batch)

    def predict_step(self, batch: Batch) -> dict[str, Tensor]:
        """``row`` (B,) and ``scores`` (B, labels) of rows whose labels nobody knows."""
        return {"row": batch["row"], "scores": self.scores(self(batch))}

    def answer_schema(self, *, with_scores: bool) -> pa.Schema:
        """``prediction`` (label names), ``score``, and ``score:<label>`` where they are wanted."""
        more = [f"score:{label}" for label in self.labels] if with_scores else []
        return pa.schema([("prediction", pa.string()), *((name, pa.float64()) for name in ("score", *more))])

    def answer(self, found: Mapping[str, Any], /, *, with_scores: bool) -> Mapping[str, Sequence[Any]]:
        """The columns of ``answer_schema``; several names of a row are a tuple."""
        names, sure = self.answers(found["scores"])
        more = dict(zip((f"score:{label}" for label in self.labels), found["scores"].T, strict=True))
        return {"prediction": names, "score": sure, **(more if with_scores else {})}

    @abstractmethod
    def answers(self, scores: npt.NDArray[Any], /) -> tuple[list[tuple[str, ...]], npt.NDArray[Any]]:
        """Scores (N, labels) -> the label names that each row gets, and how sure that is, (N,), 0 to 1."""

    @abstractmethod
    def scoring(self) -> Scoring:
        """Plain torch that makes answers of logits, for the card."""

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of all rows as ``validation/…``."""
        found = self._evaluate(choosing=True)
        # The values are of all ranks' rows already; sync_dist averages equal numbers, and Lightning does not warn.
        self.log_dict({f"validation/{name}": value for name, value in found.items()}, sync_dist=True)

    def on_test_epoch_end(self) -> None:
        """Metrics and intervals of all rows."""
        self.test_metrics = self._evaluate()
        self.test_intervals = self.intervals(self._last["scores"], self._last["target"])

    def _evaluate(self, *, choosing: bool = False) -> dict[str, float]:
        kept = self.kept()
        # In fp64: in fp32 confident scores round to 1 and tie, and a class's AUROC would not see their order.
        logits, target = exact(kept["logits"]), kept["target"]
        if choosing:
            self.choose(logits, target)
        scores = self.scores(logits).numpy()
        self._last = {"row": kept["row"].numpy(), "target": target.numpy(), "scores": scores}
        return {"loss": float(self.loss(logits, target)), **self.metrics(scores, self._last["target"])}

    def save(self, folder: Path, /) -> None:
        """The backbone's own files, ``head.safetensors``, ``labels.json`` and a README that loads them.

        A backbone without a ``save`` of its own leaves its weights in ``model.safetensors``, under their names.
        """
        recipe = self.save_learner(folder)
        save_model(self.head, str(folder / "head.safetensors"))
        names = json.dumps(list(self.labels), ensure_ascii=False)
        (folder / "labels.json").write_text(names + "\n", encoding="utf-8")
        card = loading_card(recipe, self.scoring()) if recipe else BARE_CARD
        (folder / "README.md").write_text(card, encoding="utf-8")


def _wrong_features(learner: nn.Module, given: Any, batch: Batch, width: int) -> RunFailedError:
    shape = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
    wanted = f"({len(batch['label'])}, {width}): a row each, its width wide"
    return RunFailedError(f"{type(learner).__name__}.forward gave {shape}; features must be {wanted}")


def _labels(facts: DataFacts, learns: str) -> tuple[str, ...]:
    what, kind = f"task={_TASKS[learns]}", facts.kinds.get("label")
    if len(facts.labels) != 1:
        sources = ", ".join(sorted(map(repr, facts.labels))) or "none"
        raise ConfigError(
            Fault(what, f"needs data with labels of one kind; this data has them from: {sources}.",
                  "Choose other data, or a task that is made for this one.")
        )  # fmt: skip
    if kind in _TASKS and kind != learns:
        truth = f"learns {_MEANT[learns]}, and the data has {_MEANT[kind]}."
        raise ConfigError(Fault(what, truth, f"Set  task={_TASKS[kind]}"))
    return facts.label_names
