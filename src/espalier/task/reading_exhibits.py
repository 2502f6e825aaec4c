"""What a reader shows besides its metrics: rows with and without an answer, slices, the worst answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from espalier.core.counted import Floats
from espalier.core.exhibits import Table, Texts

_SHOWN, _AROUND = 10, 140  # answers; characters on each side of a span
_SLICE = "slice:"


def by_kind(
    targets: Sequence[Sequence[str]], answers: Sequence[str], f1s: Floats, exacts: Floats, threshold: float
) -> Table:
    """F1, exact match, and how often an answer was given, of rows that have one, and have none."""
    has, given = np.array([bool(t) for t in targets], bool), np.array([bool(a) for a in answers], bool)
    groups = (("all", np.ones(len(has), bool)), ("an answer is there", has), ("there is none", ~has))
    rows = [(name, *_figures(f1s[of], exacts[of]), f"{given[of].mean():.3f}") for name, of in groups if of.any()]
    note = f"None is told where “no answer” scores more than {threshold:.2f} above the best span."
    return Table("Answers", ("questions", "F1", "exact", "rows", "answered"), tuple(rows), note=note)


def by_slice(table: pa.Table, rows: Any, f1s: Floats, exacts: Floats) -> list[Table]:
    """A table for each column by which rows are told apart; the rows with most questions first, 20 at most."""
    place = {row: position for position, row in enumerate(table["row"].to_pylist())}
    positions = [place[row] for row in rows.tolist()]
    shown = []
    for name in (name for name in table.column_names if name.startswith(_SLICE)):
        values = table[name].to_pylist()
        of = np.array([str(values[position]) for position in positions])
        kinds, counts = np.unique(of, return_counts=True)
        chosen = kinds[np.argsort(-counts, kind="stable")][:20].tolist()
        cells = tuple((kind or "(none)", *_figures(f1s[of == kind], exacts[of == kind])) for kind in chosen)
        title = name.removeprefix(_SLICE)
        shown.append(Table(f"Answers by {title}", (title, "F1", "exact", "rows"), cells, texts=True))
    return shown


def worst_answers(
    table: pa.Table, question: str, context: str, rows: Any, f1s: Floats, sure: Floats, told: Mapping[str, Any]
) -> list[Texts]:
    """The wrong answers of which the model was surest, with what stands around them and around the right ones.

    Args:
        question, context: columns of ``table``.
        rows: numbers of the rows, (N,); f1s: what each reached; sure: how sure its answer was.
        told: ``target``, ``answer``, ``begin``, ``end`` of each.
    """
    place = {row: position for position, row in enumerate(table["row"].to_pylist())}
    order = np.lexsort((-sure, f1s > 0))
    chosen = [i for i in order.tolist() if f1s[i] < 1][:_SHOWN]
    questions, contexts = table[question], table[context]
    items = []
    for i in chosen:
        position = place[int(rows[i])]
        text = contexts[position].as_py()
        said = told["answer"][i] or "no answer"
        right = " | ".join(dict.fromkeys(told["target"][i])) or "no answer"
        caption = f"row {rows[i]}   {questions[position].as_py()}   answered: {said}   right: {right}"
        spans = [(int(told["begin"][i]), int(told["end"][i]))] if told["answer"][i] else []
        spans += [(start, start + len(one)) for one in told["target"][i] if (start := text.find(one)) >= 0]
        items.append((caption, _around(text, spans)))
    return (
        [Texts("Worst answers", tuple(items), "The surest first; those with no word right before others.")]
        if items
        else []
    )


def _around(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The parts of a text around some spans; its beginning, where there are none."""
    parts: list[list[int]] = []
    for begin, end in sorted(spans) or [(0, _AROUND)]:
        low, high = max(0, begin - _AROUND), min(len(text), end + _AROUND)
        if parts and low <= parts[-1][1]:
            parts[-1][1] = max(high, parts[-1][1])
        else:
            parts.append([low, high])
    cut = " … ".join(text[low:high] for low, high in parts)
    return f"{'… ' if parts[0][0] else ''}{cut}{' …' if parts[-1][1] < len(text) else ''}"


def _figures(f1s: Floats, exacts: Floats) -> tuple[str, str, str]:
    return f"{f1s.mean():.3f}", f"{exacts.mean():.3f}", f"{len(f1s):,}"
