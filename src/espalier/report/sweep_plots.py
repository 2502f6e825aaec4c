"""Optuna's own plots of a sweep, in the page's look: history, importance, slices, parallel coordinates, Pareto front.

Colours are the page's, by name (``var(--leaf)``, ``var(--mix-40)``: from faint to strong): its script fills them in,
for light and for dark. Optuna and plotly are imported when a plot is made.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from espalier.report.provenance import yaml_words
from espalier.report.sweep_read import Configuration, Objective, Sweep
from espalier.report.sweep_study import Row, configuration_rows, is_log, quiet, study_of, trial_rows

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

COST = Objective("cost.train_seconds", "min")
_FEWEST = 4  # configurations, below which nothing is said of settings
_DRAWN = 200  # lines of parallel coordinates
_CLASSED, _TREES = 300, 32  # configurations whose importance is computed, and by how many trees
_SLICES = 24
_DECADES = 30  # of a setting's largest value to its smallest, from which an axis names powers of ten alone
_MARKS = 6  # values of a setting that an axis names


@dataclass(frozen=True)
class Plot:
    """A figure with its title, and a sentence beneath; it is never narrower than ``width``."""

    title: str
    figure: Figure
    note: str = ""
    height: int = 320
    width: int = 0


def history_plots(sweep: Sweep) -> list[Plot]:
    """Each objective by the number of the trial, and the best until then."""
    import optuna.visualization as drawn

    plots = []
    for i, objective in enumerate(sweep.objectives):
        rows = trial_rows(sweep, [i])
        if len(rows) < 2:
            continue
        with quiet():
            figure = drawn.plot_optimization_history(study_of(rows, [objective], []), target_name=objective.words)
        figure.data = figure.data[:2]
        figure.data[0].update(
            marker={"color": "var(--soft)", "size": 6}, hovertemplate="trial %{x}: %{y:.4g}<extra></extra>"
        )
        figure.data[1].update(line={"color": "var(--leaf)", "shape": "hv"}, name="best until then")
        figure.update_layout(showlegend=False)
        figure.update_xaxes(title_text="trial")
        plots.append(Plot(f"{objective.words} by trial", figure, "The line: the best until then."))
    return plots


def importance_plots(sweep: Sweep) -> list[Plot]:
    """How much of each objective's variance a setting explains (fANOVA).

    Settings that only some configurations have are looked at among those.
    """
    import optuna.visualization as drawn
    from optuna.importance import FanovaImportanceEvaluator

    plots = []
    for i, objective in enumerate(sweep.objectives):
        rows = configuration_rows(sweep, [i])[:_CLASSED]
        study = study_of(rows, [objective], sweep.keys)
        for where, keys, having in _key_sets(sweep, rows):
            if having < _FEWEST or len(keys) < 2 or _constant(rows, keys):
                continue
            with quiet(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                figure = drawn.plot_param_importances(
                    study, FanovaImportanceEvaluator(n_trees=_TREES, seed=0), list(keys)
                )
            figure.update_traces(
                marker={"color": "var(--leaf)"}, textfont={"color": "var(--soft)"}, hoverinfo="skip", hovertemplate=None
            )
            figure.update_xaxes(title_text="", range=[0, 1.12], tickformat=".0%")
            figure.update_yaxes(title_text="")
            title = f"What {objective.words} depends on" + (f", where {where} is set" if where else "")
            note = f"Share of its variance that a setting explains among {having:,} configurations (fANOVA)."
            plots.append(Plot(title, figure, note, height=90 + 30 * len(keys)))
    return plots


def slice_plots(sweep: Sweep) -> list[Plot]:
    """Each objective over each setting: a point for a configuration, a bar for the spread of its seeds."""
    import optuna.visualization as drawn

    by_number = {one.number: one for one in sweep.configurations}
    plots = []
    for i, objective in enumerate(sweep.objectives):
        rows = configuration_rows(sweep, [i])
        if len(rows) < 2:
            continue
        study = study_of(rows, [objective], sweep.keys)
        for key in [key for key in sweep.keys if any(key in row.point for row in rows)]:
            with quiet():
                figure = drawn.plot_slice(study, [key], target_name=objective.words)
            trace = figure.data[0]
            told = [by_number[int(number)] for number in trace.marker.color]
            deviations = [one.deviations[i] for one in told]
            trace.update(
                marker={"color": "var(--leaf)", "size": 8, "opacity": 0.75, "line": {"width": 0}, "showscale": False},
                error_y={"array": [one or None for one in deviations], "visible": any(deviations),
                         "color": "var(--soft)", "thickness": 1, "width": 3},
                text=[_told(one, objective, i) for one in told],
                hovertemplate="%{text}<extra></extra>",
            )  # fmt: skip
            figure.update_xaxes(title_text="", **_ticks([row.point[key] for row in rows if key in row.point]))
            plots.append(Plot(f"{objective.words} by {key}", figure, height=260))
    return plots[:_SLICES]


def parallel_plots(sweep: Sweep) -> list[Plot]:
    """A line for each configuration through its settings; the best are the strongest."""
    import optuna.visualization as drawn

    plots = []
    for i, objective in enumerate(sweep.objectives):
        rows = configuration_rows(sweep, [i])
        if len(rows) < 2 or not sweep.keys:
            continue
        left_out = len(rows) - _DRAWN
        if left_out > 0:
            rows = sorted(
                sorted(rows, key=lambda row: -objective.sign * row.values[0])[:_DRAWN], key=lambda r: r.number
            )
        keys = [key for key in sweep.keys if any(key in row.point for row in rows)]
        with quiet():
            study = study_of(rows, [objective], keys)
            figure = drawn.plot_parallel_coordinate(study, keys, target_name=objective.words)
        _recoloured(figure, [row.values[0] for row in rows], objective.sign)
        figure.update_xaxes(ticktext=[objective.words, *_shortened(sorted(keys))])  # whole, and no longer
        note = f"The best {_DRAWN:,} of {left_out + _DRAWN:,} configurations. " if left_out > 0 else ""
        note += "The stronger the line, the better; None: the setting is not there."
        plots.append(
            Plot(
                f"All settings at once, by {objective.words}",
                figure,
                note,
                height=400,
                width=100 * len(keys) + 100,
            )
        )
    return plots


def cost_plots(sweep: Sweep) -> list[Plot]:
    """Quality against cost with the Pareto front; of several objectives, the first against each other."""
    import optuna.visualization as drawn

    by_number = {one.number: one for one in sweep.configurations}
    plots = []
    for title, rows, objectives in _pairs(sweep):
        with quiet():
            study = study_of(rows, objectives, [])
            figure = drawn.plot_pareto_front(study, target_names=[one.words for one in objectives])
        for trace, colour, size in zip(figure.data, ("var(--soft)", "var(--leaf)"), (6, 9), strict=True):
            trace.update(
                text=[_told(by_number[int(number)], sweep.objectives[0], 0) for number in trace.marker.color or ()],
                marker={"color": colour, "size": size, "line": {"width": 0}, "showscale": False, "opacity": 0.8},
                hovertemplate="%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
            )
        front = sorted(tuple(trial.values) for trial in study.best_trials)
        figure.add_scatter(
            x=[one[0] for one in front], y=[one[1] for one in front], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": "var(--leaf)", "width": 1, "dash": "dot"},
        )  # fmt: skip
        plots.append(Plot(title, figure, "Green: no other configuration is better in both."))
    return plots


def front_of(sweep: Sweep) -> list[Configuration]:
    """The configurations that no other beats in every objective, by the first; empty with one objective."""
    if len(sweep.objectives) < 2:
        return []
    rows = configuration_rows(sweep, range(len(sweep.objectives)))
    if not rows:
        return []
    numbers = [trial.number for trial in study_of(rows, sweep.objectives, []).best_trials]
    return [one for one in sweep.configurations if one.number in numbers]


def _pairs(sweep: Sweep) -> Iterator[tuple[str, list[Row], list[Objective]]]:
    """(title, rows, objectives): what the first objective is set against, then that itself."""
    first = sweep.objectives[0]
    for i, other in enumerate(sweep.objectives[1:], 1):
        rows = configuration_rows(sweep, [i, 0])
        if len(rows) > 1:
            yield f"{first.words} against {other.words}", rows, [other, first]
    if not any(one.name.startswith("cost.") for one in sweep.objectives):
        found = sorted((one.number, one.means[0], _train_seconds(one)) for one in sweep.configurations if one.done)
        rows = [Row(number, {}, (seconds, mean)) for number, mean, seconds in found if seconds]
        if len(rows) > 1:
            yield f"{first.words} against seconds of training", rows, [COST, first]


def _train_seconds(one: Configuration) -> float:
    """Mean over its seeds; 0 where it was not measured."""
    costs = [trial.cost or {} for trial in one.done]
    known = [float(cost.get("train_seconds") or cost.get("seconds") or 0) for cost in costs]
    return math.fsum(known) / len(known) if all(known) else 0.0


def _recoloured(figure: Figure, values: Sequence[float], sign: int) -> None:
    """The better, the stronger and the further in front; Optuna's own scale is for white paper."""
    low, high = min(values), max(values)
    traces = list(figure.data[: len(values)])
    shares = [(number - low) / ((high - low) or 1.0) for number in values]
    shares = [share if sign > 0 else 1 - share for share in shares]
    for trace, share in zip(traces, shares, strict=True):
        look = {"color": f"var(--mix-{100 * share:.0f})", "width": 1 + 1.5 * share**3}
        trace.update(line=look, opacity=0.5 + 0.5 * share**2)
    figure.data = [traces[i] for i in sorted(range(len(traces)), key=shares.__getitem__)]
    figure.update_shapes(line={"color": "var(--soft)"})
    figure.update_annotations(bgcolor="var(--paper)", borderpad=1, font={"color": "var(--soft)", "size": 11})
    figure.update_xaxes(tickangle=0, ticklabeloverflow="allow", range=[-0.1, len(figure.layout.xaxis.tickvals) - 0.9])
    figure.update_layout(margin={"l": 44, "r": 44})


def _shortened(labels: Sequence[str]) -> list[str]:
    """The last word of each key, where it is no other's."""
    last = [label.rpartition(".")[2] for label in labels]
    return [short if last.count(short) == 1 else label for label, short in zip(labels, last, strict=True)]


def _key_sets(sweep: Sweep, rows: Sequence[Row]) -> Iterator[tuple[str, list[str], int]]:
    """(a key that only some have, keys to look at together, configurations that have them)."""
    common = [key for key in sweep.keys if all(key in row.point for row in rows)]
    yield "", common, len(rows)
    seen: set[tuple[str, ...]] = set()
    for key in [key for key in sweep.keys if key not in common]:
        having = [row for row in rows if key in row.point]
        keys = [one for one in sweep.keys if all(one in row.point for row in having)]
        if having and tuple(keys) not in seen:
            seen.add(tuple(keys))
            yield key, keys, len(having)


def _constant(rows: Sequence[Row], keys: Sequence[str]) -> bool:
    return len({row.values[0] for row in rows if all(key in row.point for key in keys)}) < 2


def _ticks(values: Sequence[Any]) -> dict[str, Any]:
    """Marks of a numeric axis: the values themselves where they are few, as they are typed; else powers of ten."""
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        return {}
    unlike = sorted(set(values))
    if len(unlike) <= _MARKS:
        return {"tickvals": unlike, "ticktext": [yaml_words(one) for one in unlike]}
    decades = is_log(unlike) and unlike[-1] / unlike[0] > _DECADES
    return {"exponentformat": "e", "minexponent": 1, "dtick": 1} if decades else {"exponentformat": "e"}


def _told(one: Configuration, objective: Objective, i: int) -> str:
    seeds = f" (n={len(one.done)})" if len(one.done) > 1 else ""
    return f"trial {one.number}: {objective.said(one.means[i], one.deviations[i])}{seeds}<br>{plain(one.name)}"


def plain(text: str) -> str:
    """A name in a label: what looks like mark-up there stays text."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
