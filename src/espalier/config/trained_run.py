"""Runs that are named in a command or a config, as something to start from: are they there, and are they done?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from espalier.config.setting import Answer, Setting
from espalier.core.errors import UserError
from espalier.core.home import expanded
from espalier.core.outcome import Outcome
from espalier.core.rundir import FACTS, Place, is_gone, read_outcome, typed, weights_file

_SEE = "See:  espalier runs"
_NAME = "Name a run directory, or a file that ends with .safetensors."
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")


def unusable(directory: Path) -> tuple[str, str] | None:
    """(what is true, what to type) of a directory that gives no trained model; None of one that will do."""
    try:
        outcome = read_outcome(directory)
    except UserError as error:
        (fault,) = error.faults
        there = directory.is_dir()
        return (fault.truth, fault.remedy) if there else (f"is not there (looked from {Path.cwd()}).", _SEE)
    if outcome.status != "done":
        return _not_done(directory, outcome)
    if not (directory / FACTS).is_file():
        truth = f"was trained by an earlier version of Espalier: it has no {FACTS}."
        return truth, f"Train it again:  {typed('train --rerun', directory)}"
    return None


def importing(file: Path) -> str:
    """What to type of weights that are a pickle; ``""`` of other files."""
    command = f"espalier import {shlex.quote(str(file))} --output FOLDER"
    return f"Convert it:  {command}" if file.suffix in _PICKLES else ""


def _not_done(directory: Path, outcome: Outcome) -> tuple[str, str]:
    sweep = Place.of(directory.absolute()).sweep
    go_on = typed("sweep resume", sweep) if sweep else typed("train --resume", directory)
    if outcome.status == "running" and not is_gone(directory, outcome):
        return f"is still running: process {outcome.pid} on {outcome.host}.", "Wait for its end."
    step = f" at step {outcome.steps:,}" if outcome.steps else ""
    if outcome.status == "failed":
        return f"failed{step}.", f"Mend it, and  {go_on}"
    said = "killed" if outcome.status == "running" else outcome.status
    return f"was {said}{step}, before its end.", f"Let it come to its end:  {go_on}"


def run_or_weights(_: object, setting: Setting) -> Iterator[Answer]:
    """The test behind ``core.bounds.RunOrWeights``."""
    path = expanded(setting.value)
    if path.is_file():
        if path.suffix != ".safetensors":
            yield setting.key, "is no safetensors file.", importing(path) or _NAME
    elif path.is_dir() and weights_file(path):
        return
    elif found := unusable(path):
        yield setting.key, *found
