"""``espalier predict``: words checked here, before anything heavy is loaded; then the process that predicts."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from espalier.cli.arguments import Parser
from espalier.cli.process import turn_into
from espalier.cli.settings import read_settings, trained_run
from espalier.config.check import check
from espalier.config.compose import Experiment
from espalier.config.saved import rerun
from espalier.config.suggest import asked, nearest
from espalier.core.chunks import STREAM, Format, format_of, header_of
from espalier.core.errors import Fault, UserError
from espalier.core.facts import DataFacts
from espalier.core.rundir import read_facts

_HELP = """\
espalier predict run=DIR input=FILE output=FILE [setting=value] … [hardware=…]

Let a trained run's best weights answer the rows of a table. The output has every row and column of the input, in their
order, and behind them: prediction (a label's name; several are joined by |) and score (how sure it is, 0 to 1). Rows
are read and written 4,096 at a time: the table may be larger than the memory. The output is there when it is whole.

  espalier predict run=outputs/latest input=new.csv output=answers.csv
  espalier predict run=outputs/latest input=new.jsonl output=answers.parquet column=review scores=true
  zcat new.csv.gz | espalier predict run=outputs/latest input=- output=- format=csv > answers.csv

  run=DIR              a run that is done
  input=, output=      .csv .tsv .jsonl .parquet (input may be gzipped), or - for the standard streams
  format=csv           of a standard stream: csv, tsv or jsonl
  column=NAME          the column to read; else that of the run's own data. Of pairs: column.text_pair=NAME
  scores=true          a column score:<label> for each label
  on_empty=error       skip: rows without a text are kept, and get no prediction
  encoding=utf-8       of a csv or tsv input
  hardware=cpu …       where to compute, if not as the run did: hardware.precision=bf16, hardware.threads=4"""
_KNOWN = {
    "run": "outputs/latest", "input": "FILE", "output": "FILE", "format": "", "scores": "", "on_empty": "",
    "encoding": "",
}  # fmt: skip
_CHOICES = {"scores": ("true", "false"), "on_empty": ("error", "skip")}


def main(words: Sequence[str]) -> int:
    """Check, and hand over."""
    parser = Parser("espalier predict")
    parser.add_argument("words", nargs="*")
    given = parser.read(words)
    if given.help or not given.words:
        print(_HELP)
        return 0
    settings, passed = read_settings(given.words, _KNOWN, ("column", "hardware"))
    _require_choices(settings)
    overrides = [word for word in passed if word.startswith("hardware")]
    directory = trained_run("run=", settings["run"])
    experiment = rerun(directory, overrides)
    check(experiment, only=["model", "adapter", "task", "hardware"])
    kinds = {key: format_of(key, settings[key], settings.get("format")) for key in ("input", "output")}
    _require_places(settings["input"], settings["output"])
    named = [word for word in passed if word not in overrides]
    columns = _columns(experiment, read_facts(directory), named)
    encoding = settings.get("encoding", "utf-8")
    if settings["input"] != STREAM:
        _require_columns(settings["input"], kinds["input"], encoding, columns, named)
    return turn_into(
        "espalier.run.predict", str(directory), "--input", settings["input"], "--input-kind", kinds["input"],
        "--output", settings["output"], "--output-kind", kinds["output"], "--encoding", encoding,
        "--on-empty", settings.get("on_empty", "error"), *(["--scores"] if settings.get("scores") == "true" else []),
        *(f"--column={role}={name}" for role, name in columns.items()),
        *(f"--override={word}" for word in overrides),
    )  # fmt: skip


def _require_choices(settings: Mapping[str, str]) -> None:
    faults = [
        Fault(f"{key}={settings[key]}", f"must be {' or '.join(values)}.", asked([f"{key}={guess}"] if guess else []))
        for key, values in _CHOICES.items()
        if key in settings and settings[key] not in values
        for guess in [nearest(settings[key], values)]
    ]
    if faults:
        raise UserError(*faults)


def _require_places(input_: str, output: str) -> None:
    if input_ != STREAM and not Path(input_).is_file():
        truth = "is a folder." if Path(input_).is_dir() else f"is not there (looked from {Path.cwd()})."
        raise UserError(Fault(f"input={input_}", truth, "Name a file, or  input=-"))
    folder = Path(output).absolute().parent
    if output != STREAM and not folder.is_dir():
        raise UserError(Fault(f"output={output}", f"lies in a folder that is not there: {folder}.", "Make it first."))
    if output != STREAM and Path(output).exists() and input_ != STREAM and Path(output).samefile(input_):
        raise UserError(Fault(f"output={output}", "is the input.", "Give it a name of its own."))


def _columns(experiment: Experiment, facts: DataFacts, words: Sequence[str]) -> dict[str, str]:
    """Role -> column, for what the model reads: as words say, else as the run's own data."""
    if not facts.inputs:
        raise UserError(Fault("run", "was trained on data without columns of its own.", "It cannot predict."))
    own = experiment.values["data"].get("columns") or {}
    columns = {role: str(own.get(role) or role) for role in facts.inputs}
    for word in words:
        key, _, name = word.partition("=")
        role = key.partition(".")[2] or facts.inputs[0]
        if role not in columns:
            known = [f"column.{known}=…" for known in facts.inputs]
            raise UserError(Fault(word, f"names a column that the model does not read: {role}.", asked(known)))
        columns[role] = name
    return columns


def _require_columns(path: str, kind: Format, encoding: str, columns: Mapping[str, str], named: Sequence[str]) -> None:
    header = header_of(Path(path), kind, encoding)
    faults = [
        Fault(name, f"is a column of {path} already.", "Rename it, or take it out: predictions get that name.")
        for name in ("prediction", "score")
        if name in header
    ]
    for i, (role, name) in enumerate(columns.items()):
        if name not in header:
            word = "column" if i == 0 else f"column.{role}"
            guess = nearest(name, header) or (header[0] if len(header) == 1 else None)
            listed = f"It has: {', '.join(header)}.  Name yours with  {word}=…"
            remedy = asked([shlex.quote(f"{word}={guess}")]) if guess else listed
            if {f"{word}={name}", f"column.{role}={name}"}.isdisjoint(named):
                faults.append(Fault(path, f"has no column {name!r}, which is what the run read.", remedy))
            else:
                faults.append(Fault(f"{word}={name}", f"is no column of {path}.", remedy))
    if faults:
        raise UserError(*faults)
