"""``espalier runs``."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from espalier.cli.arguments import Parser
from espalier.core.directories import directories
from espalier.core.errors import CorruptError, Fault, UserError
from espalier.core.record import RECORD
from espalier.core.rundir import OUTCOME, shown
from espalier.report.query import find_runs
from espalier.report.runs import ListedRun, runs_table, so_far
from espalier.report.sweep_list import ListedSweep, sweeps_table

_OUTPUTS = Path("outputs")
_LIMIT = 50
_OF_TRIALS = re.compile(r"\b(sweep|trial)\b")
_HELP = f"""\
espalier runs [--where CONDITION] [--sort KEY] [--limit N] [--trials] [--json] [--output FOLDER]

What was run below FOLDER (outputs), newest first: status, seed, metrics, what was changed, where it lies. Of a run
that has not ended, val. is its best so far; of debug runs, the figures say nothing. A sweep is one line beneath the
runs, with its best; its trials are listed where they are asked for.

  espalier runs --where "metric > 0.9 and adapter = 'lora'" --sort metric
  espalier runs --where "status in ('killed', 'failed', 'interrupted')"
  espalier runs --where "changed like '%lr=0.001%' and debug is null" --sort "validation_loss asc"
  espalier runs --where "sweep = 'sweep-2026-11-30_14-02-11-3fa9c1' and status = 'failed'"

  --where CONDITION   SQL over these columns:
                      name status seed started took steps epochs changed error host git_commit sweep trial
                      speed memory device_seconds parameters trained_parameters
                      data model adapter task optimizer scheduler hardware experiment debug   (the options)
                      objective, metric (its value: on test, else on validation; of trials on validation)
                      accuracy test_accuracy validation_accuracy …   (each metric: the best there is, or of a split;
                      a name that is no word is quoted:  --where '"recall@1" > 0.6')
  --sort KEY          a column, largest first; "KEY asc": smallest first
  --limit N           at most so many; 0: all. Without it, {_LIMIT}, and all with --json
  --trials            the trials of sweeps too; a condition that names sweep or trial asks for them
  --json              an object a line: the run's outcome with its directory
  --output FOLDER     where to look"""


def main(words: Sequence[str]) -> int:
    """Print the table; 0."""
    parser = Parser("espalier runs")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--trials", action="store_true")
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
    trials = given.trials or bool(_OF_TRIALS.search(f"{given.where} {given.sort}"))
    there = directories(given.output, trials=trials)
    below = (file for name in (OUTCOME, RECORD) for file in given.output.glob(f"*/{name}"))
    if not there.runs and not there.sweeps and any(not file.parent.is_symlink() for file in below):
        above = shlex.quote(str(shown(given.output.absolute().parent)))
        truth = "holds the runs of one name, and is no folder of such."
        raise UserError(Fault(f"--output {given.output}", truth, f"Name the one above:  --output {above}"))
    found = find_runs(there.runs, where=given.where, sort=given.sort, limit=limit)
    for directory in found.unreadable:
        print(f"{shown(directory)}/outcome.json cannot be read", file=sys.stderr)
    if given.json:
        for run in found.runs:
            record = {"directory": str(shown(run.directory)), **run.outcome.as_dict(), "status": run.status}
            record["cost"] = {name: number or None for name, number in record["cost"].items()}  # 0: was not measured
            print(json.dumps(record, ensure_ascii=False))
        return 0
    # What is asked of runs alone says nothing of sweeps.
    sweeps = [] if given.where or given.sort or trials else there.sweeps
    listed = [ListedSweep.of(directory, shown(directory)) for directory in sweeps[: limit or None]]
    blocks = [runs_table([_told(run) for run in found.runs]) + _last_line(found.matching, len(found.runs)),
              sweeps_table(listed) + _last_line(len(sweeps), len(listed), "sweeps")]  # fmt: skip
    told = [line for block in blocks if block for line in ("", *block)][1:]
    print("\n".join(told) or _nothing(bool(there.runs), bool(there.sweeps) and not trials))
    return 0


def _nothing(runs: bool, sweeps: bool) -> str:
    """Why no line is listed, where some runs are there or none, and sweeps whose trials were left out."""
    if not runs and sweeps:
        return "only sweeps were run: --trials looks at their trials"
    if not runs:
        return "nothing was run yet:  espalier train"
    return "no run is like that" + "; --trials looks at those of sweeps too" * sweeps


def _told(run: ListedRun) -> ListedRun:
    try:
        run = so_far(run)
    except CorruptError as error:
        print(error, file=sys.stderr)
    return replace(run, directory=shown(run.directory))


def _last_line(matching: int, listed: int, what: str = "runs") -> list[str]:
    return [f"{listed:,} of {matching:,} {what}; --limit 0 shows all"] if listed < matching else []
