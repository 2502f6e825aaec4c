"""What data options share whose texts come as words with a tag each: reading, checking, the tags' names."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, Unpack

from espalier.core.errors import DataError, Fault
from espalier.core.facts import Kind, Raw
from espalier.core.jsonl import read_records
from espalier.core.parquet import read_parquet
from espalier.data.common import Common, Source, TableData
from espalier.data.labels import SLICE, as_slice, said
from espalier.data.paths import Files
from espalier.data.text_table import Reading, Split, Tabular, require_column, source_of

OUTSIDE = "O"
_TAG = re.compile(r"[BI]-.+")
_ROLES = ("words", "tags")
_SHOWN = 5


class TaggedData(TableData):
    """Words and their tags in the IOB2 scheme: ``B-<type>`` begins an entity, ``I-<type>`` goes on, ``O`` is none.

    Names of tags are ``O``, then ``B-`` and ``I-`` of each type in alphabetical order, of the types that training has.
    A subclass says which files there are.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"words": "words", "tags": "tags"}
    labelled: ClassVar[bool] = False

    def __init__(
        self,
        *,
        columns: Mapping[str, str],
        slices: Sequence[str] = (),
        on_null: Literal["error", "drop"] = "error",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, **common)
        self.slices, self.on_null = slices, on_null
        self._known: tuple[str, ...] = ()

    @abstractmethod
    def files(self) -> tuple[Files, str]:
        """Split -> its files, JSON lines or parquet; and where they lie, for people. Raises ``DataError``."""

    def tables(self) -> Source:
        """Read the files; see ``read_tagged``."""
        files, origin = self.files()
        return read_tagged(files, self.columns, self.slices, self.on_null, origin, self._known)

    def rows(self, labels: tuple[str, ...]) -> Raw:
        """See ``TableData.rows``; a type that is none of the model's is refused."""
        self._known = labels
        try:
            return super().rows(labels)
        finally:
            self._known = ()


def read_tagged(
    files: Files,
    columns: Mapping[str, str],
    slices: Sequence[str],
    on_null: Literal["error", "drop"],
    origin: str,
    known: tuple[str, ...] = (),
) -> Source:
    """Read the files of each split, one after the other; a later file's row numbers go on.

    Args:
        columns: ``words`` and ``tags`` -> column.
        slices: columns by which results are told apart.
        on_null: whether rows without words are an error, or are dropped and counted.
        known: names of tags, where a trained model has them; else they are taken from the training rows.

    Raises:
        DataError: a column that is missing, words or tags that are no lists, another number of tags than words, a tag
            that is none, a type that training (or the model) lacks, rows without words.
    """
    splits: dict[str, Split] = {}
    for name, paths in files.items():
        splits[name] = Split({})
        for path in paths:
            _add(splits[name], path, columns, slices, on_null)
    names = known or names_of(tag for row in splits["train"].columns["tags"] for tag in row)
    unit, of = "row" if _is_parquet(files["train"][0]) else "line", "the model" if known else "training"
    source = source_of(splits, Reading(columns, unit=unit), origin, names)
    for name, split in splits.items():
        split.columns["tags"] = _indexed(split.columns["tags"], names, source, name, of)
    return source


def _add(
    split: Split, path: Path, columns: Mapping[str, str], slices: Sequence[str], on_null: Literal["error", "drop"]
) -> None:
    """Add a file's rows to a split, under numbers that go on."""
    parquet = _is_parquet(path)
    table: Tabular = read_parquet(path, [*columns.values(), *slices]) if parquet else read_records(path)
    unit = "row" if parquet else "line"
    for role, name in [*columns.items(), *(("slices", name) for name in slices)]:
        require_column(role, name, table.header, str(path))
    rows = [
        _row(words, tags, columns, f"{unit} {number} of {path}")
        for number, words, tags in zip(table.numbers, *(table.column(columns[role]) for role in _ROLES), strict=True)
    ]
    empty = [table.numbers[i] for i, (words, _) in enumerate(rows) if not words]
    if empty and on_null == "error":
        raise _no_words(path, unit, empty)
    kept = [i for i, (words, _) in enumerate(rows) if words]
    found: dict[str, list[Any]] = {role: [rows[i][place] for i in kept] for place, role in enumerate(_ROLES)}
    for name in slices:
        values = table.column(name)
        found[f"{SLICE}{name}"] = [as_slice(values[i]) for i in kept]
    for role, column in found.items():
        split.columns.setdefault(role, []).extend(column)
    start = split.numbers[-1] + 1 if split.numbers else 0
    split.numbers += [start + table.numbers[i] for i in kept]
    split.begins.append((start, str(path)))
    split.header, split.empty = table.header, split.empty + len(empty)


def _is_parquet(path: Path) -> bool:
    return path.name.endswith(".parquet")


def _row(words: Any, tags: Any, columns: Mapping[str, str], where: str) -> tuple[list[str], list[str]]:
    """Its words and tags; none where it lacks its words."""
    if words is None or words == []:
        return [], []
    for role, values in zip(_ROLES, (words, tags), strict=True):
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            truth = f"is no list of texts on {where}: {values!r:.60}."
            raise DataError(Fault(f"data.columns.{role}={columns[role]}", truth, "Write a list on each row."))
    if len(words) != len(tags):
        raise DataError(Fault(where, f"has {len(words)} words and {len(tags)} tags.", "Write a tag for each word."))
    if strange := next((tag for tag in tags if tag != OUTSIDE and not _TAG.fullmatch(tag)), None):
        raise DataError(
            Fault(where, f"has the tag {strange!r}, which is none of an entity.", "Write O, B-TYPE or I-TYPE.")
        )
    return words, tags


def names_of(tags: Iterable[str]) -> tuple[str, ...]:
    """``O``, and both tags of each type that occurs."""
    types = sorted({tag[2:] for tag in tags if tag != OUTSIDE})
    return (OUTSIDE, *(f"{begin}-{kind}" for kind in types for begin in "BI"))


def _indexed(
    rows: Sequence[Sequence[str]], names: Sequence[str], source: Source, split: str, of: str
) -> list[list[int]]:
    place = {name: index for index, name in enumerate(names)}
    found = [(row, tag) for row, tags in enumerate(rows) for tag in tags if tag not in place]
    if found:
        listed = said(found, partial(source.where, split), names)
        known = ", ".join(sorted({name[2:] for name in names if name != OUTSIDE})) or "no entity"
        truth = f"have tags of types that {of} lacks: {listed}. {of[0].upper()}{of[1:]} has {known}."
        raise DataError(Fault(f"the {split} rows", truth, "Mend those rows, or add such rows to training."))
    return [[place[tag] for tag in tags] for tags in rows]


def _no_words(path: Path, unit: str, numbers: Sequence[int]) -> DataError:
    more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    truth = f"has no words on {unit} {', '.join(map(str, numbers[:_SHOWN]))}{more}."
    return DataError(Fault(str(path), truth, "Fill them, or set data.on_null=drop."))
