"""One experiment, from its run directory to its outcome: assemble, train, test, leave the result."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytorch_lightning as pl
import torch

from espalier.build.assemble import Assembly, assemble
from espalier.build.instantiate import instantiate
from espalier.config.compose import Experiment
from espalier.config.tree import plain
from espalier.core.errors import InterruptedRunError, UserError
from espalier.core.files import write_atomic
from espalier.core.masking import masked
from espalier.core.metrics_file import MetricsFile
from espalier.core.outcome import Cost, Outcome
from espalier.core.parts import RunInfo, Tracker
from espalier.core.rundir import point_latest, run_id, write_outcome
from espalier.report.html import shown, write_report
from espalier.report.lines import data_lines, end_lines, start_line
from espalier.run import result
from espalier.run.recorder import Recorder, StepLog
from espalier.run.stop import Stop
from espalier.run.surroundings import git_commit, is_first_rank, versions
from espalier.state import folder
from espalier.state.exact import ExactResume, metrics_bytes
from espalier.state.lightning_io import FolderCheckpointIO
from espalier.state.store import Saved, Store

_PRECISIONS = {"32-true": "fp32", "bf16-mixed": "bf16", "16-mixed": "fp16"}


@dataclass
class Session:
    """One process' work on a run directory: what it knows as it goes on.

    Attributes:
        first: whether this process writes (several ranks run the same code).
        saved: the checkpoint to go on from.
        trackers: started ones.
        lines: what trackers say of themselves.
        outcome: so far.
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

    def say(self, *lines: str) -> None:
        """Print, on the first rank."""
        if self.first:
            for line in lines:
                print(line, flush=True)


def run(experiment: Experiment, directory: Path, stop: Stop, *, resume: bool) -> Outcome:
    """Train an experiment to its end, or until a signal ends it.

    Args:
        experiment: checked.
        directory: its run directory.
        stop: listens for signals.
        resume: go on from the newest checkpoint, or from the start where there is none.

    Returns:
        The outcome, which ``outcome.json`` holds as well: ``done``, ``interrupted`` or ``failed``.

    Raises:
        UserError: before anything was trained; the data or the parts are not what the config says.
    """
    session = Session(experiment, directory, stop, resume, opening(experiment, directory))
    if session.first:
        write_outcome(directory, session.outcome)
    try:
        assembly = assemble(**_nodes(experiment))
        trained = _train(session, assembly)
        session.outcome = _conclude(session, assembly, trained)
    except UserError:
        raise
    except InterruptedRunError as signal_came:
        session.outcome = _ended(session, "interrupted", str(signal_came))
    except Exception as error:
        session.outcome = _ended(session, "failed", f"{type(error).__name__}: {error}")
        if session.first:
            write_atomic(directory / "traceback.txt", traceback.format_exc())
            traceback.print_exc()
    return _close(session)


def opening(experiment: Experiment, directory: Path) -> Outcome:
    """The outcome of a run that begins."""
    return Outcome(
        status="running",
        name=directory.parent.name,
        seed=int(experiment.values["seed"]),
        started=datetime.now().astimezone().isoformat(timespec="seconds"),
        pid=os.getpid(),
        process_created=psutil.Process().create_time(),
        host=os.uname().nodename,
        summary={"options": _options(experiment)},
        versions=versions(),
        git_commit=git_commit(Path.cwd()),
    )


def _nodes(experiment: Experiment) -> dict[str, Any]:
    return {str(key): value for key, value in experiment.config.items() if key != "_target_"}


def _options(experiment: Experiment) -> dict[str, Any]:
    return {group: option for group, option in experiment.choices.items() if option is not None and "/" not in group}


def _train(session: Session, assembly: Assembly) -> pl.Trainer:
    """Fit, from the checkpoint there is."""
    task: Any = assembly.task
    file = MetricsFile(session.directory / "metrics.jsonl") if session.first else None
    _go_back(session, file)
    info = _info(session, task)
    session.outcome = replace(
        session.outcome,
        objective=task.objective,
        direction=task.direction,
        data=result.data_facts(assembly),
        cost=Cost(**_parameters(task)),
        summary={**session.outcome.summary, "placement": _placement(assembly)},
    )
    _start_trackers(session, info)
    recorder = Recorder(file, session.trackers) if file else None
    trainer = _trainer(session, assembly, info, recorder)
    _announce(session, assembly)
    torch.set_num_threads(assembly.placement.threads)
    try:
        trainer.fit(task, datamodule=assembly.batches, ckpt_path=session.saved.path if session.saved else None)
    finally:
        if recorder:
            recorder.close()
    return trainer


def _go_back(session: Session, file: MetricsFile | None) -> None:
    """Find the checkpoint, and cut the metrics back to it; with none, the run begins anew."""
    if session.resume:
        session.saved = Store(session.directory / "checkpoints").newest()
    if file:
        file.cut(metrics_bytes(session.saved.path) if session.saved else 0)


def _info(session: Session, task: Any) -> RunInfo:
    return RunInfo(
        session.directory,
        session.directory.parent.name,
        run_id(session.directory),
        masked(plain(session.experiment.config)),
        objective=task.objective,
        direction=task.direction,
        resumed=session.resume,
        resumed_step=session.saved.step if session.saved else 0,
    )


def _start_trackers(session: Session, info: RunInfo) -> None:
    for node in session.experiment.config.tracking.values() if session.first else ():
        tracker: Tracker = instantiate(node)
        line = tracker.start(info)
        session.trackers.append(tracker)
        session.lines += [line] if line else []
    if session.first:
        point_latest(session.directory)
        write_outcome(session.directory, session.outcome)


def _trainer(session: Session, assembly: Assembly, info: RunInfo, recorder: Recorder | None) -> pl.Trainer:
    placement = assembly.placement
    session.callbacks = [instantiate(node, info) for node in session.experiment.config.callback.values() if node]
    exact = ExactResume(recorder.file.offset if recorder else lambda: 0, recorder.file.cut if recorder else lambda _: None)
    trainer = pl.Trainer(
        accelerator=placement.accelerator,
        devices=placement.devices,
        num_nodes=placement.num_nodes,
        strategy=placement.strategy,
        precision=placement.precision,  # type: ignore[arg-type]
        callbacks=[StepLog(assembly.trainer["log_every_n_steps"], recorder), *session.callbacks, exact, session.stop],
        logger=recorder if recorder else False,
        plugins=[FolderCheckpointIO()],
        default_root_dir=session.directory,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        **assembly.trainer,
    )
    if recorder:
        recorder.trainer = trainer
    return trainer


def _announce(session: Session, assembly: Assembly) -> None:
    cost, options = session.outcome.cost, session.outcome.summary["options"]
    session.say(
        start_line(
            name=session.outcome.name,
            model=str(options.get("model", "model")),
            num_parameters=cost.parameters,
            adapter=str(options.get("adapter", "adapter")),
            num_trained=cost.trained_parameters,
            sizes=assembly.facts.sizes,
            unit=result.unit_of(assembly),
            placement=_placement(assembly),
            tracker=session.lines[0] if session.lines else "",
        ),
        *data_lines(session.outcome.data["counts"], session.outcome.data["max_length"]),
    )
    if session.resume:
        step = f"step {session.saved.step:,}" if session.saved else "the start: there is no checkpoint yet"
        session.say(f"going on from {step}")


def _conclude(session: Session, assembly: Assembly, trainer: pl.Trainer) -> Outcome:
    """Test the best weights and write the result; ``done`` only when every file is there."""
    best = Store(session.directory / "checkpoints").best()
    if best:
        assembly.task.load_state_dict(folder.read(best.path)["state_dict"], strict=False)
    evaluated = result.evaluate(assembly, trainer, session.directory)
    if not session.first:
        return session.outcome
    result.save_model(assembly.task, session.directory)
    step = best.step if best else trainer.global_step
    return replace(
        _ended(session, "done", ""),
        metrics={**result.validation_at(session.directory, step), **evaluated["metrics"]},
        intervals=evaluated["intervals"],
        best=str(best.path.relative_to(session.directory)) if best else "",
        epochs=trainer.current_epoch,
        steps=trainer.global_step,
    )


def _ended(session: Session, status: Any, error: str) -> Outcome:
    return replace(
        session.outcome,
        status=status,
        error=error,
        finished=datetime.now().astimezone().isoformat(timespec="seconds"),
        steps=_steps(session),
        cost=replace(session.outcome.cost, wall_seconds=time.perf_counter() - session.began, **_cost(session)),
    )


def _close(session: Session) -> Outcome:
    """Report, trackers, the last word; ``outcome.json`` comes last, since it promises the others."""
    if session.first:
        write_report(session.directory, session.outcome)
        ends = [line for tracker in session.trackers if (line := tracker.finish(session.outcome))]
        session.outcome = replace(session.outcome, tracking={"lines": [*session.lines, *ends]})
        write_outcome(session.directory, session.outcome)
        session.say("", *end_lines(session.outcome, shown(session.directory)), *ends)
    return session.outcome


def _cost(session: Session) -> Mapping[str, Any]:
    """What a callback that measures has to say."""
    return next((callback.cost() for callback in session.callbacks if hasattr(callback, "cost")), {})


def _steps(session: Session) -> int:
    newest = Store(session.directory / "checkpoints").newest()
    return newest.step if newest else 0


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
