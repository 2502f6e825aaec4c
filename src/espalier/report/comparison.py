"""Several runs side by side: runs that differ in their seed alone are one, their figures a mean and its spread."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from espalier.core.counted import COUNTS
from espalier.core.metrics_file import read_metrics
from espalier.core.outcome import Outcome
from espalier.report.over_seeds import Gap, gap, over_seeds
from espalier.report.paired import Paired, corrected, paired, same_rows
from espalier.report.predictions import Answers, read_predictions
from espalier.report.provenance import yaml_words
from espalier.report.scores import metric_rows, objective_name, row_of

_OF_A_RUN = ("seed", "output", "name")  # what is a run's own and makes no other experiment
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NONE = "–"


@dataclass(frozen=True)
class ComparedRun:
    """A run as it is compared.

    Attributes:
        shown: its directory as a person types it.
        config: no secrets in it.
        status: the outcome's, or ``killed``.
    """

    directory: Path
    shown: Path
    outcome: Outcome
    config: Mapping[str, Any]
    status: str


@dataclass(frozen=True)
class Side:
    """Runs of one experiment, which differ in their seed at most. ``letter`` names it: A, B …"""

    letter: str
    runs: Sequence[ComparedRun]

    @property
    def first(self) -> ComparedRun:
        """What is the same for all of its runs is read here."""
        return self.runs[0]


@dataclass(frozen=True)
class Figure:
    """A number of one side: of one run with its interval, of several the mean and the standard deviation."""

    mean: float
    runs: int
    bounds: tuple[float, float] | None = None
    deviation: float | None = None


@dataclass(frozen=True)
class Row:
    """A line of a table: its name, and what each side has; None where it has nothing."""

    name: str
    figures: Sequence[Figure | None]


def sides_of(runs: Sequence[ComparedRun]) -> list[Side]:
    """Runs grouped by config, in the order in which they were named; those of one side by seed, each seed once."""
    groups: dict[tuple[str, int], list[ComparedRun]] = {}
    for run in runs:
        same = {key: value for key, value in run.config.items() if key not in _OF_A_RUN}
        mark, again = json.dumps([same, run.outcome.data.get("fingerprint")], sort_keys=True, default=str), 0
        while run.outcome.seed in {other.outcome.seed for other in groups.get((mark, again), ())}:
            again += 1
        groups.setdefault((mark, again), []).append(run)
    by_seed = (sorted(group, key=lambda run: run.outcome.seed) for group in groups.values())
    return [Side(_letter(i), group) for i, group in enumerate(by_seed)]


def differences(sides: Sequence[Side]) -> list[tuple[str, list[str]]]:
    """(key, what each side has) where they differ: chosen options, then values, then what they ran with and on."""
    around = [_surroundings(side.first.outcome) for side in sides]
    return [*_options(sides), *_values(sides), *_unlike(around)]


def legends(sides: Sequence[Side]) -> list[str]:
    """A name for each side: ``A  sst2_lora (3 seeds)``; of several of one name what differs, ``B  minilm lr=0.001``."""
    names = [side.first.outcome.name for side in sides]
    if len(set(names)) < len(names):
        names = _told_apart(sides) or names
    placed = [f"{name} {side.first.directory.name}" for side, name in zip(sides, names, strict=True)]
    names = placed if len(set(names)) < len(set(placed)) == len(names) else names
    seeds = [f" ({len(side.runs)} seeds{_of_code(side)})" if len(side.runs) > 1 else "" for side in sides]
    return [f"{side.letter}  {name}{more}" for side, name, more in zip(sides, names, seeds, strict=True)]


def metrics_of(sides: Sequence[Side]) -> list[Row]:
    """The metrics that every side has on test, or else on validation: like is compared with like."""
    outcomes = [run.outcome for side in sides for run in side.runs]
    names = dict.fromkeys(row.name for outcome in outcomes for row in metric_rows(outcome))
    rows = []
    for name in names:
        split = "test" if all(row_of(outcome, name).test is not None for outcome in outcomes) else "validation"
        figures = [_figure(side, f"{split}/{name}") for side in sides]
        if any(figures):
            rows.append(Row(f"{split}/{name}", figures))
    return rows


def costs_of(sides: Sequence[Side]) -> list[Row]:
    """Means of what the runs took, by the names of ``core.outcome.Cost``; None where it was not measured."""
    names = ("wall_seconds", "device_seconds", "samples_per_second", "peak_memory_bytes", "trained_parameters")
    rows = [Row(name, [_mean(_measured(side, name)) for side in sides]) for name in names]
    return [row for row in rows if any(row.figures)]


def against_first(sides: Sequence[Side]) -> list[tuple[Side, Paired | Gap | None]]:
    """Each further side with how much more often the first is right on the same rows; None where that cannot be told.

    Where there are several seeds, over rows and seeds; of tables of counts, which only their task can pair, by the
    objective over seeds. Of several sides, corrected for their number.
    """
    found = [_paired(sides[0], side) or _gap(sides[0], side) for side in sides[1:]]
    return [*zip(sides[1:], corrected(found), strict=True)]


def count_alike(a: ComparedRun, b: ComparedRun) -> bool:
    """Whether both kept counts of the same rows; what their metrics make of them, their task knows alone."""
    files = [run.directory / "predictions" / "test.parquet" for run in (a, b)]
    if not _judged_alike(a, b) or not all(file.is_file() for file in files):
        return False
    first, second = (set(pq.read_schema(file).names) for file in files)
    if "row" not in first & second or not any(name.startswith(COUNTS) for name in first & second):
        return False
    ours, theirs = (np.sort(pq.read_table(file, columns=["row"])["row"].to_numpy()) for file in files)
    return bool(np.array_equal(ours, theirs))


def history(run: ComparedRun, key: str) -> list[tuple[int, float]]:
    """(step, value) of a logged metric."""
    lines = read_metrics(run.directory / "metrics.jsonl")
    return [(int(line["step"]), float(line[key])) for line in lines if key in line]


def curve_keys(sides: Sequence[Side]) -> list[str]:
    """The curves that are looked at: the objective on validation, the losses."""
    keys = [f"validation/{objective_name(side.first.outcome)}" for side in sides if side.first.outcome.objective]
    return list(dict.fromkeys([*keys, "validation/loss", "train/loss"]))


def _letter(i: int) -> str:
    return _LETTERS[i] if i < len(_LETTERS) else f"{_letter(i // len(_LETTERS) - 1)}{_LETTERS[i % len(_LETTERS)]}"


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{key}.")
        elif key not in _OF_A_RUN:
            yield key, yaml_words(value)


def _measured(side: Side, name: str) -> list[float]:
    return [number for run in side.runs if (number := float(getattr(run.outcome.cost, name)))]


def _surroundings(outcome: Outcome) -> Mapping[str, str]:
    """What else two runs may differ in."""
    packages = {name: version for name, version in outcome.versions.items() if name not in ("platform", "machine")}
    fingerprint = str(outcome.data.get("fingerprint", ""))[:12]
    return {"data's fingerprint": fingerprint, "host": outcome.host, "git commit": outcome.git_commit, **packages}


def _options(sides: Sequence[Side]) -> list[tuple[str, list[str]]]:
    return _unlike([side.first.outcome.summary.get("options", {}) for side in sides])


def _values(sides: Sequence[Side]) -> list[tuple[str, list[str]]]:
    told = {key for key, _ in _options(sides)}
    configs = [dict(_leaves(side.first.config)) for side in sides]
    # Another option brings other keys, which say it again.
    return [(key, said) for key, said in _unlike(configs) if not _is_retold(key, said, told)]


def _of_code(side: Side) -> str:
    """A word where a side's runs are of different commits or packages."""
    around = [_surroundings(run.outcome) for run in side.runs]
    return ", of different code" if [key for key, _ in _unlike(around) if key != "host"] else ""


def _told_apart(sides: Sequence[Side]) -> list[str]:
    """Options by their names, values with their keys, as many as tell all sides apart; empty where none differ."""
    rows = [said for _, said in _options(sides)]
    rows += [[f"{key.rpartition('.')[2]}={one}" for one in said] for key, said in _values(sides)]
    chosen: list[tuple[str, ...]] = [()] * len(sides)
    for said in rows:
        finer = [(*before, one) for before, one in zip(chosen, said, strict=True)]
        if len(set(finer)) > len(set(chosen)):
            chosen = finer
    return [" ".join(one for one in words if one != _NONE) or "–" for words in chosen] if any(chosen) else []


def _unlike(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    keys = dict.fromkeys(key for record in records for key in record)
    rows = [(key, [_words(record.get(key)) for record in records]) for key in keys]
    return [(key, said) for key, said in rows if len(set(said)) > 1]


def _words(value: Any) -> str:
    return _NONE if value in (None, "") else yaml_words(value)


def _is_retold(key: str, said: Sequence[str], options: set[str]) -> bool:
    return key.rpartition(".")[2] == "_target_" or (key.partition(".")[0] in options and _NONE in said)


def _figure(side: Side, key: str) -> Figure | None:
    outcomes = [run.outcome for run in side.runs]
    found = _mean([float(outcome.metrics[key]) for outcome in outcomes if key in outcome.metrics])
    if found is None or found.runs > 1:
        return found
    return Figure(found.mean, 1, next((o.intervals[key] for o in outcomes if key in o.intervals), None))


def _mean(values: Sequence[float]) -> Figure | None:
    if not values:
        return None
    spread = len(values) > 1 and all(map(math.isfinite, values))
    return Figure(statistics.fmean(values), len(values), deviation=statistics.stdev(values) if spread else None)


def _judged_alike(a: ComparedRun, b: ComparedRun) -> bool:
    """Whether the test rows may be the same."""
    # Other training rows make another fingerprint of the data; a digest of the test rows alone, their numbers and their
    # targets tell that these are the same.
    if a.outcome.data.get("labels") != b.outcome.data.get("labels"):
        return False
    judged = [run.outcome.data["judged"] for run in (a, b) if "judged" in run.outcome.data]  # earlier versions lack it
    return len(set(judged)) < 2


def _paired(a: Side, b: Side) -> Paired | None:
    if not all(_judged_alike(a.first, run) for run in (*a.runs, *b.runs)):
        return None
    first, second = ([found for run in side.runs if (found := _answers(run))] for side in (a, b))
    if not first or not second or not all(same_rows(first[0], other) for other in (*first, *second)):
        return None
    return paired(first[0], second[0]) if len(first) == len(second) == 1 else over_seeds(first, second)


def _gap(a: Side, b: Side) -> Gap | None:
    outcome = a.first.outcome
    name = f"test/{objective_name(outcome)}"
    first, second = ([float(r.outcome.metrics[name]) for r in s.runs if name in r.outcome.metrics] for s in (a, b))
    if min(len(first), len(second)) < 2 or not all(count_alike(a.first, run) for run in (*a.runs, *b.runs)):
        return None
    return replace(gap(first, second), of=objective_name(outcome), sign=-1 if outcome.direction == "min" else 1)


def _answers(run: ComparedRun) -> Answers | None:
    return read_predictions(run.directory / "predictions" / "test.parquet")
