"""Splitting and thinning rows: fixed choices, so that a sweep over seeds compares models on the same rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from espalier.core.arrays import array, numbers
from espalier.core.errors import DataError, Fault

_CHOICE = 20260101  # not the run's seed: the split belongs to the data


def cut(
    splits: Mapping[str, pa.Table], shares: Mapping[str, float], *, by: str | None, together: str | None = None
) -> dict[str, pa.Table]:
    """Cut ``validation`` and ``test`` from ``train`` where they are missing, with equal shares of each class.

    Args:
        splits: what the source has; ``train`` at least.
        shares: split -> share of the training rows, 0 for none.
        by: the column whose values keep their shares; rows with any number of labels (a list of 0 and 1) go by the
            rarest that they have. None: all rows are alike.
        together: a column of texts, in place of ``by``: rows that have the same one stay in one split.

    Returns:
        The splits in the order train, validation, test. Of each label one row at least stays in training.

    Raises:
        DataError: the shares leave nothing to train on; there are fewer texts that stay together than splits.
    """
    wanted = {s: shares.get(s, 0.0) for s in ("validation", "test") if s not in splits and shares.get(s, 0.0) > 0}
    if sum(wanted.values()) >= 1:
        given = ", ".join(f"{split}: {share}" for split, share in shares.items())
        raise DataError(Fault(f"data.split={{{given}}}", "leaves no rows to train on.", "Let them sum to less than 1."))
    result = dict(splits)
    if wanted:
        train = splits["train"]
        if together:
            place = _places_together(train[together].to_pylist(), wanted)
        else:
            groups, kept = _strata(train[by]) if by else (np.zeros(train.num_rows, np.int64), np.empty(0, np.int64))
            place = _places(groups, kept, list(wanted.values()))
        for position, split in enumerate(("train", *wanted)):
            result[split] = train.take(array(np.flatnonzero(place == position)))
    return {split: result[split] for split in ("train", "validation", "test") if split in result}


def thin(table: pa.Table, limit: int | None, *, running: bool = False) -> pa.Table:
    """At most ``limit`` rows, chosen at random once and for all, in their old order; of running text the first."""
    if limit is None or table.num_rows <= limit:
        return table
    if running:
        return table.slice(0, limit)
    chosen = np.random.default_rng(_CHOICE).permutation(table.num_rows)[:limit]
    return table.take(array(np.sort(chosen)))


def _strata(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.int64]]:
    """What rows are grouped by, and rows that must stay in training so that each label is learned."""
    if not pa.types.is_fixed_size_list(column.type):
        return numbers(column), np.empty(0, np.int64)
    hot = numbers(column).astype(bool)
    counts = hot.sum(0)
    rarity = np.argsort(np.argsort(counts, kind="stable"))  # 0: the rarest label
    rarest = np.where(hot, rarity, hot.shape[1]).min(1)
    return rarest, hot[:, counts > 0].argmax(0)


def _places(groups: npt.NDArray[np.generic], kept: npt.NDArray[np.int64], shares: list[float]) -> npt.NDArray[np.int64]:
    # Rows of each group, shuffled, stand evenly spaced on [0, 1): the first share of it is cut off, then the next.
    generator = np.random.default_rng(_CHOICE)
    position = np.empty(len(groups))
    for group in np.unique(groups):
        rows = generator.permutation(np.flatnonzero(groups == group))
        position[rows] = (np.arange(len(rows)) + generator.random()) / len(rows)
        position[rows[-1]] = 1.0  # so that training has each class, also one of a single row
    position[kept] = 1.0
    bounds = np.cumsum(shares)
    place = np.searchsorted(bounds, position, side="right") + 1
    return np.where(place > len(shares), 0, place)


def _places_together(texts: list[str], shares: Mapping[str, float]) -> npt.NDArray[np.int64]:
    """Whole texts, shuffled, are put into a split as long as each brings it nearer to its share of the rows.

    Where all are too large for that, a split gets the smallest. Raises ``DataError``: there are fewer than splits.
    """
    _, which = np.unique(np.array(texts, object), return_inverse=True)
    counts = np.bincount(which).tolist()
    if len(counts) <= len(shares):
        truth = f"asks for {len(shares) + 1} splits, and there are {len(counts):,} groups of rows that stay together."
        remedy = f"Name files of their own for {' and '.join(shares)}."
        raise DataError(Fault("data.split", truth, remedy))
    place = np.zeros(len(counts), np.int64)
    left = np.random.default_rng(_CHOICE).permutation(len(counts)).tolist()
    for number, share in enumerate(shares.values(), start=1):
        wanted, spare = share * len(which), len(left) - (len(shares) - number) - 1  # the others need one text each
        taken: list[int] = []
        held = 0
        for text in left:
            if len(taken) < spare and 2 * (wanted - held) >= counts[text]:
                taken.append(text)
                held += counts[text]
        taken = taken or [min(left, key=counts.__getitem__)]
        place[taken] = number
        left = [text for text in left if not place[text]]
    return place[which]
