"""One experiment, from its run directory to its outcome: assemble, train, and what ``conclude`` does."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.memory import is_oom_error

from espalier.build.assemble import Assembly, assemble
from espalier.build.instantiate import instantiate
from espalier.config.compose import Experiment
from espalier.core.errors import InterruptedRunError, PausedRunError, RunFailedError, UserError
from espalier.core.files import write_atomic
from espalier.core.frames import own_frames
from espalier.core.masking import masked_text
from espalier.core.metrics_file import MetricsFile
from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo
from espalier.core.rundir import read_outcome, write_outcome
from espalier.core.world import rank
from espalier.run.budget import Budget
from espalier.run.conclude import conclude
from espalier.run.estimate import Estimator
from espalier.run.exhibition import Exhibition
from espalier.run.opening import opening
from espalier.run.recorder import Recorder, StepLog
from espalier.run.rungs import Rungs
from espalier.run.schedules import Validated
from espalier.run.session import Session
from espalier.run.stop import Stop
from espalier.run.surroundings import cluster
from espalier.run.unused import Unused
from espalier.state.exact import ExactResume, metrics_bytes
from espalier.state.lightning_io import FolderCheckpointIO


def run(experiment: Experiment, directory: Path, stop: Stop, *, resume: bool) -> Outcome:
    """Train an experiment to its end, or until a signal ends it.

    Args:
        experiment: checked.
        directory: its run directory.
        stop: listens for signals.
        resume: go on from the newest checkpoint, or from the start where there is none.

    Returns:
        The outcome, which ``outcome.json`` holds as well: ``done``, ``interrupted``, ``paused`` or ``failed``.

    Raises:
        UserError: before anything was trained; the data or the parts are not what the config says.
        Halted: a signal came before anything was trained; ``stop`` makes an ``InterruptedRunError`` of it.
    """
    session = Session(experiment, directory, stop, resume, opening(experiment, directory, resume=resume))
    session.write()
    try:
        assembly = assemble(**{str(key): node for key, node in experiment.config.items() if key != "_target_"})
        trainer = _train(session, assembly)
        conclude(session, assembly, trainer)
    except InterruptedRunError as signal_came:
        session.end("interrupted", str(signal_came))
    except PausedRunError:
        session.end("paused")
    except Exception as error:
        if isinstance(error, UserError) and session.trainer is None:
            raise
        _fail(session, error)
    outcome = session.close()
    if session.trainer and outcome.status == "failed":
        _end_siblings(session.trainer.strategy.launcher)
    return outcome


def _end_siblings(launcher: Any) -> None:
    """Processes that Lightning has started wait for a first one that failed alone."""
    if hasattr(launcher, "kill"):
        launcher.kill(signal.SIGKILL)
        launcher.procs.clear()  # Lightning, which looks at them now and then, would end this process as well


def _fail(session: Session, error: Exception) -> None:
    """Say what happened. Lightning kills the first rank when another fails, so whoever fails writes the outcome.

    What a rank wrote before this one holds: others fail since that one has gone.
    """
    said = f"{type(error).__name__}: {error}"
    first = read_outcome(session.directory)
    ended = first.status in ("failed", "interrupted")
    why = f"out of memory: {said}" if _is_out_of_memory(error) else said
    session.end(first.status if ended else "failed", first.error if ended else why)
    file = session.directory / ("traceback.txt" if session.first else f"traceback.{rank()}.txt")
    try:
        write_atomic(file, masked_text(traceback.format_exc()))
        more = f"(the whole of it: {file})"
    except OSError:  # a full disk is what may have failed it
        more = traceback.format_exc()
    untold = not session.first or "\n" in said  # the last lines of the first rank tell one line of it
    print(*brief(error, whole=untold), more, sep="\n", file=sys.stderr, flush=True)
    if not session.first and not ended:
        write_outcome(session.directory, session.outcome)


def _is_out_of_memory(error: Exception) -> bool:
    """Of a GPU, of main memory as torch asks for it, or as Python does."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or is_oom_error(error)


def brief(error: Exception, *, whole: bool) -> list[str]:
    """The frames of the reader's own code, where it can be mended; and what it says, with ``whole``."""
    said = [f"{type(error).__name__}: {error}"] if whole else []
    return [*(frame.rstrip("\n") for frame in traceback.format_list(own_frames(error))), *said]


def _train(session: Session, assembly: Assembly) -> pl.Trainer:
    """Fit, from the checkpoint there is."""
    session.stop.begun = True
    if session.resume:
        session.saved = session.store.newest()
    file = _metrics_file(session) if session.first else None
    info = session.know(assembly)
    session.start_trackers(info)
    recorder = Recorder(file, session.trackers) if file else None
    trainer = _trainer(session, assembly, info, recorder)
    session.announce(assembly)
    torch.set_num_threads(assembly.placement.threads)
    if assembly.placement.world_size > 1:  # Lightning would divide all cores among the processes that it starts
        os.environ.setdefault("OMP_NUM_THREADS", str(assembly.placement.threads))
    try:
        checkpoint = session.saved.path if session.saved else None
        trainer.fit(assembly.task, datamodule=assembly.batches, ckpt_path=checkpoint)
    finally:
        if recorder:
            recorder.close()
    if file and file.trouble:
        raise RunFailedError(f"the last lines of metrics.jsonl could not be written: {file.trouble}")
    return trainer


def _metrics_file(session: Session) -> MetricsFile:
    """The file, gone back to the checkpoint; with none, the run begins anew."""
    file = MetricsFile(session.directory / "metrics.jsonl")
    file.cut(metrics_bytes(session.saved.path) if session.saved else 0)
    return file


def _trainer(session: Session, assembly: Assembly, info: RunInfo, recorder: Recorder | None) -> pl.Trainer:
    placement = assembly.placement
    session.callbacks = [instantiate(node, info) for node in session.experiment.config.callback.values() if node]
    file = recorder.file if recorder else None
    exact = ExactResume(file.offset if file else lambda: 0, file.cut if file else lambda _: None)
    session.callbacks += [Budget(limit)] if (limit := assembly.trainer.get("max_time")) else []
    shows = [] if session.is_short else [Exhibition(session.directory)]  # before those that take weights back
    always = [Validated(info), exact, session.stop]
    always += [Unused()] if placement.strategy == "ddp" else []
    if session.trial:
        always += [Rungs(info, session.trial, session.stop)]
    else:  # a sweep says once what its trials need, not each of them
        always += [Estimator(assembly, session.directory, session.estimated)]
    trainer = pl.Trainer(
        accelerator=placement.accelerator,
        devices=placement.devices,
        num_nodes=placement.num_nodes,
        strategy=placement.strategy,
        precision=placement.precision,  # type: ignore[arg-type]
        callbacks=[StepLog(assembly.trainer["log_every_n_steps"], recorder), *shows, *session.callbacks, *always],
        logger=recorder if recorder else False,
        plugins=[FolderCheckpointIO(file.sync) if file else FolderCheckpointIO(), cluster()],
        default_root_dir=session.directory,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        **{**assembly.trainer, "max_time": None},
    )
    if recorder:
        recorder.trainer = trainer
    session.trainer = trainer
    return trainer
