"""``espalier complete LINE``: what the last word of a command line may become, a line each. Shells ask it."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from espalier.cli.help import COMMANDS
from espalier.config.compose import Experiment, compose
from espalier.config.layers import flatten
from espalier.config.multirun import NODES
from espalier.config.options import groups
from espalier.config.signature import signature_of
from espalier.config.sources import shipped
from espalier.config.tree import at
from espalier.config.types import Bounded, Choice, Plain, branches
from espalier.core.errors import EspalierError
from espalier.core.rundir import run_directories

_RUN = ("--resume", "--rerun", "--against")
_OF_RUNS = ("compare", "report", "track")
_OF_SWEEPS = {"-m", "--multirun", "plan"}
_TRACKERS = ("wandb", "tensorboard", "csv")
_RECENT = 30  # run directories that are offered
_LISTED = re.compile(r"(?<![\w-])--?[a-z][\w-]*")


def main(words: Sequence[str]) -> int:
    """Print the candidates; 0, whatever the line is: a shell has no use for a message."""
    line = words[-1] if words else ""
    try:
        candidates = list(_candidates(line))
    except (EspalierError, OSError):
        candidates = []
    print("\n".join(dict.fromkeys(candidates)))
    return 0


def _candidates(line: str) -> Iterator[str]:
    words, current = _split(line)
    if not words:
        yield from _starting(current, COMMANDS)
        return
    command, *others = words
    if command not in COMMANDS:
        return
    if others and others[-1] == "--to":
        yield from _starting(current, _TRACKERS)
    elif (others and others[-1] in _RUN) or (command in _OF_RUNS and not current.startswith("-")):
        yield from _starting(current, _runs())
    elif current.startswith("-"):
        yield from _starting(current, _flags(command))
    elif current.startswith("run="):
        yield from _starting(current, (f"run={directory}" for directory in _runs()))
    else:
        yield from _starting(current, _words(others, current))


def _split(line: str) -> tuple[list[str], str]:
    """The words behind the program's name, and the one that is being typed."""
    try:
        words = shlex.split(line)
    except ValueError:  # a quote that is not closed yet
        words = line.split()
    current = "" if line[-1:].isspace() or len(words) < 2 else words.pop()
    return words[1:], current


def _words(others: Sequence[str], current: str) -> Iterator[str]:
    """Groups, keys, and the values of the one before ``=``."""
    folders = [Path(after) for flag, after in pairwise(others) if flag in ("--config-dir", "-cd")]
    known = groups([*folders, shipped()])
    key, equals, value = current.partition("=")
    if equals and key in known:
        begun = value.rpartition(",")[0] + "," if "," in value else "[" if value.startswith("[") else ""
        yield from (f"{key}={begun}{option}" for option in known[key])
    elif equals:
        yield from (f"{key}={choice}" for made in _composed(others, folders) for choice in _values(made, key))
    elif "." in current:
        yield from (f"{name}=" for made in _composed(others, folders) for name in _keys(made) if "." in name)
    else:
        made = _composed(others, folders)
        values = {str(n): v for one in made for n, v in one.values.items() if not str(n).startswith("_")}
        yield from (f"{group}=" for group in known)
        yield from (f"{name}=" for name, value in values.items() if not isinstance(value, dict) and name not in known)
        yield from (f"{name}." for name, value in values.items() if isinstance(value, dict) and value)


def _composed(others: Sequence[str], folders: Sequence[Path]) -> list[Experiment]:
    """The experiment, and the settings of a sweep where one is being typed."""
    words = [word for word in others if "=" in word and not word.startswith("run=")]
    made = [compose(words, config_dirs=folders)]
    if not _OF_SWEEPS.isdisjoint(others):
        own = [word for word in words if word.partition("=")[0].partition(".")[0] in NODES]
        made.append(compose(own, root="multirun", config_dirs=folders))
    return made


def _keys(experiment: Experiment) -> Iterator[str]:
    for name, value in flatten(experiment.values):
        if not isinstance(value, dict) and not name.rpartition(".")[2].startswith("_"):
            yield name


def _values(experiment: Experiment, key: str) -> Iterator[str]:
    """What the signature allows, where it lists it; else the value that is set, to be changed."""
    parent, _, name = key.rpartition(".")
    owner = at(experiment.values, parent) if parent else experiment.values
    target = owner.get("_target_") if isinstance(owner, dict) else None
    parameter = signature_of(target).parameters.get(name) if isinstance(target, str) else None
    listed = [_shown(choice) for kind in branches(parameter.type) for choice in _choices(kind)] if parameter else []
    now = at(experiment.values, key)
    yield from listed or ([] if now is None or isinstance(now, dict | list) else [_shown(now)])


def _choices(kind: Any) -> tuple[Any, ...]:
    inner = kind.inner if isinstance(kind, Bounded) else kind
    if isinstance(inner, Plain):
        return {"bool": (True, False), "None": (None,)}.get(inner.name, ())
    return inner.values if isinstance(inner, Choice) else ()


def _shown(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _flags(command: str) -> list[str]:
    """Those that the command's own help names."""
    said = io.StringIO()
    with redirect_stdout(said):
        import_module(f"espalier.cli.{command}").main(["--help"])
    return sorted({flag for flag in _LISTED.findall(said.getvalue()) if flag.startswith("--")} | {"--help"})


def _runs() -> Iterator[str]:
    output = Path("outputs")
    if (output / "latest").exists():
        yield "outputs/latest"
    for directory, _ in zip(run_directories(output), range(_RECENT), strict=False):
        yield str(directory)


def _starting(begun: str, candidates: Sequence[str] | Iterator[str] | dict[str, str]) -> Iterator[str]:
    return (candidate for candidate in candidates if candidate.startswith(begun))
