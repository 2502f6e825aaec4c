"""Planners of command lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from espalier.config.multirun import read_command
from espalier.core.errors import Fault, UserError
from espalier.sweep.plan import Planner

SMALL = ("data=digits", "model=mlp", "adapter=full", "tracking=none", "callback=[checkpoint]")


def planner(*words: str, config_dirs: Sequence[Path] = (), rerun: Path | None = None) -> Planner:
    """Of a line, not checked."""
    return Planner(read_command(words, config_dirs, rerun=rerun))


def faults(*words: str, config_dirs: Sequence[Path] = ()) -> dict[str, Fault]:
    """What was set -> its fault, of reading the line and of checking what it plans."""
    try:
        planner(*words, config_dirs=config_dirs).check()
    except UserError as error:
        found = {fault.what: fault for fault in error.faults}
        assert len(found) == len(error.faults)
        return found
    return {}
