"""``AbstractData``: what every data option has; ``TableData`` in ``data.common`` is the one for labelled rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from espalier.core.errors import DataError, Fault
from espalier.core.facts import Raw
from espalier.core.parts import Batching


class AbstractData(ABC):
    """A source of rows that says how to read them, and in which batches they are wanted once they are encoded.

    A subclass may also say ``batches`` (for pairs of sources, say); see ``core.parts.Data``.
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
