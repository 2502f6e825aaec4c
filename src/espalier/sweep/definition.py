"""``sweep.yaml``: the command that a sweep was begun with: to go on with it, and to see that another one differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from espalier.config.multirun import Command, read_command
from espalier.config.words import read_words
from espalier.core.errors import Fault, UserError
from espalier.core.files import write_atomic
from espalier.core.record import SWEEP
from espalier.core.searching import Dimension
from espalier.core.yaml_files import read_yaml, yaml_text
from espalier.sweep.names import spoken
from espalier.sweep.plan import Planner

SCHEMA = 1
_KEEP = "Put it back, or begin another sweep:  espalier train -m …"
_JUDGED = ("objectives", "seed", "space")  # of the node ``sweep``: what the search and the record stand on


@dataclass(frozen=True)
class Definition:
    """What it says.

    Attributes:
        words: of the command line, without ``sweep.dir``.
        folder: the working folder, to which file names in the words are relative.
        id: what no other sweep has, whatever its directory is called; empty of one that an earlier version began.
        fixed, seeds, space, search, pruning, judged: what may not change while the sweep goes on.
    """

    words: list[str]
    config_dirs: list[str]
    rerun: str | None
    folder: str
    started: str
    fixed: list[str]
    seeds: list[int]
    space: dict[str, str]
    search: dict[str, Any]
    pruning: dict[str, Any]
    judged: dict[str, Any]
    id: str = ""

    @staticmethod
    def of(command: Command, planner: Planner) -> Definition:
        """Of a command that begins a sweep now."""
        settings = command.settings.values
        return Definition(
            words=[word for word in command.typed if not word.startswith("sweep.dir=")],
            config_dirs=[str(folder.resolve()) for folder in command.config_dirs],
            rerun=str(command.rerun.resolve()) if command.rerun else None,
            folder=str(Path.cwd()),
            started=datetime.now().astimezone().isoformat(timespec="seconds"),
            fixed=list(command.fixed),
            seeds=list(planner.seeds),
            space={dimension.key: _whole(dimension) for dimension in planner.space.all()},
            search=settings["search"],
            pruning=settings["pruning"],
            judged={key: settings["sweep"][key] for key in _JUDGED},
        )

    def write(self, directory: Path) -> None:
        """Atomically."""
        content = {"schema": SCHEMA, **asdict(self)}
        write_atomic(directory / SWEEP, yaml_text(content, width=1000))

    def command(self, words: Sequence[str] = ()) -> Command:
        """The command again, from its own working folder.

        Args:
            words: take the place of those that set the same key.
        """
        keys = {word.key for word in read_words(words, sweep=True)[0]}
        kept = [word.typed for word in read_words(self.words, sweep=True)[0] if word.key not in keys]
        folders = [Path(folder) for folder in self.config_dirs]
        return read_command([*kept, *words], folders, rerun=Path(self.rerun) if self.rerun else None)

    def require_same(self, now: Definition) -> None:
        """Compare with what another command says.

        Raises:
            UserError: the record would mean something else; every difference.
        """
        if faults := list(self._differences(now)):
            raise UserError(*faults)

    def _differences(self, now: Definition) -> Iterator[Fault]:
        for word in now.fixed:
            if word not in self.fixed:
                yield Fault(word, "is not what the sweep was begun with.", _KEEP)
        for word in self.fixed:
            if word not in now.fixed:
                yield Fault(word, "is missing: the sweep was begun with it.", _KEEP)
        yield from _changes("", self.space, now.space)
        if self.seeds != now.seeds:
            yield Fault(f"seed={','.join(map(str, now.seeds))}", f"was {self.seeds}.", _KEEP)
        for name in ("search", "pruning"):
            yield from _changes(f"{name}.", getattr(self, name), getattr(now, name))
        yield from _changes("sweep.", self.judged, now.judged)


def read_definition(directory: Path) -> Definition:
    """What a sweep's directory says.

    Raises:
        UserError: it is none, or of another version.
    """
    try:
        content = read_yaml(directory / SWEEP)
        schema = content.pop("schema")
        if schema == SCHEMA:
            return _named(Definition(**content))
    except FileNotFoundError:
        truth = f"is no sweep's directory: it has no {SWEEP}."
        raise UserError(Fault(str(directory), truth, "See:  espalier runs")) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise UserError(Fault(str(directory / SWEEP), f"cannot be read: {type(error).__name__}.")) from None
    raise UserError(Fault(str(directory), f"was written by another version (schema {schema}).", "Update Espalier."))


def _named(definition: Definition) -> Definition:
    if not re.fullmatch(r"([0-9a-f]{6})?", definition.id):
        raise ValueError("id")
    return definition


def _changes(prefix: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Fault]:
    for key in dict.fromkeys([*now, *then]):
        if key not in now:
            yield Fault(f"{prefix}{key}", f"is not there any more; it was {then[key]}.", _KEEP)
        elif key not in then:
            yield Fault(f"{prefix}{key}", f"is new: {now[key]}.", _KEEP)
        elif then[key] != now[key]:
            yield Fault(f"{prefix}{key}", f"is {now[key]}, and was {then[key]}.", _KEEP)


def _whole(dimension: Dimension) -> str:
    """As people read it; of many values, all of them."""
    step = f", in steps of {dimension.step}" if dimension.step else ""
    return f"{', '.join(map(str, dimension.values))}" if dimension.values else f"{spoken(dimension)}{step}"
