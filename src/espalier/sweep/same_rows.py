"""Whether trials that ask for the same data were given the same rows: a file may change while a sweep is stopped."""

from __future__ import annotations

import json
from pathlib import Path

from espalier.core.outcome import Outcome
from espalier.core.record import Record, TrialRecord, trial_directory
from espalier.sweep.attempts import Attempts
from espalier.sweep.trial_files import outcome_of


class SameRows:
    """Fingerprints of the data that trials were trained on, by what they asked for.

    Args:
        directory: of the sweep.
    """

    def __init__(self, directory: Path, record: Record, attempts: Attempts) -> None:
        self._directory, self._record, self._attempts = directory, record, attempts
        self._known: dict[str, tuple[int, str]] = {}  # the data node -> a trial that is done, and its fingerprint
        self._read: set[int] = set()

    def other(self, trial: TrialRecord, outcome: Outcome) -> int | None:
        """A trial that is done, asked for the same data, and had other rows; None where there is none."""
        found = str(outcome.data.get("fingerprint") or "")
        if not found:
            return None
        asked = self._asked(trial)
        for earlier in self._record.trials.values():
            if asked in self._known:
                break
            if earlier.state == "done" and earlier.trial not in {trial.trial, *self._read}:
                self._learn(earlier)
        number, first = self._known.setdefault(asked, (trial.trial, found))
        return None if first == found else number

    def _learn(self, trial: TrialRecord) -> None:
        self._read.add(trial.trial)
        outcome = outcome_of(trial_directory(self._directory, trial.trial))
        if outcome and (found := str(outcome.data.get("fingerprint") or "")):
            self._known.setdefault(self._asked(trial), (trial.trial, found))

    def _asked(self, trial: TrialRecord) -> str:
        data = self._attempts.planned(trial).experiment.values["data"]
        return json.dumps(data, sort_keys=True, default=str)
