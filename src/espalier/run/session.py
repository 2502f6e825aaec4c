"""One process' work on a run directory: what it knows, whom it tells."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytorch_lightning as pl

from espalier.build.assemble import Assembly
from espalier.build.instantiate import instantiate
from espalier.config.compose import Experiment
from espalier.config.tree import plain
from espalier.core.masking import masked
from espalier.core.outcome import Outcome, Status
from espalier.core.parts import RunInfo
from espalier.core.rundir import point_latest, run_id, shown, typed, write_facts, write_outcome
from espalier.core.trial import Trial, read_trial
from espalier.core.world import is_first
from espalier.report.estimate import Estimate, estimate_lines
from espalier.report.html import write_report
from espalier.report.lines import data_lines, end_lines, start_line, trial_line
from espalier.run import baseline, result
from espalier.run.opening import now, require_same
from espalier.run.recorder import Guarded
from espalier.run.stop import Stop
from espalier.state.store import Saved, Store

_PRECISIONS = {"32-true": "fp32", "bf16-mixed": "bf16", "16-mixed": "fp16"}


@dataclass
class Session:
    """What a run knows of itself as it goes on.

    Attributes:
        stop: listens for signals.
        resume: whether it goes on from what lies in the directory.
        outcome: so far; on a resume it begins as the one before.
        saved: the checkpoint it goes on from.
        first: whether this process writes and speaks (all ranks run the same code).
        began: of this process, by ``time.perf_counter``.
        trackers: started ones.
        lines: what they say of themselves.
        callbacks: of the config.
        trial: what it knows of its sweep, where it is a trial: then its end is short, until it is concluded.
        concluding: whether this process tests a trial that is done.
    """

    experiment: Experiment
    directory: Path
    stop: Stop
    resume: bool
    outcome: Outcome
    saved: Saved | None = None
    first: bool = field(default_factory=is_first)
    began: float = field(default_factory=time.perf_counter)
    trackers: list[Guarded] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    callbacks: list[pl.Callback] = field(default_factory=list)
    trainer: pl.Trainer | None = None
    trial: Trial | None = None
    concluding: bool = False

    def __post_init__(self) -> None:
        self._before = self.outcome.cost.wall_seconds
        self.trial = read_trial(self.directory)

    @property
    def is_short(self) -> bool:
        """Whether it leaves what a sweep needs, and nothing that takes time: no test, no model, no page."""
        return self.trial is not None and not self.concluding

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
        """Take up what assembling told; what callbacks and trackers may know of it.

        Raises:
            UserError: the run goes on, and not with the data or the pretrained weights that it began with.
        """
        task: Any = assembly.task
        weights = str(getattr(task.learner, "origin", ""))
        data = result.data_facts(assembly, checked=not self.is_short)
        if self.saved:
            require_same(self.directory, self.outcome, data, weights)
        if self.first:
            write_facts(self.directory, assembly.facts)
        self.outcome = replace(
            self.outcome,
            objective=task.objective,
            direction=task.direction,
            data=data,
            cost=replace(self.outcome.cost, **_parameters(task)),
            summary={**self.outcome.summary, "placement": _placement(assembly), "weights": weights},
        )
        return RunInfo(
            self.directory,
            self.outcome.name,
            run_id(self.directory),
            masked(plain(self.experiment.config)),
            objective=task.objective,
            direction=task.direction,
            resumed=self.resume,
            resumed_step=self.saved.step if self.saved else 0,
            **_of_trial(self.trial),
        )

    def start_trackers(self, info: RunInfo, *, begins: bool = True) -> None:
        """On the first rank; from here on a run that begins is the latest one."""
        if not self.first:
            return
        for node in self.experiment.config.tracking.values():
            tracker = Guarded(instantiate(node))
            line = tracker.start(info)
            self.trackers.append(tracker)
            self.lines += [line] if line else []
        if begins:
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
            tracker=", ".join(self.lines),
        )
        data = self.outcome.data
        found = data.get("checks", {}).get("lines", [])
        self.say(line, *data_lines(data["counts"], data["max_length"]), *data["notes"], *found)
        if self.experiment.values.get("weights"):
            self.say(f"weights   of {self.outcome.summary['weights']}")
        if self.resume:
            step = f"step {self.saved.step:,}" if self.saved else "the start: there is no checkpoint yet"
            self.say(f"going on from {step}")

    def estimated(self, estimate: Estimate) -> None:
        """Take up and say what the run will need."""
        self.outcome = replace(self.outcome, summary={**self.outcome.summary, "estimate": asdict(estimate)})
        self.say(*estimate_lines(estimate))

    def compare(self, assembly: Assembly, split: str) -> None:
        """Take up what a simple model reaches; a run is not lost because that one fails."""
        try:
            found = baseline.compare(assembly, split, self.experiment.values["task"], self.directory)
        except Exception as error:
            self.say(f"baseline   left out: {type(error).__name__}: {error}")
            return
        if found:
            self.outcome = replace(self.outcome, summary={**self.outcome.summary, "baseline": found})

    def end(self, status: Status, error: str = "") -> None:
        """Take up how it ended, and what it has cost; of one that failed before it went on, what it had come to."""
        seconds = self._before + time.perf_counter() - self.began
        spent = replace(self.outcome.cost, wall_seconds=seconds)
        self.outcome = replace(self.outcome, status=status, error=error, finished=now(), cost=spent)
        begun = self.saved.step if self.saved else 0
        if self.trainer is None or self.trainer.global_step < begun:
            self.outcome = replace(self.outcome, steps=max(self.outcome.steps, begun))
            return
        measured: Mapping[str, Any] = next((c.cost() for c in self.callbacks if hasattr(c, "cost")), {})
        self.outcome = replace(
            self.outcome,
            steps=self.trainer.global_step,
            epochs=self.trainer.current_epoch,
            cost=replace(spent, **measured),
        )

    def close(self) -> Outcome:
        """Trackers, report, the last word; ``outcome.json`` comes last, since it promises the others."""
        if self.first:
            for tracker in () if self.is_short else self.trackers:
                tracker.attach(self._page)
            ends = [line for tracker in self.trackers if (line := tracker.finish(self.outcome))]
            self.outcome = replace(self.outcome, tracking={"lines": [*self.lines, *ends]})
            missing = [] if self.is_short else self.report()
            self._write_last()
            told = [trial_line(self.outcome)] if self.is_short else end_lines(self.outcome, shown(self.directory))
            self.say("", *told, *ends, *missing)
        return self.outcome

    def _write_last(self) -> None:
        """A run that cannot say that it is done is not; what stands there says that it runs, and it is resumable."""
        try:
            self.write()
        except OSError as error:
            status: Status = "failed" if self.outcome.status == "done" else self.outcome.status
            why = self.outcome.error or f"outcome.json could not be written: {error.strerror}"
            self.outcome = replace(self.outcome, status=status, error=why)

    def _page(self, texts: bool) -> str:
        """The report for a tracker; ``""`` where it cannot be made, which ``report`` tells."""
        with suppress(Exception), TemporaryDirectory() as folder:
            return write_report(self.directory, self.outcome, texts=texts, to=Path(folder) / "report.html").read_text()
        return ""

    def report(self) -> list[str]:
        """Make the page; what to say where that fails. It is made from the other files: the run is not lost."""
        try:
            write_report(self.directory, self.outcome)
        except Exception as error:
            again = typed("report", self.directory)
            return [f"report.html could not be made ({type(error).__name__}: {error}); again:  {again}"]
        return []


def _of_trial(trial: Trial | None) -> dict[str, Any]:
    """What trackers may know of a trial's sweep."""
    if trial is None:
        return {}
    return {"group": trial.group, "job_type": "trial", "label": trial.name, "words": trial.words}


def _parameters(task: pl.LightningModule) -> dict[str, int]:
    sizes = [(_size(parameter), parameter.requires_grad) for parameter in task.parameters()]
    return {"parameters": sum(n for n, _ in sizes), "trained_parameters": sum(n for n, trained in sizes if trained)}


def _size(parameter: Any) -> int:
    """How many weights it holds: bitsandbytes keeps two of 4 bits in an element, and the shape they had beside them."""
    state = getattr(parameter, "quant_state", None)
    return parameter.numel() if state is None else math.prod(state.shape)


def _placement(assembly: Assembly) -> str:
    """Device, precision and why, threads."""
    placement = assembly.placement
    many = f" x {placement.world_size}" if placement.world_size > 1 else ""
    threads = f"{placement.threads} thread" + "s" * (placement.threads > 1)
    precision = _PRECISIONS.get(placement.precision, placement.precision)
    return f"{placement.accelerator}{many} {precision} ({placement.why}), {threads}"
