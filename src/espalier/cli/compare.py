"""``espalier compare``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from espalier.cli.arguments import Parser, page_to_write, run_directory
from espalier.cli.compared import compared
from espalier.core.errors import Fault, UserError
from espalier.report.comparison import sides_of
from espalier.report.comparison_lines import comparison_lines
from espalier.report.comparison_page import write_comparison

_HELP = """\
espalier compare RUN RUN … [--html FILE]

What differs between runs, and what came of it: settings, metrics with 95% intervals, cost, curves. Runs that differ in
their seed alone are one side, with mean ± standard deviation. Of a sweep its best trial is compared. Where two sides
were tested on the same rows, a paired bootstrap and McNemar's test say whether one is better.

  espalier compare outputs/mine/2026-11-30_14-02-11-3fa9c1 outputs/latest
  espalier compare outputs/mine/* --html comparison.html

  --html FILE   the same as a page, curves over each other"""


def main(words: Sequence[str]) -> int:
    """Print the comparison; 0."""
    parser = Parser("espalier compare")
    parser.add_argument("runs", nargs="*", type=run_directory)
    parser.add_argument("--html", type=Path)
    given = parser.read(words)
    if given.help:
        print(_HELP)
        return 0
    runs = compared(given.runs)
    if len(runs) < 2:
        raise UserError(
            Fault("espalier compare", f"needs two runs or more, and was given {len(runs)}.", "See:  espalier runs")
        )
    to = page_to_write(f"--html {given.html}", given.html) if given.html else None
    sides = sides_of(runs)
    print("\n".join(comparison_lines(sides)))
    if to:
        print(f"\n{write_comparison(sides, to)}")
    return 0
