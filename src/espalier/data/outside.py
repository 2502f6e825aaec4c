"""Rows that are of none of the classes: known by their label, never trained on, told apart on validation and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from espalier.core.errors import DataError, Fault
from espalier.core.facts import OUT_OF_SCOPE
from espalier.data.labels import is_many
from espalier.data.split import cut

if TYPE_CHECKING:
    from espalier.data.common import Source

Left = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Outside:
    """How such rows are known.

    Attributes:
        label: theirs, as it is written.
        word: the setting that says so.
        without: the setting by which there are no such rows.
    """

    label: str
    word: str
    without: str


def called_outside(source: Source, outside: Outside) -> Source:
    """The source with ``OUT_OF_SCOPE`` in place of the label that such rows have.

    Raises:
        DataError: rows have any number of labels; a class of its own is called ``OUT_OF_SCOPE``.
    """
    splits = {}
    for split, columns in source.splits.items():
        if "label" not in columns:
            return source  # which is refused for that
        if is_many(columns["label"]):
            truth = "is for rows of one label each, and these have any number of them: a row of no class has none."
            raise DataError(Fault(outside.word, truth, f"Set  {outside.without}"))
        written = list(map(str, columns["label"]))
        if outside.label != OUT_OF_SCOPE and OUT_OF_SCOPE in written:
            truth = f"{OUT_OF_SCOPE!r} is a label of {source.origin} as well."
            raise DataError(Fault(outside.word, truth, "Write both labels alike."))
        named = [OUT_OF_SCOPE if name == outside.label else name for name in written]
        splits[split] = {**columns, "label": named}
    return replace(source, splits=splits)


def cut_around(
    whole: Mapping[str, pa.Table], shares: Mapping[str, float], names: Sequence[str]
) -> tuple[dict[str, pa.Table], Left]:
    """As ``data.split.cut``; but of the training rows that are of no class none is left in training.

    They go to the splits that are cut from training, in the proportion of their shares; where none is, nowhere.

    Args:
        whole: split -> rows; ``label`` is a number of ``names``, the last one for such rows.

    Returns:
        The splits; and split -> reason -> how many rows went nowhere.

    Raises:
        DataError: see ``cut``.
    """
    inside = pc.less(whole["train"]["label"], len(names) - 1)
    splits = cut({**whole, "train": whole["train"].filter(inside)}, shares, by="label")
    outside = whole["train"].filter(pc.invert(inside))
    wanted = {split: shares[split] for split in splits if split not in whole}
    if not wanted:
        return splits, {"train": {"out of scope": outside.num_rows}} if outside.num_rows else {}
    first, *others = wanted
    given = cut({"train": outside}, {split: wanted[split] / sum(wanted.values()) for split in others}, by=None)
    given[first] = given.pop("train")
    return {s: pa.concat_tables([table, given[s]]) if s in given else table for s, table in splits.items()}, {}


def with_outside(names: Sequence[str], outside: Outside) -> tuple[str, ...]:
    """The classes' names, and behind them what rows of none of them are called."""
    return (*(name for name in names if name not in (OUT_OF_SCOPE, outside.label)), OUT_OF_SCOPE)


def require_outside(splits: Mapping[str, pa.Table], names: Sequence[str], outside: Outside) -> None:
    """Refuse data without rows of no class on validation, by which a model's threshold is chosen.

    Raises:
        DataError: there are none.
    """
    if not pc.any(pc.equal(splits["validation"]["label"], len(names) - 1)).as_py():
        known = ", ".join(map(repr, names[:-1][:10])) + (" …" if len(names) > 11 else "")
        truth = f"finds no row of validation, by which a threshold is to be chosen; labels there are: {known}."
        raise DataError(Fault(outside.word, truth, f"Mend it, raise data.limit, or set  {outside.without}"))
