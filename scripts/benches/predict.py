"""Rows a second of ``espalier predict`` beside those of the training that made the model, and its memory."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

from benches.machine import CPUS, ESPALIER, child, say
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
    """Train MiniLM + LoRA on the embedded data; predict a tenth of the rows, then all of them."""
    rows = 2_000 if settings.quick else _ROWS
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as name:
        folder = Path(name)
        words = ["tracking=none", "task.bootstrap=0", "trainer.max_epochs=1", "name=trained"]
        child([ESPALIER, "train", *words], cwd=folder)
        (directory,) = (folder / "outputs" / "trained").iterdir()
        trained = json.loads((directory / "outcome.json").read_text())["cost"]["samples_per_second"]
        _, small = _predict(folder, rows // 10)
        seconds, peak = _predict(folder, rows)
    rate = rows / seconds
    say(f"{rows:,} rows in {seconds:.1f} s, start included; trained at {trained:.0f} rows/s with {CPUS} threads")
    ours = (
        Figure("predicts", "rows/s", (rate,)),
        Figure("memory at the peak", "MB", (peak,)),
        Figure("of a tenth of the rows", "MB", (small,)),
    )
    beside = {"its training": (Figure("", "rows/s", (trained,)),)}
    holds = rate >= 3 * trained and peak <= 1.1 * small
    return Measured(ours, beside, "3 times training's rate, memory that does not grow with the rows", holds)


def _predict(folder: Path, rows: int) -> tuple[float, float]:
    """Seconds, and MB at the peak."""
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows((i, f"{_WORDS[i % len(_WORDS)]} {i}{', please' * (i % 4)}") for i in range(rows))
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
ROWS = (Row("predict", "predict", "`espalier predict`: 100,000 short texts, MiniLM + LoRA", SOURCES, predicting),)
