"""``espalier train -m``: a sweep, or what its trials would be."""

from __future__ import annotations

import argparse
import shlex

from espalier.build.instantiate import instantiate
from espalier.cli.process import run_each
from espalier.cli.show import show_config
from espalier.config.multirun import read_command
from espalier.core.errors import Fault, UserError
from espalier.sweep.conduct import conduct
from espalier.sweep.plan import Planner
from espalier.sweep.ready import machine_of


def main(given: argparse.Namespace) -> int:
    """Conduct a sweep; with ``--cfg``, print every trial's config; as Hydra's own pair does, with that; the exit code.

    Args:
        given: the flags of ``espalier train``.

    Raises:
        UserError: every fault of the command, before anything runs.
    """
    rerun = given.rerun and given.rerun.resolve()
    command = read_command(given.overrides, given.config_dir, rerun=rerun, machine=machine_of)
    if not (given.cfg or command.stock):
        return conduct(command)
    planner = Planner(command, instantiate(command.settings.config.launcher).machine)
    planner.check()
    if not planner.is_grid:
        what = " ".join(word.typed for word in command.swept) or f"search={command.settings.choices['search']}"
        remedy = f"See:  espalier sweep plan {shlex.join(given.overrides)}"
        raise UserError(Fault(what, "is searched: which trials there will be shows as it goes.", remedy))
    trials = [planner.at(point, seed) for point, seed in planner.trials()]
    if given.cfg:
        for trial in trials:
            print(f"# {' '.join(trial.command)}")
            show_config(trial.experiment, given.cfg, given.package, resolve=given.resolve)
        return 0
    return run_each([trial.experiment for trial in trials], [trial.command for trial in trials])
