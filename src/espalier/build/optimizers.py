"""The factory that a task asks for its optimizers, once for each set of parameters that learns on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from espalier.build.instantiate import instantiate
from espalier.core.errors import ConfigError, Fault


@dataclass(frozen=True)
class Optimizers:
    """Satisfies ``core.parts.OptimizerFactory``.

    Attributes:
        optimizer: the optimizer's node; ``parts`` in it holds other values by part.
        scheduler: the schedule's node.
        total_steps: optimizer steps of the run; -1 for an endless one.
    """

    optimizer: DictConfig
    scheduler: DictConfig
    total_steps: int

    def __call__(self, parameters: Any, /, part: str = "") -> dict[str, Any]:
        """An optimizer over ``parameters`` (or a module's) with its schedule, stepped once an optimizer step.

        Raises:
            ConfigError: nothing among the parameters learns.
        """
        module_parameters = getattr(parameters, "parameters", None)
        learning = [p for p in (module_parameters() if module_parameters else parameters) if p.requires_grad]
        if not learning:
            raise ConfigError(Fault("adapter", "leaves nothing to train.", "Try adapter=full."))
        node = self.optimizer
        if part and part in (node.get("parts") or {}):
            node = OmegaConf.merge(node, node.parts[part])  # type: ignore[assignment]
        made = instantiate(node, learning)
        schedule = instantiate(self.scheduler, made, self.total_steps)
        return {"optimizer": made, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
