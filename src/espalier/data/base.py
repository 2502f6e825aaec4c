"""``AbstractData``: what every data option has; ``TableData`` in ``data.common`` is the one for labelled rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from espalier.core.columns import Columns
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
