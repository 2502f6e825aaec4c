"""Plots of a sweep that no search library has: learning curves over each other, who held which slot when, seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from espalier.core.errors import CorruptError
from espalier.core.metrics_file import read_metrics
from espalier.core.record import trial_directory
from espalier.report.quantities import duration
from espalier.report.sweep_plots import Plot, plain
from espalier.report.sweep_read import Attempt, Sweep

_POINTS = 24_000  # of all curves together; long ones are thinned
_LANES = 40  # rows of the timeline
_HOVER = "trial %{customdata[0]}: %{y:.4g}<br>validation %{x}, step %{customdata[1]}<extra></extra>"
_COUNTED = 15  # validations that an axis counts one by one
_SEEDED = 20  # configurations whose seeds are drawn
_STATES = {
    "done": ("came to its end", "var(--leaf)"),
    "paused": ("paused", "var(--gold)"),
    "stopped": ("stopped early", "var(--gold)"),
    "failed": ("failed", "var(--rust)"),
    "infeasible": ("out of memory", "var(--plum)"),
    "again": ("placed again", "var(--teal)"),
    "running": ("runs", "var(--sky)"),
}


@dataclass(frozen=True)
class History:
    """A trial's objective at each validation, in order: (optimizer steps, value)."""

    trial: int
    points: Sequence[tuple[int, float]]


def histories(sweep: Sweep) -> list[History]:
    """Of every trial that left any; the first objective that has a curve."""
    name = sweep.objectives[sweep.followed].name if sweep.followed is not None else ""
    found = []
    for trial in sweep.trials if name else ():
        if trial.state in ("duplicate", "planned"):
            continue
        file = trial_directory(sweep.directory, trial.trial) / "metrics.jsonl"
        with suppress(CorruptError, OSError):
            lines = read_metrics(file, having=name)
            points = [(int(line["step"]), float(line[name])) for line in lines]
            found += [History(trial.trial, points)] if points else []
    return found


def curve_plot(sweep: Sweep, told: Sequence[History]) -> Plot | None:
    """Every trial's objective by validation; the best configuration stands out."""
    import plotly.graph_objects as go

    if not told or sweep.followed is None:
        return None
    best = {trial.trial for trial in sweep.best.trials} if sweep.best else set()
    state = {trial.trial: trial.state for trial in sweep.trials}
    whole = [one for one in told if state[one.trial] == "done" and one.trial not in best]
    short = [one for one in told if state[one.trial] != "done" and one.trial not in best]
    most = max(8, _POINTS // len(told))
    figure = go.Figure()
    chosen = [one for one in told if one.trial in best]
    looks = (
        (short, "did not come to its end", "var(--gold)", 1, 0.6),
        (whole, "came to its end", "var(--soft)", 1, 0.5),
        (chosen, "best configuration", "var(--leaf)", 2.5, 1),
    )
    for group, name, colour, width, opacity in looks:
        x, y, about = _joined(group, most)
        if x:
            figure.add_scatter(
                x=x, y=y, customdata=about, name=name, opacity=opacity, mode="lines+markers",
                line={"color": colour, "width": width}, marker={"size": 3 if width < 2 else 5, "color": colour},
                hovertemplate=_HOVER,
            )  # fmt: skip
    objective = sweep.objectives[sweep.followed]
    longest = max(len(one.points) for one in told)
    figure.update_xaxes(title_text="validations", dtick=1 if longest <= _COUNTED else None)
    figure.update_yaxes(title_text=f"{objective.name.partition('/')[0]} {objective.words}")
    return Plot("Learning curves", figure, height=420)


def slot_plot(sweep: Sweep) -> Plot | None:
    """Which trial held which slot when."""
    import plotly.graph_objects as go

    attempts = [one for one in sweep.attempts if one.end > one.start]
    if not attempts:
        return None
    start = min(one.start for one in attempts)
    lanes = _lanes(attempts)
    names = {trial.trial: trial.name for trial in sweep.trials}
    scale, unit = _unit(max(one.end for one in attempts) - start)
    figure = go.Figure()
    for state, (name, colour) in _STATES.items():
        mine = [(lane, one) for lane, one in lanes if one.state == state]
        if mine:
            figure.add_bar(
                y=[lane for lane, _ in mine],
                base=[(one.start - start) / scale for _, one in mine],
                x=[(one.end - one.start) / scale for _, one in mine],
                text=[str(one.trial) for _, one in mine],
                customdata=[[plain(names.get(one.trial, "")), duration(one.end - one.start)] for _, one in mine],
                hovertemplate="trial %{text}, %{customdata[1]}<br>%{customdata[0]}<extra></extra>",
                orientation="h", name=name, textposition="inside", insidetextanchor="middle", textangle=0,
                marker={"color": colour, "opacity": 0.85, "line": {"color": "var(--paper)", "width": 1}},
                textfont={"color": "var(--paper)", "size": 11},
            )  # fmt: skip
    rows = sorted({lane for lane, _ in lanes}, reverse=True)
    figure.update_layout(barmode="overlay", bargap=0.2, uniformtext={"minsize": 9, "mode": "hide"})
    figure.update_yaxes(categoryorder="array", categoryarray=rows, type="category")
    figure.update_xaxes(title_text=f"{unit} since the first trial began")
    return Plot("Who held which slot", figure, occupancy_words(sweep), height=130 + 26 * len(rows))


def occupancy_words(sweep: Sweep) -> str:
    """How much of the slots' time trials held them, from the first trial to the last."""
    attempts = [one for one in sweep.attempts if one.end > one.start]
    if not attempts:
        return ""
    span = max(one.end for one in attempts) - min(one.start for one in attempts)
    width = max(_overlaps(attempts))
    held = math.fsum(one.end - one.start for one in attempts)
    places = "1 slot" if width == 1 else f"{width} slots at once"
    return f"{places} for {duration(span)}, held {100 * held / (span * width):.0f}% of that time."


def seed_plot(sweep: Sweep) -> Plot | None:
    """The seeds of configurations that have several, with their mean."""
    import plotly.graph_objects as go

    several = [one for one in sweep.configurations if len(one.done) > 1]
    if not several:
        return None
    chosen = several[:_SEEDED][::-1]
    figure = go.Figure()
    seeds = [(one, trial) for one in chosen for trial in one.done]
    figure.add_scatter(
        x=[trial.values[0] for _, trial in seeds], y=[f"trial {one.number}" for one, _ in seeds],
        customdata=[[trial.trial, trial.seed, plain(one.name)] for one, trial in seeds], mode="markers", name="a seed",
        marker={"color": "var(--soft)", "size": 7, "opacity": 0.7},
        hovertemplate="trial %{customdata[0]}, seed %{customdata[1]}: %{x:.4g}<br>%{customdata[2]}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[one.means[0] for one in chosen], y=[f"trial {one.number}" for one in chosen], mode="markers", name="mean",
        marker={"color": "var(--leaf)", "size": 16, "symbol": "line-ns-open", "line": {"width": 2}},
        hovertemplate="mean %{x:.4g}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text=sweep.objectives[0].words)
    figure.update_yaxes(type="category")
    pooled = math.sqrt(math.fsum((one.deviations[0] or 0.0) ** 2 for one in several) / len(several))
    note = f"Standard deviation between seeds, over {len(several):,} configurations: {pooled:.2g}."
    if len(several) > _SEEDED:
        note += f" The best {_SEEDED} are shown."
    return Plot("Spread of the seeds", figure, note, height=110 + 26 * len(chosen))


def _joined(group: Sequence[History], most: int) -> tuple[list[float | None], list[float | None], list[list[int]]]:
    """Lines one after the other, with gaps between them: one trace for all."""
    x: list[float | None] = []
    y: list[float | None] = []
    about: list[list[int]] = []
    for one in group:
        for i in _kept(len(one.points), most):
            step, number = one.points[i]
            x.append(i + 1)
            y.append(number if math.isfinite(number) else None)
            about.append([one.trial, step])
        x, y = [*x, None], [*y, None]
        about.append([one.trial, 0])
    return x, y, about


def _kept(length: int, most: int) -> list[int]:
    stride = math.ceil(length / most)
    return sorted({*range(0, length, stride), length - 1})


def _lanes(attempts: Sequence[Attempt]) -> list[tuple[str, Attempt]]:
    """A row for each slot; where there are too many (a name for each job of a cluster), as few as hold all."""
    if len({one.slot for one in attempts}) <= _LANES:
        return [(plain(one.slot) or "–", one) for one in attempts]
    ends: list[float] = []
    rows = []
    for one in sorted(attempts, key=lambda attempt: attempt.start):
        lane = next((i for i, end in enumerate(ends) if end <= one.start), len(ends))
        ends[lane : lane + 1] = [one.end]
        rows.append((f"{lane + 1:03d}", one))
    return rows


def _overlaps(attempts: Sequence[Attempt]) -> Iterator[int]:
    """How many slots are held, at each change; an end comes before a beginning at the same moment."""
    held = 0
    for _, change in sorted([(one.start, 1) for one in attempts] + [(one.end, -1) for one in attempts]):
        held += change
        yield held


def _unit(seconds: float) -> tuple[float, str]:
    return (1.0, "seconds") if seconds < 300 else (60.0, "minutes") if seconds < 4 * 3600 else (3600.0, "hours")
