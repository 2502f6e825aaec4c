"""A sweep's trials as rows: for the page, as csv and as Markdown. Standard library only."""

from __future__ import annotations

import csv
import io
import shlex
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from espalier.core.masking import masked_text
from espalier.core.record import TrialRecord
from espalier.report.provenance import yaml_words
from espalier.report.quantities import duration, metric_name, with_spread
from espalier.report.scores import LEADING, repeated_names
from espalier.report.sweep_lines import STATES, figures_of
from espalier.report.sweep_read import Configuration, Sweep, outcome_of_trial, seconds_of
from espalier.report.sweep_rungs import EarlyAndFinal

_OF_A_RUN = ("output=", "name=")  # words that say where a run lies, and change nothing else
_TOP = 10
_TESTED = 4  # metrics of the test split


@dataclass(frozen=True)
class Tested:
    """A metric of the best configuration on the test split: the mean over its tested seeds."""

    name: str
    mean: float
    deviation: float | None
    runs: int

    @property
    def said(self) -> str:
        """``0.874 ± 0.003``."""
        return with_spread(self.mean, self.deviation)


def state_words(state: str) -> str:
    """``stopped`` -> ``stopped early``."""
    return STATES.get(state, state)


def command_of(sweep: Sweep, one: Configuration) -> str:
    """The command that trains a configuration alone, by its first seed; the words are its run's own."""
    trial = one.done[0] if one.done else one.trials[0]
    outcome = outcome_of_trial(sweep.directory, trial.trial)
    words = [str(word) for word in outcome.summary.get("overrides", [])] if outcome else []
    words = words or [masked_text(word) for word in trial.words]
    return shlex.join(
        ["espalier", "train", *_folders(sweep), *(word for word in words if not word.startswith(_OF_A_RUN))]
    )


def _folders(sweep: Sweep) -> list[str]:
    """The words that name folders of the user's own options, as the best one's command has them."""
    words = [str(word) for word in (sweep.summary.get("best") or {}).get("words", ())]
    return [word for pair in pairwise(words) if pair[0] == "--config-dir" for word in pair]


def figures_on_test(sweep: Sweep, one: Configuration) -> list[Tested]:
    """What a configuration reaches on the test split, the objective first; none where it was not tested.

    Averages that only say it again are left out.
    """
    found: dict[str, list[float]] = {}
    for trial in one.done:
        for name, number in (trial.metrics or {}).items():
            if name.startswith("test/"):
                found.setdefault(name, []).append(float(number))
    again = repeated_names({name: statistics.fmean(numbers) for name, numbers in found.items()})
    first = [f"test/{name}" for name in (*(one.name.rpartition("/")[2] for one in sweep.objectives), *LEADING)]
    kept = [name for name in dict.fromkeys((*first, *found)) if name in found and name.partition("/")[2] not in again]
    return [_tested(name, found[name]) for name in kept]


def _tested(name: str, numbers: Sequence[float]) -> Tested:
    several = len(numbers) > 1
    return Tested(name, statistics.fmean(numbers), statistics.stdev(numbers) if several else None, len(numbers))


def point_cells(trial: TrialRecord, keys: Sequence[str]) -> list[str]:
    """What a trial has set of each key, as it is typed; empty where it has not the key."""
    return [_typed(trial.point[key]) if key in trial.point else "" for key in keys]


def _typed(value: Any) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(value) if number else yaml_words(value)


def trials_csv(sweep: Sweep) -> str:
    """Every trial on a line: what was set, what came of it, every metric, what it took."""
    metrics = sorted({name for trial in sweep.trials for name in trial.metrics or {}})
    costs = sorted({name for trial in sweep.trials for name in trial.cost or {}} - {"seconds"})
    objectives = [one.name for one in sweep.objectives]
    own = [name for name in objectives if name not in metrics]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    head = ["trial", "configuration", "state", "seed", *sweep.keys, *own, *metrics, "seconds", *costs]
    table.writerow([*head, "attempts", "slot", "validations", "same_as", "why", "name"])
    for trial in sweep.trials:
        values = dict(zip(objectives, trial.values, strict=False)) if trial.state == "done" else {}
        given: list[Any] = [trial.trial, trial.configuration, trial.state, trial.seed, *point_cells(trial, sweep.keys)]
        given += [values.get(name, "") for name in own]
        given += [(trial.metrics or {}).get(name, "") for name in metrics]
        given += [seconds_of(trial) or "", *((trial.cost or {}).get(name, "") for name in costs)]
        reached = trial.rungs[-1][0] if trial.rungs else ""
        same = "" if trial.same_as is None else trial.same_as
        table.writerow([*given, trial.attempts, trial.slot, reached, same, trial.why, trial.name])
    return text.getvalue()


def markdown(sweep: Sweep, early: Sequence[EarlyAndFinal], counts: Sequence[str]) -> str:
    """The sweep on a page of text: the best and its command, the best few, what failed, what early values say."""
    names = [one.words for one in sweep.objectives]
    lines = [f"# {_cell(sweep.name)}", "", ", ".join([*counts, sweep.status]) + ".", ""]
    if sweep.best:
        lines += ["## Best", "", *_best(sweep, sweep.best, names), ""]
        lines += [f"## The best {min(_TOP, len(sweep.configurations))}", ""]
        lines += _table(["trial", *names, "seeds", "what differs"], [
            [str(one.number), *figures_of(one, sweep.objectives), str(len(one.done)), one.name]
            for one in sweep.configurations[:_TOP] if one.done
        ])  # fmt: skip
    broken = [trial for trial in sweep.trials if trial.state in ("failed", "infeasible")]
    if broken:
        lines += ["", "## Failed", ""]
        lines += _table(["trial", "state", "why", "what differs"],
                        [[str(t.trial), state_words(t.state), t.why, t.name] for t in broken])  # fmt: skip
    if early:
        lines += ["", "## Do early values tell the final ones?", ""]
        lines += _table(
            ["validations", "rank correlation", "trials", "stopped there"],
            [[str(row.validations), _correlation(row), str(row.trials), str(row.stopped)] for row in early],
        )
    return "\n".join(lines) + "\n"


def _best(sweep: Sweep, best: Configuration, names: Sequence[str]) -> list[str]:
    said = [f"{name} {figure}" for name, figure in zip(names, figures_of(best, sweep.objectives), strict=True)]
    lines = [f"{_cell(best.name)}: {', '.join(said)} on validation (n={len(best.done)})."]
    if test := figures_on_test(sweep, best)[:_TESTED]:
        on_test = ", ".join(f"{metric_name(one.name)} {one.said}" for one in test)
        lines += ["", f"On test (n={test[0].runs}): {on_test}."]
    return [*lines, "", f"    {command_of(sweep, best)}"]


def _correlation(row: EarlyAndFinal) -> str:
    return "–" if row.correlation is None else f"{row.correlation:.2f}" + (" (low)" if row.doubtful else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(map(_cell, line)) + " |" for line in lines]


def _cell(text: str) -> str:
    """Text that Markdown takes for nothing else."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def took_words(sweep: Sweep) -> Mapping[str, str]:
    """What the sweep used and saved: label -> words."""
    used = sum(seconds_of(trial) or 0.0 for trial in sweep.trials) or float(sweep.summary.get("seconds_used") or 0)
    saved = float(sweep.summary.get("seconds_saved") or 0)
    said = {"machine time used": duration(used)} if used else {}
    return {**said, **({"saved by stopping early": duration(saved)} if saved else {})}
