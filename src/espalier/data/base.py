"""``AbstractData``: what every data option has; ``TableData`` in ``data.common`` is the one for labelled rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace

from espalier.core.columns import Columns
from espalier.core.errors import DataError, Fault
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Batching
from espalier.data.batches import Batches


class AbstractData(ABC):
    """A source of rows that says how to read them; how encoded rows become batches comes with it.

    A subclass may also override ``batches`` (for pairs of sources, say): what it returns must be a LightningDataModule
    with ``steps_per_epoch`` (optimizer steps).
    """

    @property
    @abstractmethod
    def batching(self) -> Batching:
        """How its rows become batches."""

    @abstractmethod
    def read(self) -> Raw:
        """Read, clean and split. Raises ``DataError``."""

    def rows(self, labels: tuple[str, ...]) -> Raw:
        """Rows to evaluate on, as the single split ``test``.

        Args:
            labels: names in the order of a trained model's labels.

        Raises:
            DataError: there is no test split, or its labels are others.
        """
        raw = self.read()
        if "test" not in raw.splits:
            raise DataError(Fault(raw.origin, "has no test rows."))
        if tuple(raw.labels.values()) != (labels,):
            known = ", ".join(map(repr, labels[:10]))
            raise DataError(Fault(raw.origin, f"has other labels than the model, which has {known}."))
        return replace(raw, splits={"test": raw.splits["test"]}, counts={"test": raw.counts["test"]})

    def batches(
        self, splits: Mapping[str, Columns], facts: DataFacts, /, *, seed: int, world_size: int, accumulate: int
    ) -> Batches:
        """Batches of encoded rows.

        Args:
            splits: split -> columns, as the model's encoding made them.
            facts: tells what pads.
            seed: of the training order.
            world_size: ranks that share a global batch.
            accumulate: micro-batches of an optimizer step.
        """
        return Batches(splits, self.batching, facts.pad, seed=seed, world_size=world_size, accumulate=accumulate)
