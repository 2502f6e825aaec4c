"""How a process begins with a run directory: what an earlier one left in it, and what must still be the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from espalier.config.compose import Experiment
from espalier.config.saved import summary
from espalier.core.errors import Fault, UserError
from espalier.core.outcome import Outcome
from espalier.core.rundir import OUTCOME, Place, process_created, read_outcome, typed
from espalier.run.surroundings import git_commit, versions


def opening(experiment: Experiment, directory: Path, *, resume: bool) -> Outcome:
    """The outcome of a run that begins, or that goes on from what an earlier process left."""
    before = read_outcome(directory) if (directory / "outcome.json").exists() else None
    begun = Outcome(
        status="running",
        name=Place.of(directory).name,
        seed=int(experiment.values["seed"]),
        started=before.started if before else now(),
        pid=os.getpid(),
        process_created=process_created(os.getpid()) or 0.0,
        host=os.uname().nodename,
        summary={**summary(experiment), "job": before.summary.get("job", "") if before else ""},
        versions=versions(),
        git_commit=git_commit(Path.cwd()),
    )
    if not (resume and before):
        return begun
    kept: dict[str, Any] = {
        name: getattr(before, name) for name in ("objective", "direction", "epochs", "steps", "data")
    }
    cost = replace(before.cost, wall_seconds=before.cost.wall_seconds + _unsaid(directory, before))
    return replace(begun, summary={**before.summary, **begun.summary}, **kept, cost=cost)


def require_same(directory: Path, before: Outcome, data: Mapping[str, Any], weights: str) -> None:
    """A run that goes on with other rows, classes or pretrained weights would be neither run."""
    anew = typed("train --rerun", directory)
    faults, remedy = [], f"Put back what it began with, or begin anew:  {anew}"
    for name, said in (("fingerprint", "rows"), ("labels", "labels")):
        if before.data and before.data.get(name) != data.get(name):
            truth = f"are not those that the run began with ({before.data.get('origin')})."
            faults.append(Fault(f"the {said}", truth, remedy))
    if before.summary.get("weights", weights) != weights:
        faults.append(Fault("the pretrained weights", f"are {weights}, and were {before.summary['weights']}.", remedy))
    if faults:
        raise UserError(*faults)


def now() -> str:
    """The time, as outcomes have it."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _unsaid(directory: Path, before: Outcome) -> float:
    """Seconds that a process which was killed had run: from its first word to its last line of metrics."""
    if before.status == "running":
        with suppress(OSError):
            return max(0.0, (directory / "metrics.jsonl").stat().st_mtime - (directory / OUTCOME).stat().st_mtime)
    return 0.0
