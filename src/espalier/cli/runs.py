"""``espalier runs``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from espalier.cli.arguments import Parser
from espalier.core.errors import UserError
from espalier.core.rundir import is_gone, read_outcome, run_directories
from espalier.report.runs import ListedRun, runs_table

_HELP = """\
espalier runs [--json] [--output FOLDER]

What was run below FOLDER (outputs), newest first: status, metrics, cost, where it lies. --json prints one object a
line: the run's outcome with its directory."""


def main(words: Sequence[str]) -> int:
    """Print the table; 0."""
    parser = Parser("espalier runs")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--output", type=Path, default=Path("outputs"))
    given = parser.read(words)
    if given.help:
        print(_HELP)
        return 0
    listed, unreadable = [], []
    for directory in run_directories(given.output):
        try:
            outcome = read_outcome(directory)
        except UserError:
            unreadable.append(_shown(directory))
        else:
            listed.append(ListedRun(_shown(directory), outcome, is_gone(directory, outcome)))
    for directory in unreadable:
        print(f"{directory} cannot be read", file=sys.stderr)
    if given.json:
        for run in listed:
            record = {"directory": str(run.directory), **run.outcome.as_dict(), "status": run.status}
            print(json.dumps(record, ensure_ascii=False))
    else:
        print("\n".join(runs_table(listed)))
    return 0


def _shown(directory: Path) -> Path:
    return directory.relative_to(Path.cwd()) if directory.is_relative_to(Path.cwd()) else directory
