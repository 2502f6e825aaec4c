"""The end of a sweep: the link to its best trial, its page, the table and the last words."""

from __future__ import annotations

import secrets
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from espalier.core.launching import environment_of
from espalier.core.record import BEST, TrialRecord, trial_directory
from espalier.core.rundir import shown, typed
from espalier.report.sweep_lines import end_lines
from espalier.sweep.driver import Driver
from espalier.sweep.standings import missed, without_seed
from espalier.sweep.summary import Summary


def finish(driver: Driver, summary: Summary, status: str, code: int) -> int:
    """Link, page, table, last words; the exit code."""
    place = driver.directory
    notes = [f"trial {n} could not be tested: {why}" for n, why in driver.conclusion.faults.items()]
    rows = driver.standings()
    best = next(iter(rows), None)
    if other := missed(rows, driver.trials.values(), driver.objectives):
        seeds = f"{len(other.trials)} of {len(rows[0].trials)} seeds"
        notes.append(f"{without_seed(other.first)} is better by the mean of {seeds}; another seed of it has failed")
    if best:
        _point_best(place, best.trials[0])
    if status in ("interrupted", "stopped") and driver.why and driver.why != status:
        notes.append(driver.why)
    notes += _report(place)
    content = summary.write(status, notes)
    if status == "done":
        notes += _track(driver, best.first if best else next(iter(driver.trials.values()), None))
        content = summary.write(status, notes)
    command = shlex.join(["espalier", "train", *content["best"]["words"]]) if best else ""
    print("", *end_lines(content, list(driver.trials.values()), shown(place), command), *notes, sep="\n", flush=True)
    if code:
        return code
    if status == "detached":
        print(f"it goes on without this process; see to it:  {typed('sweep resume', place)}")
        return 0
    return 0 if best and not _has_failed(driver) else 1


def _has_failed(driver: Driver) -> bool:
    """Whether too many trials have failed, or the winner could not be tested."""
    most = driver.parts.settings.max_failures
    return bool(driver.conclusion.faults) or (most is not None and driver.failures >= most)


def _point_best(place: Path, trial: int) -> None:
    temporary = place / f".best-{secrets.token_hex(3)}"
    with suppress(OSError):  # a file system without links has none
        temporary.symlink_to(trial_directory(place, trial).relative_to(place))
        temporary.replace(place / BEST)


def _report(place: Path) -> list[str]:
    """Make the page; a sweep is not lost because that fails."""
    try:
        # By name: what draws it takes half a second to load, which a sweep's beginning need not wait for.
        import_module("espalier.report.sweep_page").write_sweep_report(place)
    except Exception as error:
        again = typed("sweep report", place)
        return [f"report.html could not be made ({type(error).__name__}: {error}); again:  {again}"]
    return []


def _track(driver: Driver, trial: TrialRecord | None) -> Sequence[str]:
    """Let the sweep be a run of its own where its trials are runs at Weights & Biases; what that has to say."""
    tracking = (driver.attempts.planned(trial).experiment.values.get("tracking") or {}) if trial else {}
    if "wandb" not in tracking:
        return []
    with TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        with suppress(Exception):  # that the page cannot be made has been said
            make = import_module("espalier.report.sweep_page").write_sweep_report
            make(driver.directory, page, texts=bool(tracking["wandb"].get("texts")))
        words = [sys.executable, "-m", "espalier.tracking.sweep_run", str(driver.directory), "--page", str(page)]
        done = subprocess.run(words, env=environment_of(), stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()
