"""Sweep directories as a driver leaves them, with made-up curves: settings, record, summary, trials' metrics."""

from __future__ import annotations

import itertools
import json
import math
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from espalier.core.outcome import Cost, Outcome
from espalier.core.record import Record, trial_directory
from espalier.core.rundir import write_outcome

OBJECTIVE = "validation/accuracy"
BEGAN = 1_795_000_000.0


class Clock:
    """The time that events of the record bear."""

    def __init__(self) -> None:
        self.now = BEGAN

    def time(self) -> float:
        return self.now


class Made:
    """A sweep while it is made. ``slots`` take trials in turn, as a driver would place them."""

    def __init__(self, directory: Path, patch: pytest.MonkeyPatch, slots: int = 2) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.clock = directory, Clock()
        patch.setattr("espalier.core.record.time.time", self.clock.time)
        self.record = Record(directory)
        self.free = [BEGAN] * slots
        self.random = random.Random(0)
        self.events: list[tuple[float, str, int, dict[str, Any]]] = []

    def plan(self, point: Mapping[str, Any], seed: int = 0, configuration: int | None = None, **more: Any) -> int:
        """The next trial."""
        number = len(self.record.trials)
        words = [*(f"{key}={value}" for key, value in point.items()), f"seed={seed}"]
        name = " ".join(f"{key.rpartition('.')[2]}={value}" for key, value in point.items()) + f" seed={seed}"
        own = number if configuration is None else configuration
        given: dict[str, Any] = {"point": dict(point), "seed": seed, "words": words, "name": name, **more}
        event = given.pop("event", "planned")
        self.record.write(event, number, configuration=own, **given)
        return number

    def run(self, trial: int, curve: Sequence[float], *, rungs: Sequence[int] = (), seconds: float = 40.0,
            ends: str = "done", second: Sequence[float] = (), **more: Any) -> None:  # fmt: skip
        """Place it where a slot is free first; its curve goes into metrics.jsonl."""
        slot = min(range(len(self.free)), key=self.free.__getitem__)
        start = self.free[slot]
        self.free[slot] = start + seconds
        self.events.append((start, "running", trial, {"slot": f"cpu:{slot}", "handle": {"pid": 1}}))
        for rung in rungs:
            if rung <= len(curve):
                at = start + seconds * rung / len(curve)
                self.events.append((at, "rung", trial, {"validations": rung, "value": curve[rung - 1]}))
        if ends == "done":
            best = max(curve)
            more |= {"values": [best, *second], "metrics": {OBJECTIVE: best, "validation/loss": 1.2 - best}}
        cost = {"train_seconds": seconds * 0.8, "seconds": seconds, "peak_memory_bytes": 1.1e9}
        self.events.append((start + seconds, ends, trial, {"cost": cost, **more} if ends != "running" else {}))
        folder = trial_directory(self.directory, trial)
        folder.mkdir(parents=True, exist_ok=True)
        lines = [{"step": 25 * i, "epoch": i, "train/loss": 2 - y, OBJECTIVE: y} for i, y in enumerate(curve, 1)]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        self._outcome(trial, folder, ends, curve)

    def finish(self, status: str = "done", objectives: Sequence[Mapping[str, str]] = (), **more: Any) -> Path:
        """Write the events in order of their time, and the summary."""
        for at, kind, trial, given in sorted(self.events, key=lambda event: event[:3]):
            self.clock.now = at
            if (kind, given) != ("running", {}):
                self.record.write(kind, trial, **given)
        self.record.close()
        states = [trial.state for trial in self.record.trials.values()]
        summary = {
            "schema": 1,
            "sweep": self.directory.name,
            "status": status,
            "driver": {"pid": 4711, "created": BEGAN, "host": "heron"},
            "launcher": "pool",
            "search": "grid",
            "pruning": "none",
            "objectives": list(objectives) or [{"name": OBJECTIVE, "direction": "max"}],
            "total": len(states),
            "counts": {state: states.count(state) for state in dict.fromkeys(states)},
            "slots": [],
            "best": self._best(),
            "started": "2026-11-18T21:46:40",
            "updated": "2026-11-18T22:46:40",
            "finished": "2026-11-18T22:46:40" if status == "done" else None,
            "eta_seconds": None,
            "seconds_used": sum((trial.cost or {}).get("seconds", 0.0) for trial in self.record.trials.values()),
            "seconds_saved": 0.0,
            "words": ["data=sst2", "adapter=lora,probe,full", "optimizer.lr=1e-4,3e-4,1e-3", "seed=0,1,2"],
            "lines": [],
            **more,
        }
        (self.directory / "summary.json").write_text(json.dumps(summary, ensure_ascii=False), encoding="utf-8")
        settings = "sweep:\n  trials: null\n  finalists: 3\nsearch:\n  api_key: hunter2\n"
        (self.directory / "sweep.yaml").write_text(settings, encoding="utf-8")
        return self.directory

    def _outcome(self, trial: int, folder: Path, ends: str, curve: Sequence[float]) -> None:
        status = {"done": "done", "failed": "failed", "running": "running"}.get(ends, "interrupted")
        words = ["data=sst2", *self.record.trials[trial].words]
        outcome = Outcome(
            status,  # type: ignore[arg-type]
            "sst2-minilm",
            self.record.trials[trial].seed,
            "2026-11-18T21:46:40",
            1,
            "heron",
            objective=OBJECTIVE,
            direction="max",
            metrics={OBJECTIVE: max(curve, default=0.0)} if ends == "done" else {},
            cost=Cost(40.0, 32.0, 32.0, 163.4),
            summary={"overrides": words, "options": {"data": "sst2", "model": "minilm"}},
        )
        write_outcome(folder, outcome)

    def _best(self) -> dict[str, Any] | None:
        groups: dict[int, list[Any]] = {}
        for trial in self.record.trials.values():
            if trial.state == "done":
                groups.setdefault(trial.configuration, []).append(trial)
        if not groups:
            return None
        most = max(map(len, groups.values()))
        full = {number: group for number, group in groups.items() if len(group) == most}
        number, group = max(full.items(), key=lambda item: statistics.fmean(trial.values[0] for trial in item[1]))
        values = [trial.values[0] for trial in group]
        return {
            "configuration": number,
            "name": group[0].name.partition(" seed=")[0],
            "values": [statistics.fmean(column) for column in zip(*(trial.values for trial in group), strict=True)],
            "sd": statistics.stdev(values) if len(values) > 1 else None,
            "n": len(values),
            "trials": [trial.trial for trial in group],
            "words": ["data=sst2", *(word for word in group[0].words if not word.startswith("seed="))],
        }


def rising(top: float, noise: float, generator: random.Random, length: int = 9, speed: float = 0.5) -> list[float]:
    """A learning curve that ends near ``top``."""
    return [top - (top - 0.5) * math.exp(-speed * i) + generator.gauss(0, noise) * 0.6**i for i in range(1, length + 1)]


def grid(directory: Path, patch: pytest.MonkeyPatch, *, tested: bool = True) -> Path:
    """Three adapters, rates that belong to two of them, three seeds; one trial failed, one had no memory."""
    made = Made(directory, patch)
    for adapter, rate in itertools.product(("lora", "probe", "full"), (1e-4, 3e-4, 1e-3)):
        point: dict[str, Any] = {"adapter": adapter, "optimizer.lr": rate}
        point |= {"adapter.r": 8 if rate < 5e-4 else 16} if adapter == "lora" else {}
        top = {"lora": 0.88, "probe": 0.79, "full": 0.86}[adapter] - 0.03 * abs(math.log10(rate / 3e-4))
        first = made.plan(point)
        for seed in range(3):
            trial = first if seed == 0 else made.plan(point, seed, first)
            curve = rising(top, 0.06, made.random)
            seconds = {"lora": 52, "probe": 21, "full": 88}[adapter] * made.random.uniform(0.9, 1.1)
            if adapter == "full" and rate == 1e-3 and seed == 1:
                made.run(trial, curve[:3], ends="failed", seconds=seconds / 3, why="RuntimeError: loss is NaN <b>",
                         log="step 70 loss 12.4\nstep 75 loss NaN\nRuntimeError: loss is NaN <b>")  # fmt: skip
            elif adapter == "full" and rate == 1e-4 and seed == 2:
                made.run(trial, [], ends="infeasible", seconds=4, why="out of memory", log="Killed")
            else:
                made.run(trial, curve, seconds=seconds)
    made.plan({"adapter": "full", "optimizer.lr": 1e-3}, 0, event="duplicate", same_as=24)
    if tested:
        for seed in range(3):
            metrics = {"test/accuracy": 0.871 + 0.004 * seed, "test/f1_macro": 0.869 + 0.003 * seed, "test/ece": 0.031}
            made.events.append((made.clock.now + 9e3, "tested", 3 + seed, {"metrics": metrics}))
    return made.finish()


def searched(directory: Path, patch: pytest.MonkeyPatch, trials: int = 40, slots: int = 4) -> Path:
    """A search over rates, adapters and their ranks under ASHA, with seeds for the best."""
    made = Made(directory, patch, slots)
    draw = made.random
    tops: dict[int, float] = {}
    for number in range(trials):
        adapter = draw.choice(["lora", "dora", "probe"])
        point: dict[str, Any] = {
            "adapter": adapter,
            "optimizer.lr": float(f"{10 ** draw.uniform(-5, -2):.4g}"),
            "optimizer.weight_decay": round(draw.uniform(0, 0.1), 4),
            "data.batch_size": draw.choice([16, 32, 64]),
        }
        point |= {"adapter.r": draw.choice([4, 8, 16, 32])} if adapter != "probe" else {}
        top = 0.89 - 0.035 * abs(math.log10(point["optimizer.lr"] / 4e-4)) - (0.06 if adapter == "probe" else 0)
        tops[number] = top
        made.plan(point)
        curve = rising(top, 0.05, draw)
        slow = 64 / point["data.batch_size"] * draw.lognormvariate(3, 0.3)
        if number % 19 == 11:
            made.run(
                number, curve[:2], ends="failed", seconds=slow / 4, why="ValueError: token_type_ids", log="x\n" * 9
            )
        elif curve[0] < 0.63 and number > 4:
            made.run(number, curve[:1], rungs=[1], ends="stopped", seconds=slow / 9, why="pruned after validation 1")
        elif curve[2] < 0.78 and number > 4:
            made.run(number, curve[:3], rungs=[1, 3], ends="stopped", seconds=slow / 3, why="pruned after validation 3")
        else:
            made.run(number, curve, rungs=[1, 3], seconds=slow)
    for number in sorted(tops, key=lambda one: -tops[one])[:3]:
        for seed in (1, 2):
            again = made.plan(made.record.trials[number].point, seed, number)
            made.run(again, rising(tops[number], 0.05, draw), seconds=30)
    return made.finish(search="tpe", pruning="asha", seconds_saved=2460.0)


def renamed(directory: Path, **more: Any) -> None:
    """Change the summary."""
    file = directory / "summary.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **more}), encoding="utf-8")


def with_second(directory: Path, patch: pytest.MonkeyPatch) -> Path:
    """Two objectives: accuracy against memory."""
    made = Made(directory, patch)
    for width in (8, 16, 32, 64, 128, 256):
        trial = made.plan({"model.hidden": width})
        curve = rising(0.5 + 0.07 * math.log2(width) / 1.4, 0.02, made.random)
        made.run(trial, curve, seconds=10 + width / 4, second=[1e6 * width**1.2])
    objectives = [{"name": OBJECTIVE, "direction": "max"}, {"name": "cost.peak_memory_bytes", "direction": "min"}]
    return made.finish(objectives=objectives)


__all__ = ["Made", "grid", "renamed", "replace", "rising", "searched", "with_second"]
