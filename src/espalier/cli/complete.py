"""``espalier complete LINE``: what the last word of a command line may become, a line each. Shells ask it."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from itertools import pairwise
from keyword import iskeyword
from pathlib import Path
from typing import Any

from espalier.cli.help import COMMANDS
from espalier.config.compose import Experiment, compose
from espalier.config.layers import flatten
from espalier.config.multirun import NODES
from espalier.config.options import groups
from espalier.config.saved import rerun
from espalier.config.signature import signature_of
from espalier.config.sources import shipped
from espalier.config.tree import at
from espalier.config.types import Bounded, Choice, Plain, branches
from espalier.core.directories import Directories, directories
from espalier.core.errors import EspalierError

_RUN = ("--resume", "--rerun", "--against")
_SWEEPS_TOO = ("report", "track")
_FILE = ("--config-dir", "-cd", "--html", "--output")
_OF_SWEEPS = {"-m", "--multirun", "plan", "wandb"}
_TRACKERS = ("wandb", "tensorboard", "csv")
_VALUES = {
    "scores": ("true", "false"), "texts": ("true", "false"), "on_empty": ("error", "skip"),
    "format": ("csv", "tsv", "jsonl"), "split": ("test", "validation"),
}  # fmt: skip
_PATHS = {"FileExists", "FolderExists", "RunOrWeights"}
_RECENT = 30  # run directories that are offered
_LISTED = re.compile(r"(?<![\w-])--?[a-z][\w-]*")
_SETTING = re.compile(r"(?<![\w.=])(?!setting=|group=|key=)[a-z_]+[=.]")


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
    if command not in COMMANDS or (others and others[-1] in _FILE):
        return
    if others and others[-1] == "--to":
        yield from _starting(current, _TRACKERS)
    elif others and others[-1] in _RUN:
        yield from _starting(current, _runs())
    elif current.startswith("-"):
        yield from _starting(current, _flags(command))
    else:
        yield from _starting(current, _words(others, current) if command == "train" else _own(command, others, current))


def _split(line: str) -> tuple[list[str], str]:
    """The words behind the program's name, and the one that is being typed."""
    try:
        words = shlex.split(line)
    except ValueError:  # a quote that is not closed yet
        words = line.split()
    current = "" if line[-1:].isspace() or len(words) < 2 else words.pop()
    return words[1:], current


def _own(command: str, others: Sequence[str], current: str) -> Iterator[str]:
    """What a command takes by its own help: what it can do, then directories, settings, the words of a composition."""
    usage, columns = _usage(command)
    verbs = _verbs(command, usage, columns)
    verb = next((word for word in others if word in verbs), None)
    if verbs and verb is None:
        yield from verbs
        return
    takes = verbs[verb] if verb else usage
    yield from _places(runs="RUN" in takes, sweeps="[DIR]" in takes or command in _SWEEPS_TOO)
    if f"{command} KEY" in takes and all("=" in word for word in others):
        yield from (word.rstrip("=") for word in _words([*others, "-m"], current))
    elif "[WORDS]" in takes:
        yield from (word for word in _words([*others, "-m"], current) if word.startswith(("launcher", "sweep.")))
    elif "WORDS" in takes or "[group=option]" in takes:
        yield from _words(others, current)
    else:
        yield from _settings(_SETTING.findall("\n".join([takes, *columns])), others, current)


def _settings(names: Sequence[str], others: Sequence[str], current: str) -> Iterator[str]:
    """Settings of a command's own and their values, and what it lets be changed of the groups."""
    key, equals, _ = current.partition("=")
    known = groups([shipped()])
    changed = {name for name in names if name[:-1] in known}
    if {f"{_first(current)}=", f"{_first(current)}."} & changed:
        own = [word for word in others if _first(word) in known or word.startswith("run=")]
        whole = f"{_first(current)}=" in changed
        yield from (word for word in _words(own, current) if whole or word.startswith(tuple(changed)))
    elif equals and key == "run":
        yield from (f"run={directory}" for directory in _runs())
    elif equals and f"{key}=" in names:
        yield from (f"{key}={value}" for value in _VALUES.get(key, ()))
    elif not equals:
        yield from names


def _first(word: str) -> str:
    return re.split("[.=]", word)[0]


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
    """The experiment, a run's where one is named, and the settings of a sweep where one is being typed."""
    words = [word for word in others if "=" in word and not word.startswith("run=")]
    run = next((Path(word.removeprefix("run=")) for word in others if word.startswith("run=")), None)
    made = [rerun(run, words, folders) if run and run.is_dir() else compose(words, config_dirs=folders)]
    if not _OF_SWEEPS.isdisjoint(others):
        own = [word for word in words if word.partition("=")[0].partition(".")[0] in NODES]
        made.append(compose(own, root="multirun", config_dirs=folders))
    return made


def _keys(experiment: Experiment) -> Iterator[str]:
    for name, value in flatten(experiment.values):
        if not isinstance(value, dict) and not name.rpartition(".")[2].startswith("_"):
            yield name


def _values(experiment: Experiment, key: str) -> Iterator[str]:
    """What the signature allows, where it lists it; else the value that is set, to be changed.

    Of files a shell knows more: ``null`` in their place would keep it from offering them.
    """
    parent, _, name = key.rpartition(".")
    owner = at(experiment.values, parent) if parent else experiment.values
    target = owner.get("_target_") if isinstance(owner, dict) else None
    parameter = signature_of(target).parameters.get(name) if isinstance(target, str) else None
    kinds = branches(parameter.type) if parameter else ()
    bounds = {bound.name for kind in kinds if isinstance(kind, Bounded) for bound in kind.bounds}
    if "RunOrWeights" in bounds:
        yield from _runs()
    listed = [] if bounds & _PATHS else [_shown(choice) for kind in kinds for choice in _choices(kind)]
    now = at(experiment.values, key)
    yield from listed or ([] if now in (None, "???") or isinstance(now, dict | list) else [_shown(now)])


def _choices(kind: Any) -> tuple[Any, ...]:
    inner = kind.inner if isinstance(kind, Bounded) else kind
    if isinstance(inner, Plain):
        return {"bool": (True, False), "None": (None,)}.get(inner.name, ())
    return inner.values if isinstance(inner, Choice) else ()


def _shown(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _flags(command: str) -> list[str]:
    """Those that the command's own help names."""
    return sorted({flag for flag in _LISTED.findall(_help(command)) if flag.startswith("--")} | {"--help"})


def _help(command: str) -> str:
    said = io.StringIO()
    with redirect_stdout(said):
        import_module(f"espalier.cli.{command}{'_' * iskeyword(command)}").main(["--help"])
    return said.getvalue()


def _usage(command: str) -> tuple[str, list[str]]:
    """Of a command's help: the lines at its head, and what stands left in its tables."""
    usage, _, told = _help(command).partition("\n\n")
    rows = [line[2:].partition("  ")[0] for line in told.splitlines() if re.match(r"  \S", line)]
    return usage, [row for row in rows if "espalier " not in row]


def _verbs(command: str, usage: str, columns: Sequence[str]) -> dict[str, str]:
    """The words of which a command needs one, with what stands behind each in the help."""
    heads = re.findall(rf"^espalier {command} +([a-z|]+)(?= |$)(.*)", usage, re.MULTILINE)
    rows = [re.fullmatch(r"([a-z]+) (.*(?:WORDS|\[DIR\]).*)", row) for row in columns]
    found = [*heads, *(row.groups() for row in rows if row)]
    return {verb: takes for verbs, takes in found for verb in verbs.split("|")}


def _runs() -> Iterator[str]:
    yield from _places(runs=True, sweeps=False)


def _places(*, runs: bool, sweeps: bool) -> Iterator[str]:
    """The newest of those that are asked for."""
    output = Path("outputs")
    found = directories(output) if runs or sweeps else Directories([], [])
    if runs and (output / "latest").exists():
        yield "outputs/latest"
    yield from map(str, [*found.runs[: _RECENT * runs], *found.sweeps[: _RECENT * sweeps]])


def _starting(begun: str, candidates: Sequence[str] | Iterator[str] | dict[str, str]) -> Iterator[str]:
    return (candidate for candidate in candidates if candidate.startswith(begun))
