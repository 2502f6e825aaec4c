"""The factory that a task asks for its optimizers, once for each set of parameters that learns on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from espalier.build.groups import groups_of
from espalier.build.instantiate import instantiate


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
        """An optimizer over a module's parameters (or bare ones) with its schedule, stepped once an optimizer step.

        Raises:
            ConfigError: nothing among the parameters learns; or the optimizer or the schedule does not fit the run.
        """
        node = self.optimizer
        if part and part in (node.get("parts") or {}):
            node = OmegaConf.merge(node, node.parts[part])  # type: ignore[assignment]
        settings: Any = OmegaConf.to_container(node, resolve=True)
        made = instantiate(node, groups_of(parameters, settings))
        schedule = instantiate(self.scheduler, made, self.total_steps)
        return {"optimizer": made, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
