"""``summary.json``: how far a sweep is, small enough to be read at once however many trials there are."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from espalier.core.files import write_json
from espalier.core.record import SUMMARY, State, TrialRecord, trial_directory
from espalier.core.rundir import process_created
from espalier.sweep.driver import Driver
from espalier.sweep.trial_files import validations_of

SCHEMA = 1
_EVERY = 1.0  # seconds


class Summary:
    """What is known of a sweep while a driver has it.

    Args:
        driver: of the sweep.
        fixed: what does not change: ``sweep`` (its name), ``launcher``, ``search``, ``pruning``, ``words``.
        started: of the sweep, ISO.
    """

    def __init__(self, driver: Driver, fixed: Mapping[str, Any], started: str) -> None:
        self._driver, self._fixed, self._started = driver, fixed, started
        self._due = 0.0
        self._curves: dict[int, _Curve] = {}
        me = os.getpid()
        self._me = {"pid": me, "created": process_created(me) or 0.0, "host": os.uname().nodename}

    def look(self) -> dict[str, Any] | None:
        """Write it, at most once a second; what was written, or would have been: what a full disk had no room for."""
        if self._driver.clock.now() < self._due:
            return None
        self._due = self._driver.clock.now() + _EVERY
        return self.write("running")

    def write(self, status: str, lines: Sequence[str] = ()) -> dict[str, Any]:
        """Write it now, if there is room; a full disk ends no sweep, whose record tells the same."""
        content = self.content(status, lines)
        with suppress(OSError):
            write_json(self._driver.directory / SUMMARY, content)
        return content

    def content(self, status: str, lines: Sequence[str] = ()) -> dict[str, Any]:
        """All of it."""
        driver = self._driver
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        trials = list(driver.trials.values())
        counts = Counter(trial.state for trial in trials)
        used, mean = _seconds(trials)
        total = self.total(len(trials))
        return {
            "schema": SCHEMA,
            "status": status,
            "driver": self._me,
            **self._fixed,
            "objectives": [{"name": one.name, "direction": one.direction or "max"} for one in driver.objectives],
            "total": total,
            "counts": dict(counts),
            "slots": self._slots() if status == "running" else [],
            "best": self._best(),
            "started": self._started,
            "updated": now,
            "finished": "" if status == "running" else now,
            "eta_seconds": self._eta(dict(counts), total, mean) if status == "running" else None,
            "seconds_used": round(used, 1),
            "seconds_saved": round(_saved(trials, mean), 1),
            "lines": list(lines),
        }

    def total(self, recorded: int) -> int | None:
        """Trials in all; those of further seeds as they are planned."""
        points = self._driver.proposals.total()
        further = recorded - len(self._driver.proposals.asked)
        return None if points is None else max(recorded, points + further)

    def _slots(self) -> list[dict[str, Any]]:
        rows = []
        for number, running in sorted(self._driver.places.running.items()):
            curve = self._curves.setdefault(number, _Curve(trial_directory(self._driver.directory, number)))
            trial = self._driver.trials[number]
            known = self._driver.attempts.known(trial)
            of = validations_of(known.experiment.values.get("trainer") or {}) if known else None
            done = curve.count()
            name = trial.name if running.job.verb == "run" else f"test of {trial.name}"
            whole = of if of is not None and of < 1000 else None
            rows.append({"slot": running.slot, "trial": number, "name": name, "validations": done, "of": whole})
        self._curves = {number: self._curves[number] for number in self._driver.places.running}
        return rows

    def _best(self) -> dict[str, Any] | None:
        best = next(iter(self._driver.standings()), None)
        if best is None:
            return None
        tests = [
            {name: value for name, value in (self._driver.trials[number].metrics or {}).items() if name[:5] == "test/"}
            for number in best.trials
        ]
        common = [name for name in tests[0] if all(name in test for test in tests)]
        test = {name: fmean(row[name] for row in tests) for name in common}
        spread = {name: stdev(row[name] for row in tests) for name in common} if len(tests) > 1 else {}
        words = self._driver.attempts.planned(best.first).command
        return {**best.as_dict(), "words": list(words), **({"test": test, "test_sd": spread} if test else {})}

    def _eta(self, counts: Mapping[State, int], total: int | None, mean: float) -> float | None:
        """By the mean of what was done, spread over the places."""
        if total is None or not mean:
            return None
        over = sum(number for state, number in counts.items() if state not in ("planned", "running"))
        left = max(0, total - over)
        running = len(self._driver.places.running)
        places = max(1, len(self._driver.parts.launcher.slots()))
        return round(max(0.0, left - running / 2) * mean / min(places, max(1, left)), 1)


class _Curve:
    """How many validations a running trial has logged; only what is new of its file is read."""

    def __init__(self, directory: Path) -> None:
        self._file, self._at, self._lines = directory / "metrics.jsonl", 0, 0

    def count(self) -> int:
        with suppress(OSError):
            size = self._file.stat().st_size
            if size < self._at:  # a resumed run has cut it back
                self._at = self._lines = 0
            if size > self._at:
                with self._file.open("rb") as file:
                    file.seek(self._at)
                    new = file.read()
                whole = new[: new.rfind(b"\n") + 1]
                self._lines += sum(b'"validation/' in line for line in whole.splitlines())
                self._at += len(whole)
        return self._lines


def _seconds(trials: Sequence[TrialRecord]) -> tuple[float, float]:
    """Of slots that were taken, and the mean of trials that are done."""
    taken = [float((trial.cost or {}).get("seconds", 0.0)) for trial in trials]
    done = [seconds for trial, seconds in zip(trials, taken, strict=True) if trial.state == "done" and seconds]
    return sum(taken), sum(done) / len(done) if done else 0.0


def _saved(trials: Sequence[TrialRecord], mean: float) -> float:
    """What trials that were cut would have taken more, if they had gone as long as the others."""
    cut = (trial for trial in trials if trial.state in ("paused", "stopped"))
    return sum(max(0.0, mean - float((trial.cost or {}).get("seconds", 0.0))) for trial in cut)
