"""How long ``espalier runs`` takes over ten thousand run directories."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benches.machine import ESPALIER, child
from benches.records import Figure, Measured, Row, Settings

_RUNS = 10_000
_COMMANDS = {
    "newest": ["runs"],
    "--where": ["runs", "--where", "metric > 0.9 and adapter = 'lora'"],
    "--sort": ["runs", "--sort", "accuracy"],
}


def listing(settings: Settings) -> Measured:
    """Time the command over outcomes as long as real ones."""
    timed: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as folder:
        _make(Path(folder) / "outputs", 100 if settings.quick else _RUNS)
        for _ in range(2 if settings.quick else 7):
            for name, words in _COMMANDS.items():
                timed[name].append(child([ESPALIER, *words], cwd=Path(folder)).seconds)
    figures = tuple(Figure(name, "s", tuple(seconds)) for name, seconds in timed.items())
    return Measured(figures, {}, "≤ 1 s each", all(figure.value <= 1 for figure in figures))


def _make(output: Path, runs: int) -> None:
    for number in range(runs):
        directory = output / f"name{number % 40}" / f"2026-11-{number % 28 + 1:02d}_12-00-00-{number:06x}"
        directory.mkdir(parents=True)
        (directory / "outcome.json").write_text(json.dumps(_record(number), indent=1))


def _record(number: int) -> dict[str, object]:
    metrics = {f"{split}/metric_{i}": 0.5 + i / 100 for split in ("test", "validation") for i in range(12)}
    return {
        "status": "done",
        "name": f"name{number % 40}",
        "seed": number % 5,
        "started": f"2026-11-{number % 28 + 1:02d}T12:00:00+00:00",
        "pid": 1,
        "host": "elsewhere",
        "objective": "validation/accuracy",
        "direction": "max",
        "metrics": {**metrics, "test/accuracy": 0.8 + number / _RUNS / 5},
        "intervals": {name: [0.4, 0.6] for name in metrics},
        "cost": {"wall_seconds": 100.0 + number},
        "data": {"fingerprint": "0" * 64, "labels": [f"label_{i}" for i in range(20)]},
        "summary": {
            "options": {"adapter": ("lora", "full")[number % 2], "model": "minilm"},
            "overrides": ["model=minilm"],
        },
        "versions": {f"package_{i}": "1.2.3" for i in range(8)},
    }


SOURCES = (
    "src/espalier/cli/runs.py", "src/espalier/report/query.py", "src/espalier/report/runs.py",
    "src/espalier/core/rundir.py", "scripts/benches/runs.py",
)  # fmt: skip
ROWS = (Row("runs", "runs", "Listing 10,000 runs", SOURCES, listing),)
