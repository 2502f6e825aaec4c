"""``AbstractTask``: what every task has. Checkpoints hold only what learns; predictions are gathered from all ranks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from espalier.core.facts import DataFacts
from espalier.core.parts import OptimizerFactory
from espalier.state.ranks import gather_objects

Batch = Mapping[str, Tensor]


class AbstractTask(pl.LightningModule):
    """A loss, its metrics, and the one that chooses.

    Subclasses define ``training_step``, ``validation_step``, ``test_step``; log ``self.objective`` after each
    validation; and answer ``predictions`` and ``save``.

    Attributes:
        objective: name of the validation metric that chooses the best checkpoint, ``validation/accuracy``.
        direction: ``max`` or ``min``.
        learner: the adapted backbone.
        facts: of the data.
        test_metrics, test_intervals: filled by a test.
    """

    objective: str
    direction: str
    strict_loading = False  # frozen weights come from where the model came from, not from a checkpoint
    directions: ClassVar[Mapping[str, str]] = {}

    def __init__(self, learner: nn.Module, facts: DataFacts, optimizers: OptimizerFactory, /) -> None:
        super().__init__()
        self.learner, self.facts, self.optimizer_factory = learner, facts, optimizers
        self.test_metrics: dict[str, float] = {}
        self.test_intervals: dict[str, tuple[float, float]] = {}
        self._outputs: list[dict[str, Tensor]] = []

    @abstractmethod
    def predictions(self) -> Mapping[str, Any]:
        """Columns of the last evaluation for ``predictions/<split>.parquet``, each of length rows, by row id."""

    @abstractmethod
    def save(self, folder: Path, /) -> None:
        """The model as others load it."""

    def configure_optimizers(self) -> Any:
        """One optimizer over everything that learns."""
        return self.optimizer_factory([p for p in self.parameters() if p.requires_grad])

    def keep(self, **columns: Tensor) -> None:
        """Remember a step's rows until the evaluation ends; each tensor's first axis is rows."""
        self._outputs.append({name: value.detach() for name, value in columns.items()})

    def kept(self) -> dict[str, Tensor]:
        """All rows of the evaluation, of all ranks, in the order of their ids; forgets them."""
        local = {name: torch.cat([o[name].cpu() for o in self._outputs]) for name in self._outputs[0]}
        self._outputs = []
        parts = gather_objects(local)
        whole = {name: torch.cat([part[name] for part in parts]) for name in local}
        order = torch.argsort(whole["row"], stable=True)
        return {name: value[order] for name, value in whole.items()}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave out frozen parameters."""
        frozen = {name for name, parameter in self.named_parameters() if not parameter.requires_grad}
        checkpoint["state_dict"] = {k: v for k, v in checkpoint["state_dict"].items() if k not in frozen}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """As torch's, but everything that learns must be there.

        Raises:
            KeyError: a trained parameter is missing.
        """
        missing = [n for n, p in self.named_parameters() if p.requires_grad and n not in state_dict]
        if missing:
            raise KeyError(f"the checkpoint lacks {len(missing)} trained parameters, {missing[0]} among them")
        return super().load_state_dict(state_dict, strict=strict, assign=assign)
