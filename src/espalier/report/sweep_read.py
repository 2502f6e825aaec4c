"""A sweep's directory -> what its report tells: trials, configurations with their seeds, the best, who ran where when.

Standard library only. Nothing but the directory's own files is read, and no path in them is trusted to be still true:
a sweep may have been moved.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from espalier.core.errors import Fault, UserError
from espalier.core.files import read_json
from espalier.core.lock import is_held
from espalier.core.masking import masked_text
from espalier.core.outcome import Outcome
from espalier.core.record import RECORD, SUMMARY, SWEEP, TrialRecord, read_events, read_record, trial_directory
from espalier.core.rundir import OUTCOME
from espalier.core.yaml_files import read_text
from espalier.report.quantities import duration, memory, metric_name, spread, value

_SEED = re.compile(r"(?:^|\s)seed=\S+")
_ENDS = ("paused", "done", "failed", "infeasible", "stopped", "again")  # events that leave a slot


@dataclass(frozen=True)
class Objective:
    """What trials are judged by: ``validation/accuracy``, ``cost.train_seconds``; ``max`` or ``min``."""

    name: str
    direction: str

    @property
    def sign(self) -> int:
        """Times this, bigger is better."""
        return -1 if self.direction == "min" else 1

    @property
    def is_cost(self) -> bool:
        """Whether it is what a trial took: it has a value at the end alone, and no curve."""
        return self.name.startswith("cost.")

    @property
    def words(self) -> str:
        """``accuracy``, ``F1 macro``, ``train seconds``."""
        return metric_name(self.name.rpartition(".")[2] if "/" not in self.name else self.name)

    def said(self, number: float, deviation: float | None = None) -> str:
        """``0.874``, ``0.874 ± 0.003``; seconds and bytes with their units."""
        if deviation is not None:
            return f"{self.said(number)} {self.spread(number, deviation)}"
        if self.name.endswith("_bytes"):
            return memory(round(number))
        return duration(number) if self.name.endswith("seconds") else value(number)

    def spread(self, number: float, deviation: float) -> str:
        """``± 0.003``, of a mean ``number``; seconds and bytes with their units."""
        if self.name.endswith("_bytes"):
            return f"± {memory(round(deviation))}"
        return f"± {duration(deviation) if self.name.endswith('seconds') else spread(deviation, number)}"


@dataclass(frozen=True)
class Configuration:
    """Trials that differ in their seed alone.

    Attributes:
        number: of the first of them.
        name: what differs from the others, without the seed.
        done: those of its trials that came to their end with finite values, by seed.
        means, deviations: of each objective over them; empty where none is done, None where only one is.
    """

    number: int
    name: str
    point: Mapping[str, Any]
    trials: Sequence[TrialRecord]
    done: Sequence[TrialRecord]
    means: tuple[float, ...]
    deviations: tuple[float | None, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """Of the command line, without the seed."""
        return tuple(word for word in self.trials[0].words if not word.startswith("seed="))


@dataclass(frozen=True)
class Attempt:
    """The time that a trial held a slot, in seconds since the epoch; ``state`` says how it left it."""

    trial: int
    slot: str
    start: float
    end: float
    state: str


@dataclass(frozen=True)
class Sweep:
    """A sweep as its report tells it.

    Attributes:
        status: as the summary says it; ``killed`` where it says ``running`` and nobody drives it.
        configurations: the best first, those without a value last.
        keys: what differs between configurations, in order.
    """

    directory: Path
    name: str
    status: str
    summary: Mapping[str, Any]
    objectives: Sequence[Objective]
    trials: Sequence[TrialRecord]
    configurations: Sequence[Configuration]
    keys: Sequence[str]
    attempts: Sequence[Attempt]

    @property
    def best(self) -> Configuration | None:
        """The first configuration, where any trial of it is done."""
        return self.configurations[0] if self.configurations and self.configurations[0].done else None

    @property
    def followed(self) -> int | None:
        """Which objective trials show while they run: the first that is no cost; None where all are."""
        return next((i for i, one in enumerate(self.objectives) if not one.is_cost), None)

    @property
    def counts(self) -> dict[str, int]:
        """State -> trials."""
        counts: dict[str, int] = {}
        for trial in self.trials:
            counts[trial.state] = counts.get(trial.state, 0) + 1
        return counts


def read_sweep(directory: Path) -> Sweep:
    """Everything but the curves.

    Raises:
        UserError: it is no sweep's directory.
    """
    if not any((directory / name).exists() for name in (RECORD, SUMMARY, SWEEP)):
        truth = f"is no sweep's directory: it has no {RECORD}."
        raise UserError(Fault(str(directory), truth, "See:  espalier runs"))
    summary = read_summary(directory)
    trials = read_record(directory)
    objectives = _objectives(directory, summary, trials)
    configurations = configurations_of(trials, objectives, summary)
    keys = list(dict.fromkeys(key for trial in trials for key in trial.point))
    varied = [key for key in keys if len({repr(trial.point.get(key)) for trial in trials}) > 1]
    return Sweep(
        directory,
        str(summary.get("sweep") or directory.resolve().name),
        status_of(directory, summary),
        summary,
        objectives,
        trials,
        configurations,
        varied,
        list(_attempts(directory)),
    )


def read_summary(directory: Path) -> dict[str, Any]:
    """``summary.json``; empty where there is none, or none that can be read."""
    try:
        found: dict[str, Any] = read_json(directory / SUMMARY)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def status_of(directory: Path, summary: Mapping[str, Any]) -> str:
    """The summary's status; ``killed`` where it says ``running`` and no process holds the directory."""
    status = str(summary.get("status", "running"))
    return "killed" if status == "running" and not is_held(directory) else status


def settings_text(directory: Path) -> str:
    """``sweep.yaml`` without secrets; empty where there is none."""
    try:
        content = read_text(directory / SWEEP)
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    return "\n".join(map(masked_text, content.splitlines()))


def outcome_of_trial(directory: Path, trial: int) -> Outcome | None:
    """What a trial's run says of itself; None where it says nothing that can be read."""
    try:
        file = trial_directory(directory, trial) / OUTCOME
        return Outcome.of(read_json(file))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def seconds_of(trial: TrialRecord) -> float | None:
    """How long it held a slot; None where nobody measured it."""
    cost = trial.cost or {}
    found = cost.get("seconds") or cost.get("wall_seconds")
    return float(found) if found else None


def value_of(trial: TrialRecord, objective: int) -> float | None:
    """Of a trial that is done; None where it has none, or one that is no number."""
    known = trial.state == "done" and objective < len(trial.values)
    return _finite(trial.values[objective]) if known else None


def _finite(number: Any) -> float | None:
    try:
        found = float(number)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def _objectives(directory: Path, summary: Mapping[str, Any], trials: Sequence[TrialRecord]) -> list[Objective]:
    told = [Objective(str(one["name"]), str(one.get("direction", "max"))) for one in summary.get("objectives") or []]
    if told and all(one.name != "auto" for one in told):
        return told
    said = (outcome_of_trial(directory, trial.trial) for trial in trials if trial.attempts)
    own = next((Objective(one.objective, one.direction or "max") for one in said if one and one.objective), None)
    own = own or Objective("objective", "max")
    return [own if one.name == "auto" else one for one in told] or [own]


def configurations_of(
    trials: Sequence[TrialRecord], objectives: Sequence[Objective], summary: Mapping[str, Any]
) -> list[Configuration]:
    """The best first, those without a value last; ``summary`` says which the driver holds for the best."""
    groups: dict[int, list[TrialRecord]] = {}
    for trial in trials:
        if trial.state != "duplicate":
            groups.setdefault(trial.configuration, []).append(trial)
    found = [_configuration(number, group, len(objectives)) for number, group in groups.items()]
    found.sort(key=lambda one: (not one.done, -objectives[0].sign * one.means[0] if one.done else one.number))
    # A mean over fewer seeds may be high by luck: where the driver has not chosen, the best has as many as any.
    most = max((len(one.done) for one in found), default=0)
    own = next((one.number for one in found if len(one.done) == most), None)
    chosen = (summary.get("best") or {}).get("configuration", own)
    return sorted(found, key=lambda one: not (one.done and one.number == chosen))


def _configuration(number: int, trials: Sequence[TrialRecord], objectives: int) -> Configuration:
    by_seed = sorted(trials, key=lambda trial: (trial.seed, trial.trial))
    done = [trial for trial in by_seed if all(value_of(trial, i) is not None for i in range(objectives))]
    columns = [[float(trial.values[i]) for trial in done] for i in range(objectives)] if done else []
    name = _SEED.sub("", trials[0].name).strip() or "as it is"
    return Configuration(
        number,
        name,
        trials[0].point,
        by_seed,
        done,
        tuple(map(statistics.fmean, columns)),
        tuple(statistics.stdev(column) if len(column) > 1 else None for column in columns),
    )


def _attempts(directory: Path) -> Iterator[Attempt]:
    """In order of their ends; of what runs still, until the record's last event."""
    begun: dict[int, tuple[str, float]] = {}
    last = 0.0
    for event in read_events(directory):
        trial, kind, last = int(event["trial"]), event["event"], float(event.get("at", last))
        if kind == "running":
            begun[trial] = (str(event.get("slot", "")), last)
        elif kind in _ENDS and trial in begun:
            slot, start = begun.pop(trial)
            yield Attempt(trial, slot, start, last, kind)
    for trial, (slot, start) in begun.items():
        yield Attempt(trial, slot, start, last, "running")
