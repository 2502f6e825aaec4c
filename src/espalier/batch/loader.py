"""``Loader``: the iterable that Lightning draws batches from, with a position that can be saved and gone back to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import copy
from typing import Any

import torch
from torch.utils.data import DataLoader

from espalier.batch.gather import Batch, Gather
from espalier.batch.order import Sampler


class Loader:
    """Batches in the sampler's order; prepared where they are needed, or ahead by worker processes.

    How Lightning (2.6) calls it:
        ``iter()`` when it checks the loader and again when it sets the fit up, then ``load_state_dict()`` only if the
        run is resumed, then ``sampler.set_epoch(epoch)``, and only then the first ``next()``; later epochs are
        ``set_epoch()``, ``iter()``, ``next()``. After a resume the iterator of the set-up is used for the first epoch,
        whichever that is. So nothing is decided before the first ``next()``: it takes the epoch that was set last, and
        the loaded position if that position belongs to this epoch.
        ``state_dict()`` may be asked for at any time. It counts batches handed out, not batches prepared ahead.

    Loading never draws from the global random generators.
    """

    def __init__(self, gather: Gather, sampler: Sampler, num_workers: int = 0) -> None:
        self.sampler, self.batch_sampler = sampler, None  # Lightning asks for both
        self._gather, self._num_workers = gather, num_workers
        self._workers: DataLoader[Batch] | None = None
        self._epoch, self._position, self._loaded = 0, 0, False

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[Batch]:
        self._begin()
        for batch in self._prepared():
            self._position += 1
            yield batch

    def largest(self) -> tuple[Batch, float]:
        """The epoch's batch with the most cells, and how many of its cells a batch has on average (0 to 1].

        Made beside the loader's own pass, which does not move.
        """
        sampler = copy(self.sampler)
        sampler.first = 0
        requests = list(sampler)
        cells = [self._gather.cells(request) for request in requests]
        most = max(cells)
        return self._gather[requests[cells.index(most)]], sum(cells) / len(cells) / most

    def state_dict(self) -> dict[str, Any]:
        """The epoch, how many of its micro-batches were handed out, and how many make an optimizer step."""
        return {"epoch": self._epoch, "position": self._position, "accumulate": self.sampler.accumulate}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The next pass over that epoch begins behind that position; the batches before it are not read.

        Saved between optimizer steps, it is the same place for another number of micro-batches a step too.
        """
        now = self.sampler.accumulate
        position = state["position"] * now // state.get("accumulate", now)
        self._epoch, self._position, self._loaded = state["epoch"], position, True

    def _begin(self) -> None:
        goes_on = self._loaded and self._epoch == self.sampler.epoch
        self._epoch, self._position, self._loaded = self.sampler.epoch, self._position if goes_on else 0, False
        self.sampler.first = self._position

    def _prepared(self) -> Iterator[Batch]:
        if not self._num_workers:
            return map(self._gather.__getitem__, self.sampler)
        # The tokenizers library warns in each forked worker unless this is decided; workers don't tokenise.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self._workers = self._workers or DataLoader(
            self._gather,  # type: ignore[arg-type]  # a data set whose indices are requests
            sampler=self.sampler,
            batch_size=None,
            num_workers=self._num_workers,
            persistent_workers=True,
            collate_fn=_as_it_is,  # Gather made tensors already
            generator=torch.Generator(),
        )
        return iter(self._workers)


def _as_it_is(batch: Any) -> Any:
    return batch
