"""A trial's directory before its run: its frozen config, what it knows of the sweep, its first outcome."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from espalier.config.compose import Experiment
from espalier.config.saved import CONFIG, summary, write
from espalier.core.errors import UserError
from espalier.core.launching import LOG
from espalier.core.lock import is_held
from espalier.core.outcome import Outcome
from espalier.core.record import last_lines
from espalier.core.rundir import Place, process_created, read_outcome, write_outcome
from espalier.core.trial import Trial, write_trial

_UNKNOWN = 1000  # validations of a trial whose length nobody knows before it runs
_TAIL = 20_000  # bytes


def prepare_trial(experiment: Experiment, directory: Path, trial: Trial) -> None:
    """Write what a run begins from, or make whole what an earlier driver began to write."""
    directory.mkdir(parents=True, exist_ok=True)
    write_trial(directory, trial)
    outcome = Outcome(
        status="running",
        name=Place.of(directory).name,
        seed=int(experiment.values["seed"]),
        started=datetime.now().astimezone().isoformat(timespec="seconds"),
        summary=summary(experiment),
        **_me(),
    )
    write_outcome(directory, outcome)
    write(experiment, directory)


def is_prepared(directory: Path) -> bool:
    """Whether ``prepare_trial`` came to its end."""
    return (directory / CONFIG).exists() and (directory / "origin.yaml").exists()


def announce_resume(directory: Path) -> None:
    """Let the outcome say ``running`` before a trial goes on: what it said before must not be read as its end."""
    if outcome := outcome_of(directory):
        write_outcome(directory, replace(outcome, status="running", error="", **_me()))


def outcome_of(directory: Path) -> Outcome | None:
    """What a trial says of itself; None where it says nothing that can be read."""
    try:
        return read_outcome(directory)
    except UserError:
        return None


def is_alive(directory: Path, outcome: Outcome | None) -> bool:
    """Whether a process that is not this one trains there."""
    if is_held(directory):
        return True
    return outcome is not None and _is_here(outcome)


def end_process(directory: Path, *, now: bool) -> bool:
    """Signal the process that trains there: to leave a checkpoint, or to end at once; False where none is seen here."""
    outcome = outcome_of(directory)
    if outcome is None or not _is_here(outcome):
        return False
    with suppress(ProcessLookupError):
        if now and os.getpgid(outcome.pid) == outcome.pid:
            os.killpg(outcome.pid, signal.SIGKILL)  # with its ranks
        else:
            os.kill(outcome.pid, signal.SIGKILL if now else signal.SIGTERM)
    return True


def end_of_log(directory: Path) -> str:
    """The last lines of what a trial printed."""
    try:
        with (directory / LOG).open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            return last_lines(file.read().decode(errors="replace").splitlines())
    except OSError:
        return ""


def validations_of(trainer: Mapping[str, Any]) -> int:
    """How often a whole trial validates, by the ``trainer`` node of its config; many where it cannot be known."""
    epochs, steps, every = (
        trainer.get("max_epochs", -1),
        trainer.get("max_steps", -1),
        trainer.get("val_check_interval"),
    )
    if isinstance(every, int) and not isinstance(every, bool):
        return math.ceil(steps / every) if steps > 0 else _UNKNOWN
    if not isinstance(epochs, int) or epochs < 1:
        return _UNKNOWN
    share = every if isinstance(every, float) else 1.0
    return math.ceil(epochs / int(trainer.get("check_val_every_n_epoch", 1))) * max(1, math.floor(1 / share + 1e-9))


def _is_here(outcome: Outcome) -> bool:
    """Whether the process that says that it runs is one of this machine, and another one."""
    if outcome.status != "running" or outcome.host != os.uname().nodename or outcome.pid == os.getpid():
        return False
    began = process_created(outcome.pid)
    return began is not None and abs(began - outcome.process_created) <= 1


def _me() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "process_created": process_created(os.getpid()) or 0.0,
        "host": os.uname().nodename,
    }
