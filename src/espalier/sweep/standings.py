"""Who is best: trials that differ in their seed alone are one configuration, judged by the mean over its seeds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from espalier.core.record import TrialRecord
from espalier.sweep.objectives import Objective, are_finite


@dataclass(frozen=True)
class Standing:
    """A configuration with at least one trial that is done.

    Attributes:
        configuration: number of its first trial.
        trials: numbers of those that are done, by seed.
        means: of each objective.
        deviation: of the first objective; None of one trial.
        first: its record; of those that are done, the first.
    """

    configuration: int
    trials: tuple[int, ...]
    means: tuple[float, ...]
    deviation: float | None
    first: TrialRecord

    def as_dict(self) -> dict[str, Any]:
        """For the summary."""
        return {
            "configuration": self.configuration,
            "name": without_seed(self.first),
            "values": list(self.means),
            "sd": self.deviation,
            "n": len(self.trials),
            "trials": list(self.trials),
        }


def without_seed(trial: TrialRecord) -> str:
    """What a configuration is called."""
    return " ".join(word for word in trial.name.split(" ") if not word.startswith("seed=")) or trial.name


def standings(trials: Iterable[TrialRecord], objectives: Sequence[Objective]) -> list[Standing]:
    """The best first. A mean over fewer seeds may be high by luck: configurations with the most seeds stand first."""
    found: dict[int, list[TrialRecord]] = {}
    for trial in trials:
        if trial.state == "done" and len(trial.values) == len(objectives) and are_finite(trial.values):
            found.setdefault(trial.configuration, []).append(trial)
    rows = [_standing(number, sorted(of, key=lambda trial: (trial.seed, trial.trial))) for number, of in found.items()]
    sign = objectives[0].sign
    return sorted(rows, key=lambda row: (-len(row.trials), -sign * row.means[0], row.configuration))


def missed(rows: Sequence[Standing], trials: Iterable[TrialRecord], objectives: Sequence[Objective]) -> Standing | None:
    """A configuration that is better than the first by its mean, and stands behind it since a seed of it has failed.

    Args:
        rows: see ``standings``.
    """
    broken = {trial.configuration for trial in trials if trial.state in ("failed", "infeasible")}
    sign = objectives[0].sign
    better = (row for row in rows if row.configuration in broken and sign * row.means[0] > sign * rows[0].means[0])
    return max(better, key=lambda row: sign * row.means[0], default=None)


def finalists(
    trials: Mapping[int, TrialRecord], objectives: Sequence[Objective], most: int, seeds: Sequence[int]
) -> list[tuple[TrialRecord, int]]:
    """Further trials: the best configurations by their first seed, with each seed that they were not tried with.

    Several objectives are weighed by the first.
    """
    firsts = [row for row in trials.values() if row.seed == seeds[0]]
    tried = {(row.configuration, row.seed) for row in trials.values() if row.state != "duplicate"}
    chosen = standings(firsts, objectives)[:most]
    return [(row.first, seed) for row in chosen for seed in seeds[1:] if (row.configuration, seed) not in tried]


def _standing(number: int, trials: Sequence[TrialRecord]) -> Standing:
    columns = list(zip(*(trial.values for trial in trials), strict=True))
    deviation = statistics.stdev(columns[0]) if len(trials) > 1 else None
    means = tuple(statistics.fmean(column) for column in columns)
    return Standing(number, tuple(trial.trial for trial in trials), means, deviation, trials[0])
