"""What follows training: the best weights are tested and left as others load them. A sweep's trial has that later."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from espalier.build.assemble import Assembly, assemble
from espalier.checks import seen
from espalier.config.compose import Experiment
from espalier.core.errors import Fault, RunFailedError, UserError
from espalier.core.home import expanded
from espalier.core.outcome import Outcome
from espalier.core.rundir import Place, read_outcome, typed
from espalier.core.trial import read_trial
from espalier.run import result
from espalier.run.exhibition import on_device
from espalier.run.session import Session
from espalier.run.stop import Stop
from espalier.run.surroundings import cluster
from espalier.state import folder
from espalier.state.ranks import gather_objects

_CONCLUDED = "concluded"  # in the outcome's summary, of a trial


def conclude(session: Session, assembly: Assembly, trainer: pl.Trainer) -> None:
    """Take up what training came to; ``done`` only when every file is there that this run leaves.

    The metrics of a trial are those of its best validation: it is not tested, and leaves no model.
    """
    best = session.store.best()
    steps, epochs = trainer.global_step, trainer.current_epoch
    if not best and (trouble := gather_objects(getattr(trainer.strategy.checkpoint_io, "trouble", ""))[0]):
        raise RunFailedError(f"the weights of step {steps:,}, its last, could not be saved: {trouble}")
    tested = None if session.is_short else _tested(session, assembly, trainer)
    if not session.first:
        return
    if tested:
        _leave(session, assembly, tested, trainer)
    if lost := result.missing(session.directory, tested):
        raise RunFailedError(f"these files of the run are not there: {', '.join(lost)}")
    session.end("done")
    ended = next(filter(None, (getattr(callback, "ended", "") for callback in session.callbacks)), "")
    session.outcome = replace(
        session.outcome,
        metrics=result.validation_at(session.directory, best.step if best else steps),
        best=str(best.path.relative_to(session.directory)) if best else "",
        epochs=epochs,
        steps=steps,
        summary={**session.outcome.summary, "ended": "" if 0 <= assembly.facts.total_steps <= steps else ended},
    )
    if tested:
        _take_up(session, assembly, tested)


def conclude_trial(experiment: Experiment, directory: Path, stop: Stop) -> Outcome:
    """Do for a sweep's trial that is done what a run does at its end; once more where that was cut off.

    Args:
        experiment: checked.
        directory: of the trial.
        stop: a signal ends it at the next batch, with nothing changed.

    Returns:
        The outcome: ``done`` as before, with the test's metrics.

    Raises:
        UserError: it is no trial, or has not come to its end.
    """
    outcome = _concludable(directory)
    session = Session(experiment, directory, stop, True, outcome, concluding=True)
    if outcome.summary.get(_CONCLUDED):
        page = [] if (directory / "report.html").exists() else session.report()
        session.say(f"{directory} is tested already.", *page)
        return outcome
    session.saved = session.store.best() or session.store.newest()
    if session.saved is None:
        truth = "kept no checkpoint: there are no weights to test."
        raise UserError(Fault(str(directory), truth, f"Train it as a run:  {typed('train --rerun', directory)}"))
    assembly = assemble(**{str(key): node for key, node in experiment.config.items() if key != "_target_"})
    info = session.know(assembly)
    torch.set_num_threads(assembly.placement.threads)
    trainer = _tester(session, assembly)
    tested = _tested(session, assembly, trainer)
    if not session.first:
        return outcome
    _leave(session, assembly, tested, trainer)
    _take_up(session, assembly, tested)
    session.outcome = replace(session.outcome, summary={**session.outcome.summary, _CONCLUDED: True})
    session.start_trackers(replace(info, resumed_step=outcome.steps), begins=False)
    return session.close()


def _concludable(directory: Path) -> Outcome:
    """The outcome of a trial that is done."""
    outcome = read_outcome(directory)
    if read_trial(directory) is None:
        raise UserError(Fault(str(directory), "is no trial of a sweep: a run is tested at its own end."))
    if outcome.status != "done":
        truth = f"has not come to its end: it is {outcome.status}."
        sweep = Place.of(directory).sweep
        remedy = f"Let its sweep go on:  {typed('sweep resume', sweep)}" if sweep else ""
        raise UserError(Fault(str(directory), truth, remedy))
    return outcome


def _tested(session: Session, assembly: Assembly, trainer: pl.Trainer) -> result.Measured:
    """The best weights on the test rows, or on the validation rows where there are none. On all ranks."""
    task: Any = assembly.task
    best = session.store.best()
    if not best and session.concluding:
        best = session.saved
    if best:
        task.load_state_dict(folder.read_weights(best.path), strict=False)
    return result.evaluate(assembly, trainer, session.directory)


def _leave(session: Session, assembly: Assembly, tested: result.Measured, trainer: pl.Trainer) -> None:
    if lacks := result.save_model(session.experiment, assembly, session.directory):
        session.say(lacks)
    with on_device(assembly.task, trainer):
        session.compare(assembly, tested.split)
    weights = session.experiment.config.get("weights")
    with suppress(OSError):  # an evaluation can do without
        seen.leave(session.directory, assembly.raw, expanded(weights) if weights else None)


def _take_up(session: Session, assembly: Assembly, tested: result.Measured) -> None:
    metrics, intervals = tested.by_split()
    session.outcome = replace(
        session.outcome,
        data={**session.outcome.data, "judged": seen.digest_of(assembly.raw, tested.split)},
        metrics={**session.outcome.metrics, **metrics},
        intervals=intervals,
    )


def _tester(session: Session, assembly: Assembly) -> pl.Trainer:
    """A Trainer that tests where the run trained."""
    placement = assembly.placement
    return pl.Trainer(
        accelerator=placement.accelerator,
        devices=placement.devices,
        num_nodes=placement.num_nodes,
        strategy=placement.strategy,
        precision=placement.precision,  # type: ignore[arg-type]
        callbacks=[session.stop],
        logger=False,
        plugins=[cluster()],
        default_root_dir=session.directory,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
