"""``task=classification``: one label per sample."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Lt
from safetensors.torch import save_model
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.errors import ConfigError, Fault, RunFailedError
from espalier.core.facts import DataFacts
from espalier.core.parts import OptimizerFactory
from espalier.task.base import AbstractTask, Batch
from espalier.task.card import BARE_CARD, loading_card
from espalier.task.metrics import bootstrap, metrics_of


def _wrong_features(learner: nn.Module, given: Any, batch: Batch, width: int) -> RunFailedError:
    shape = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
    wanted = f"({len(batch['label'])}, {width}): a row each, its width wide"
    return RunFailedError(f"{type(learner).__name__}.forward gave {shape}; features must be {wanted}")


class Classification(AbstractTask):
    """Features -> linear head -> softmax over the labels; cross-entropy. Two classes are two logits.

    ``espalier train task=classification task.objective=f1_macro``

    Args:
        objective: the validation metric that chooses the best checkpoint.
        label_smoothing: share of the target spread over all classes (Szegedy et al. 2016, arXiv:1512.00567), in
            training; ``loss`` on validation and test is the cross-entropy without it.
        head_dropout: on the features that the head sees.
        bootstrap: resamples behind each 95% interval on test.

    Shapes: the learner gives (B, width); logits are (B, classes) in fp32; ``batch["label"]`` is (B,) int64.

    Raises:
        ConfigError: the data does not have labels of one kind.
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
        self.labels = _labels(facts)
        width: Any = learner.width
        self.head = nn.Linear(width, len(self.labels))
        self.dropout = nn.Dropout(head_dropout)
        self._last: dict[str, Any] = {}

    def forward(self, batch: Batch) -> Tensor:
        """Logits, (B, classes), fp32."""
        given = self.learner(batch)
        if not isinstance(given, Tensor) or given.ndim != 2 or given.shape[1] != self.head.in_features:
            raise _wrong_features(self.learner, given, batch, self.head.in_features)
        features = self.dropout(given)
        # Autocast would round each logit to bf16's 8 bits: scores would tie, and calibration suffer.
        with torch.autocast(features.device.type, enabled=False):
            logits: Tensor = self.head(features.to(self.head.weight.dtype))
        return logits.float()

    def training_step(self, batch: Batch) -> Tensor:
        """The mean loss of the batch's rows, scaled to its share of the global batch."""
        loss = functional.cross_entropy(self(batch), batch["label"], label_smoothing=self.label_smoothing)
        return loss * batch["scale"] if batch["scale"] != 1.0 else loss

    def validation_step(self, batch: Batch) -> None:
        """Keep logits and targets."""
        self.keep(row=batch["row"], target=batch["label"], logits=self(batch))

    def test_step(self, batch: Batch) -> None:
        """Keep logits and targets."""
        self.validation_step(batch)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of all rows as ``validation/…``."""
        # The values are of all ranks' rows already; sync_dist averages equal numbers, and Lightning does not warn.
        self.log_dict({f"validation/{name}": value for name, value in self._evaluate().items()}, sync_dist=True)

    def on_test_epoch_end(self) -> None:
        """Metrics and intervals of all rows."""
        self.test_metrics = self._evaluate()
        self.test_intervals = bootstrap(self._last["scores"], self._last["target"], self.resamples)

    def _evaluate(self) -> dict[str, float]:
        kept = self.kept()
        # In fp64: in fp32 confident scores round to 1 and tie, and a class's AUROC would not see their order.
        logits, target = kept["logits"].double(), kept["target"]
        self._last = {"row": kept["row"].numpy(), "target": target.numpy(), "scores": logits.softmax(-1).numpy()}
        loss = float(functional.cross_entropy(logits, target))
        return {"loss": loss, **metrics_of(self._last["scores"], self._last["target"])}

    def predictions(self) -> Mapping[str, Any]:
        """row, target, prediction (int64) and scores (list of float) of the last evaluation."""
        scores = self._last["scores"]
        return {
            "row": self._last["row"],
            "target": self._last["target"],
            "prediction": scores.argmax(1),
            "scores": list(scores),
        }

    def save(self, folder: Path, /) -> None:
        """The backbone's own files, ``head.safetensors``, ``labels.json`` and a README that loads them.

        A backbone without a ``save`` of its own leaves its weights in ``model.safetensors``, under their names.
        """
        backbone: Any = self.learner
        if hasattr(backbone, "save"):
            backbone.save(folder)
        else:
            save_model(backbone, str(folder / "model.safetensors"))
        save_model(self.head, str(folder / "head.safetensors"))
        names = json.dumps(list(self.labels), ensure_ascii=False)
        (folder / "labels.json").write_text(names + "\n", encoding="utf-8")
        card = loading_card(backbone.recipe()) if hasattr(backbone, "recipe") else BARE_CARD
        (folder / "README.md").write_text(card, encoding="utf-8")


def _labels(facts: DataFacts) -> tuple[str, ...]:
    if len(facts.labels) == 1:
        return facts.label_names
    sources = ", ".join(sorted(map(repr, facts.labels))) or "none"
    raise ConfigError(
        Fault("task=classification", f"needs data with labels of one kind; this data has them from: {sources}.",
              "Choose other data, or a task that is made for this one.")
    )  # fmt: skip
