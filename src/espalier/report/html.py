"""``report.html``: one file, made from a run directory's files, that opens anywhere: no script, nothing fetched."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from espalier.core.files import write_atomic
from espalier.core.metrics_file import read_metrics
from espalier.core.outcome import Outcome
from espalier.report import quantities
from espalier.report.charts import best_point, line_chart, whisker
from espalier.report.curves import Curve, Point, curves_of
from espalier.report.lines import ways_on
from espalier.report.matrix import confused_pairs, confusion_matrix, reliability
from espalier.report.measures import calibration, class_figures
from espalier.report.predictions import read_predictions, worst_errors
from espalier.report.scores import leading_rows, metric_rows, objective_name, repeated_names
from espalier.report.svg import breakable

_PAGE = Path(__file__).parent / "page"
_FIGURES = 4
_ERRORS_SHOWN = 8  # the others are folded
_WORDED = ("count", "value", "ends", "duration", "memory", "parameters", "share", "rate", "moment", "metric_name")
_GROUPS = ("data", "model", "adapter", "task", "optimizer", "scheduler", "hardware")


def write_report(directory: Path, outcome: Outcome) -> Path:
    """Write ``report.html`` into a run directory; parts of which the files are missing are left out.

    Args:
        directory: with metrics.jsonl, predictions/, config.yaml, as far as there are any.
        outcome: of the run. Read where they are there: ``data`` origin, fingerprint, labels (in index order), unit
            (``texts``), max_length and counts (split -> ``core.facts.Counts`` as a dict); ``summary`` options
            (group -> option) and placement (words); ``tracking`` lines.

    Returns:
        The file's path.
    """
    page = _environment().get_template("report.html.j2").render(
        run=outcome,
        options=_options(outcome),
        directory=str(shown(directory)),
        rerun=f"espalier train --rerun {shlex.quote(str(shown(directory)))}",
        ways=ways_on(outcome, shown(directory)),
        figures=leading_rows(outcome, _FIGURES),
        rows=metric_rows(outcome),
        repeated=repeated_names(outcome.metrics),
        objective=objective_name(outcome),
        curves=_curves(directory, outcome),
        answers=_answers(directory, outcome),
        counts=outcome.data.get("counts", {}),
        config=_text(directory / "config.yaml"),
    )  # fmt: skip
    target = directory / "report.html"
    write_atomic(target, page)
    return target


def shown(directory: Path) -> Path:
    """A path as a person types it: relative where it lies below the working folder."""
    whole, here = directory.absolute(), Path.cwd()
    return whole.relative_to(here) if whole.is_relative_to(here) else whole


def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(_PAGE)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {name: getattr(quantities, name) for name in _WORDED}
    environment.filters |= {"whisker": whisker, "breakable": breakable}
    environment.globals["style"] = Markup((_PAGE / "style.css").read_text(encoding="utf-8"))
    return environment


def _options(outcome: Outcome) -> Mapping[str, str]:
    chosen = outcome.summary.get("options", {})
    return {group: str(chosen[group]) for group in _GROUPS if group in chosen}


def _curves(directory: Path, outcome: Outcome) -> list[tuple[Curve, Point | None, Markup]]:
    curves = curves_of(read_metrics(directory / "metrics.jsonl"), outcome.objective)
    return [_drawn(curve, outcome) for curve in curves]


def _drawn(curve: Curve, outcome: Outcome) -> tuple[Curve, Point | None, Markup]:
    best = best_point(curve, outcome.direction) if curve.name == objective_name(outcome) else None
    empty = not any(series.points for series in curve.series)
    return curve, best, Markup("") if empty else line_chart(curve, best)


def _answers(directory: Path, outcome: Outcome) -> Mapping[str, Any] | None:
    """What the test split's predictions show, or those of validation where only they are there."""
    folder = directory / "predictions"
    for split in ("test", "validation"):
        if (predictions := read_predictions(folder / f"{split}.parquet")) is not None:
            break
    else:
        return None
    confusion, classes = predictions.confusion(), predictions.scores.shape[1]
    given = outcome.data.get("labels", [])
    known = isinstance(given, list) and len(given) == classes
    labels = [str(label) for label in (given if known else range(classes))]
    bins, ece = calibration(predictions)
    errors = worst_errors(predictions, folder / "examples.jsonl")
    return {
        "split": split,
        "rows": len(predictions.row),
        "wrong": int((predictions.prediction != predictions.target).sum()),
        "labels": labels,
        "matrix": confusion_matrix(confusion, labels),
        "pairs": confused_pairs(confusion),
        "classes": class_figures(confusion),
        "reliability": reliability(bins, classes) if bins else "",
        "ece": ece,
        "errors": errors[:_ERRORS_SHOWN],
        "more_errors": errors[_ERRORS_SHOWN:],
    }


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""
