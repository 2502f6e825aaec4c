"""``AbstractCountedTask``: a task whose metrics are functions of sums over rows; one way to all of their intervals."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn

from espalier.core.counted import COUNTS, Counted, Floats, intervals, values
from espalier.core.facts import DataFacts
from espalier.core.parts import OptimizerFactory
from espalier.task.base import AbstractTask, Batch


class AbstractCountedTask(AbstractTask):
    """Rows -> counts -> metrics, their 95% intervals, and what two models can be compared by in pairs.

    A subclass names what is ``counted``, says in ``evaluation_step`` what each row counts, and in ``columns`` what
    else is told of each row. What it keeps besides counts (predicted ids, ranks) comes back to ``columns``.

    Attributes:
        counted: name of a metric -> how it is made of counts; ``loss`` of (sum, number of terms) is one of them.
    """

    counted: ClassVar[Mapping[str, Counted]]

    def __init__(
        self, learner: nn.Module, facts: DataFacts, optimizers: OptimizerFactory, /, *, objective: str, bootstrap: int
    ) -> None:
        super().__init__(learner, facts, optimizers)
        self.objective, self.direction = f"validation/{objective}", self.counted[objective].direction
        self.resamples = bootstrap
        self._kept: dict[str, Any] = {}

    @abstractmethod
    def evaluation_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """A batch's columns, first axis rows: ``counts:<metric>`` (B, K) of every metric, and others (or lists)."""

    def columns(self, kept: Mapping[str, Any], /) -> Mapping[str, Any]:  # noqa: ARG002  # there are none
        """What is told of each row besides its counts; ``kept``: the other columns of all rows, numpy (or lists)."""
        return {}

    def whole(self, kept: Mapping[str, Any], /) -> Mapping[str, Any]:
        """Each row once, with its counts: for a task whose rows come in pieces, or whose counts need all of them.

        Args:
            kept: the columns of ``evaluation_step``, numpy (or lists), in the order of their ``row``.
        """
        return kept

    def validation_step(self, batch: Batch) -> None:
        """Keep what each row counts."""
        self.keep(row=batch["row"], **self.evaluation_step(batch))

    def test_step(self, batch: Batch) -> None:
        """Keep what each row counts."""
        self.validation_step(batch)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of all rows as ``validation/…``."""
        found = values(self.counted, self._take())
        self.log_dict({f"validation/{name}": value for name, value in found.items()}, sync_dist=True)

    def on_test_epoch_end(self) -> None:
        """Metrics and intervals of all rows."""
        counts = self._take()
        self.test_metrics = values(self.counted, counts)
        self.test_intervals = intervals(self.counted, counts, self.resamples)

    def predictions(self) -> Mapping[str, Any]:
        """``row``, ``counts:<metric>``, and what ``columns`` tells, of the last evaluation."""
        counts = {name: list(column) for name, column in self._kept.items() if name.startswith(COUNTS)}
        others = {name: column for name, column in self._kept.items() if not name.startswith(COUNTS)}
        return {"row": others["row"], **self.columns(others), **counts}

    def _take(self) -> dict[str, Floats]:
        self._kept = dict(self.whole({n: c.numpy() if isinstance(c, Tensor) else c for n, c in self.kept().items()}))
        return {name: np.asarray(self._kept[f"{COUNTS}{name}"], np.float64) for name in self.counted}
