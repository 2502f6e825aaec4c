"""``predictions/<split>.parquet``: what was answered, row by row, and the errors in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from espalier.core.files import parse_json
from espalier.core.parquet import UNREADABLE, damaged

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
EXAMPLES = 25  # errors that are kept with their texts
_SLICE = "slice:"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a model said of each row of a split.

    Attributes:
        row: number of the row in its source, (N,).
        target, prediction: class indices, (N,); or, of any number of labels a row, 0 or 1 for each, (N, C).
        scores: probabilities, (N, C).
        length: tokens before a text was cut, (N,); None where the data has none.
        slices: name -> what each row belongs to, (N,).
    """

    right_is: ClassVar[str] = "accuracy"  # the share of rows that are right

    row: Ints
    target: Ints
    prediction: Ints
    scores: Floats
    length: Ints | None = None
    slices: Mapping[str, npt.NDArray[np.str_]] = field(default_factory=dict)

    @property
    def right(self) -> Bools:
        """Whether a row was answered right, (N,)."""
        same: Bools = (self.target == self.prediction).reshape(len(self.row), -1)
        return np.asarray(same.all(1))


class Predictions(Answers):
    """Of a classifier: one label a row."""

    @property
    def confidence(self) -> Floats:
        """The probability of the class that was predicted, (N,)."""
        return np.take_along_axis(self.scores, self.prediction[:, None], axis=1)[:, 0]

    def confusion(self) -> Ints:
        """How often target i was taken for j, (C, C)."""
        classes = self.scores.shape[1]
        return np.bincount(self.target * classes + self.prediction, minlength=classes**2).reshape(classes, classes)

    def worst(self, at_most: int = EXAMPLES) -> list[int]:
        """Positions of wrong predictions, the most confident first."""
        wrong = np.flatnonzero(~self.right)
        order = np.argsort(-self.confidence[wrong], kind="stable")
        return [int(position) for position in wrong[order][:at_most]]

    def error(self, i: int, text: str = "") -> dict[str, Any]:
        """A wrong prediction as a line of ``examples.jsonl``."""
        return {
            "row": int(self.row[i]),
            "text": text,
            "target": int(self.target[i]),
            "prediction": int(self.prediction[i]),
            "score": float(self.confidence[i]),
        }


class MultiLabel(Answers):
    """Of a task with any number of labels a row."""

    right_is: ClassVar[str] = "subset accuracy"


def read_predictions(path: Path) -> Predictions | MultiLabel | None:
    """The file's content; None where there is no file, no row, or not the columns of a task with labels.

    Raises:
        DataError: the file is cut off or damaged.
    """
    if not path.is_file():
        return None
    try:
        return answers_of(pq.read_table(path))
    except UNREADABLE as error:
        raise damaged(path, error) from None


def answers_of(table: pa.Table) -> Predictions | MultiLabel | None:
    """The same of a table: ``row``, ``target``, ``prediction``, ``scores``, maybe ``length`` and ``slice:<name>``."""
    if not table.num_rows or not {"row", "target", "prediction", "scores"} <= set(table.column_names):
        return None
    target, prediction, scores = (_array(table, name) for name in ("target", "prediction", "scores"))
    if target is None or prediction is None or scores is None or scores.ndim != 2:
        return None
    more = {
        "row": table["row"].to_numpy().astype(np.int64),
        "scores": scores.astype(np.float64),
        "length": table["length"].to_numpy().astype(np.int64) if "length" in table.column_names else None,
        "slices": {
            name.removeprefix(_SLICE): np.asarray([str(v) for v in table[name].to_pylist()])
            for name in table.column_names
            if name.startswith(_SLICE)
        },
    }
    if target.ndim == prediction.ndim == 1 and _are_indices(target) and _are_indices(prediction):
        return Predictions(target=target.astype(np.int64), prediction=prediction.astype(np.int64), **more)
    if target.shape == prediction.shape == scores.shape:
        return MultiLabel(target=target.astype(np.int64), prediction=prediction.astype(np.int64), **more)
    return None


def _array(table: pa.Table, name: str) -> npt.NDArray[Any] | None:
    """A column of numbers, (N,), or of lists of equal length, (N, C); None for anything else."""
    column = table[name].combine_chunks()
    kind = column.type
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    flat: npt.NDArray[Any] = (column.flatten() if listed else column).to_numpy(zero_copy_only=False)
    if not np.issubdtype(flat.dtype, np.number) and flat.dtype != np.bool_:
        return None
    if not listed:
        return flat
    return flat.reshape(len(column), -1) if len(set(column.value_lengths().to_pylist())) == 1 else None


def _are_indices(values: npt.NDArray[Any]) -> bool:
    return bool(np.issubdtype(values.dtype, np.integer))


def worst_errors(predictions: Predictions, examples: Path) -> Sequence[Mapping[str, Any]]:
    """``row``, ``text``, ``target``, ``prediction``, ``score`` of the most confident wrong predictions.

    As the run wrote them to ``examples`` (JSON lines); where it wrote none, the same without texts.
    """
    lines = examples.read_text(encoding="utf-8").split("\n") if examples.is_file() else []
    return [parse_json(line) for line in lines if line] or [predictions.error(i) for i in predictions.worst()]
