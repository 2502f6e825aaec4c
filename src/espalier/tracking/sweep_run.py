"""``python -m espalier.tracking.sweep_run SWEEPDIR``: a sweep as a run of its own at W&B, beside those of its trials.

Prints the lines that a person needs: where to look, or how the whole sweep is sent later. Nothing where its trials do
not go to W&B. Once more it takes the place of what was there.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import mean
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from espalier.core.files import read_json
from espalier.core.masking import masked_text
from espalier.core.parts import RunInfo
from espalier.core.record import SUMMARY, TRIALS, TrialRecord, kind_of, read_record
from espalier.core.rundir import shown
from espalier.core.trial import TRIAL, read_trial
from espalier.tracking.background import in_one_line
from espalier.tracking.wandb_mode import choose_mode
from espalier.tracking.wandb_session import Place, Session

_KNOWN = ("trial", "state", "name", "configuration", "seed")
_EXIT_CODES = {"done": 0, "interrupted": 255, "stopped": 255}


def main(words: Sequence[str]) -> int:
    """Log the sweep; 0, also where W&B could not be had, which is said."""
    parser = argparse.ArgumentParser(prog="python -m espalier.tracking.sweep_run", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--page", type=Path, help="the sweep's report")
    given = parser.parse_args(words)
    directory = given.directory.resolve()
    node = _node(directory)
    for line in tell(directory, node, given.page) if node else ():
        print(line)
    return 0


def tell(directory: Path, node: Mapping[str, Any], page: Path | None) -> Iterator[str]:
    """Log a sweep; lines for people.

    Args:
        directory: of the sweep.
        node: ``tracking.wandb`` of its trials.
        page: the sweep's report.
    """
    mode, why = choose_mode(str(node.get("mode", "auto")))
    if mode == "disabled":
        return
    trials, summary = read_record(directory), _json(directory / SUMMARY)
    objectives = [str(one["name"]) for one in summary.get("objectives", [])]
    group = _group(directory)
    info = RunInfo(
        directory, directory.parent.name, group, _config(summary), group=group, job_type="sweep",
        label=f"{directory.parent.name} {directory.name}",
    )  # fmt: skip
    place = Place.of(
        info,
        str(node["project"]),
        node.get("entity"),
        node.get("group"),
        "sweep",
        [str(t) for t in node.get("tags", [])],
    )
    session = Session(info, place, mode, 0)
    try:
        session.load()
        session.start()
        session.table("trials", *table_of(trials, objectives))
        if page and page.is_file():
            session.attach(page.read_text(encoding="utf-8"))
        status = str(summary.get("status", "running"))
        session.end(summary_of(trials, summary, objectives), exit_code=_EXIT_CODES.get(status, 0), step=1)
    except Exception as error:
        yield f"wandb: the sweep's own run was not delivered ({in_one_line(error)}); its trials' runs are not touched"
        return
    if session.mode == "online":
        yield f"wandb: {session.url}"
    else:
        said = session.why or why
        yield f"wandb offline{f' ({said})' if said else ''}   all of it is sent by   {sync_line(directory)}"


def table_of(trials: Sequence[TrialRecord], objectives: Sequence[str]) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows: a row for each trial, a column for each key that the sweep varies and each objective."""
    keys = list(dict.fromkeys(key for trial in trials for key in trial.point))
    columns = [*_KNOWN, *keys, *objectives, "seconds", "why"]
    return columns, [_row(trial, keys, len(objectives)) for trial in trials]


def summary_of(trials: Sequence[TrialRecord], summary: Mapping[str, Any], objectives: Sequence[str]) -> dict[str, Any]:
    """Counts by state; of the best configuration its values, and the mean of its seeds' test."""
    told: dict[str, Any] = {"status": summary.get("status", "running")}
    told |= {f"trials/{state}": count for state, count in summary.get("counts", {}).items()}
    best = summary.get("best")
    if not best:
        return told
    told |= {f"best/{name}": value for name, value in zip(objectives, best.get("values", []), strict=False)}
    told |= {f"best/{name}": best[name] for name in ("name", "sd", "n", "configuration") if best.get(name) is not None}
    chosen = [trial.metrics or {} for trial in trials if trial.trial in best.get("trials", [])]
    names = sorted({name for metrics in chosen for name in metrics if name.startswith("test/")})
    return told | {name: mean(metrics[name] for metrics in chosen if name in metrics) for name in names}


def sync_line(directory: Path) -> str:
    """The one command that sends an offline sweep: its trials' runs and its own."""
    if root := os.environ.get("WANDB_DIR"):
        return f"wandb sync {shlex.quote(str(Path(root) / 'wandb'))}/offline-*"
    place = shlex.quote(str(shown(directory)))
    return f"wandb sync {place}/{TRIALS}/*/wandb/offline-* {place}/wandb/offline-*"


def _row(trial: TrialRecord, keys: Sequence[str], objectives: int) -> list[Any]:
    values = [*trial.values[:objectives], *[None] * (objectives - len(trial.values))]
    point = [_cell(trial.point.get(key)) for key in keys]
    known = [trial.trial, trial.state, trial.name, trial.configuration, trial.seed]
    return [*known, *point, *values, (trial.cost or {}).get("seconds"), kind_of(trial.why)]


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else json.dumps(value)


def _config(summary: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {name: summary[name] for name in ("search", "pruning", "launcher") if name in summary}
    return {**chosen, "words": [masked_text(str(word)) for word in summary.get("words", [])]}


def _node(directory: Path) -> Mapping[str, Any] | None:
    """``tracking.wandb`` of the first trial that has a config; None where it has none."""
    for file in sorted((directory / TRIALS).glob("*/config.yaml")):
        try:
            node = OmegaConf.select(OmegaConf.load(file), "tracking.wandb")
            found = OmegaConf.to_container(node, resolve=True) if isinstance(node, DictConfig) else None
        except OmegaConfBaseException:
            continue
        return found if isinstance(found, dict) else None  # type: ignore[return-value]
    return None


def _group(directory: Path) -> str:
    """That of its trials, by the first of them."""
    first = min((directory / TRIALS).glob(f"*/{TRIAL}"), default=None)
    with suppress(OSError, ValueError, TypeError, KeyError):
        if first and (trial := read_trial(first.parent)):
            return trial.group
    return directory.name


def _json(file: Path) -> dict[str, Any]:
    return dict(read_json(file)) if file.is_file() else {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
