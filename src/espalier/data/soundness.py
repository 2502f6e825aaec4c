"""What the rows of a source must be before they are split: there, of one length, with labels that are known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from espalier.core.errors import DataError, Fault
from espalier.data import labels as labelling
from espalier.data.labels import is_many

if TYPE_CHECKING:
    from espalier.data.common import Source


def require_equal_lengths(source: Source) -> None:
    """Refuse columns of different length. Raises ``DataError``."""
    for split, columns in source.splits.items():
        lengths = {role: len(values) for role, values in columns.items()}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{count:,} of {role}" for role, count in lengths.items())
            raise DataError(Fault(source.origin, f"has unequal numbers of values in its {split} rows: {found}."))


def require_rows(source: Source) -> None:
    """Refuse a source without training rows, and a split of which all rows were left out. Raises ``DataError``."""
    for split, columns in source.splits.items():
        if any(map(len, columns.values())):
            continue
        if lost := source.dropped.get(split):
            reasons = ", ".join(f"{count:,} dropped: {reason}" for reason, count in lost.items())
            first, *others = [name for _, name in source.places.get(split, ())] or [source.origin]
            files = f"{first} and {len(others)} more" if others else first
            raise DataError(Fault(files, f"has no {split} rows left ({reasons}).", "Mend them, or name other files."))
        if split == "train":
            raise DataError(Fault(source.origin, "has no rows to train on."))


def require_labels(source: Source, first: str) -> bool:
    """Whether rows have any number of labels; all as those of the split ``first``. Raises ``DataError``."""
    if "label" not in source.splits[first]:
        columns = f" of {', '.join(source.header)}" if source.header else ""
        raise DataError(Fault("data.columns.label=null", "leaves rows without labels.", f"Name their column{columns}."))
    many = is_many(source.splits[first]["label"])
    for split, columns_of in source.splits.items():
        labelling.require_alike(columns_of["label"], partial(source.where, split), many=many)
    return many


def require_known_labels(source: Source, names: Sequence[str], of: str = "training") -> None:
    """Refuse labels that are none of ``names``, which are those ``of`` something. Raises ``DataError``."""
    for split, columns in source.splits.items():
        if not (found := labelling.strange(columns["label"], names)):
            continue
        listed = labelling.said(found, partial(source.where, split), names)
        known = ", ".join(map(repr, names[:10])) + (" …" if len(names) > 10 else "")
        remedy = labelling.mended([label for _, label in found], names, of)
        lacks = f"have labels that {of} lacks: {listed}. {of[0].upper()}{of[1:]} has {known}."
        raise DataError(Fault(f"the {split} rows", lacks, remedy))
