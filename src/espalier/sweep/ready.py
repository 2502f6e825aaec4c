"""A command's parts are made and checked before anything of its sweep is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from espalier.build.instantiate import instantiate
from espalier.config.check import check
from espalier.config.compose import Experiment
from espalier.config.multirun import Command
from espalier.core.errors import ConfigError, Fault, UserError
from espalier.core.launching import Launcher
from espalier.core.machine import Machine
from espalier.core.searching import combinations
from espalier.sweep.objectives import AUTO, directions, mixed, read_objectives
from espalier.sweep.parts import Parts
from espalier.sweep.plan import Planner
from espalier.sweep.settings import DEFAULT_TRIALS, Settings


@dataclass(frozen=True)
class Ready:
    """A command whose every part is made and right."""

    command: Command
    settings: Settings
    planner: Planner
    parts: Parts


def prepare(command: Command) -> Ready:
    """Make the parts and check every trial that can be known.

    Raises:
        UserError: every fault, of trials, search, launcher and objectives.
    """
    config, faults = command.settings.config, list[Fault]()
    settings: Settings = instantiate(config.sweep)
    search, pruning, launcher = (instantiate(config[name]) for name in ("search", "pruning", "launcher"))
    planner = Planner(command, launcher.machine)
    try:
        objectives = read_objectives(settings.objectives)
    except UserError as error:
        faults += error.faults
        objectives = []
    try:
        planner.check()
    except UserError as error:
        raise type(error)(*faults, *error.faults) from None
    faults += search.faults(planner.space)
    if any(one.name == AUTO for one in objectives) and len(names := planner.task_objectives()) > 1:
        faults.append(mixed(names))
    if planner.is_grid and settings.trials and settings.trials > (size := planner.size or 0):
        there = f"a grid has {size} configurations" if size > 1 else "nothing is varied: a grid has one configuration"
        remedy = "Let points be searched:  sweep=tpe , or name more values."
        faults.append(Fault(f"sweep.trials={settings.trials}", f"{there}, tried once each.", remedy))
    if not faults:
        faults += launcher.faults(list(_hardware(planner)))
    if faults:
        raise ConfigError(*dict.fromkeys(faults))
    search.start(planner.space, directions(objectives), settings.seed)
    most = settings.trials or (None if planner.is_grid else DEFAULT_TRIALS)
    settings = replace(settings, trials=most)
    return Ready(command, settings, planner, Parts(launcher, search, pruning, planner, settings))


def machine_of(settings: Experiment) -> Machine | None:
    """On what trials run with such settings; None where that is not known, or the launcher's own are wrong."""
    try:
        check(settings, only=["launcher"])
    except UserError:
        return None
    launcher: Launcher = instantiate(settings.config.launcher)
    return launcher.machine()


def _hardware(planner: Planner) -> Iterator[Mapping[str, Any]]:
    """The different hardware that trials will ask for; of intervals, at both ends."""
    seen: list[Mapping[str, Any]] = []
    for options in combinations(planner.space.options()):
        keys = planner.space.keys(options)
        first = {key.key: key.values[0] if key.values else key.low for key in keys}
        varied = [key for key in keys if key.key.startswith("hardware")]
        rows = [first, *({**first, k.key: v} for k in varied for v in (k.values or (k.low, k.high)))]
        for row in rows:
            found = planner.at({**options, **row}).hardware
            if found not in seen:
                seen.append(found)
                yield found
