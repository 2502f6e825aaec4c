"""``espalier predict``: words checked here, before anything heavy is loaded; then the process that predicts."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from espalier.cli.arguments import Parser
from espalier.cli.process import turn_into
from espalier.cli.settings import read_settings, trained_run
from espalier.config.check import check
from espalier.config.compose import Experiment
from espalier.config.saved import in_use
from espalier.config.signature import class_attribute
from espalier.config.suggest import asked, nearest
from espalier.core.chunks import STREAM, format_of, header_of
from espalier.core.errors import Fault, UserError
from espalier.core.facts import DataFacts
from espalier.core.image_files import COLUMN, ENDINGS, IMAGES, image_files, names_images
from espalier.core.rundir import read_facts

_HELP = """\
espalier predict run=DIR input=FILE output=FILE [setting=value] … [hardware=…]

Let a trained run's best weights answer the rows of a table. The output has every row and column of the input, in their
order, and behind them: prediction (a label's name; several are joined by |) and score (how sure it is, 0 to 1). Rows
are read and written some at a time: the table may be larger than the memory. The output is there when it is whole.
A model of images reads a column of their paths (from here, or from the table's folder), or a folder or pattern of them;
they are brought to the size that it was trained on. A model that makes images adds one to each row, by a number in the
column seed, or else the row's place, from 0: image, a list of its pixels (output=made/: a folder of PNG files, and
their names in rows.csv). One that tags words reads lists of them, or texts, apart at their blanks; prediction is a list
of tags, and entities has text, type, start, end (in words), score.
One that finds answers adds the best one, and ranked, a list of the best five (task.shown=10: ten).

  espalier predict run=outputs/latest input=new.csv output=answers.csv
  espalier predict run=outputs/latest input=new.jsonl output=answers.parquet column=review scores=true
  espalier predict run=outputs/latest input='photos/*.jpg' output=answers.csv
  zcat new.csv.gz | espalier predict run=outputs/latest input=- output=- format=csv > answers.csv

  run=DIR              a run that is done
  input=, output=      .csv .tsv .jsonl .parquet (input may be gzipped), or - for the standard streams
  input=photos         a folder of images, or a pattern: a table of one column, path
  format=csv           of a standard stream: csv, tsv or jsonl
  column=NAME          the column to read; else that of the run's own data (of images also: path). Of pairs:
                       column.text_pair=NAME
  scores=true          a column score:<label> for each label
  on_empty=error       skip: rows without a text, or a whole image, are kept, and get no prediction
  encoding=utf-8       of a csv or tsv input
  delimiter=';'        between the fields of a csv input; else as its header suggests
  hardware=cpu …       where to compute, if not as the run did: hardware.precision=bf16-mixed, hardware.threads=4
  task.KEY=…           how the task answers, if not as the run did: task.temperature=0, task.threshold=0.3"""
_KNOWN = {
    "run": "outputs/latest", "input": "FILE", "output": "FILE", "format": "", "scores": "", "on_empty": "",
    "encoding": "", "delimiter": "",
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
    settings, passed = read_settings(given.words, _KNOWN, ("column", "hardware", "task"))
    _require_choices(settings)
    overrides = [word for word in passed if not word.startswith("column")]
    if strange := [word for word in overrides if word.startswith("task=")]:
        raise UserError(Fault(strange[0], "the run's task stays what it is.", "Set what it has:  task.KEY=…"))
    directory = trained_run("run=", settings["run"])
    experiment = in_use(directory, overrides)
    check(experiment, only=["model", "adapter", "task", "hardware"])
    input_, output = settings["input"], settings["output"]
    images = input_ != STREAM and names_images(input_)
    kind = IMAGES if images else format_of("input", input_, settings.get("format"))
    folder = output != STREAM and (output.endswith("/") or Path(output).is_dir())
    output_kind = IMAGES if folder else format_of("output", output, settings.get("format"))
    _require_places(input_, output, images=images)
    named = [word for word in passed if word not in overrides]
    facts = read_facts(directory)
    columns = _columns(experiment, facts, named)
    encoding = settings.get("encoding", "utf-8")
    if images:
        columns = _column_of_images(input_, facts, named)
    elif input_ != STREAM:
        header = header_of(Path(input_), format_of("input", input_, None), encoding, settings.get("delimiter"))
        columns = _by_path(columns, facts, header, named)
        aside = {role for role, kind in facts.kinds.items() if kind == "aside"}
        _require_columns(input_, header, columns, named, optional=aside - {_role_of(word) for word in named})
    return turn_into(
        "espalier.run.predict", str(directory), "--input", input_, "--input-kind", kind,
        "--output", output, "--output-kind", output_kind, "--encoding", encoding,
        "--on-empty", settings.get("on_empty", "error"), *(["--scores"] if settings.get("scores") == "true" else []),
        *(f"--column={role}={name}" for role, name in columns.items()),
        *(f"--named={role}" for role in filter(None, map(_role_of, named))),
        *(f"--override={word}" for word in overrides),
        *([f"--delimiter={settings['delimiter']}"] if "delimiter" in settings else []),
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


def _require_places(input_: str, output: str, *, images: bool) -> None:
    if images and not image_files(input_):
        what = "holds no image" if Path(input_).is_dir() else "is no image that is there"
        looked = f"{what} (looked from {Path.cwd()} for {', '.join(ENDINGS)})."
        raise UserError(Fault(f"input={input_}", looked, "Name a folder or a pattern of images, or a table."))
    if input_ != STREAM and not images and not Path(input_).is_file():
        raise UserError(
            Fault(f"input={input_}", f"is not there (looked from {Path.cwd()}).", "Name a file, or  input=-")
        )
    folder = Path(output).absolute().parent
    if output != STREAM and not folder.is_dir():
        raise UserError(Fault(f"output={output}", f"lies in a folder that is not there: {folder}.", "Make it first."))
    if Path(output).is_dir() and any(Path(output).iterdir()):
        raise UserError(Fault(f"output={output}", "is a folder that holds something.", "Name a new one."))
    if output != STREAM and Path(output).exists() and Path(input_).exists() and Path(output).samefile(input_):
        raise UserError(Fault(f"output={output}", "is the input.", "Give it a name of its own."))


def _columns(experiment: Experiment, facts: DataFacts, words: Sequence[str]) -> dict[str, str]:
    """Role -> column, for what the model reads: as words say, else as the run's own data."""
    if not facts.inputs:
        raise UserError(Fault("run", "was trained on data without columns of its own.", "It cannot predict."))
    own = experiment.values["data"].get("columns") or {}
    numbers = class_attribute(str(experiment.values["task"].get("_target_")), "asked")  # such columns need not be there
    roles = tuple(numbers or facts.inputs)
    columns = {} if numbers else {role: str(own.get(role) or role) for role in roles}
    for word in words:
        key, _, name = word.partition("=")
        role = key.partition(".")[2] or roles[0]
        if role not in roles:
            known = [f"column.{known}=…" for known in roles]
            raise UserError(Fault(word, f"names a column that the model does not read: {role}.", asked(known)))
        columns[role] = name
    return columns


def _column_of_images(input_: str, facts: DataFacts, named: Sequence[str]) -> dict[str, str]:
    """The one column of a table of images, for a model that reads images and nothing else."""
    if len(facts.inputs) != 1 or facts.kinds[facts.inputs[0]] != "image":
        reads = " and ".join(facts.inputs)
        raise UserError(Fault(f"input={input_}", f"is images, and the run reads {reads}.", "Name a table that has it."))
    if named:
        raise UserError(*(Fault(word, "names a column, and the input is no table.", "Leave it out.") for word in named))
    return {facts.inputs[0]: COLUMN}


def _by_path(
    columns: Mapping[str, str], facts: DataFacts, header: Sequence[str], named: Sequence[str]
) -> dict[str, str]:
    """Of images, whose own data may have had no table: the column ``path``, where the other one is not there."""
    if named or COLUMN not in header:
        return dict(columns)
    missing = {role for role, name in columns.items() if facts.kinds[role] == "image" and name not in header}
    return {role: COLUMN if role in missing else name for role, name in columns.items()}


def _role_of(word: str) -> str:
    """The role of ``column.ROLE=NAME``."""
    return word.partition("=")[0].partition(".")[2]


def _require_columns(
    path: str, header: Sequence[str], columns: Mapping[str, str], named: Sequence[str], optional: Collection[str]
) -> None:
    faults = [
        Fault(name, f"is a column of {path} already.", "Rename it, or take it out: predictions get that name.")
        for name in ("prediction", "score")
        if name in header
    ]
    for i, (role, name) in enumerate(columns.items()):
        if name not in header and role not in optional:
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
