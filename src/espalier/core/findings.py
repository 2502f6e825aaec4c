"""What checking data found, as plain records: ``Findings`` (counts), ``Suspect`` (a row), ``Doubts`` (labels)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Problem = Literal["leaked", "repeated", "conflict", "empty", "label"]
"""``leaked``: stands in an earlier split too. ``repeated``: stands in its own split before. ``conflict``: stands with
several labels. ``empty``: says nothing. ``label``: its label is doubted."""


@dataclass(frozen=True)
class Findings:
    """What counting finds. Rows are the same where their inputs are (see ``checks.rows.identities``).

    Attributes:
        unit: what a row is: ``texts``, ``images``, ``samples``.
        rows: split -> rows, in the order train, validation, test.
        repeated: split -> rows whose input stands in the same split before.
        leaked: split -> different inputs that stand in an earlier split too.
        shared: split -> earlier split -> different inputs that both have.
        conflicts: different inputs that stand with several labels.
        empty: split -> rows that say nothing.
        classes: split -> label -> rows that have it; empty where labels do not come from one source.
    """

    unit: str
    rows: Mapping[str, int]
    repeated: Mapping[str, int] = field(default_factory=dict)
    leaked: Mapping[str, int] = field(default_factory=dict)
    shared: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    conflicts: int = 0
    empty: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def imbalance(self) -> float:
        """Training rows of the largest class for one of the smallest class that has any; 1 where there are none."""
        counts = [count for count in self.classes.get("train", {}).values() if count]
        return max(counts) / min(counts) if counts else 1.0

    @property
    def single(self) -> list[str]:
        """Classes of one training row."""
        return [name for name, count in self.classes.get("train", {}).items() if count == 1]

    @property
    def absent(self) -> dict[str, list[str]]:
        """Split -> classes that have no row there, of those that have some elsewhere."""
        present = {name for counts in self.classes.values() for name, count in counts.items() if count}
        lacking = {
            split: [n for n in counts if n in present and not counts[n]] for split, counts in self.classes.items()
        }
        return {split: names for split, names in lacking.items() if names}

    def summary(self) -> dict[str, Any]:
        """What a run's outcome keeps: the counts, and of the classes what is remarkable."""
        kept = asdict(self)
        del kept["unit"], kept["rows"], kept["classes"]
        return {**kept, "imbalance": round(self.imbalance, 2), "single": self.single, "absent": self.absent}


@dataclass(frozen=True)
class Suspect:
    """A row that somebody should look at.

    Attributes:
        row: its number in its source.
        text: of the row; ``""`` for images and vectors.
        given: its label, ``""`` where it has none or several.
        suggested: the label that it may rather have, or ``""``.
        score: of a doubted label, how likely the given one is, 0 to 1; else 0.
        like: ``train 17``: the first row of the same input, or ``""``.
    """

    problem: Problem
    split: str
    row: int
    text: str
    given: str = ""
    suggested: str = ""
    score: float = 0.0
    like: str = ""


@dataclass(frozen=True)
class Doubts:
    """Labels that a classifier, which never saw the row, confidently contradicts.

    Attributes:
        suspects: the least likely label first.
        rows: that were judged.
        agreement: share of the labels that the classifier would give too.
        features: what it saw, for people.
    """

    suspects: Sequence[Suspect]
    rows: int
    agreement: float
    features: str


@dataclass(frozen=True)
class Lengths:
    """Words of the texts of a split.

    Attributes:
        limit: ``data.max_length``, or None.
        over: rows with more words than ``limit`` tokens; a word is at least one token, so all of them are cut.
    """

    median: int
    longest: int
    limit: int | None
    over: int
