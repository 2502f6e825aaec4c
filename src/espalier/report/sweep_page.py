"""A sweep's report: one page that opens anywhere without a network, and beside it the same as Markdown and as csv."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from espalier.core.files import write_atomic
from espalier.core.masking import masked_text
from espalier.core.record import TrialRecord, kind_of, trial_directory
from espalier.core.rundir import shown
from espalier.report import sweep_plots
from espalier.report.html import environment
from espalier.report.sweep_curves import History, curve_plot, histories, occupancy_words, seed_plot, slot_plot
from espalier.report.sweep_lines import count_words, figures_of
from espalier.report.sweep_plots import Plot
from espalier.report.sweep_read import Sweep, read_sweep, seconds_of, settings_text
from espalier.report.sweep_rungs import FEWEST, TRUSTED, early_and_final
from espalier.report.sweep_table import (
    command_of,
    figures_on_test,
    markdown,
    point_cells,
    state_words,
    took_words,
    trials_csv,
)

_PAGE = Path(__file__).parent / "page"
_TOP = 10  # configurations of the first table
_LOGGED, _ALIKE = 30, 3  # failed trials of which the log is shown, and how many that failed for the same reason
_FIGURES = 3  # of the test split


@dataclass(frozen=True)
class TrialRow:
    """A trial in the page's table; ``page`` is where its own report lies, as seen from the page."""

    trial: TrialRecord
    cells: Sequence[str]
    seconds: float | None
    validations: int
    page: str


def write_sweep_report(directory: Path, to: Path | None = None, *, texts: bool = True) -> Path:
    """Write a sweep's page, and beside it the same as Markdown and its trials as csv.

    Args:
        directory: of the sweep; it may still run, or have been moved.
        to: the page to write; ``report.html`` in the directory if not given.
        texts: whether it shows logs and what errors said, which may hold the data's own texts.

    Returns:
        The page's path; ``report.md`` and ``trials.csv`` lie beside it.

    Raises:
        UserError: it is no sweep's directory.
    """
    sweep = read_sweep(directory)
    sweep = sweep if texts else replace(sweep, trials=[replace(t, why=kind_of(t.why), log="") for t in sweep.trials])
    target = to or directory / "report.html"
    told = histories(sweep)
    early = early_and_final(sweep, {one.trial: [number for _, number in one.points] for one in told})
    plots = _plots(sweep, told)
    scripts = [*([_plotly()] if any(plots.values()) else []), Markup((_PAGE / "sweep.js").read_text(encoding="utf-8"))]
    counts = count_words({**sweep.summary, "counts": sweep.counts, "status": sweep.status})
    page = environment().get_template("sweep.html.j2").render(
        sweep=sweep,
        directory=str(shown(directory)),
        counts=counts,
        command=_command(sweep),
        ways=_ways(sweep, shown(directory)),
        best=sweep.best,
        best_command=command_of(sweep, sweep.best) if sweep.best else "",
        test=figures_on_test(sweep, sweep.best)[:_FIGURES] if sweep.best else [],
        took=took_words(sweep),
        occupancy=occupancy_words(sweep),
        top=[one for one in sweep.configurations[:_TOP] if one.done],
        front=sweep_plots.front_of(sweep),
        plots=plots,
        early=early,
        trusted=TRUSTED,
        fewest=FEWEST,
        broken=_broken(sweep),
        texts=texts,
        reasons=_reasons(sweep),
        rows=_rows(sweep, told, target),
        settings=settings_text(directory),
        state_words=state_words,
        figures_of=figures_of,
        figures=_figures(plots),
        scripts=scripts,
        hashes=" ".join(map(_hash, scripts)),
        sweep_style=Markup((_PAGE / "sweep.css").read_text(encoding="utf-8")),
    )  # fmt: skip
    default = target.stem == "report"
    write_atomic(target.with_name("trials.csv" if default else f"{target.stem}.csv"), trials_csv(sweep))
    write_atomic(target.with_suffix(".md"), markdown(sweep, early, counts))
    write_atomic(target, page)
    return target


def _plots(sweep: Sweep, told: Sequence[History]) -> dict[str, list[Plot]]:
    """Section -> its figures; those that there is nothing for are left out."""
    found: dict[str, Sequence[Plot | None]] = {
        "curves": [curve_plot(sweep, told)],
        "history": sweep_plots.history_plots(sweep),
        "importance": sweep_plots.importance_plots(sweep),
        "slices": sweep_plots.slice_plots(sweep),
        "parallel": sweep_plots.parallel_plots(sweep),
        "cost": sweep_plots.cost_plots(sweep),
        "seeds": [seed_plot(sweep)],
        "slots": [slot_plot(sweep)],
    }
    return {section: [plot for plot in plots if plot] for section, plots in found.items()}


def _figures(plots: Mapping[str, Sequence[Plot]]) -> Markup:
    """Every figure by ``<section>-<number>``, as JSON that no mark-up can end."""
    found = {
        f"{section}-{i}": {"height": plot.height, **_plain(plot.figure)}
        for section, some in plots.items()
        for i, plot in enumerate(some)
    }
    return Markup(json.dumps(found, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e"))


def _plain(figure: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(figure.to_json())
    for name in ("template", "title", "width"):
        content["layout"].pop(name, None)
    return {"data": content["data"], "layout": content["layout"]}


def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs().replace("</script", "<\\/script"))


def _hash(script: Markup) -> str:
    """As the page's policy names it: no other script runs there."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _command(sweep: Sweep) -> str:
    words = [masked_text(str(word)) for word in sweep.summary.get("words") or []]
    return shlex.join(["espalier", "train", "-m", *words]) if words else ""


def _ways(sweep: Sweep, directory: Path) -> list[tuple[str, str]]:
    """(what, command) for a sweep that has not come to its end, or of which trials failed."""
    place = shlex.quote(str(directory))
    ways = [("go on", f"espalier sweep resume {place}")] if sweep.status in ("interrupted", "stopped", "killed") else []
    return [*ways, *([("once mended", f"espalier sweep retry --failed {place}")] if sweep.counts.get("failed") else [])]


def _broken(sweep: Sweep) -> list[TrialRecord]:
    """Trials whose logs are shown: a few of each reason."""
    seen: Counter[str] = Counter()
    chosen = []
    for trial in sweep.trials:
        if trial.state in ("failed", "infeasible"):
            seen[_reason(trial)] += 1
            chosen += [trial] if seen[_reason(trial)] <= _ALIKE else []
    return chosen[:_LOGGED]


def _reason(trial: TrialRecord) -> str:
    return (trial.why.strip() or state_words(trial.state)).splitlines()[0]


def _reasons(sweep: Sweep) -> list[tuple[str, int]]:
    """Why trials did not come to their end, the commonest first."""
    why = Counter(_reason(trial) for trial in sweep.trials if trial.state in ("failed", "infeasible", "stopped"))
    return why.most_common(12)


def _rows(sweep: Sweep, told: Sequence[History], page: Path) -> list[TrialRow]:
    done = {one.trial: len(one.points) for one in told}
    return [_row(sweep, trial, done.get(trial.trial, 0), page) for trial in sweep.trials]


def _row(sweep: Sweep, trial: TrialRecord, validations: int, page: Path) -> TrialRow:
    own = trial_directory(sweep.directory, trial.trial) / "report.html"
    below = own.exists() and own.resolve().is_relative_to(page.resolve().parent)
    link = own.resolve().relative_to(page.resolve().parent).as_posix() if below else ""
    reached = max([validations, *(rung for rung, _ in trial.rungs)])
    return TrialRow(trial, point_cells(trial, sweep.keys), seconds_of(trial), reached, link)
