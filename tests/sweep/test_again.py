from __future__ import annotations

from pathlib import Path

from espalier.core.outcome import Outcome, Status
from espalier.core.record import Record, State, trial_directory
from espalier.core.rundir import write_outcome
from espalier.sweep.again import again, have_failed


def test_what_failed_is_planned_and_what_had_ended_begins_anew(tmp_path: Path) -> None:
    record = Record(tmp_path)
    trials: list[tuple[State, Status]] = [
        ("failed", "failed"), ("done", "done"), ("infeasible", "failed"), ("failed", "done"), ("stopped", "paused")
    ]  # fmt: skip
    for number, (state, status) in enumerate(trials):
        record.write("planned", number, configuration=number, point={}, seed=0, words=[], name="")
        told = {"values": [0.5], "metrics": {}, "cost": {}} if state == "done" else {"why": "x"}
        record.write(state, number, **told)
        place = trial_directory(tmp_path, number)
        place.mkdir(parents=True)
        write_outcome(place, Outcome(status, "x", 0, "", 1, "here"))
    assert have_failed(tmp_path)
    assert again(record, tmp_path) == 3
    states = [trial.state for trial in record.trials.values()]
    assert states == ["planned", "done", "planned", "planned", "stopped"] and not have_failed(tmp_path)
    assert [trial_directory(tmp_path, number).exists() for number in range(5)] == [True, True, True, False, True]
