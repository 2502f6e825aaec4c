"""``tracking=csv``: metrics as a table, for a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping

from espalier.core.metrics_file import read_metrics
from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo

Row = dict[str, float]


class Csv:
    """``metrics.csv`` in the run directory: a row for each step at which something was logged, a column a metric.

    ``espalier train tracking=[wandb,csv]``

    A metric that comes up later gets its column when it does: the file is written anew, which happens a few times. The
    last step's row is held back until the next one begins; ``metrics.jsonl`` has it at once. Epochs count from 1.
    """

    def __init__(self) -> None:
        self._columns = ["step", "epoch"]
        self._rows: list[Row] = []
        self._written = 0

    def start(self, run: RunInfo, /) -> str:
        """Begin, or take up what ``metrics.jsonl`` has after a resume."""
        self._file = run.directory / "metrics.csv"
        self._rows = []
        for line in read_metrics(run.directory / "metrics.jsonl"):
            self._take({**line, "epoch": line["epoch"] + 1})
        self._write_anew()
        return ""

    def log(self, metrics: Mapping[str, float], step: int, /) -> None:
        """Add to the row of a step."""
        if self._take({"step": step, **metrics}):
            self._write_anew()
        elif len(self._rows) > self._written + 1:
            self._append(self._rows[self._written : -1])

    def finish(self, outcome: Outcome, /) -> str:  # noqa: ARG002  # a tracker's interface
        """Write the last row."""
        self._append(self._rows[self._written :])
        return ""

    def _take(self, values: Row) -> bool:
        """Into the row of its step; whether there is a column more."""
        if self._rows and self._rows[-1]["step"] == values["step"]:
            self._rows[-1] |= values
        else:
            self._rows.append(values)
        new = [name for name in values if name not in self._columns]
        self._columns += new
        return bool(new)

    def _write_anew(self) -> None:
        with self._file.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(self._columns)
        self._written = 0
        self._append(self._rows[:-1])

    def _append(self, rows: Iterable[Row]) -> None:
        with self._file.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns)
            for row in rows:
                writer.writerow(row)
                self._written += 1
