"""``predictions/<split>.parquet`` and the errors in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Predictions:
    """What a classifier said of each row of a split.

    Attributes:
        row: number of the row in its source, (N,).
        target: class indices, (N,).
        prediction: class indices, (N,).
        scores: class probabilities, (N, C).
    """

    row: Ints
    target: Ints
    prediction: Ints
    scores: Floats

    @property
    def confidence(self) -> Floats:
        """The probability of the class that was predicted, (N,)."""
        return np.take_along_axis(self.scores, self.prediction[:, None], axis=1)[:, 0]

    def confusion(self) -> Ints:
        """How often target i was taken for j, (C, C)."""
        classes = self.scores.shape[1]
        return np.bincount(self.target * classes + self.prediction, minlength=classes**2).reshape(classes, classes)

    def worst(self, at_most: int = 25) -> list[int]:
        """Positions of wrong predictions, the most confident first."""
        wrong = np.flatnonzero(self.prediction != self.target)
        order = np.argsort(-self.confidence[wrong], kind="stable")
        return [int(position) for position in wrong[order][:at_most]]


def read_predictions(path: Path) -> Predictions | None:
    """The file's content; None where there is no file, no row, or not the columns of a classifier."""
    if not path.is_file():
        return None
    table = pq.read_table(path)
    if not table.num_rows or not {"row", "target", "prediction", "scores"} <= set(table.column_names):
        return None
    row, target, prediction = (table.column(name).to_numpy() for name in ("row", "target", "prediction"))
    scores = table.column("scores").combine_chunks().flatten().to_numpy().astype(np.float64)
    return Predictions(row, target, prediction, scores.reshape(table.num_rows, -1))


def worst_errors(predictions: Predictions, examples: Path) -> Sequence[Mapping[str, Any]]:
    """``row``, ``text``, ``target``, ``prediction``, ``score`` of the most confident wrong predictions.

    As the run wrote them to ``examples`` (JSON lines); where it wrote none, the same without texts.
    """
    lines = examples.read_text(encoding="utf-8").split("\n") if examples.is_file() else []
    return [json.loads(line) for line in lines if line] or [_without_text(predictions, i) for i in predictions.worst()]


def _without_text(predictions: Predictions, i: int) -> dict[str, Any]:
    return {
        "row": int(predictions.row[i]),
        "text": "",
        "target": int(predictions.target[i]),
        "prediction": int(predictions.prediction[i]),
        "score": float(predictions.confidence[i]),
    }
