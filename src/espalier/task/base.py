"""``AbstractTask``: what every task has, and what the run reads from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytorch_lightning as pl
import torch
from safetensors.torch import save_model
from torch import Tensor, nn

from espalier.core.errors import ConfigError, Fault, RunFailedError
from espalier.core.facts import DataFacts, Raw
from espalier.core.learner_parts import Penalised, Steps
from espalier.core.parts import Baseline, OptimizerFactory
from espalier.state.frozen import left_out
from espalier.state.ranks import gather_objects

Batch = Mapping[str, Any]
_QUANTISED = ("bitsandbytes.nn.modules",)  # where layers of few bits are defined


def width_of(learner: nn.Module) -> int:
    """Features of each row, which a head reads.

    Raises:
        ConfigError: the learner does not say it.
    """
    width: Any = getattr(learner, "width", None)
    if width is None:
        truth = f"{type(learner).__name__} does not say self.width, the number of features that it gives for a row."
        raise ConfigError(Fault("model", truth, "Set it in __init__:  self.width = …"))
    return int(width)


class AbstractTask(pl.LightningModule, ABC):
    """A loss, its metrics, and the one that chooses.

    A subclass sets ``objective`` and ``direction``; defines ``training_step``, ``validation_step`` and ``test_step``;
    logs its metrics as ``validation/<name>``, the objective among them, in ``on_validation_epoch_end``; fills
    ``test_metrics`` in ``on_test_epoch_end``; and answers ``predictions`` and ``save``.

    What the run reads:
        objective: name of the validation metric that chooses the best checkpoint, ``validation/accuracy``.
        direction: ``max`` or ``min``.
        learner: the adapted backbone.
        facts: of the data.
        rows: split -> its rows as they were read, a table; set by who trains or evaluates, for what is told of texts.
        test_metrics: plain name (``accuracy``) -> value, after a test.
        test_intervals: plain name -> 95% interval (low, high), of some or all of them.
        predictions(), save(folder).
        baseline(raw, split): what a simple model reaches, where there is one to compare with.
        predict_step, answer, answer_schema: for ``espalier predict`` (``core.parts.Answers``); may be left out.
        exhibits(split): tables, texts and pictures for the report (``core.parts.Shows``); none where it is left out.

    The training loss in the logs is what Lightning hands to ``on_train_batch_end`` as ``outputs["loss"]``: what
    ``training_step`` returned, divided by ``accumulate_grad_batches``. A data module of ours gives each micro-batch a
    ``batch["scale"]``, by which ``training_step`` multiplies its mean loss (``share``): then the sum over an optimizer
    step's micro-batches, averaged over the ranks, is the mean over the global batch, also where it divides unevenly
    (a filler has scale 0). A task that optimizes by hand (``automatic_optimization = False``, a GAN) returns nothing;
    it calls ``self.log("train/loss_generator", …)`` for each of its losses.
    """

    rejects: ClassVar[bool] = False  # whether it can tell rows that are of none of the classes
    # Whether each process may hold a part of the weights (hardware=fsdp): the learner is asked in steps and exhibits
    # alone, equally often by all processes, and nothing of it is kept.
    divides: ClassVar[bool] = True
    objective: str
    direction: str
    strict_loading = False  # frozen weights that lie elsewhere come from there, not from a checkpoint

    def __init__(self, learner: nn.Module, facts: DataFacts, optimizers: OptimizerFactory, /) -> None:
        super().__init__()
        if facts.outside and not self.rejects:
            truth = f"has rows of none of the classes, which {type(self).__name__} cannot tell."
            raise ConfigError(Fault("the data", truth, "Set  task=classification task.reject=max_probability"))
        self.learner, self.facts, self.optimizer_factory = learner, facts, optimizers
        self.test_metrics: dict[str, float] = {}
        self.test_intervals: dict[str, tuple[float, float]] = {}
        self.rows: Mapping[str, Any] = {}
        self._outputs: list[dict[str, Any]] = []
        parts = list(learner.modules())
        self._penalties = [part.penalty for part in parts if isinstance(part, Penalised)]
        self._after_step = [part.after_step for part in parts if isinstance(part, Steps)]

    def __setattr__(self, name: str, value: Any) -> None:
        # Lightning notes the hook it is in some fifty times a step; torch's setter looks for parameters each time.
        if name == "_current_fx_name":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    @abstractmethod
    def predictions(self) -> Mapping[str, Any]:
        """Columns of the last evaluation for ``predictions/<split>.parquet``, each of length rows, by row id."""

    @abstractmethod
    def save(self, folder: Path, /) -> None:
        """The model as others load it."""

    def save_learner(self, folder: Path, /) -> str | None:
        """The learner's own files, or ``model.safetensors`` with its weights by name; its recipe, if it has one."""
        learner: Any = self.learner
        if hasattr(learner, "save"):
            learner.save(folder)
        else:
            save_model(learner, str(folder / "model.safetensors"))
        return learner.recipe().strip() if hasattr(learner, "recipe") else None

    def baseline(self, raw: Raw, split: str, /) -> Baseline | None:  # noqa: ARG002  # there is none to compare with
        """What a simple model that is trained on ``raw``'s training split reaches on another one; or None."""
        return None

    def configure_optimizers(self) -> Any:
        """One optimizer over everything that learns."""
        return self.optimizer_factory(self)

    def share(self, loss: Tensor, batch: Batch) -> Tensor:
        """A batch's mean loss, with what parts of the learner add to it, scaled to its share of the global batch."""
        for penalty in self._penalties:
            loss = loss + penalty()
        return loss * batch["scale"] if batch["scale"] != 1.0 else loss

    def share_of_sum(self, lost: Tensor, tokens: Tensor | float, batch: Batch) -> Tensor:
        """The summed loss of a batch's tokens over how many as many rows have on the mean, scaled as ``share`` does.

        On the mean of the global batch, or of the data: so a token counts the same in each micro-batch, and those of
        unlike lengths make the same step as the whole.
        """
        return self.share(lost / tokens, batch)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """One step; then parts of the learner that change with the steps take theirs, gradients still at hand."""
        super().optimizer_step(*args, **kwargs)
        for after_step in self._after_step:
            after_step(self.trainer.global_step + 1)  # Lightning counts a step once this hook is over

    def keep(self, *, row: Tensor, **columns: Tensor | list[Any]) -> None:
        """Remember a step's rows until the evaluation ends.

        Args:
            row: ids, (B,) int64; a negative one is a filler's and is forgotten.
            columns: tensors whose first axis is rows, or lists of plain values.
        """
        columns["row"] = row
        self._outputs.append({n: v.detach() if isinstance(v, Tensor) else v for n, v in columns.items()})

    def kept(self) -> dict[str, Any]:
        """All rows of the evaluation, of all ranks, on the CPU, in the order of their ids; forgets them.

        All ranks must ask, also one that kept nothing.
        """
        names = self._outputs[0] if self._outputs else ()
        local = {name: _joined([output[name] for output in self._outputs]) for name in names}
        self._outputs = []
        parts = [part for part in gather_objects(local) if part]
        whole = {name: _joined([part[name] for part in parts]) for name in parts[0]}
        order = torch.argsort(whole["row"], stable=True)
        order = order[whole["row"][order] >= 0]
        return {n: v[order] if isinstance(v, Tensor) else [v[i] for i in order.tolist()] for n, v in whole.items()}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave out frozen parameters that lie elsewhere, and what is kept beside those that are quantised."""
        frozen = left_out(self)
        quantised = tuple(f"{name}." for name, part in self.named_modules() if type(part).__module__ in _QUANTISED)
        kept = {k: v for k, v in checkpoint["state_dict"].items() if k not in frozen}
        checkpoint["state_dict"] = {k: v for k, v in kept.items() if not k.startswith(quantised)} if quantised else kept

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """As torch's, but all that lies nowhere else must be there, and nothing that the task does not have.

        Raises:
            RunFailedError: the weights are those of another model.
        """
        elsewhere = left_out(self)
        missing = [n for n, _ in self.named_parameters() if n not in elsewhere and n not in state_dict]
        strange = sorted(state_dict.keys() - self.state_dict().keys())
        if missing or strange:
            learning = {name for name, parameter in self.named_parameters() if parameter.requires_grad}
            if not strange and learning.isdisjoint(missing):
                raise RunFailedError("The checkpoint is of an earlier version, without frozen weights: train it again.")
            said = [f"lacks {len(missing)} parameters ({missing[0]} …)"] if missing else []
            said += [f"has {len(strange)} that this model does not have ({strange[0]} …)"] if strange else []
            raise RunFailedError(f"The checkpoint is of another model: it {' and '.join(said)}.")
        return super().load_state_dict(state_dict, strict=strict, assign=assign)


def mean_of(batch: Batch, role: str) -> float:
    """Tokens of a column that a row of the global batch has on the mean; of this one, where the batch does not say."""
    said = batch.get(f"{role}_mean")
    return float(batch[f"{role}_mask"].sum(1).float().mean()) if said is None else float(said)


def _joined(parts: list[Any]) -> Any:
    return torch.cat(parts).cpu() if isinstance(parts[0], Tensor) else [value for part in parts for value in part]
