"""Cells of labels: whether one holds several, and what stands between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_USUAL = "|;,"


def separator_of(cells: Iterable[str]) -> tuple[str, str]:
    """What of ``|``, ``;``, ``,`` stands between several labels in a cell, and such a cell; two empty texts for none.

    Most labels of such cells stand in other cells too, alone or beside others: of ``Toys, games`` none does.
    """
    different = dict.fromkeys(cell.strip() for cell in dict.fromkeys(cells))
    for separator in _USUAL:
        several = [parts for cell in different if len(parts := parts_of(cell, separator)) > 1]
        known = Counter(part for cell in different for part in set(parts_of(cell, separator)))
        told = {part for parts in several for part in parts}
        if len(several) > 1 and 2 * sum(known[part] > 1 for part in told) > len(told):
            return separator, next(cell for cell in different if len(parts_of(cell, separator)) > 1)
    return "", ""


def parts_of(cell: str, separator: str) -> tuple[str, ...]:
    """The labels of a cell, without blanks around them."""
    return tuple(part for piece in cell.split(separator) if (part := piece.strip()))
