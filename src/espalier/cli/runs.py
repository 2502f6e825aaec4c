"""``espalier runs``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from espalier.cli.arguments import Parser
from espalier.core.errors import CorruptError, Fault, UserError
from espalier.core.rundir import run_directories, shown
from espalier.report.query import find_runs
from espalier.report.runs import ListedRun, runs_table, so_far

_OUTPUTS = Path("outputs")
_LIMIT = 50
_HELP = f"""\
espalier runs [--where CONDITION] [--sort KEY] [--limit N] [--json] [--output FOLDER]

What was run below FOLDER (outputs), newest first: status, seed, metrics, what was changed, where it lies. Of a run
that has not ended, val. is its best so far; of debug runs, the figures say nothing.

  espalier runs --where "metric > 0.9 and adapter = 'lora'" --sort metric
  espalier runs --where "status in ('killed', 'failed', 'interrupted')"
  espalier runs --where "changed like '%lr=0.001%' and debug is null" --sort "validation_loss asc"

  --where CONDITION   SQL over these columns:
                      name status seed started took steps epochs changed error host git_commit
                      speed memory device_seconds parameters trained_parameters
                      data model adapter task optimizer scheduler hardware experiment debug   (the options)
                      objective, metric (its value: on test, else on validation)
                      accuracy test_accuracy validation_accuracy …   (each metric: the best there is, or of a split)
  --sort KEY          a column, largest first; "KEY asc": smallest first
  --limit N           at most so many; 0: all. Without it, {_LIMIT}, and all with --json
  --json              an object a line: the run's outcome with its directory
  --output FOLDER     where to look"""


def main(words: Sequence[str]) -> int:
    """Print the table; 0."""
    parser = Parser("espalier runs")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--where", default="")
    parser.add_argument("--sort", default="")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--output", type=Path, default=_OUTPUTS)
    given = parser.read(words)
    if given.help:
        print(_HELP)
        return 0
    if given.output != _OUTPUTS and not given.output.is_dir():
        raise UserError(Fault(f"--output {given.output}", "is no folder.", "Name the one that holds your runs."))
    if given.limit is not None and given.limit < 0:
        raise UserError(Fault(f"--limit {given.limit}", "is less than none.", "--limit 0 shows all."))
    limit = given.limit if given.limit is not None else 0 if given.json else _LIMIT
    found = find_runs(run_directories(given.output), where=given.where, sort=given.sort, limit=limit)
    for directory in found.unreadable:
        print(f"{shown(directory)}/outcome.json cannot be read", file=sys.stderr)
    if given.json:
        for run in found.runs:
            record = {"directory": str(shown(run.directory)), **run.outcome.as_dict(), "status": run.status}
            record["cost"] = {name: number or None for name, number in record["cost"].items()}  # 0: was not measured
            print(json.dumps(record, ensure_ascii=False))
        return 0
    print(
        "\n".join(
            runs_table([_told(run) for run in found.runs]) + _last_line(found.matching, len(found.runs), given.where)
        )
    )
    return 0


def _told(run: ListedRun) -> ListedRun:
    try:
        run = so_far(run)
    except CorruptError as error:
        print(error, file=sys.stderr)
    return replace(run, directory=shown(run.directory))


def _last_line(matching: int, listed: int, where: str) -> list[str]:
    if not matching:
        return ["no run is like that" if where else "nothing was run yet:  espalier train"]
    return [f"{listed:,} of {matching:,} runs; --limit 0 shows all"] if listed < matching else []
