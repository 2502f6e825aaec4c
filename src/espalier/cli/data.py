"""``espalier data``: show or check the rows that a data option reads."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from espalier.cli.arguments import composing
from espalier.cli.process import ask
from espalier.config.check import check
from espalier.config.compose import Experiment, compose
from espalier.config.saved import write
from espalier.config.suggest import nearest
from espalier.core.errors import Fault, UserError

_ACTIONS = ("show", "check")
_ROWS = 3
_HELP = """\
espalier data show  [group=option] [key=value] … [--rows N] [--json]
espalier data check [group=option] [key=value] … [--quick] [--strict] [--output FILE] [--json]

show prints what a data option reads: splits, columns, how often each label occurs, the first rows.
check looks for what spoils results: rows that stand in two splits, or twice, or with two labels (texts are the same
whatever their case and blanks), rare classes, empty and long texts, and labels that are likely wrong: those that a
classifier contradicts which did not see the row (confident learning, over the states of the model and words).

  espalier data show data=csv data.path=my.csv data.columns.text=review data.columns.label=stars
  espalier data check data=sst2 --output suspects.csv
  espalier data check data=mnist data.limit=5000

  --rows N             first rows to show of each split (3)
  --quick              leave the labels alone: seconds instead of minutes
  --strict             exit with 1 if any row is found
  --output FILE        every row that was found, with number, text, given and suggested label: FILE.csv or FILE.jsonl
  --json               one object, for other programs
  --config-dir FOLDER  options of your own"""


def main(words: Sequence[str]) -> int:
    """Compose, check, read and answer; labels are judged in a process of their own. The exit code."""
    parser = composing("espalier data")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=_count)
    for flag in ("--quick", "--strict"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--output", type=Path)
    given = parser.read(words)
    if given.help or not given.overrides:
        print(_HELP)
        return 0
    action, *overrides = given.overrides
    _require_right_flags(action, given)
    experiment = compose(overrides, config_dirs=given.config_dir)
    judges = action == "check" and not given.quick
    check(experiment, only=["data", "model", "hardware"] if judges else ["data"])
    if judges:
        return _ask_judge(experiment, _flags(given, "strict", "output", "json"))
    # By name: a mistake in the words is answered before what reads rows is loaded.
    if action == "show":
        rows = _ROWS if given.rows is None else given.rows
        return int(import_module("espalier.checks.show").show(experiment, rows=rows, as_json=given.json))
    found = import_module("espalier.checks.find").find
    return int(found(experiment, strict=given.strict, as_json=given.json, output=given.output))


def _count(word: str) -> int:
    if not word.isdecimal():
        raise argparse.ArgumentTypeError("is no number of rows")
    return int(word)


def _require_right_flags(action: str, given: argparse.Namespace) -> None:
    if action not in _ACTIONS:
        guess = nearest(action, _ACTIONS)
        words = f"{action} …" if "=" in action else "…"
        wanted = f"espalier data show {words}  or  espalier data check {words}"
        remedy = f"Did you mean  espalier data {guess} ?" if guess else f"Write  {wanted}"
        raise UserError(Fault(action, "is neither show nor check.", remedy))
    strange = ("quick", "strict", "output") if action == "show" else ("rows",)
    other = next(name for name in _ACTIONS if name != action)
    if wrong := [name for name in strange if getattr(given, name)]:
        raise UserError(*(Fault(f"--{name}", f"belongs to  espalier data {other}", "Leave it out.") for name in wrong))
    if given.output and not given.output.absolute().parent.is_dir():
        raise UserError(Fault(f"--output {given.output}", "lies in a folder that is not there.", "Make it first."))
    if given.output and given.output.suffix not in (".csv", ".jsonl"):
        raise UserError(Fault(f"--output {given.output}", "is of no known kind.", "Let it end with .csv or .jsonl"))


def _flags(given: argparse.Namespace, *names: str) -> list[str]:
    values = {name: getattr(given, name) for name in names}
    return [
        word
        for name, value in values.items()
        if value is not None and value is not False
        for word in ((f"--{name}",) if value is True else (f"--{name}", str(value)))
    ]


def _ask_judge(experiment: Experiment, flags: Sequence[str]) -> int:
    """The experiment goes to the process that loads a model as a run's does: by files in a folder."""
    with TemporaryDirectory(prefix="espalier-") as folder:
        write(experiment, Path(folder))
        return ask("espalier.checks.judge", folder, *flags)
