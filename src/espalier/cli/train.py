"""``espalier train``: compose, check, and hand over to the process that trains."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from espalier.cli.arguments import Parser, composing
from espalier.cli.help import train_help
from espalier.cli.process import become, begin
from espalier.cli.show import INFO, show_config, show_groups, show_info
from espalier.config.check import check
from espalier.config.compose import Experiment, compose
from espalier.config.dimensions import words_of
from espalier.config.options import groups
from espalier.config.saved import read, rerun
from espalier.config.sources import shipped
from espalier.core.errors import Fault, UserError
from espalier.core.record import SWEEP
from espalier.core.rundir import Place, is_gone, read_outcome, shown, typed
from espalier.core.world import is_first


def main(words: Sequence[str]) -> int:
    """Do what the flags say; the exit code."""
    given = _parser().read(words, _of_settings)
    if given.help:
        print(train_help(groups([*given.config_dir, shipped()])))
        return 0
    _require_one_way(given)
    if given.resume:
        return _resume(given.resume.resolve())
    if given.info == "groups":
        show_groups(given.config_dir)
        return 0
    if given.multirun:
        # By name: a single run needs nothing of it.
        return int(import_module("espalier.cli.multirun").main(given))
    experiment = _compose(given, given.overrides)
    if given.info:
        show_info(given.info, experiment)
        return 0
    if given.cfg:
        show_config(experiment, given.cfg, given.package, resolve=given.resolve)
        return 0
    check(experiment)
    return begin(experiment)


def _parser() -> Parser:
    parser = composing("espalier train")
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("--resume", type=Path, metavar="DIR")
    parser.add_argument("--rerun", type=Path, metavar="DIR")
    parser.add_argument("-c", "--cfg", choices=["job", "hydra", "all"])
    parser.add_argument("--resolve", action="store_true")
    parser.add_argument("-p", "--package")
    parser.add_argument("-i", "--info", nargs="?", const="groups", choices=INFO)
    return parser


def _of_settings(given: argparse.Namespace) -> Sequence[Fault]:
    """What is wrong with the words themselves, where flags are wrong as well; what these would have set is missing."""
    words = [word for word in given.overrides if "=" in word]
    keys = {word.partition("=")[0] for word in words}
    try:
        if given.multirun:
            command = import_module("espalier.config.multirun").read_command(words, given.config_dir)
            check(command.experiment([*command.fixed, *words_of(command.first)]))
        else:
            check(compose(words, config_dirs=given.config_dir))
    except UserError as error:
        return [fault for fault in error.faults if fault.what.partition("=")[0] in keys]
    return ()


def _require_one_way(given: argparse.Namespace) -> None:
    """Flags that contradict each other, or do nothing without another one."""
    if given.multirun and given.info:
        raise UserError(Fault("--info", "tells of one experiment, -m asks for many.", "Leave one of them out."))
    ways = {"--resume": given.resume, "--cfg": given.cfg, "--info": given.info}
    several = [flag for flag, value in ways.items() if value]
    faults = [Fault(" ".join(several), "cannot be done at once.", "Choose one.")] if len(several) > 1 else []
    if given.resume and (given.overrides or given.rerun or given.multirun):
        again = " ".join([typed("train --rerun", given.resume), shlex.join(given.overrides)]).rstrip()
        faults.append(
            Fault("--resume", "goes on with a run as it is: nothing in it can change.", f"For changes:  {again}")
        )
    if not given.cfg and (given.resolve or given.package):
        faults.append(Fault("--resolve" if given.resolve else "--package", "belongs to --cfg.", "Add  --cfg job"))
    if faults:
        raise UserError(*faults)


def _compose(given: argparse.Namespace, overrides: Sequence[str]) -> Experiment:
    if given.rerun:
        return rerun(given.rerun.resolve(), overrides, given.config_dir)
    return compose(overrides, config_dirs=given.config_dir)


def _resume(directory: Path) -> int:
    if (directory / SWEEP).exists():
        raise UserError(Fault(str(directory), "is a sweep's directory.", f"Go on:  {typed('sweep resume', directory)}"))
    outcome = read_outcome(directory)
    if outcome.status == "done":
        again = typed("train --rerun", directory)
        print(f"{shown(directory)} is finished: nothing is left to do. Again with changes:  {again}")
        return 0
    if outcome.status == "running" and is_first() and not is_gone(directory, outcome):
        raise UserError(
            Fault(str(directory), f"is running: process {outcome.pid} on {outcome.host}.", "Wait, or end it.")
        )
    if outcome.status == "paused" and (sweep := Place.of(directory).sweep):
        truth = "is a trial of a sweep, and its pruning rule has paused it: only the sweep lets it go on."
        go_on, alone = typed("sweep resume", sweep), typed("train --rerun", directory)
        remedy = f"Let it:  {go_on} , or train the trial to its end:  {alone}"
        raise UserError(Fault(str(shown(directory)), truth, remedy))
    check(read(directory))
    return become(directory, resume=True)
