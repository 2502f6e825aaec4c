"""What a run says in the terminal: a line at the start, a table at the end. Standard library only."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from espalier.core.outcome import Outcome
from espalier.core.rundir import Place
from espalier.report.layout import aligned, flow, terminal_width
from espalier.report.quantities import (
    duration,
    interval,
    memory,
    metric_name,
    parameters,
    rate,
    share,
    value,
)
from espalier.report.scores import MetricRow, judged_split, leading_rows, metric_rows, objective_name, row_of

_SPLITS = ("train", "validation", "test")
_HEADLINE = 4  # metrics in the last lines
_HEAD = ("", "test", "95% interval", "validation")
_UNTESTED = ("", "validation", "95% interval", "")
_FILES = ("report.html", "model", "predictions")


def start_line(
    *,
    name: str,
    model: str,
    num_parameters: int,
    adapter: str,
    num_trained: int,
    sizes: Mapping[str, int],
    unit: str,
    placement: str,
    tracker: str = "",
    width: int | None = None,
) -> str:
    """What was chosen, in one line (more where the terminal is narrow).

    ``sst2_lora   minilm 22.7 M, lora trains 0.34 M (1.5%)   texts: train 6,920, validation 872, test 1,821 …``

    Args:
        sizes: split -> rows kept.
        unit: what a row is: ``texts``, ``images``, ``samples``.
        placement: device, precision and why, as words.
        tracker: where metrics go, or ``""``.
        width: columns to write in; the terminal's if not given.
    """
    trained = f"{parameters(num_trained)} ({share(num_trained, num_parameters)})"
    learns = "all" if num_trained == num_parameters else trained
    learner = f"{model} {parameters(num_parameters)}, {adapter} trains {learns}"
    rows = ", ".join(f"{split} {sizes[split]:,}" for split in _in_order(sizes))
    parts = (name, learner, f"{unit}: {rows}", placement, tracker)
    return "\n  ".join(flow(parts, (terminal_width() if width is None else width) - 2))


def data_lines(counts: Mapping[str, Any], max_length: int | None = None) -> list[str]:
    """A line for each split of which rows were dropped or truncated; nothing where all were kept whole.

    ``train   6,920 read, 6,918 kept, 2 dropped (empty), 31 truncated at 128 tokens``

    Args:
        counts: split -> ``core.facts.Counts`` as a dict: read, kept, dropped (reason -> rows), truncated.
        max_length: tokens at which texts are cut.
    """
    rows = [(split, counts_words(counts[split], max_length)) for split in _in_order(counts) if _touched(counts[split])]
    return aligned(rows) if rows else []


def counts_words(counts: Mapping[str, Any], max_length: int | None = None) -> str:
    """``6,920 read, 6,918 kept, 2 dropped (empty), 31 truncated at 128 tokens``."""
    parts = [f"{counts['read']:,} read", f"{counts['kept']:,} kept"]
    parts += [f"{rows:,} dropped ({reason})" for reason, rows in counts["dropped"].items() if rows]
    if counts["truncated"]:
        parts.append(f"{counts['truncated']:,} truncated" + (f" at {max_length} tokens" if max_length else ""))
    return ", ".join(parts)


def end_lines(outcome: Outcome, directory: Path, width: int | None = None) -> list[str]:
    """How it ended: metrics with 95% intervals, cost, where it lies and how to go on or repeat it.

    Args:
        outcome: of the ended run; ``data["unit"]`` says what a row is.
        directory: the run directory, as it is to be shown and typed.
        width: columns to write in; the terminal's if not given.
    """
    width = terminal_width() if width is None else width
    if outcome.status == "done":
        table = metrics_table(outcome)
        why = outcome.summary.get("ended")
        early = [f"training ended early: {why}"] if why else []
        return [
            *table,
            *([""] if table else []),
            *early,
            *_outdone(outcome),
            *_headline(outcome, width),
            *_place(directory, width),
        ]
    return [*_broken_off(outcome, width), *aligned([("it lies in", str(directory)), *ways_on(outcome, directory)])]


def trial_line(outcome: Outcome) -> str:
    """How a sweep's trial ended, for its log: ``done   validation accuracy 0.873 at step 500   2 min 41 s``."""
    key = outcome.objective
    said = f"validation {metric_name(objective_name(outcome))}"
    reached = [f"{said} {value(outcome.metrics[key])}"] if key in outcome.metrics else []
    parts = [outcome.status, *reached, f"{outcome.steps:,} steps", cost_words(outcome)]
    return "   ".join([*parts, *outcome.error.strip().splitlines()[:1]])


def metrics_table(outcome: Outcome) -> list[str]:
    """The metrics of the best checkpoint, a line each: test with its interval, validation beside it."""
    tested = judged_split(outcome) == "test"
    rows = [_cells(row, tested=tested) for row in metric_rows(outcome)]
    if not rows:
        return []
    used = [column for column in zip(_HEAD if tested else _UNTESTED, *rows, strict=True) if any(column[1:])]
    numbers = [i for i, column in enumerate(used) if column[0] in ("test", "validation")]
    return aligned(list(zip(*used, strict=True)), numbers)


def _cells(row: MetricRow, *, tested: bool) -> tuple[str, ...]:
    bounds = interval(row.bounds) if row.bounds else ""
    return metric_name(row.name), _said(row.judged), bounds, _said(row.validation) if tested else ""


def _said(number: float | None) -> str:
    return "" if number is None else value(number)


def _headline(outcome: Outcome, width: int) -> list[str]:
    rows = [row for row in leading_rows(outcome, _HEADLINE) if row.judged is not None]
    said = [f"{metric_name(row.name)} {_said(row.judged)}" for row in rows]
    if rows:
        said[0] = f"{judged_split(outcome)} {said[0]}" + (f" {interval(rows[0].bounds)}" if rows[0].bounds else "")
    return flow([*said, cost_words(outcome)], width)


def _outdone(outcome: Outcome) -> list[str]:
    """A line where the baseline is better by the objective: ``the baseline (most frequent class) reaches …``."""
    row = row_of(outcome, objective_name(outcome))
    if row.judged is None or row.baseline is None:
        return []
    better = row.baseline < row.judged if outcome.direction == "min" else row.baseline > row.judged
    name = outcome.summary["baseline"]["name"]
    return (
        [f"the baseline ({name}) reaches {metric_name(row.name)} {value(row.baseline)} on the same rows"]
        if better
        else []
    )


def cost_words(outcome: Outcome) -> str:
    """``2 min 41 s, 163 texts/s, 1.1 GB``."""
    cost, unit = outcome.cost, str(outcome.data.get("unit", "samples"))
    parts = [duration(cost.wall_seconds)]
    parts += [rate(cost.samples_per_second, unit)] if cost.samples_per_second else []
    parts += [memory(cost.peak_memory_bytes)] if cost.peak_memory_bytes else []
    return ", ".join(parts)


def _place(directory: Path, width: int) -> list[str]:
    there = [f"{name}/" if (directory / name).is_dir() else name for name in _FILES if (directory / name).exists()]
    again = f"again   espalier train --rerun {shlex.quote(str(directory))}"
    return [*flow([str(directory), " · ".join(there)], width), again]


def _broken_off(outcome: Outcome, width: int) -> list[str]:
    where = f"at step {outcome.steps:,}" if outcome.steps else "before the first step"
    why = (outcome.error.strip().splitlines() or [""])[0]
    said = f"{why or outcome.status} {where}" if outcome.status == "interrupted" else f"{outcome.status} {where}: {why}"
    return [said, *flow([cost_words(outcome)] if outcome.cost.wall_seconds else [], width)]


def ways_on(outcome: Outcome, directory: Path) -> list[tuple[str, str]]:
    """(what, command) for a run that did not end well; ``directory`` as it is to be typed."""
    shown = shlex.quote(str(directory))
    anew = ("start anew", f"espalier train --rerun {shown}")
    if outcome.status == "running" or (outcome.status == "failed" and not outcome.steps):
        return [anew]  # there is nothing to go on with
    if sweep := Place.of(directory).sweep:
        return [("go on", f"espalier sweep resume {shlex.quote(str(sweep))}"), anew]
    return [("go on", f"espalier train --resume {shown}"), anew]


def _touched(counts: Mapping[str, Any]) -> bool:
    return bool(counts["truncated"] or any(counts["dropped"].values()))


def _in_order(splits: Mapping[str, Any]) -> list[str]:
    return [split for split in _SPLITS if split in splits] + [split for split in splits if split not in _SPLITS]
