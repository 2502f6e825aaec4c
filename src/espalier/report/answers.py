"""What a run's predictions show, as the page tells it: confusion or labels, calibration, slices, lengths, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from espalier.core.outcome import Outcome
from espalier.report.lengths import length_histogram
from espalier.report.matrix import confused_pairs, confusion_matrix, matrix_width, reliability
from espalier.report.measures import ClassFigures, calibration, class_figures, label_figures
from espalier.report.predictions import Answers, MultiLabel, Predictions, read_predictions, worst_errors
from espalier.report.slices import LABEL, Slice, slices_of, worst_slice

_ERRORS_SHOWN = 8  # the others are folded
_SLICES_SHOWN = 12


@dataclass(frozen=True)
class Told:
    """Of one split. What a task does not have is empty.

    Attributes:
        wrong: rows that were not answered right: of several labels a row, all of them.
        labels: names in index order.
        classes: figures of each class or label.
        several: whether a row has any number of labels.
        matrix, reliability, lengths: pictures; ``matrix_width`` in pixels.
        pairs: (target, prediction, rows, share of the target's rows).
        ece: the outcome's, or None.
        slices: what tells rows apart -> the slices that are shown, and how many are not; labels stand in ``classes``.
        worst: the weakest slice, one of a label too.
        errors: the most confident ones; ``more_errors`` are folded.
    """

    split: str
    rows: int
    wrong: int
    labels: Sequence[str]
    classes: Sequence[ClassFigures]
    several: bool
    slices: Mapping[str, tuple[Sequence[Slice], int]]
    worst: Slice | None
    lengths: Markup | None = None
    matrix: Markup | None = None
    matrix_width: float = 0.0
    reliability: Markup | None = None
    pairs: Sequence[tuple[int, int, int, float]] = ()
    ece: float | None = None
    errors: Sequence[Mapping[str, Any]] = ()
    more_errors: Sequence[Mapping[str, Any]] = ()


def told_by(directory: Path, outcome: Outcome, *, texts: bool) -> Told | None:
    """What the test split's predictions show, or those of validation where only they are there.

    None where there are none, or none of a task with labels.

    Args:
        texts: whether rows' texts may be shown.
    """
    folder = directory / "predictions"
    for split in ("test", "validation"):
        if (answers := read_predictions(folder / f"{split}.parquet")) is not None:
            more = _of_classes(answers, folder, outcome, split, texts) if isinstance(answers, Predictions) else {}
            return _told(answers, outcome, split, more)
    return None


def _told(answers: Predictions | MultiLabel, outcome: Outcome, split: str, more: Mapping[str, Any]) -> Told:
    labels = labels_of(answers, outcome)
    slices = slices_of(answers, labels)
    cut_at = outcome.data.get("max_length")
    return Told(
        split=split,
        rows=len(answers.row),
        wrong=int((~answers.right).sum()),
        labels=labels,
        classes=label_figures(answers) if isinstance(answers, MultiLabel) else class_figures(answers.confusion()),
        several=isinstance(answers, MultiLabel),
        slices={
            name: (group[:_SLICES_SHOWN], len(group[_SLICES_SHOWN:])) for name, group in slices.items() if name != LABEL
        },
        worst=worst_slice(slices),
        lengths=length_histogram(answers.length, cut_at) if answers.length is not None else None,
        **more,
    )


def labels_of(answers: Answers, outcome: Outcome) -> list[str]:
    """The outcome's label names where they fit the scores, else numbers."""
    classes, given = answers.scores.shape[1], outcome.data.get("labels", [])
    known = isinstance(given, list) and len(given) == classes
    return [str(label) for label in (given if known else range(classes))]


def _of_classes(predictions: Predictions, folder: Path, outcome: Outcome, split: str, texts: bool) -> Mapping[str, Any]:
    labels, confusion = labels_of(predictions, outcome), predictions.confusion()
    bins = calibration(predictions)
    errors = [
        error if texts else {**error, "text": ""} for error in worst_errors(predictions, folder / "examples.jsonl")
    ]
    matrix = confusion_matrix(confusion, labels)
    return {
        "matrix": matrix,
        "matrix_width": matrix_width(labels) if matrix else 0.0,
        "pairs": confused_pairs(confusion),
        "reliability": reliability(bins, len(labels)) if bins else None,
        "ece": outcome.metrics.get(f"{split}/ece"),
        "errors": errors[:_ERRORS_SHOWN],
        "more_errors": errors[_ERRORS_SHOWN:],
    }
