"""Labels: as they are written, as names in an order, as indices; and what is no label."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from espalier.core.arrays import array, numbers
from espalier.core.errors import DataError, Fault
from espalier.core.label_cells import parts_of, separator_of

SLICE = "slice:"
"""Prefix of the columns by which results are told apart."""

Label = str | tuple[str, ...]
Column = Sequence[Any] | npt.NDArray[Any]
_MANY = 20  # different labels, from which most rows having one of their own is no labelling
_SHOWN = 5
_ALIKE = 0.8  # "cuentas" is "cuenta", "c9" not "c1"


def as_text(value: Any) -> str | None:
    """A field as text; numbers and truth values as JSON writes them. None where there is nothing, or no such thing."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) and not math.isnan(value) else None


def as_labels(values: Sequence[Any], separator: str | None, where: Callable[[int], str]) -> list[Label | None]:
    """One label for each row, or a tuple of any number of them where the column holds lists or separated texts.

    A whole number is one label, whether it is stored as an integer or a float; blanks around one are none of it.

    Args:
        where: position -> where that row stands, for people.

    Raises:
        DataError: lists beside single labels, or what is neither.
    """
    lists = [isinstance(value, list | tuple | np.ndarray) for value in values]
    many = separator is not None or any(lists)
    labels: list[Label | None] = []
    for position, value in enumerate(values):
        if not many or (separator is not None and not lists[position]):
            text = _named(value)
            if text is None and not is_nothing(value):
                raise DataError(Fault("data.columns.label", f"is no label on {where(position)}: {value!r:.60}."))
            labels.append(None if text is None else text.strip() if separator is None else parts_of(text, separator))
        elif value is None:
            labels.append(None)
        elif not lists[position] or None in (inner := [_named(item) for item in value]):
            truth = f"is a list of labels on some rows, and on {where(position)} it is {value!r:.60}."
            raise DataError(Fault("data.columns.label", truth, "Write a list of texts on each row; [] for none."))
        else:
            labels.append(tuple(told for name in inner if (told := str(name).strip())))
    return labels


def _named(value: Any) -> str | None:
    # A table with an empty cell has floats where another one of the same rows has integers.
    return str(int(value)) if isinstance(value, float | np.floating) and float(value).is_integer() else as_text(value)


def as_slice(value: Any) -> str:
    """What a field tells results apart by: a text, a number, a date, …; ``""`` where there is nothing.

    A whole number is the same whether it is stored as an integer or a float.
    """
    value = value.item() if isinstance(value, np.generic) else value
    return "" if is_nothing(value) else _named(value) or str(value)


def is_empty(value: Any) -> bool:
    """Whether a field says nothing; no labels at all is something."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_many(values: Column) -> bool:
    """Whether rows have any number of labels."""
    return len(values) > 0 and isinstance(values[0], tuple | list)


def require_alike(values: Column, where: Callable[[int], str], *, many: bool) -> None:
    """Refuse rows of one label beside rows of any number: texts of one kind must not be read as those of the other.

    Args:
        where: position -> where that row stands, for people.
        many: what training rows have.

    Raises:
        DataError: names the first other row.
    """
    if isinstance(values, np.ndarray):
        return
    other = next((row for row, value in enumerate(values) if isinstance(value, tuple | list) is not many), None)
    if other is not None:
        here = repr(values[other] if many else list(values[other]))
        first = "a list of labels" if many else "one label"
        truth = f"is {first} on the first row, and on {where(other)} it is {here:.60}."
        raise DataError(Fault("data.columns.label", truth, "Write a list of texts on each row, or one text on each."))


def natural_order(names: set[str]) -> tuple[str, ...]:
    """Label names in the order in which people list them: numbers by value, words by alphabet."""
    try:
        values = {name: float(name) for name in names}
    except ValueError:
        return tuple(sorted(names))
    finite = all(map(math.isfinite, values.values()))  # "nan" is a word here
    return tuple(sorted(names, key=lambda name: (values[name], name) if finite else (0.0, name)))


def flat(values: Column) -> Iterable[str]:
    """Every label of every row."""
    return map(str, chain.from_iterable(values) if is_many(values) else values)


def indexed(values: Column, names: Sequence[str], *, many: bool) -> pa.Array:
    """int64 indices into ``names``; of any number of labels a row, a fixed-size list of 0 and 1 (uint8)."""
    place = {name: position for position, name in enumerate(names)}
    if not many:
        return array(np.asarray([place[str(value)] for value in values], np.int64))
    hot = np.zeros((len(values), len(names)), np.uint8)
    for row, labels in enumerate(values):
        hot[row, [place[str(label)] for label in labels]] = 1
    return array(hot)


def label_counts(column: Any, classes: int) -> npt.NDArray[np.int64]:
    """Rows that have each label, of a column that ``indexed`` made; (classes,)."""
    if pa.types.is_integer(column.type):
        return np.bincount(numbers(column), minlength=classes)
    counts: npt.NDArray[np.int64] = numbers(column).sum(0, dtype=np.int64)
    return counts


def require_labels(columns: dict[str, Any], names: dict[str, str], header: Sequence[str]) -> None:
    """Refuse a label column in which most rows have a label of their own: it holds texts, or an id, or a number.

    Args:
        columns: role -> values of the training rows.
        names: role -> name of the column.
        header: all columns there are, where that is known.

    Raises:
        DataError: says how often values occur, and which column may be the right one.
    """
    counts = Counter(columns["label"])
    once = sum(count == 1 for count in counts.values())
    rows = len(columns["label"])
    if len(counts) <= _MANY or once * 2 <= rows:
        return
    label = names.get("label")
    few = next((r for r, values in columns.items() if r != "label" and _is_labelling(values)), None)
    if few is not None and names.get(few):
        remedy = f"Are they swapped?  data.columns.{few}={label} data.columns.label={names[few]}"
    else:
        remedy = "Name the column that tells classes apart" + (f": {', '.join(header)}." if header else ".")
        barred = any(isinstance(value, str) and "|" in value for value in counts)
        if separator := separator_of(map(str, counts))[0] or ("|" if barred else ""):
            remedy += f"  If each row has several labels, set  data.label_separator='{separator}'"
    truth = f"has {len(counts):,} different values in {rows:,} rows, and {once:,} of them occur once: it is no label."
    raise DataError(Fault(f"data.columns.label={label}", truth, remedy))


def separator_notes(columns: Iterable[Column], separator: str | None) -> tuple[str, ...]:
    """What people should know of a separator that splits no label, or of cells that hold several and are not split.

    Args:
        columns: the labels of each split.
    """
    labels = [label for column in columns for label in column]
    if separator is None and is_many(labels):
        return ()
    if separator is not None and any(len(label) > 1 for label in labels if isinstance(label, tuple)):
        return ()
    other, cell = separator_of(part for label in labels for part in ([label] if isinstance(label, str) else label))
    if separator is not None:
        remedy = f"; cells such as {cell!r} would be split by data.label_separator='{other}'" if other else ""
        return (f"data.label_separator='{separator}' splits no cell: each row has one label, or none{remedy}",)
    if not other:
        return ()
    remedy = f"task=multilabel data.label_separator='{other}'"
    return (f"many labels hold {other!r}, as {cell!r} does: if such a row has several, set  {remedy}",)


def require_two(counts: npt.NDArray[np.int64], names: Sequence[str]) -> None:
    """Refuse training rows of one class. Raises ``DataError``."""
    present = [name for name, count in zip(names, counts, strict=True) if count]
    if len(present) < 2:
        only = repr(present[0]) if present else "none"
        raise DataError(
            Fault("data.columns.label", f"has one class only in training: {only}.",
                  "Name the column that tells classes apart, or raise data.limit.")
        )  # fmt: skip


def strange(values: Column, names: Sequence[str]) -> list[tuple[int, str]]:
    """(position, label) of the labels that are none of ``names``."""
    known = set(names)
    if not is_many(values):
        return [(row, str(value)) for row, value in enumerate(values) if str(value) not in known]
    return [(row, str(label)) for row, labels in enumerate(values) for label in labels if str(label) not in known]


def mended(strangers: Iterable[str], names: Sequence[str], of: str) -> str:
    """What to do about labels that are none of ``names``, which are those of some rows."""
    written = (form for label in strangers for form in (label.removesuffix(".0"), f"{label}.0"))
    if form := next((form for form in written if form in names), None):
        return f"Write numbers as {of} does: {form}."
    return "Mend those rows, or add such rows to training."


def said(found: Sequence[tuple[int, str]], where: Callable[[int], str], names: Sequence[str]) -> str:
    """``'C1' (21 rows, first line 3 of b.csv; did you mean 'c1'?), 'c9' (…) and 2 more``, the most frequent first.

    Args:
        found: (position, label) of labels that are none of ``names``.
        where: position -> where that row stands, for people.
    """
    first = dict(reversed([(label, row) for row, label in found]))
    counts = Counter(label for _, label in found).most_common()
    told = []
    for label, count in counts[:_SHOWN]:
        rows = "" if count == 1 else f"{count:,} rows, first "
        guess = _meant(label, names)
        told.append(f"{label!r} ({rows}{where(first[label])}{f'; did you mean {guess!r}?' if guess else ''})")
    return ", ".join(told) + (f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else "")


def _meant(label: str, names: Sequence[str]) -> str | None:
    """The name that a label was likely meant as: the same but for case, accents and blanks, or like it in spelling."""
    bare = {_bare(name): name for name in reversed(names)}
    found = [_bare(label)] if _bare(label) in bare else get_close_matches(_bare(label), bare, n=1, cutoff=_ALIKE)
    return bare[found[0]] if found and found[0] else None


def _bare(label: str) -> str:
    parts = unicodedata.normalize("NFKD", label.casefold())
    return " ".join("".join(sign for sign in parts if not unicodedata.combining(sign)).split())


def is_nothing(value: Any) -> bool:
    """Whether a field holds nothing: JSON's null, or NaN, which pandas writes of an empty cell."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _is_labelling(values: Column) -> bool:
    # Texts that stand in few forms each, as labels do.
    different = len(set(values)) if len(values) and isinstance(values[0], str) else len(values)
    return 2 <= different <= max(2, len(values) // 4)
