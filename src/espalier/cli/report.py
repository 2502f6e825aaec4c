"""``espalier report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from espalier.cli.arguments import Parser, page_to_write, run_directory
from espalier.cli.compared import compared
from espalier.core.errors import Fault, UserError
from espalier.core.record import RECORD
from espalier.core.rundir import is_gone, read_outcome, shown
from espalier.report.comparison import sides_of
from espalier.report.comparison_page import write_comparison
from espalier.report.html import write_report
from espalier.report.sweep_page import write_sweep_report

_HELP = """\
espalier report RUN … [output=FILE] [texts=false]

Write a run's page again from its files, or a sweep's, or one page that compares several runs, and print where it lies:
report.html in the directory of the run or of the sweep, comparison.html in the working folder, or FILE. texts=false
leaves the data's own texts out, so that the page may go where the data must not.

  espalier report outputs/latest
  espalier report outputs/mine/* output=mine.html"""


def main(words: Sequence[str]) -> int:
    """Write the page, print its path; 0."""
    parser = Parser("espalier report")
    parser.add_argument("words", nargs="*")
    given = parser.read(words)
    if given.help:
        print(_HELP)
        return 0
    runs, settings = _sorted_out(given.words)
    output = settings.get("output")
    texts = settings.get("texts", "true") == "true"
    to = page_to_write(f"output={output}", Path(output)) if output is not None else None
    if len({run.resolve() for run in runs}) == 1:
        directory = runs[0].resolve()
        if (directory / RECORD).exists():
            print(shown(write_sweep_report(directory, to, texts=texts)))
            return 0
        outcome = read_outcome(directory)
        if is_gone(directory, outcome):
            outcome = replace(outcome, status="interrupted", error="It was killed.")
        written = write_report(directory, outcome, texts=texts, to=to)
    else:
        written = write_comparison(sides_of(compared(runs)), to or Path("comparison.html"))
    print(shown(written))
    return 0


def _sorted_out(words: Sequence[str]) -> tuple[list[Path], dict[str, str]]:
    """Run directories, and settings by name."""
    settings = dict(word.split("=", 1) for word in words if word.startswith(("output=", "texts=")))
    runs = [run_directory(word) for word in words if not word.startswith(("output=", "texts="))]
    faults = [
        Fault(str(run), "is no setting of espalier report.", "There are: output, texts.")
        for run in runs
        if "=" in run.name and not run.exists()
    ]
    if settings.get("texts", "true") not in ("true", "false"):
        faults.append(Fault(f"texts={settings['texts']}", "is neither true nor false."))
    if not runs:
        faults.append(Fault("espalier report", "needs a run directory.", "See:  espalier runs"))
    if faults:
        raise UserError(*faults)
    return runs, settings
