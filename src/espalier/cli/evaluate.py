"""``espalier evaluate``: words checked here; two runs with stored predictions of the same rows compared here too."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from espalier.cli.arguments import Parser
from espalier.cli.process import turn_into
from espalier.cli.settings import read_settings, trained_run
from espalier.config.check import check
from espalier.config.compose import Experiment
from espalier.config.saved import in_use, read
from espalier.core.errors import Fault, UserError
from espalier.core.files import write_json
from espalier.core.rundir import read_outcome, shown
from espalier.report.evaluation import EVALUATION, TABLES, Evaluated, against_dict, against_lines, pairing, place_of
from espalier.report.predictions import read_predictions

_HELP = """\
espalier evaluate run=DIR [data=… data.path=…] [setting=value] … [--against DIR]

A trained run's best weights on its own test rows, or on other data: then on all of their rows, or on their test split
where they have one. Prints metrics with 95% intervals, and accuracy by slices: columns of the data, length, label.

  espalier evaluate run=outputs/latest
  espalier evaluate run=outputs/latest data=csv data.path=new.csv data.columns.text=review slice=country
  espalier evaluate run=outputs/latest --against outputs/mine/2026-11-30_14-02-11-3fa9c1

  run=DIR          a run that is done
  data=…, data.…   other rows; labels must be the model's
  split=test       or validation: of the run's own data, or of the other data
  slice=COLUMN     tell results apart by a column of a table
  output=FOLDER    for evaluation.json and predictions.parquet; else DIR/evaluations/<name>/
  hardware=…       where to compute, if not as the run did
  --against DIR    another run on the same rows: differences, a paired bootstrap, McNemar's test, and what they say"""
# Settings of data that leave the rows what they are: how many are read at a time, how long, told apart by what.
_READING = ("batch_size", "eval_batch_size", "num_workers", "bucket", "slices", "max_length")
_KNOWN = {"run": "outputs/latest", "split": "", "slice": "", "output": ""}


def main(words: Sequence[str]) -> int:
    """Check, and hand over; or answer, where everything is known."""
    parser = Parser("espalier evaluate")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--against")
    given = parser.read(words)
    if given.help or not (given.words or given.against):
        print(_HELP)
        return 0
    _require_no_input(given.words)
    settings, passed = read_settings(given.words, _KNOWN, ("data", "hardware"))
    split = settings.get("split")
    if split not in (None, "test", "validation"):
        raise UserError(Fault(f"split={split}", "must be test or validation."))
    directory = trained_run("run=", settings["run"])
    against = trained_run("--against ", given.against) if given.against else None
    if against == directory:
        raise UserError(Fault(f"--against {given.against}", "is the same run.", "Name another:  espalier runs"))
    other_data = any(_names_rows(word.partition("=")[0]) for word in passed)
    if against and not passed and "slice" not in settings and (sides := _stored([directory, against], split)):
        print(*against_lines(*sides), sep="\n")
        _leave(sides, Path(settings.get("output") or place_of(directory, sides[0].split, against)))
        return 0
    experiment, overrides = _with_rows(directory, passed, settings.get("slice"))
    check(experiment, only=["data", "hardware"])
    return turn_into(
        "espalier.run.evaluate", str(directory), *(f"--override={word}" for word in overrides),
        *([f"--against={against}"] if against else []), *([f"--split={split}"] if split else []),
        *([f"--output={Path(settings['output']).absolute()}"] if settings.get("output") else []),
        *(["--other-data"] if other_data else []),
    )  # fmt: skip


def _names_rows(key: str) -> bool:
    """Whether a word says which rows there are; not how they are read."""
    return key.partition(".")[0] == "data" and key.partition(".")[2] not in _READING


def _leave(sides: Sequence[Evaluated], folder: Path) -> None:
    """What the process that evaluates would have left."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for side, name in zip(sides, TABLES, strict=True):
            shutil.copyfile(Path(side.run) / "predictions" / f"{side.split}.parquet", folder / name)
        write_json(folder / EVALUATION, against_dict(*sides))
    except OSError as error:  # a run may be somebody else's
        truth = f"cannot be written: {error.strerror}."
        raise UserError(Fault(str(shown(folder)), truth, "Name another folder:  output=FOLDER")) from None
    print("", shown(folder), sep="\n")


def _require_no_input(words: Sequence[str]) -> None:
    """Answer who writes what ``espalier predict`` reads."""
    for word in words:
        key, _, path = word.partition("=")
        if key == "input":
            ending = Path(path.removesuffix(".gz")).suffix
            option = {".jsonl": "jsonl", ".parquet": "parquet"}.get(ending.lower(), "csv")
            remedy = f"Write  data={option} {shlex.quote(f'data.path={path}')}"
            raise UserError(Fault(word, "is a setting of espalier predict: rows with labels are data.", remedy))


def _with_rows(directory: Path, words: Sequence[str], by: str | None) -> tuple[Experiment, list[str]]:
    """The run's experiment with other data or hardware, and the words that make it of the run's."""
    data = read(directory).values["data"]
    keys = {word.partition("=")[0] for word in words}
    more: list[str] = []
    if any(map(_names_rows, keys)) and "data" not in keys:
        # Of the run's own data option: its limit was for training, and its further files are not what is asked for.
        changed = ("limit", *(("validation_path", "test_path") if "data.path" in keys else ()))
        more = [f"data.{key}=null" for key in changed if data.get(key) is not None and f"data.{key}" not in keys]
    if by is not None:
        own = in_use(directory, [*words, *more]).values["data"]
        if "slices" not in own:
            raise UserError(Fault(f"slice={by}", "is a column of a table, and this data option reads none."))
        more.append(f"data.slices=[{','.join(dict.fromkeys([*own['slices'], by]))}]")
    return in_use(directory, [*words, *more]), [*words, *more]


def _stored(directories: Sequence[Path], split: str | None) -> list[Evaluated]:
    """What runs that were tested on the same rows of the same data have said of them; empty where they were not."""
    outcomes = [read_outcome(directory) for directory in directories]
    chosen = split or ("test" if any(name.startswith("test/") for name in outcomes[0].metrics) else "validation")
    fingerprint, *others = (str(outcome.data.get("fingerprint", "")) for outcome in outcomes)
    files = [directory / "predictions" / f"{chosen}.parquet" for directory in directories]
    if not fingerprint or others != [fingerprint] or not all(file.is_file() for file in files):
        return []
    sides = [
        Evaluated(
            str(shown(directory)), outcome, chosen, str(outcome.data.get("origin", "")), fingerprint,
            str(outcome.data.get("unit", "samples")),
            {k.partition("/")[2]: v for k, v in outcome.metrics.items() if k.startswith(f"{chosen}/")},
            {k.partition("/")[2]: v for k, v in outcome.intervals.items() if k.startswith(f"{chosen}/")},
            read_predictions(file),
        )
        for directory, outcome, file in zip(directories, outcomes, files, strict=True)
    ]  # fmt: skip
    return sides if pairing(*sides) else []
