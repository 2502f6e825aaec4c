"""Rows a second of ``espalier predict`` beside those of the training that made the model, and its memory."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

from benches.machine import ESPALIER, child
from benches.records import Figure, Measured, Row, Settings

_ROWS = 100_000
_MEASURE = (  # a process of its own, so that the peak is the command's alone
    "import resource, subprocess, sys, time; began = time.perf_counter(); code = subprocess.call(sys.argv[1:]); "
    "print('', time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
)
_WORDS = (
    "Where is my parcel", "I want my money back for order", "Cancel my subscription from", "The card was charged twice",
    "It came broken and I would like another one for number", "Please change my address to street",
)  # fmt: skip


def predicting(settings: Settings) -> Measured:
    """Train MiniLM, by LoRA and all of it, on such rows; let the latter predict a tenth of them, then all."""
    rows, few = (2_000, 128) if settings.quick else (_ROWS, 1_024)
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as name:
        folder = Path(name)
        _write(folder / "train.csv", few)
        trained = {adapter: _train(folder, adapter) for adapter in ("lora", "full")}
        _, small = _predict(folder, rows // 10)
        seconds, peak = _predict(folder, rows)
    rate = rows / seconds
    ours = (
        Figure("predicts", "rows/s", (rate,)),
        Figure("memory at the peak", "MB", (peak,)),
        Figure("of a tenth of the rows", "MB", (small,)),
    )
    beside = {f"training, adapter={adapter}": (Figure("", "rows/s", (found,)),) for adapter, found in trained.items()}
    holds = rate >= 3 * trained["full"] and peak <= 1.1 * small
    return Measured(ours, beside, "3 times the rate of full training, memory that does not grow with the rows", holds)


def _train(folder: Path, adapter: str) -> float:
    """Rows a second; ``outputs/latest`` is the run."""
    words = [f"adapter={adapter}", "data=csv", "data.path=train.csv", "tracking=none", "task.bootstrap=0"]
    child([ESPALIER, "train", *words, "trainer.max_epochs=1"], cwd=folder)
    outcome = json.loads((folder / "outputs" / "latest" / "outcome.json").read_text())
    return float(outcome["cost"]["samples_per_second"])


def _write(file: Path, rows: int) -> None:
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "text", "label"])
        for i in range(rows):
            kind = i % len(_WORDS)
            writer.writerow((i, f"{_WORDS[kind]} {i}{', please' * (i % 4)}", f"kind {kind}"))


def _predict(folder: Path, rows: int) -> tuple[float, float]:
    """Seconds, and MB at the peak."""
    _write(folder / "rows.csv", rows)
    command = [ESPALIER, "predict", "run=outputs/latest", "input=rows.csv", "output=answers.csv"]
    done = child(["python3", "-c", _MEASURE, *command], cwd=folder)
    seconds, kilobytes = map(float, done.stdout.split()[-2:])
    with (folder / "answers.csv").open(newline="") as file:
        if sum(1 for _ in csv.reader(file)) != rows + 1:
            raise SystemExit("bench: the output has not all rows")
    return seconds, kilobytes / 1000


SOURCES = (
    "src/espalier/run/predict.py", "src/espalier/run/given.py", "src/espalier/core/chunks.py",
    "src/espalier/core/sinks.py", "src/espalier/build/restore.py", "scripts/benches/predict.py",
)  # fmt: skip
ROWS = (Row("predict", "predict", "`espalier predict`: 100,000 short texts by MiniLM", SOURCES, predicting),)
