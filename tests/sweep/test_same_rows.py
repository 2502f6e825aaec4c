from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from espalier.core.outcome import Outcome
from espalier.core.record import Record, trial_directory
from espalier.core.rundir import write_outcome
from espalier.sweep.same_rows import SameRows

DONE = Outcome("done", "x", 0, "", 1, "here", data={"fingerprint": "a"})


class Asking:
    """Of trials, those with an odd number ask for other data."""

    def planned(self, trial: Any) -> Any:
        return SimpleNamespace(experiment=SimpleNamespace(values={"data": {"path": trial.trial % 2}}))


def begun(directory: Path, *fingerprints: str) -> tuple[SameRows, Record]:
    """As after a kill: trials are done, and say on what."""
    record = Record(directory)
    for number, fingerprint in enumerate(fingerprints):
        told = {"configuration": number, "point": {}, "seed": 0, "words": [], "name": ""}
        record.write("planned", number, **told)
        record.write("done", number, values=[0.5], metrics={}, cost={})
        place = trial_directory(directory, number)
        place.mkdir(parents=True)
        write_outcome(place, replace(DONE, data={"fingerprint": fingerprint}))
    record.write("planned", len(fingerprints), configuration=9, point={}, seed=0, words=[], name="")
    asking: Any = Asking()
    return SameRows(directory, record, asking), record


def test_rows_that_are_others_than_those_before_a_kill_are_known(tmp_path: Path) -> None:
    rows, record = begun(tmp_path, "a", "b")
    assert rows.other(record.trials[2], DONE) is None
    assert rows.other(record.trials[2], replace(DONE, data={"fingerprint": "b"})) == 0


def test_the_first_tells_what_the_others_must_be(tmp_path: Path) -> None:
    rows, record = begun(tmp_path)
    assert rows.other(record.trials[0], replace(DONE, data={"fingerprint": "x"})) is None
    assert rows.other(record.trials[0], replace(DONE, data={"fingerprint": "y"})) == 0
    assert rows.other(record.trials[0], replace(DONE, data={})) is None
