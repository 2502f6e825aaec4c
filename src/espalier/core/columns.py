"""Encoded data: columns of numbers, dense or ragged, small enough to understand and quick enough to index per batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

DOCUMENT = "document"
"""Rows that have this column are pieces of running texts: those of one number follow each other in it."""

BLOCK = "block"
"""Of the column that numbers pieces of running text, several of which may be of one row."""

BESIDE = ":"
"""Stands between the name of a ragged column of tokens and what else is told of them: such a column has no tokens."""
FIRST = f"{BESIDE}first"
"""Ends the name of the column that tells, where a row's tokens are of words, the place of each word's first one; -1 of
a word that was cut off, or of which no token is."""
PLACE = f"{BESIDE}place"
"""Ends the name of the column that tells, where several texts stand in one row, each token's place in its own text."""


@dataclass(frozen=True)
class Ragged:
    """Rows of different lengths in one flat array: row ``i`` is ``values[offsets[i]:offsets[i + 1]]``.

    Attributes:
        values: flat array, shape (total,).
        offsets: int64, shape (rows + 1,), begins with 0.
    """

    values: npt.NDArray[np.generic]
    offsets: npt.NDArray[np.int64]

    @staticmethod
    def of(rows: Sequence[Sequence[int]], dtype: type[np.generic] = np.int32) -> Ragged:
        """From a list of rows."""
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        flat = np.fromiter(chain.from_iterable(rows), dtype, count=int(offsets[-1]))
        return Ragged(flat, offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> npt.NDArray[np.generic]:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Length of each row, shape (rows,)."""
        return np.diff(self.offsets)


Column = npt.NDArray[np.generic] | Ragged
Columns = Mapping[str, Column]
"""name -> column; all columns of a split have the same number of rows."""


def num_rows(columns: Columns) -> int:
    """Rows of a split."""
    return len(next(iter(columns.values())))
