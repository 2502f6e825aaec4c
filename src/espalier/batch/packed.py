"""Several texts in one row of a training batch, so that little of it is padding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from espalier.batch.gather import Batch, Gather
from espalier.batch.order import Request, Rows, whole_of
from espalier.core.columns import BESIDE, PLACE, Columns, Ragged
from espalier.core.errors import ConfigError, Fault


class Packed(Gather):
    """A ``Gather`` whose texts stand one behind the other, in as few rows as they fit into.

    A batch still holds the B rows that it was asked for, and so one optimizer step learns from the same texts as
    without packing. Of its ragged columns, which tell something of each token:

        ``text`` (R, L) ids, R <= B; ``text_mask`` (R, L), False behind the last text of a row;
        ``text:place`` (R, L): each token's place in its own text, by which a model keeps them apart; 0 in the padding.
        Others (``text:answer``) are laid out in the same way, (R, L); columns of whole rows stay (B, …).

    Args:
        columns: of one column of tokens, with others beside it that are as long.
        room: tokens that a row may have; a longer text has a row of its own.

    Raises:
        ConfigError: there are several texts in a row of the data.
    """

    def __init__(self, columns: Columns, pad: Mapping[str, int], room: int) -> None:
        super().__init__(columns, pad)
        tokens = [name for name in self._ragged if BESIDE not in name]
        if len(tokens) != 1:
            truth = f"puts texts behind each other, and each row has {len(tokens)} of its own."
            raise ConfigError(Fault("data.packing=true", truth, "Set  data.packing=false"))
        (self._name,) = tokens
        self.room = room

    def __getitem__(self, request: Request) -> Batch:
        rows, scale = request[:2]
        batch: Batch = {name: torch.from_numpy(array.take(rows, axis=0)) for name, array in self._dense.items()}
        lengths = self._lengths(rows)
        row, start = layout(lengths, self.room)
        shape = (int(row.max()) + 1, int((start + lengths).max()))
        within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        places = np.repeat(row * shape[1] + start, lengths) + within
        mask = np.zeros(shape, bool)
        mask.flat[places] = True
        for name, (column, pad) in self._ragged.items():
            values = np.full(shape, pad, np.int64)
            values.flat[places] = column.values[np.repeat(column.offsets[rows], lengths) + within]
            batch[name], batch[f"{name}_mask"] = torch.from_numpy(values), torch.from_numpy(mask)
            batch[f"{name}_mean"] = float(self._lengths(whole_of(request)).mean()) * len(rows) / shape[0]
        place = np.zeros(shape, np.int64)
        place.flat[places] = within
        batch[f"{self._name}{PLACE}"] = torch.from_numpy(place)
        batch.update(scale=scale, samples=len(rows) if scale else 0, tokens=len(places) if scale else 0)
        return batch

    def cells(self, request: Request) -> int:
        """As ``Gather``'s, of the rows that the texts are put into."""
        lengths = self._lengths(request[0])
        row, start = layout(lengths, self.room)
        return int(row.max() + 1) * int((start + lengths).max())

    def _lengths(self, rows: Rows) -> npt.NDArray[np.int64]:
        column: Ragged = self._ragged[self._name][0]
        return column.offsets[rows + 1] - column.offsets[rows]


def layout(lengths: npt.NDArray[np.int64], room: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First fit, the longest first: at most 11/9 of the fewest rows that would do, and 6/9 of one (Dósa 2007,
    doi:10.1007/978-3-540-74450-4_1).

    Returns:
        Of each text its row, and where it begins there, (texts,) each.
    """
    row, start = np.zeros(len(lengths), np.int64), np.zeros(len(lengths), np.int64)
    filled: list[int] = []
    for text in np.argsort(-lengths, kind="stable").tolist():
        length = int(lengths[text])
        found = next((i for i, used in enumerate(filled) if used + length <= room), len(filled))
        if found == len(filled):
            filled.append(0)
        row[text], start[text] = found, filled[found]
        filled[found] += length
    return row, start
