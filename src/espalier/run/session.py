"""One process' work on a run directory: what it knows, whom it tells."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytorch_lightning as pl

from espalier.build.assemble import Assembly
from espalier.build.instantiate import instantiate
from espalier.config.compose import Experiment
from espalier.config.tree import plain
from espalier.core.masking import masked
from espalier.core.outcome import Cost, Outcome, Status
from espalier.core.parts import RunInfo, Tracker
from espalier.core.rundir import point_latest, run_id, write_outcome
from espalier.report.html import shown, write_report
from espalier.report.lines import data_lines, end_lines, start_line
from espalier.run import result
from espalier.run.stop import Stop
from espalier.run.surroundings import git_commit, is_first_rank, versions
from espalier.state.store import Saved, Store

_PRECISIONS = {"32-true": "fp32", "bf16-mixed": "bf16", "16-mixed": "fp16"}


@dataclass
class Session:
    """What a run knows of itself as it goes on.

    Attributes:
        stop: listens for signals.
        resume: whether it goes on from what lies in the directory.
        outcome: so far.
        saved: the checkpoint it goes on from.
        first: whether this process writes and speaks (all ranks run the same code).
        began: of this process, by ``time.perf_counter``.
        trackers: started ones.
        lines: what they say of themselves.
        callbacks: of the config.
    """

    experiment: Experiment
    directory: Path
    stop: Stop
    resume: bool
    outcome: Outcome
    saved: Saved | None = None
    first: bool = field(default_factory=is_first_rank)
    began: float = field(default_factory=time.perf_counter)
    trackers: list[Tracker] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    callbacks: list[pl.Callback] = field(default_factory=list)

    @property
    def store(self) -> Store:
        """The run's checkpoints."""
        return Store(self.directory / "checkpoints")

    def say(self, *lines: str) -> None:
        """Print, on the first rank."""
        if self.first:
            print(*lines, sep="\n", flush=True)

    def write(self) -> None:
        """``outcome.json`` as it stands, on the first rank."""
        if self.first:
            write_outcome(self.directory, self.outcome)

    def know(self, assembly: Assembly) -> RunInfo:
        """Take up what assembling told; what callbacks and trackers may know of it."""
        task: Any = assembly.task
        self.outcome = replace(
            self.outcome,
            objective=task.objective,
            direction=task.direction,
            data=result.data_facts(assembly),
            cost=Cost(**_parameters(task)),
            summary={**self.outcome.summary, "placement": _placement(assembly)},
        )
        return RunInfo(
            self.directory,
            self.directory.parent.name,
            run_id(self.directory),
            masked(plain(self.experiment.config)),
            objective=task.objective,
            direction=task.direction,
            resumed=self.resume,
            resumed_step=self.saved.step if self.saved else 0,
        )

    def start_trackers(self, info: RunInfo) -> None:
        """On the first rank; from here on the run is the latest one."""
        if not self.first:
            return
        for node in self.experiment.config.tracking.values():
            tracker: Tracker = instantiate(node)
            line = tracker.start(info)
            self.trackers.append(tracker)
            self.lines += [line] if line else []
        point_latest(self.directory)
        self.write()

    def announce(self, assembly: Assembly) -> None:
        """What was chosen, in a line, and what became of the rows."""
        cost, options = self.outcome.cost, self.outcome.summary["options"]
        line = start_line(
            name=self.outcome.name,
            model=str(options.get("model", "model")),
            num_parameters=cost.parameters,
            adapter=str(options.get("adapter", "adapter")),
            num_trained=cost.trained_parameters,
            sizes=assembly.facts.sizes,
            unit=result.unit_of(assembly),
            placement=_placement(assembly),
            tracker=self.lines[0] if self.lines else "",
        )
        self.say(line, *data_lines(self.outcome.data["counts"], self.outcome.data["max_length"]))
        if self.resume:
            step = f"step {self.saved.step:,}" if self.saved else "the start: there is no checkpoint yet"
            self.say(f"going on from {step}")

    def end(self, status: Status, error: str = "") -> None:
        """Take up how it ended, and what it has cost."""
        newest = self.store.newest()
        measured: Mapping[str, Any] = next((c.cost() for c in self.callbacks if hasattr(c, "cost")), {})
        self.outcome = replace(
            self.outcome,
            status=status,
            error=error,
            finished=_now(),
            steps=newest.step if newest else 0,
            cost=replace(self.outcome.cost, wall_seconds=time.perf_counter() - self.began, **measured),
        )

    def close(self) -> Outcome:
        """Trackers, report, the last word; ``outcome.json`` comes last, since it promises the others."""
        if self.first:
            ends = [line for tracker in self.trackers if (line := tracker.finish(self.outcome))]
            self.outcome = replace(self.outcome, tracking={"lines": [*self.lines, *ends]})
            self._report()
            self.write()
            self.say("", *end_lines(self.outcome, shown(self.directory)), *ends)
        return self.outcome

    def _report(self) -> None:
        # The page is made from the other files; a run is not lost because one of them cannot be read.
        try:
            write_report(self.directory, self.outcome)
        except Exception as error:
            self.outcome = replace(self.outcome, status="failed", error=f"report.html: {type(error).__name__}: {error}")


def opening(experiment: Experiment, directory: Path) -> Outcome:
    """The outcome of a run that begins."""
    options = {group: option for group, option in experiment.choices.items() if option is not None and "/" not in group}
    return Outcome(
        status="running",
        name=directory.parent.name,
        seed=int(experiment.values["seed"]),
        started=_now(),
        pid=os.getpid(),
        process_created=psutil.Process().create_time(),
        host=os.uname().nodename,
        summary={"options": options},
        versions=versions(),
        git_commit=git_commit(Path.cwd()),
    )


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _parameters(task: pl.LightningModule) -> dict[str, int]:
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in task.parameters()]
    return {"parameters": sum(n for n, _ in sizes), "trained_parameters": sum(n for n, trained in sizes if trained)}


def _placement(assembly: Assembly) -> str:
    """Device, precision and why, threads."""
    placement = assembly.placement
    many = f" x {placement.world_size}" if placement.world_size > 1 else ""
    threads = f"{placement.threads} thread" + "s" * (placement.threads > 1)
    precision = _PRECISIONS.get(placement.precision, placement.precision)
    return f"{placement.accelerator}{many} {precision} ({placement.why}), {threads}"
