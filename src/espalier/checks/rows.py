"""What counting finds in rows: the same input twice, in two splits or with two labels; nothing in it; rare classes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from espalier.core.arrays import numbers
from espalier.core.facts import Kind, Raw, unit_of_kinds
from espalier.core.findings import Findings, Lengths, Suspect

_SPLITS = ("train", "validation", "test")
_INPUTS = ("text", "aside", "messages", "words", "image", "vector")
_NONE = -1

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Identities:
    """Which rows are the same.

    Attributes:
        of: split -> the number of each row's input, (rows,); equal inputs have equal numbers, over all splits.
        count: how many different inputs there are.
    """

    of: Mapping[str, Ids]
    count: int


def identities(raw: Raw) -> Identities:
    """Number the inputs of all splits.

    Costs 0.15 s for 25,000 texts of 1,300 characters.
    """
    numbers: dict[Any, int] = {}
    of = {}
    for split in _ordered(raw):
        rows = inputs(raw, split, raw.kinds)
        of[split] = np.fromiter((numbers.setdefault(key, len(numbers)) for key in rows), np.int64)
    return Identities(of, len(numbers))


def inputs(raw: Raw, split: str, kinds: Mapping[str, Kind]) -> Iterator[tuple[Any, ...]]:
    """Of each row what tells its input from others, of the roles that a model reads.

    Texts are the same whatever their case and the blanks and line ends between their words; images and vectors if they
    are so byte for byte; a row of several inputs (a pair of texts) if all of them are.
    """
    roles = [role for role, kind in kinds.items() if kind in _INPUTS]
    return zip(*(_keys(raw, split, role) for role in roles), strict=True)


def findings(raw: Raw, same: Identities | None = None) -> Findings:
    """Count what is the same, empty or rare; cheap enough for every run."""
    same = same or identities(raw)
    found = {split: np.unique(ids) for split, ids in same.of.items()}
    repeated = {split: len(ids) - len(found[split]) for split, ids in same.of.items()}
    shared: dict[str, dict[str, int]] = {}
    for earlier, later in combinations(found, 2):
        shared.setdefault(later, {})[earlier] = len(np.intersect1d(found[earlier], found[later], assume_unique=True))
    leaked = {split: len(np.intersect1d(found[split], _before(found, split), assume_unique=True)) for split in shared}
    return Findings(
        unit_of_kinds(raw.kinds),
        {split: len(ids) for split, ids in same.of.items()},
        _some(repeated),
        _some(leaked),
        {split: counts for split in shared if (counts := _some(shared[split]))},
        len(_conflicting(raw, same)),
        _some({split: len(_empty(raw, split)) for split in found}),
        classes(raw),
    )


def suspects(raw: Raw, same: Identities) -> list[Suspect]:
    """Every row that ``findings`` counts: leaked ones, those with several labels, repeated ones, empty ones."""
    first: dict[int, tuple[str, int]] = {}
    listed: dict[str, list[Suspect]] = {"leaked": [], "conflict": [], "repeated": [], "empty": []}
    conflicting = _conflicting(raw, same)
    for split, ids in same.of.items():
        rows, empty = numbers(raw.splits[split]["row"]), set(_empty(raw, split))
        for position, number in enumerate(ids.tolist()):
            before = first.setdefault(number, (split, int(rows[position])))
            like = "" if before == (split, int(rows[position])) else f"{before[0]} {before[1]}"
            if like:
                problem = "repeated" if before[0] == split else "leaked"
                listed[problem].append(suspect(raw, problem, split, position, like=like))
            if number in conflicting:
                rather = conflicting[number]
                listed["conflict"].append(suspect(raw, "conflict", split, position, suggested=rather, like=like))
            if position in empty:
                listed["empty"].append(suspect(raw, "empty", split, position))
    return [row for rows in listed.values() for row in rows]


def suspect(raw: Raw, problem: Any, split: str, position: int, **more: Any) -> Suspect:
    """The record of a row; ``more`` are fields of ``Suspect``."""
    table = raw.splits[split]
    texts = [table[role][position].as_py() for role, kind in raw.kinds.items() if kind == "text"]
    label, given = label_role(raw), ""
    if label:
        (names,) = raw.labels.values()
        given = names[table[label][position].as_py()]
    return Suspect(problem, split, table["row"][position].as_py(), "\n".join(texts), given, **more)


def label_role(raw: Raw) -> str | None:
    """The column of the one label that each row has, from one source; None where labels are otherwise."""
    roles = [role for role, kind in raw.kinds.items() if kind == "label"]
    return roles[0] if len(roles) == 1 and len(raw.labels) == 1 else None


def lengths(raw: Raw, max_length: int | None) -> dict[str, Lengths]:
    """Split -> words of its texts (of a pair: of both together); nothing where there are no texts."""
    roles = [role for role, kind in raw.kinds.items() if kind == "text"]
    found = {}
    for split in _ordered(raw) if roles else ():
        table = raw.splits[split]
        counts = [numbers(pc.list_value_length(pc.utf8_split_whitespace(table[role]))) for role in roles]
        words: Ids = np.sum(counts, axis=0, dtype=np.int64)
        over = int((words > max_length).sum()) if max_length is not None else 0
        found[split] = Lengths(int(np.median(words)), int(words.max()), max_length, over)
    return found


def _ordered(raw: Raw) -> list[str]:
    return [split for split in _SPLITS if split in raw.splits]


def _keys(raw: Raw, split: str, role: str) -> Iterator[Any]:
    column = raw.splits[split][role]
    if raw.kinds[role] == "words":
        yield from (tuple(word.lower() for word in words) for words in column.to_pylist())
        return
    if raw.kinds[role] == "messages":
        yield from (tuple((one["role"], _plain(one["content"].lower())) for one in row) for row in column.to_pylist())
        return
    if raw.kinds[role] in ("text", "aside"):
        yield from map(_plain, pc.utf8_trim_whitespace(pc.utf8_lower(column)).to_pylist())
        return
    for row in numbers(column):
        yield hashlib.blake2b(row.tobytes(), digest_size=16).digest()  # all rows themselves would be held twice


def _plain(text: str) -> str:
    # Most texts hold single blanks only, and finding that out takes a tenth of splitting them.
    if text.isascii() and not ("  " in text or "\n" in text or "\t" in text or "\r" in text):
        return text
    return " ".join(text.split())


def _before(found: Mapping[str, Ids], split: str) -> Ids:
    names = list(found)
    earlier = [found[name] for name in names[: names.index(split)]]
    return np.unique(np.concatenate(earlier)) if earlier else np.zeros(0, np.int64)


def _conflicting(raw: Raw, same: Identities) -> dict[int, str]:
    """Inputs that stand with several labels -> the label that most of their rows have, or "" if none has."""
    role = label_role(raw)
    if role is None:
        return {}
    (names,) = raw.labels.values()
    ids = np.concatenate(list(same.of.values()))
    labels = np.concatenate([numbers(raw.splits[split][role]) for split in same.of])
    several = np.flatnonzero(np.bincount(ids, minlength=same.count) > 1)
    mixed = {}
    within = np.isin(ids, several)
    rows: dict[int, Counter[int]] = {}
    for number, label in zip(ids[within].tolist(), labels[within].tolist(), strict=True):
        rows.setdefault(number, Counter())[label] += 1
    for number, counts in rows.items():
        if len(counts) > 1:
            (top, most), (_, next_most) = counts.most_common(2)
            mixed[number] = names[top] if most > next_most else ""
    return mixed


def _empty(raw: Raw, split: str) -> list[int]:
    """Positions of rows one of whose texts is blank."""
    table = raw.splits[split]
    blank = np.zeros(table.num_rows, bool)
    for role, kind in raw.kinds.items():
        if kind == "text":
            blank |= numbers(pc.binary_length(pc.utf8_trim_whitespace(table[role]))) == 0
    return np.flatnonzero(blank).tolist()


def classes(raw: Raw) -> dict[str, dict[str, int]]:
    """Split -> label -> rows that have it; empty where labels do not stand in one column and come from one source."""
    roles = [role for role, kind in raw.kinds.items() if kind in ("label", "labels")]
    if len(roles) != 1 or len(raw.labels) != 1:
        return {}
    (names,) = raw.labels.values()
    counted = {}
    for split in _ordered(raw):
        column = raw.splits[split][roles[0]]
        single = pa.types.is_integer(column.type)
        counts = np.bincount(numbers(column), minlength=len(names)) if single else numbers(column).sum(0, dtype=int)
        told = names[:-1] if raw.outside and split == "train" else names  # training has none that are of no class
        counted[split] = dict(zip(told, counts.tolist(), strict=False))
    return counted


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
