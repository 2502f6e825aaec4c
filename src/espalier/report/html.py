"""``report.html``: one file, made from a run directory's files, that opens anywhere: no script, nothing fetched."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import jinja2
from markupsafe import Markup

from espalier.core.files import write_atomic
from espalier.core.findings import Findings
from espalier.core.metrics_file import read_metrics
from espalier.core.outcome import Outcome
from espalier.core.record import kind_of
from espalier.core.rundir import shown
from espalier.report import quantities
from espalier.report.answers import told_by
from espalier.report.charts import line_chart, whisker
from espalier.report.curves import Curve, Point, best_point, curves_of
from espalier.report.data_checks import short_lines
from espalier.report.exhibits import exhibits_of
from espalier.report.lines import ways_on
from espalier.report.provenance import settings_of
from espalier.report.scores import leading_rows, metric_rows, objective_name, repeated_names
from espalier.report.svg import breakable

_PAGE = Path(__file__).parent / "page"
_FIGURES = 4
_WORDED = (
    "count",
    "value",
    "ends",
    "duration",
    "memory",
    "parameters",
    "share",
    "rate",
    "moment",
    "metric_name",
    "spread",
)
_GROUPS = ("data", "model", "adapter", "task", "optimizer", "scheduler", "hardware")


def write_report(directory: Path, outcome: Outcome, *, texts: bool = True, to: Path | None = None) -> Path:
    """Write a run's page; parts of which the files are missing are left out.

    Args:
        directory: of the run, with metrics.jsonl, predictions/, config.yaml, origin.yaml, as far as there are any.
        outcome: of the run. Read where they are there: ``data`` origin, fingerprint, labels (in index order), unit
            (``texts``), max_length, checks (``core.findings``) and counts (split -> ``core.facts.Counts`` as a dict);
            ``summary`` options (group -> option), overrides (words), baseline (name, metrics, intervals) and placement
            (words); ``tracking`` lines.
        texts: whether it holds the data's own texts, which an error's message may quote; without, it may go where the
            data must not.
        to: the file to write; ``report.html`` in the directory if not given.

    Returns:
        The file's path.
    """
    place, outcome = str(shown(directory)), outcome.masked()
    outcome = outcome if texts else replace(outcome, error=kind_of(outcome.error))
    page = environment().get_template("report.html.j2").render(
        run=outcome,
        options=_options(outcome),
        overrides=[str(word) for word in outcome.summary.get("overrides", [])],
        directory=place,
        rerun=f"espalier train --rerun {shlex.quote(place)}",
        ways=ways_on(outcome, shown(directory)),
        figures=leading_rows(outcome, _FIGURES),
        rows=metric_rows(outcome),
        repeated=repeated_names(outcome.metrics),
        baseline=outcome.summary.get("baseline"),
        objective=objective_name(outcome),
        curves=_curves(directory, outcome),
        told=told_by(directory, outcome, texts=texts),
        shown=exhibits_of(directory, texts=texts),
        counts=outcome.data.get("counts", {}),
        checks=_checks(outcome),
        config=_text(directory / "config.yaml"),
        settings=settings_of(directory),
    )  # fmt: skip
    target = to or directory / "report.html"
    write_atomic(target, page)
    return target


def environment() -> jinja2.Environment:
    """The page templates, with the filters that they use."""
    loader = jinja2.FileSystemLoader(_PAGE)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {name: getattr(quantities, name) for name in _WORDED}
    environment.filters |= {"whisker": whisker, "breakable": breakable}
    environment.globals["style"] = Markup((_PAGE / "style.css").read_text(encoding="utf-8"))
    return environment


def _checks(outcome: Outcome) -> list[str] | None:
    """What checking the data found, as the run said it at its start; None where it was not checked."""
    found = outcome.data.get("checks")
    if found is None:
        return None
    kept = {name: value for name, value in found.items() if name in Findings.__dataclass_fields__}
    rows = {split: int(one["kept"]) for split, one in outcome.data.get("counts", {}).items()}
    findings = Findings(**{**kept, "unit": str(outcome.data.get("unit", "samples")), "rows": rows})
    twice = "little" if any(findings.repeated.values()) else "nothing"
    return short_lines(findings) or [f"nothing leaks between splits, {twice} stands twice"]


def _options(outcome: Outcome) -> Mapping[str, str]:
    chosen = outcome.summary.get("options", {})
    return {group: str(chosen[group]) for group in _GROUPS if group in chosen}


def _curves(directory: Path, outcome: Outcome) -> list[tuple[Curve, Point | None, Markup]]:
    records = read_metrics(directory / "metrics.jsonl")
    name = objective_name(outcome)
    best = best_point(records, f"validation/{name}", outcome.direction)
    return [_drawn(curve, best if curve.name == name else None) for curve in curves_of(records, outcome.objective)]


def _drawn(curve: Curve, best: Point | None) -> tuple[Curve, Point | None, Markup]:
    empty = not any(series.points for series in curve.series)
    return curve, best, Markup("") if empty else line_chart(curve, best)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""
