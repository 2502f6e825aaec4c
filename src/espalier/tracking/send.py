"""``python -m espalier.tracking.send RUN … --to wandb|tensorboard|csv``: what runs have recorded, told later.

``metrics.jsonl`` and ``outcome.json`` hold all that a tracker would have been told while a run went on. Once more takes
the place of what was there: W&B overwrites a run of the same id, files are written anew.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from espalier.core.masking import masked
from espalier.core.metrics_file import read_metrics
from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo
from espalier.core.rundir import is_gone, read_outcome, run_id, shown
from espalier.core.trial import read_trial
from espalier.tracking.background import in_one_line
from espalier.tracking.csv import Csv
from espalier.tracking.tensorboard import TensorBoard
from espalier.tracking.wandb_mode import choose_mode
from espalier.tracking.wandb_session import Place, Session

_PLACE = ("project", "entity", "group", "job_type", "tags")
_SECONDS = 600  # that W&B may take for a run: nothing waits but the command


def main(words: Sequence[str]) -> int:
    """Send each; 0, or 1 where one of them did not arrive."""
    parser = argparse.ArgumentParser(prog="python -m espalier.tracking.send", description=__doc__)
    parser.add_argument("directories", type=Path, nargs="+")
    parser.add_argument("--to", choices=_WAYS, required=True)
    parser.add_argument("--settings", type=json.loads, default={}, help="of the tracker, where a run's config has none")
    parser.add_argument("--pages", type=Path, help="a folder of reports, <run>.html")
    given = parser.parse_args(words)
    arrived = [send(directory.resolve(), given.to, given.settings, given.pages) for directory in given.directories]
    return 0 if all(arrived) else 1


def send(directory: Path, to: str, settings: Mapping[str, Any], pages: Path | None) -> bool:
    """Tell a tracker of one run; says what was sent, and where to look. Whether it arrived."""
    outcome = read_outcome(directory)
    if is_gone(directory, outcome):
        outcome = replace(outcome, status="interrupted", error="It was killed.")
    config = _config(directory)
    node = {**settings, **((config.get("tracking") or {}).get(to) or {})}
    rows = read_metrics(directory / "metrics.jsonl")
    try:
        said, arrived = _WAYS[to](_info(directory, outcome, config), outcome, node, pages)
    except Exception as error:
        said, arrived = f"not sent ({in_one_line(error)})", False
    steps = f"steps {rows[0]['step']:,} to {rows[-1]['step']:,}" if rows else "none"
    print(f"{shown(directory)}   {len(rows):,} rows ({steps}), {outcome.status}   {said}", flush=True)
    return arrived


def _to_wandb(run: RunInfo, outcome: Outcome, node: Mapping[str, Any], pages: Path | None) -> tuple[str, bool]:
    mode, why = choose_mode(str(node.get("mode", "auto")))
    if mode == "disabled":
        return f"not sent: {why}", False
    file = run.directory / "metrics.jsonl"
    session = Session(run, Place.of(run, *(node[name] for name in _PLACE)), mode, file.stat().st_size, _SECONDS)
    session.load()
    session.start()
    if pages and (page := pages / f"{run.run_id}.html").is_file():
        session.attach(page.read_text(encoding="utf-8"))
    session.finish(outcome)
    if session.lost:
        return f"wandb: {session.past - session.rows} rows were not written: {session.lost}", False
    if session.mode == "online":
        return f"wandb: {session.url}", True
    reason = session.why or why
    return f"wandb offline{f' ({reason})' if reason else ''}: {shown(session.folder)}", not session.why


def _to_csv(run: RunInfo, outcome: Outcome, node: Mapping[str, Any], pages: Path | None) -> tuple[str, bool]:  # noqa: ARG001  # a way's interface
    tracker = Csv()
    tracker.start(run)
    tracker.finish(outcome)
    return str(shown(run.directory / "metrics.csv")), True


def _to_tensorboard(run: RunInfo, outcome: Outcome, node: Mapping[str, Any], pages: Path | None) -> tuple[str, bool]:  # noqa: ARG001
    tracker = TensorBoard(flush_seconds=int(node["flush_seconds"]))
    tracker.start(run)
    return tracker.finish(outcome), True


_WAYS: dict[str, Callable[[RunInfo, Outcome, Mapping[str, Any], Path | None], tuple[str, bool]]] = {
    "wandb": _to_wandb,
    "tensorboard": _to_tensorboard,
    "csv": _to_csv,
}


def _info(directory: Path, outcome: Outcome, config: Mapping[str, Any]) -> RunInfo:
    """As the run itself would have told it, going on from its beginning: trackers take up ``metrics.jsonl`` then."""
    trial = read_trial(directory)
    of_sweep: dict[str, Any] = (
        {"group": trial.group, "job_type": "trial", "label": trial.name, "words": trial.words} if trial else {}
    )
    return RunInfo(
        directory,
        outcome.name,
        run_id(directory),
        masked(config),
        objective=outcome.objective,
        direction=outcome.direction or "max",
        resumed=True,
        **of_sweep,
    )


def _config(directory: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((directory / "config.yaml").read_text(encoding="utf-8")) or {})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
