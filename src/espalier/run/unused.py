"""DDP with parameters that no gradient reaches: looked for before the first step, and then allowed for."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import pytorch_lightning as pl

from espalier.run.probe import unused
from espalier.state.boundary import AtBoundary
from espalier.state.ranks import gather_objects


class Unused(AtBoundary):
    """Lets DDP look at each step which parameters have a gradient, where some have none: else it waits for them and
    ends the run at its second step.

    DDP is told when it is made, and only its model has shown by then what it uses: so it is made a second time.
    """

    order: ClassVar[int] = -2  # what a step takes is estimated as it will be

    def before_training(self, trainer: pl.Trainer) -> None:
        """On all ranks: what one of them has no gradient for, the others must not wait for either."""
        strategy: Any = trainer.strategy
        if type(strategy).__name__ != "DDPStrategy":
            return
        names = sorted({name for names in gather_objects(unused(trainer)) for name in names})
        if not names:
            return
        strategy._ddp_kwargs["find_unused_parameters"] = True
        strategy.model = trainer.lightning_module
        strategy.configure_ddp()
        if trainer.is_global_zero:
            said = f"no gradient reaches {', '.join(names[:3])}{' …' * (len(names) > 3)}"
            print(f"{said}: DDP looks for such parameters at each step", file=sys.stderr, flush=True)
