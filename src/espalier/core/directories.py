"""What lies below a folder of outputs: the directories of runs and of sweeps, by what is in them; each listed once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from espalier.core.files import parse_json
from espalier.core.record import RECORD, SWEEP, TRIALS
from espalier.core.rundir import OUTCOME, SWEEP_NAME

_LONGEST = 2**20  # bytes of a record's first line


@dataclass(frozen=True)
class Directories:
    """Below a folder of outputs, the newest first.

    Attributes:
        runs: of runs; of trials too, where they were asked for.
        sweeps: of sweeps, whoever has named them.
    """

    runs: Sequence[Path]
    sweeps: Sequence[Path]


def directories(output: Path, *, trials: bool = False) -> Directories:
    """At ``<output>/<name>/*``. A run's age is its name's date, a sweep's that, or else its first event's.

    Links count where they lead out of ``output``, and of sweeps alone: ``latest`` is no second run.

    Args:
        trials: with those of sweeps among the runs, in the order of their numbers.
    """
    runs: list[tuple[tuple[str, int], Path]] = []
    sweeps: list[tuple[str, Path]] = []
    for name in _folders(output):
        for place in _folders(name.path) if not name.is_symlink() else ():
            directory = Path(place.path)
            kind = _kind(directory)
            if place.is_symlink() and (kind == "run" or directory.resolve().is_relative_to(output.resolve())):
                continue
            if kind == "run":
                runs.append(((place.name, 0), directory))
            elif kind == "sweep":
                sweeps.append((_began(directory), directory))
    if trials:
        runs += [((began, -number), trial) for began, sweep in sweeps for number, trial in _trials(sweep)]
    runs.sort(key=lambda found: found[0], reverse=True)
    sweeps.sort(key=lambda found: (found[0], found[1].name), reverse=True)
    return Directories([place for _, place in runs], [place for _, place in sweeps])


def sweeps_below(folder: Path) -> Iterator[Path]:
    """Sweeps in a folder of outputs or of one experiment, in no order; links are followed."""
    for name in map(Path, _folders(folder)):
        kind = _kind(name)
        if kind == "sweep":
            yield name
        elif not kind:
            yield from (place for place in map(Path, _folders(name)) if _kind(place) == "sweep")


def _kind(directory: Path) -> Literal["run", "sweep", ""]:
    if (directory / OUTCOME).exists():
        return "run"
    return "sweep" if any((directory / name).exists() for name in (RECORD, SWEEP)) else ""


def _folders(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if entry.is_dir()]
    except OSError:
        return []


def _trials(sweep: Path) -> Iterator[tuple[int, Path]]:
    for trial in map(Path, _folders(sweep / TRIALS)):
        if _kind(trial) == "run":
            yield int(trial.name) if trial.name.isdecimal() else 0, trial


def _began(sweep: Path) -> str:
    """As the names of runs begin: ``2026-11-30_14-02-11``."""
    if SWEEP_NAME.fullmatch(sweep.name):
        return sweep.name.removeprefix("sweep-")
    with suppress(OSError, ValueError, TypeError, KeyError, OverflowError), (sweep / RECORD).open("rb") as file:
        return _date(float(parse_json(file.readline(_LONGEST))["at"]))
    with suppress(OSError):
        return _date(sweep.stat().st_mtime)  # it is about to begin
    return ""


def _date(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d_%H-%M-%S}"
