"""``espalier track``: what a run has recorded, told later to a tracker that was down, or that nobody had asked for."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from espalier.cli.arguments import Parser, run_directory
from espalier.cli.process import ask
from espalier.config.compose import compose
from espalier.config.saved import read
from espalier.core.errors import Fault, UserError
from espalier.core.record import RECORD, TRIALS
from espalier.core.rundir import is_gone, read_outcome, run_id, shown
from espalier.report.html import write_report
from espalier.report.sweep_page import write_sweep_report

_HELP = """\
espalier track RUN … --to wandb|tensorboard|csv
espalier track SWEEP --to wandb|tensorboard|csv

Tell a tracker later what metrics.jsonl and outcome.json hold: of a run whose tracker was down or turned off, or of all
trials of a sweep. It gets what it would have got while the run went on, under the same name, group and tags. Once more
takes the place of what was there. Without a network W&B's files are written into the run's folder.

  espalier track outputs/latest --to wandb
  espalier track outputs/mine/sweep-… --to tensorboard"""

_TRACKERS = ("wandb", "tensorboard", "csv")


def main(words: Sequence[str]) -> int:
    """Send; 0, or 1 where something did not arrive."""
    parser = Parser("espalier track")
    parser.add_argument("directories", nargs="*", type=run_directory)
    parser.add_argument("--to", choices=_TRACKERS)
    given = parser.read(words)
    if given.help:
        print(_HELP)
        return 0
    _require_whole(given)
    places = [directory.resolve() for directory in given.directories]
    sweeps = [place for place in places if (place / RECORD).exists()]
    runs = [*_finished([place for place in places if place not in sweeps]), *_trials(sweeps)]
    with TemporaryDirectory() as folder:
        pages = _pages(runs, Path(folder)) if given.to == "wandb" else []
        settings = json.dumps(_settings(given.to))
        code = ask("espalier.tracking.send", *map(str, runs), "--to", given.to, "--settings", settings, *pages)
        for sweep in sweeps if given.to == "wandb" else ():
            page = write_sweep_report(sweep, Path(folder) / f"{sweep.name}.html", texts=_texts(runs))
            code = max(code, ask("espalier.tracking.sweep_run", str(sweep), "--page", str(page)))
    return code


def _require_whole(given: Namespace) -> None:
    faults = []
    if not given.directories:
        faults.append(Fault("espalier track", "needs a run or a sweep.", "See:  espalier runs"))
    if not given.to:
        faults.append(Fault("espalier track", "needs to know whom to tell.", "Add  --to wandb"))
    if faults:
        raise UserError(*faults)


def _settings(tracker: str) -> dict[str, Any]:
    """Of the option as it comes, for runs whose config has it not."""
    node: dict[str, Any] = compose([f"tracking={tracker}"]).values["tracking"][tracker]
    return {name: value for name, value in node.items() if not name.startswith("_")}


def _finished(runs: Sequence[Path]) -> list[Path]:
    """Runs that were named.

    Raises:
        UserError: one is no run, still goes on, or has recorded nothing.
    """
    faults = []
    for run in runs:
        outcome = read_outcome(run)
        if outcome.status == "running" and not is_gone(run, outcome):
            faults.append(Fault(str(shown(run)), "still runs, and tells its trackers itself.", "Wait for its end."))
        elif not _has_metrics(run):
            faults.append(Fault(str(shown(run)), "has recorded no metrics: there is nothing to tell."))
    if faults:
        raise UserError(*faults)
    return list(runs)


def _trials(sweeps: Sequence[Path]) -> Iterator[Path]:
    """Trials that have recorded something and don't run; of the others it is said how many they are."""
    for sweep in sweeps:
        every = sorted(file.parent for file in sweep.glob(f"{TRIALS}/*/outcome.json"))
        ready = [run for run in every if _has_metrics(run) and not _runs(run)]
        if left := len(every) - len(ready):
            print(f"{shown(sweep)}   {left} of {len(every)} trials still run, or have recorded nothing: left out")
        if not ready:
            raise UserError(Fault(str(shown(sweep)), "has no trial that has recorded metrics and is at its end."))
        yield from ready


def _runs(run: Path) -> bool:
    outcome = read_outcome(run)
    return outcome.status == "running" and not is_gone(run, outcome)


def _has_metrics(run: Path) -> bool:
    file = run / "metrics.jsonl"
    return file.is_file() and file.stat().st_size > 0


def _pages(runs: Sequence[Path], folder: Path) -> list[str]:
    """The reports that W&B gets, of runs that have one; with the data's own texts only where the config says so."""
    for run in runs:
        if not (run / "report.html").exists():
            continue
        outcome = read_outcome(run)
        if is_gone(run, outcome):
            outcome = replace(outcome, status="interrupted", error="It was killed.")
        write_report(run, outcome, texts=_texts([run]), to=folder / f"{run_id(run)}.html")
    return ["--pages", str(folder)]


def _texts(runs: Sequence[Path]) -> bool:
    """Whether all of them say that W&B may have the data's own texts."""
    nodes = [(read(run).values.get("tracking") or {}).get("wandb") or {} for run in runs]
    return all(node.get("texts") is True for node in nodes)
