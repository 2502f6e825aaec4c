"""What trials will take, by what earlier runs with the same data, model and adapter took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from espalier.config.compose import Experiment
from espalier.core.directories import directories
from espalier.core.files import read_json
from espalier.core.outcome import Outcome
from espalier.core.rundir import OUTCOME
from espalier.report.sweep_plan import Expected

_ALIKE = ("data", "model", "adapter")
_NEWEST = 200  # outcomes that are read


class Earlier:
    """The runs under an output folder, trials of sweeps among them, the newest first."""

    def __init__(self, output: str) -> None:
        self._output = Path(output).expanduser()

    def expected(self, experiment: Experiment, trials: float) -> Expected | None:
        """What so many trials of an experiment take; None where no earlier run says."""
        alike = [run for run in self._runs if _options(run) == {g: experiment.choices.get(g) for g in _ALIKE}]
        if not alike:
            return None
        return Expected(
            trials=max(1, round(trials)),
            seconds=median(_seconds(run, experiment.values) for run in alike),
            memory=max(_memory(run) for run in alike),
            disk=round(median(_estimated(run, "disk_bytes") for run in alike)),
            like=len(alike),
        )

    @cached_property
    def _runs(self) -> list[Outcome]:
        files = [place / OUTCOME for place in directories(self._output, trials=True).runs]
        newest = sorted(files, key=_modified, reverse=True)[:_NEWEST]
        return [run for run in _read(newest) if run.status == "done" and run.epochs and run.cost.wall_seconds]


def _read(files: list[Path]) -> Iterator[Outcome]:
    for file in files:
        try:
            yield Outcome.of(read_json(file))
        except (OSError, ValueError, TypeError, KeyError):
            continue


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _options(run: Outcome) -> dict[str, Any]:
    options = run.summary.get("options") or {}
    return {group: options.get(group) for group in _ALIKE}


def _memory(run: Outcome) -> int:
    return run.cost.peak_memory_bytes or _estimated(run, "memory_bytes")


def _estimated(run: Outcome, what: str) -> int:
    return int((run.summary.get("estimate") or {}).get(what, 0))


def _seconds(run: Outcome, values: Mapping[str, Any]) -> float:
    """An earlier run's time, for as many epochs and rows as the experiment has."""
    training = run.cost.train_seconds or run.cost.wall_seconds
    once = run.cost.wall_seconds - training
    epochs = values["trainer"]["max_epochs"]
    rows = (run.data.get("counts") or {}).get("train", {}).get("kept", 0)
    limit = values["data"].get("limit")
    share = limit / rows if limit and rows and limit < rows else 1.0
    return float(once + training * share * (epochs if epochs > 0 else run.epochs) / run.epochs)
