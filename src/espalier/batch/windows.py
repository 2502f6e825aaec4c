"""Blocks of running text that begin elsewhere in each epoch, so that no token has the same place in all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from espalier.batch.gather import Batch, Gather
from espalier.batch.order import Request, Rows, whole_of
from espalier.core.columns import DOCUMENT, Columns, Ragged


def are_blocks(columns: Columns) -> bool:
    """Whether there is one ragged column, each of its rows beginning with the last token of its document's row before.

    So are rows that an encoding cut running text into; those of an encoding that takes rows one by one are not.
    """
    ragged = [column for column in columns.values() if isinstance(column, Ragged)]
    if len(ragged) != 1 or DOCUMENT not in columns or not ragged[0].lengths.min(initial=1):
        return False
    (blocks,) = ragged
    goes_on = ~_begins(columns)[1:]
    first, last = blocks.values[blocks.offsets[1:-1]], blocks.values[blocks.offsets[1:-1] - 1]
    return bool((first == last)[goes_on].all())


def _begins(columns: Columns) -> npt.NDArray[np.bool_]:
    """Which rows are a document's first."""
    document = np.asarray(columns[DOCUMENT])
    return np.append(np.ones(min(1, len(document)), bool), document[1:] != document[:-1])


class Windows(Gather):
    """A ``Gather`` over blocks of T + 1 tokens, each beginning with the last token of the one before it.

    Block b, moved by s (0 <= s < T), begins s tokens earlier, though not before its document does, and has T + 1 tokens
    as far as the document goes on. So each token but the first, and fewer than T at a document's end, is predicted once
    or twice in an epoch. Other columns are those of the block as it stood.

    Args:
        columns: of blocks: one ragged column, and integers, ``document`` among them.

    Attributes:
        size: T; 0 where a block is one token.
    """

    def __init__(self, columns: Columns, pad: Mapping[str, int]) -> None:
        super().__init__(columns, pad)
        ((name, blocks),) = ((n, c) for n, c in columns.items() if isinstance(c, Ragged))
        begins = _begins(columns)
        self.size = max(0, int(blocks.lengths.max(initial=1)) - 1)
        keep = np.ones(len(blocks.values), bool)
        keep[blocks.offsets[:-1][~begins]] = False  # what the block before it ends with
        places = np.cumsum(keep) - 1  # of each value among those that are kept
        self._first = places[blocks.offsets[:-1]]
        of = np.cumsum(begins) - 1
        starts = self._first[begins]
        self._start, self._end = starts[of], np.append(starts[1:], keep.sum())[of]
        self._name, self._text, self._blank = name, blocks.values[keep], pad[name]

    def moved(self, order: Callable[[int], Rows], seed: int) -> Callable[[int], Rows]:
        """The epochs' orders of blocks, as orders of moved blocks: how far is a function of (seed, epoch)."""

        def of_epoch(epoch: int) -> Rows:
            shift = np.random.default_rng((seed, epoch, self.size)).integers(self.size)
            return order(epoch) * self.size + shift

        return of_epoch if self.size else order

    def __getitem__(self, request: Request) -> Batch:
        if not self.size:
            return super().__getitem__(request)
        codes, scale = request[:2]
        blocks, starts, lengths = self._taken(codes)
        batch = super().__getitem__((blocks, scale))
        offsets = np.append(0, np.cumsum(lengths))
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        cut = Ragged(self._text[np.repeat(starts, lengths) + within], offsets)
        text = Gather({self._name: cut}, {self._name: self._blank})[np.arange(len(blocks)), 1.0]
        batch |= {name: value for name, value in text.items() if name.startswith(self._name)}
        mean = float(self._taken(whole_of(request))[2].mean())
        return {**batch, f"{self._name}_mean": mean, "tokens": text["tokens"] if scale else 0}

    def cells(self, request: Request) -> int:
        """As ``Gather``'s, of the blocks as they stood."""
        codes, scale = request[:2]
        return super().cells((codes // max(1, self.size), scale))

    def _taken(self, codes: Rows) -> tuple[Rows, Rows, Rows]:
        """The blocks of some rows of an epoch's order, where each begins in the text, and how many tokens it has."""
        blocks, shift = np.divmod(codes, self.size)
        starts = np.maximum(self._first[blocks] - shift, self._start[blocks])
        return blocks, starts, np.minimum(self.size + 1, self._end[blocks] - starts)
