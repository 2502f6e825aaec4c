"""``espalier sweep``: what is about to be swept, how far a sweep is, going on with it, ending it, what came of it."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from espalier.cli.arguments import Parser, composing, file_to_write, page_to_write
from espalier.config.suggest import nearest
from espalier.core.directories import sweeps_below
from espalier.core.errors import Fault, UserError
from espalier.core.lock import is_held
from espalier.core.record import RECORD, SUMMARY, SWEEP, Record, read_record
from espalier.core.rundir import shown, typed
from espalier.report.layout import terminal_width
from espalier.report.sweep_lines import best_lines, failure_lines, status_lines
from espalier.report.sweep_read import read_summary, status_of

_OUTPUTS = Path("outputs")
_HELP = """\
espalier sweep COMMAND [DIR or WORDS] [flags]

A sweep is begun by  espalier train -m WORDS . DIR is its directory, outputs/<name>/sweep-…; left out, the newest.

  plan WORDS              what  espalier train -m WORDS  would do: trials, what differs, places, time; nothing is run
  status [DIR]            how far it is                       --json: all that is known
  best [DIR]              the best configuration, where it lies, the command that trains it alone    --json
  resume [DIR] [WORDS]    go on with it, after a kill or an end; WORDS may change the launcher, or how much is tried
                          (launcher.trials=4 sweep.trials=60)
  retry --failed [DIR]    the same, and trials that failed, or had no memory, once more
  stop [DIR]              end it: running trials leave a checkpoint; from any machine.   --now: without
  report [DIR]            write its page again, and the same as Markdown and csv         --output FILE.html
  wandb WORDS             print a sweep file for W&B's own agents                        --output FILE.yaml
  optuna [DIR]            write Optuna's journal of it, which optuna-dashboard opens     --output FILE.log

  espalier sweep plan optimizer.lr=1e-4,1e-3 seed=0,1
  espalier sweep resume outputs/mine/sweep-2026-11-25_10-00-00-3fa9c1"""


def main(words: Sequence[str]) -> int:
    """Do what the first word says; the exit code."""
    if not words or words[0] in ("-h", "--help", "help") or set(words) & {"-h", "--help"}:
        print(_HELP)
        return 0
    verb, rest = words[0], words[1:]
    if verb not in _VERBS:
        guess = nearest(verb, _VERBS)
        remedy = f"Did you mean  espalier sweep {guess} ?" if guess else f"There are: {', '.join(_VERBS)}."
        raise UserError(Fault(f"espalier sweep {verb}", "is no command.", remedy))
    return _VERBS[verb](rest)


def _plan(words: Sequence[str]) -> int:
    given = composing("espalier sweep plan")
    given.add_argument("--rerun", type=Path, metavar="DIR")
    given.add_argument("-m", "--multirun", action="store_true")  # of the line that it is to tell of
    read = given.read(words)
    # By name, here and below: what only reads a summary loads nothing that composes, trains or draws.
    read_command, parts = import_module("espalier.config.multirun").read_command, import_module("espalier.sweep.ready")
    command = read_command(read.overrides, read.config_dir, rerun=read.rerun, machine=parts.machine_of)
    ready = parts.prepare(command)
    beside = ready.parts.search.beside(ready.planner.space)
    plan = import_module("espalier.sweep.preview").preview(ready.planner, ready.parts.launcher.slots(), beside)
    print("\n".join(import_module("espalier.report.sweep_plan").plan_lines(plan)))
    return 0


def _status(words: Sequence[str]) -> int:
    directory, given = _directory("status", words, "--json")
    summary = _summary(directory)
    status = status_of(directory, summary)
    if given.json:
        print(json.dumps({**summary, "status": status}, ensure_ascii=False))
        return 0
    print(shown(directory))
    lines = status_lines(summary, killed=status == "killed")
    lines += failure_lines(read_record(directory), terminal_width()) if summary.get("counts", {}).get("failed") else []
    print("\n".join(lines))
    if status == "killed" or status in ("interrupted", "stopped", "detached"):
        print(f"to go on   {typed('sweep resume', directory)}")
    return 0


def _best(words: Sequence[str]) -> int:
    directory, given = _directory("best", words, "--json")
    summary = _summary(directory)
    if given.json:
        print(json.dumps(summary.get("best"), ensure_ascii=False))
    else:
        print("\n".join(best_lines(summary, shown(directory))))
    return 0 if summary.get("best") else 1


def _resume(words: Sequence[str]) -> int:
    parser = Parser("espalier sweep resume")
    parser.add_argument("words", nargs="*")
    given = parser.read(words).words
    changes = [word for word in given if "=" in word and not Path(word).is_dir()]
    named = [word for word in given if word not in changes]
    if len(named) > 1 and (neither := [word for word in named if not Path(word).exists()]):
        raise UserError(*(Fault(word, "is no directory, and no setting.", "Write key=value.") for word in neither))
    return _go_on(_found(named, "resume"), changes)


def _retry(words: Sequence[str]) -> int:
    directory, given = _directory("retry", words, "--failed")
    if not given.failed:
        raise UserError(Fault("espalier sweep retry", "is for failed trials.", "Say so:  --failed"))

    retrying = import_module("espalier.sweep.again")

    def again(record: Record) -> None:
        failed = retrying.again(record, directory.resolve())
        print(f"{failed} failed {'trial' if failed == 1 else 'trials'} once more")

    if retrying.have_failed(directory):
        return _go_on(directory, before=again)
    print(f"no trial of {shown(directory)} has failed")
    return 0


def _stop(words: Sequence[str]) -> int:
    directory, given = _directory("stop", words, "--now")
    if not is_held(directory):
        left = any(trial.state == "running" for trial in read_record(directory))
        if read_summary(directory).get("status") in ("done", "stopped", "interrupted") and not left:
            print(f"{shown(directory)} is over: nothing runs")
            return 0
        # Trials may live though their driver does not.
        return _go_on(directory, ending="stopped", now=given.now)
    listening = import_module("espalier.sweep.listening")
    listening.ask_to_stop(directory, now=given.now)
    until = time.monotonic() + listening.PATIENCE
    while is_held(directory) and time.monotonic() < until:
        time.sleep(0.1)
    driver = read_summary(directory).get("driver") or {}
    who = f"process {driver.get('pid')} on {driver.get('host')}"
    print(f"{shown(directory)} is ended" if not is_held(directory) else f"{who} was asked, and waits for its trials")
    return 0


def _report(words: Sequence[str]) -> int:
    directory, given = _directory("report", words, "--output")
    to = page_to_write(f"--output {given.output}", given.output) if given.output else None
    print(shown(import_module("espalier.report.sweep_page").write_sweep_report(directory, to)))
    return 0


def _wandb(words: Sequence[str]) -> int:
    parser = composing("espalier sweep wandb")
    parser.add_argument("--output", type=Path)
    given = parser.read(words)
    command = import_module("espalier.config.multirun").read_command(given.overrides, given.config_dir)
    planner = import_module("espalier.sweep.plan").Planner(command, lambda: None)  # agents may run on any machine
    planner.check()
    text = import_module("espalier.sweep.wandb_file").wandb_sweep(planner)
    if given.output:
        file_to_write(f"--output {given.output}", given.output).write_text(text, encoding="utf-8")
    print(shown(given.output) if given.output else text.rstrip())
    return 0


def _optuna(words: Sequence[str]) -> int:
    directory, given = _directory("optuna", words, "--output")
    to = given.output or directory / "optuna.log"
    file_to_write(f"--output {to}", to)
    written = import_module("espalier.report.optuna_journal").write_journal(directory, to)
    print(f"{shown(written)}   open it:  optuna-dashboard {shlex.quote(str(shown(written)))}")
    return 0


def _go_on(directory: Path, changes: Sequence[str] = (), **orders: Any) -> int:
    directory = directory.resolve()
    definition = import_module("espalier.sweep.definition").read_definition(directory)
    conduct = import_module("espalier.sweep.conduct")
    conduct.working_folder(definition)
    return int(conduct.conduct(definition.command(changes), directory, conduct.Orders(**orders)))


def _directory(verb: str, words: Sequence[str], flag: str) -> tuple[Path, Any]:
    """The sweep's directory, and the flags."""
    parser = Parser(f"espalier sweep {verb}")
    parser.add_argument("directory", nargs="*")
    if flag == "--output":
        parser.add_argument(flag, type=Path)
    else:
        parser.add_argument(flag, action="store_true")
    given = parser.read(words)
    return _found(given.directory, verb), given


def _found(named: Sequence[str], verb: str) -> Path:
    """The sweep's directory; the newest below ``outputs`` if none is named."""
    line = f"espalier sweep {verb}{' --failed' * (verb == 'retry')}"
    if len(named) > 1:
        raise UserError(Fault(" ".join(named), "are several.", f"Name one sweep:  {line} DIR"))
    if not named:
        if newest := _newest(_OUTPUTS):
            return newest
        remedy = f"Name it:  {line} DIR , or begin one:  espalier train -m WORDS"
        raise UserError(Fault(f"espalier sweep {verb}", f"finds no sweep below {_OUTPUTS}.", remedy))
    directory = Path(named[0])
    directory = directory.parent if directory.name in (SWEEP, SUMMARY) else directory
    if not (directory / SWEEP).exists() and not (directory / SUMMARY).exists():
        raise UserError(_no_sweep(directory, line))
    return directory


def _newest(folder: Path) -> Path | None:
    """The sweep below a folder of outputs, or of one experiment, that was written last."""
    return max(sweeps_below(folder), key=_written, default=None)


def _written(sweep: Path) -> float:
    """Its summary, or what there is before its driver has written one; never where all is gone meanwhile."""
    for name in (SUMMARY, RECORD, SWEEP):
        with suppress(OSError):
            return (sweep / name).stat().st_mtime
    return 0.0


def _no_sweep(directory: Path, line: str) -> Fault:
    if not directory.exists():
        return Fault(str(directory), "is not there.", "See:  espalier runs")
    above = next((folder for folder in directory.resolve().parents if (folder / SWEEP).exists()), None)
    if above:
        return Fault(str(directory), "lies in a sweep, and is none.", f"Type  {line} {shlex.quote(str(shown(above)))}")
    if newest := _newest(directory.resolve()):
        remedy = f"The newest:  {line} {shlex.quote(str(shown(newest)))}"
        return Fault(str(directory), "is no sweep's directory; there are sweeps below it.", remedy)
    return Fault(str(directory), f"is no sweep's directory: it has no {SUMMARY}.", "See:  espalier runs")


def _summary(directory: Path) -> dict[str, Any]:
    summary = read_summary(directory)
    if not summary:
        raise UserError(Fault(str(directory / SUMMARY), "is not there, or cannot be read.", "Go on with the sweep."))
    return summary


_VERBS: dict[str, Callable[[Sequence[str]], int]] = {
    "plan": _plan,
    "status": _status,
    "best": _best,
    "resume": _resume,
    "retry": _retry,
    "stop": _stop,
    "report": _report,
    "wandb": _wandb,
    "optuna": _optuna,
}
