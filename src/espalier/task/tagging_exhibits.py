"""What a tagger shows besides its metrics: entities by type, sentences with most errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from espalier.core.counted import Floats, divided, f1
from espalier.core.exhibits import Table, Texts
from espalier.task.entities import Entity

_SHOWN = 8


def by_type(types: Sequence[str], counts: Floats) -> Table:
    """Precision, recall, F1 of each type, the most frequent first.

    Args:
        counts: tp, fp, fn of each type one after the other, of each sentence, (N, 3 x types).
    """
    each: Any = counts.sum(0).reshape(-1, 3).astype(float)
    tp, fp, fn = each.T
    figures = zip(types, divided(tp, tp + fp), divided(tp, tp + fn), f1(each), tp + fn, tp + fp, strict=True)
    rows = sorted(figures, key=lambda row: -row[4])
    return Table(
        "Entities by type",
        ("type", "precision", "recall", "F1", "entities", "predicted"),
        tuple((kind, *(f"{x:.3f}" for x in shares), f"{there:,.0f}", f"{called:,.0f}")
              for kind, *shares, there, called in rows),
        note="One is found if its type and all of its words are.",
    )  # fmt: skip


def worst_sentences(
    row: Sequence[int],
    words: Sequence[Sequence[str]],
    target: Sequence[Sequence[Entity]],
    predicted: Sequence[Sequence[Entity]],
) -> list[Texts]:
    """The sentences with most entities missed or made up; nothing where all are right."""
    found = []
    for number, text, there, called in zip(row, words, target, predicted, strict=True):
        missed, made_up = sorted(set(there) - set(called)), sorted(set(called) - set(there))
        if missed or made_up:
            said = [f"row {number}"]
            said += [f"missed: {_listed(text, missed)}"] if missed else []
            said += [f"made up: {_listed(text, made_up)}"] if made_up else []
            found.append((len(missed) + len(made_up), ("   ".join(said), " ".join(text))))
    found.sort(key=lambda pair: -pair[0])
    note = f"{len(found):,} of {len(row):,} sentences have one or more."
    items = tuple(item for _, item in found[:_SHOWN])
    return [Texts("Sentences with most errors", items, note)] if items else []


def _listed(words: Sequence[str], entities: Sequence[Entity]) -> str:
    return "; ".join(f"{' '.join(words[e.start : e.end])} ({e.type})" for e in entities)
