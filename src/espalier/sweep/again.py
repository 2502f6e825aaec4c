"""Trials that failed, or had no memory, are tried once more."""

from __future__ import annotations

import shutil
from pathlib import Path

from espalier.core.record import Record, read_record, trial_directory
from espalier.sweep.trial_files import outcome_of

FAILED = ("failed", "infeasible")


def have_failed(directory: Path) -> bool:
    """Whether a sweep has such a trial."""
    return any(trial.state in FAILED for trial in read_record(directory))


def again(record: Record, directory: Path) -> int:
    """Plan them anew; how many there are.

    One whose run came to its end, but was not taken (it diverged, or its rows were not those of others), begins anew:
    going on would give the same.
    """
    failed = [trial.trial for trial in record.trials.values() if trial.state in FAILED]
    for number in failed:
        place = trial_directory(directory, number)
        outcome = outcome_of(place)
        if outcome and outcome.status == "done":
            shutil.rmtree(place)
        record.write("again", number, why="tried once more", lost=0)
    return len(failed)
