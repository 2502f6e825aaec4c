"""What a sweep says in the terminal: its status, its best, its end. Its status from ``summary.json`` alone."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from espalier.core.record import TrialRecord
from espalier.report.layout import aligned, flow, terminal_width, wrap
from espalier.report.quantities import duration, metric_name, with_spread
from espalier.report.scores import LEADING
from espalier.report.sweep_read import Configuration, Objective, configurations_of, seconds_of

STATES = {
    "done": "done",
    "running": "running",
    "paused": "paused",
    "planned": "waiting",
    "failed": "failed",
    "infeasible": "out of memory",
    "stopped": "stopped early",
    "duplicate": "the same as another",
}
_OVER = ("done", "stopped")
_SLOTS = 12  # lines of busy slots
_TOP = 5
_TESTED = 4  # metrics of the test split
_REASONS = 3


def status_lines(summary: Mapping[str, Any], *, killed: bool = False, width: int | None = None) -> list[str]:
    """How far a sweep is.

    ``27 trials   14 done   2 running   9 paused   1 failed   1 waiting   best accuracy 0.879 ± 0.003 (n=3) …``

    Args:
        summary: as ``summary.json`` has it; keys that are not there yet are left out.
        killed: whether its driver is gone although the status says ``running``.
        width: columns to write in; the terminal's if not given.
    """
    width = terminal_width() if width is None else width
    running = summary.get("status", "running") == "running" and not killed
    best = summary.get("best")
    lines = flow([*count_words(summary), f"best {best_words(summary)}" if best else ""], width)
    lines += _slots(summary.get("slots") or []) if running else []
    lines += flow(_times(summary, running, killed), width)
    return lines


def count_words(summary: Mapping[str, Any]) -> list[str]:
    """``["27 trials", "14 done", …]``."""
    counts = {state: int(number) for state, number in (summary.get("counts") or {}).items() if number}
    total = summary.get("total")
    begun = sum(number for state, number in counts.items() if state != "duplicate")
    whole = int(total) if total is not None else begun
    said = [f"{number:,} {STATES.get(state, state)}" for state, number in _in_order(counts) if state != "planned"]
    planned = counts.get("planned", 0)
    waiting = max(planned, whole - sum(counts.values()) + planned)
    if waiting and summary.get("status") not in _OVER:
        said.append(f"{waiting:,} waiting")
    return [f"{whole:,} {'trial' if whole == 1 else 'trials'}", *said]


def best_words(summary: Mapping[str, Any]) -> str:
    """``accuracy 0.879 ± 0.003 (n=3)  adapter=dora lr=6e-4``; empty where nothing is done yet."""
    best = summary.get("best")
    if not best:
        return ""
    return f"{_figures(summary, best)}  {best.get('name', '')}".rstrip()


def best_lines(summary: Mapping[str, Any], directory: Path, command: str = "") -> list[str]:
    """The best configuration: its figures, where its trials lie, the command that trains it alone.

    Args:
        summary: as ``summary.json`` has it.
        directory: of the sweep, as it is to be shown and typed.
        command: that trains it; ``espalier train`` with the summary's words if not given.
    """
    best = summary.get("best")
    if not best:
        return ["no trial is done yet"]
    places = [str(directory / "trials" / f"{int(number):03d}") for number in best.get("trials", [])]
    rows = [("best", best_words(summary))]
    rows += [("test", words) for words in [_test_words(summary, best)] if words]
    rows += [("it lies in" if i == 0 else "", place) for i, place in enumerate(places)]
    rows.append(("alone", command or shlex.join(["espalier", "train", *map(str, best.get("words", []))])))
    return aligned(rows)


def end_lines(
    summary: Mapping[str, Any],
    trials: Sequence[TrialRecord],
    directory: Path,
    command: str = "",
    width: int | None = None,
) -> list[str]:
    """How a sweep ended: a table of the best few, the best with its command, time used and saved, how to go on.

    Args:
        summary: as ``summary.json`` has it.
        trials: of the record.
        directory: of the sweep, as it is to be shown and typed.
        command: that trains the best alone; made of the summary's words if not given.
        width: columns to write in; the terminal's if not given.
    """
    width = terminal_width() if width is None else width
    shown = shlex.quote(str(directory))
    table = _table(summary, trials)
    lines = [*table, *([""] if table else []), *flow([*count_words(summary), *_times(summary, False, False)], width)]
    lines += best_lines(summary, directory, command) if summary.get("best") else []
    lines += failure_lines(trials, width)
    ways = [("report", str(directory / "report.html"))] if (directory / "report.html").exists() else []
    counts = summary.get("counts") or {}
    if summary.get("status") in ("interrupted", "stopped"):
        ways.append(("go on", f"espalier sweep resume {shown}"))
    if counts.get("failed") or counts.get("infeasible"):
        ways.append(("once mended", f"espalier sweep retry --failed {shown}"))
    return [*lines, *(aligned(ways) if ways else [])]


def failure_lines(trials: Sequence[TrialRecord], width: int) -> list[str]:
    """Why trials have failed, each reason once and whole: ``4 failed: reviews.csv has an empty text …``."""
    reasons = Counter(" ".join(trial.why.split()) for trial in trials if trial.state == "failed" and trial.why)
    lines = []
    for why, count in reasons.most_common(_REASONS):
        first, *more = wrap(f"{count:,} failed: {why}", width - 2)
        lines += [first, *(f"  {line}" for line in more)]
    others = len(reasons) - _REASONS
    return [*lines, *([f"and for {others:,} other {'reason' if others == 1 else 'reasons'}"] if others > 0 else [])]


def _in_order(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    known = [(state, counts[state]) for state in STATES if state in counts]
    return known + [(state, number) for state, number in counts.items() if state not in STATES]


def objectives_of(summary: Mapping[str, Any]) -> list[Objective]:
    """What the sweep is judged by, as far as the summary says it."""
    return [Objective(str(one["name"]), str(one.get("direction", "max"))) for one in summary.get("objectives") or []]


def _figures(summary: Mapping[str, Any], best: Mapping[str, Any]) -> str:
    values = [float(number) for number in best.get("values", []) if number is not None]
    if not values:
        return ""
    objectives = objectives_of(summary)
    seeds = int(best.get("n") or 1)
    deviations = [_deviation(best.get("sd")) if seeds > 1 else None, *[None] * (len(values) - 1)]
    if len(objectives) != len(values):
        objectives = [Objective("", "max")] * len(values)
    said = [
        f"{one.words} {one.said(number, deviation)}".strip()
        for one, number, deviation in zip(objectives, values, deviations, strict=True)
    ]
    said[0] += f" (n={seeds})" if seeds > 1 else ""
    return ", ".join(said)


def _deviation(told: Any) -> float | None:
    """Of the first objective; ``sd`` may be a number or a list of them."""
    first = told[0] if isinstance(told, Sequence) and not isinstance(told, str) and told else told
    return float(first) if isinstance(first, int | float) and math.isfinite(first) else None


def _test_words(summary: Mapping[str, Any], best: Mapping[str, Any]) -> str:
    """The objective on test first, then a few others."""
    test = {str(name).partition("/")[2]: float(number) for name, number in (best.get("test") or {}).items()}
    objectives = [one.name.rpartition("/")[2] for one in objectives_of(summary)]
    leading = [name for name in dict.fromkeys((*objectives, *LEADING)) if name in test] or list(test)
    spreads = {str(name).partition("/")[2]: _deviation(number) for name, number in (best.get("test_sd") or {}).items()}
    return ", ".join(f"{metric_name(name)} {with_spread(test[name], spreads.get(name))}" for name in leading[:_TESTED])


def _slots(slots: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = []
    for slot in slots[:_SLOTS]:
        done, of = slot.get("validations"), slot.get("of")
        how_far = f"validation {done}" + (f"/{of}" if of else "") if done is not None else ""
        rows.append((f"  {slot.get('slot', '')}", f"trial {slot.get('trial', '')}", how_far, str(slot.get("name", ""))))
    more = [f"  and {len(slots) - _SLOTS} more"] if len(slots) > _SLOTS else []
    return [*(aligned(rows) if rows else []), *more]


def _times(summary: Mapping[str, Any], running: bool, killed: bool) -> list[str]:
    left, used, saved = (summary.get(name) for name in ("eta_seconds", "seconds_used", "seconds_saved"))
    said = []
    if killed:
        said.append("its driver is gone")
    elif not running and summary.get("status") not in (None, "done", "running"):
        said.append(str(summary["status"]))
    if running and left:
        said.append(f"about {duration(float(left))} left")
    if used:
        said.append(f"{duration(float(used))} of machine time used")
    if saved:
        said.append(f"pruning has saved {duration(float(saved))}")
    return said


def _table(summary: Mapping[str, Any], trials: Sequence[TrialRecord]) -> list[str]:
    """The best few configurations that are done."""
    objectives = objectives_of(summary)
    if not objectives:
        return []
    rows = [one for one in configurations_of(trials, objectives, summary) if one.done]
    cells = [
        (str(one.number), *figures_of(one, objectives), str(len(one.done)), _took(one), one.name) for one in rows[:_TOP]
    ]
    head = ("trial", *(one.words for one in objectives), "seeds", "took", "what differs")
    return aligned([head, *cells], range(len(objectives) + 3)) if len(cells) > 1 else []


def figures_of(one: Configuration, objectives: Sequence[Objective]) -> list[str]:
    """A configuration's value of each objective, with the spread of its seeds."""
    told = zip(objectives, one.means, one.deviations, strict=True)
    return [objective.said(mean, deviation) for objective, mean, deviation in told]


def _took(one: Configuration) -> str:
    """Mean over its seeds."""
    seconds = [number for trial in one.done if (number := seconds_of(trial))]
    return duration(math.fsum(seconds) / len(seconds)) if seconds else "–"
