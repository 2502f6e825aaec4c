"""What a translator shows besides its metrics: translations beside their references, what BLEU is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from espalier.core.counted import COUNTS, Floats
from espalier.core.exhibits import Table, Texts
from espalier.task.bleu import bleu, chrf


@dataclass(frozen=True)
class Answered:
    """A row that was translated."""

    row: int
    source: str
    target: str
    translation: str
    chrf: float

    @property
    def item(self) -> tuple[str, str]:
        """As the report has it."""
        lines = (f"source: {self.source}", f"reference: {self.target}", f"translation: {self.translation}")
        return f"row {self.row}, chrF {self.chrf:.0f}", "\n".join(lines)


@dataclass(frozen=True)
class Rows:
    """The texts of a split, by number of the row."""

    texts: Mapping[int, tuple[str, str]]

    @staticmethod
    def of(table: pa.Table, source: str, target: str) -> Rows:
        """Of a table with both columns."""
        columns = (table[name].to_pylist() for name in ("row", source, target))
        return Rows({row: (read, told) for row, read, told in zip(*columns, strict=True)})

    def target(self, row: int) -> str | None:
        """What it should become."""
        return self.texts[row][1] if row in self.texts else None

    def answered(self, kept: Mapping[str, Any]) -> list[Answered]:
        """Those that were translated.

        Args:
            kept: ``row``, ``prediction`` and the counts of ``chrf``.
        """
        scores = chrf(np.asarray(kept[f"{COUNTS}chrf"], np.float64))
        rows = zip(kept["row"].tolist(), kept["prediction"], scores.tolist(), strict=True)
        return [Answered(r, *self.texts[r], told, s) for r, told, s in rows if told is not None and r in self.texts]


def examples(rows: Sequence[Answered], count: int) -> list[Texts]:
    """Some, evenly spread; the same ones each time."""
    size = min(count, len(rows))
    items = tuple(rows[i * len(rows) // size].item for i in range(size))
    return [Texts("Translations", items, "Rows at equal distances, none chosen.")] if items else []


def weakest(rows: Sequence[Answered], count: int) -> list[Texts]:
    """Those that have least in common with their references."""
    items = tuple(row.item for row in sorted(rows, key=lambda row: (row.chrf, row.row))[:count])
    note = "Those that have least in common with their references, by chrF of the single row."
    return [Texts("Weakest translations", items, note)] if items else []


def bleu_table(counts: Floats, signature: str) -> Table:
    """The shares of n-grams that are right, and lengths.

    Args:
        counts: what ``task.bleu.bleu`` sums, of each row.
        signature: sacreBLEU's.
    """
    *whole, ours, theirs = np.asarray(counts, np.float64).sum(0)
    matched, all_ = whole[:4], whole[4:]
    header = ("", *(f"{n} word{'s' * (n > 1)}" for n in range(1, 5)), "words written", "of the references", "BLEU")
    shares = [f"{100 * m / max(1.0, n):.1f} %" for m, n in zip(matched, all_, strict=True)]
    score = float(bleu(np.array([*whole, ours, theirs])))
    rows = (("right", *shares, f"{ours:,.0f}", f"{theirs:,.0f}", f"{score:.1f}"),)
    return Table("BLEU", header, rows, f"The share of n-grams that the references have; sacreBLEU {signature}")
