"""From a sweep's line to its trials: composed once for each set of options, patched, checked, named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

from espalier.config.check import check
from espalier.config.compose import Experiment, changed
from espalier.config.dimensions import words_of
from espalier.config.multirun import Command
from espalier.config.words import Word
from espalier.core.errors import ConfigError, Fault, TrustError, UserError
from espalier.core.machine import Machine, probe
from espalier.core.searching import MOST_POINTS, Dimension, Point, all_points, combinations, count, identity
from espalier.sweep.bases import Base, Bases
from espalier.sweep.names import name_of, short_keys
from espalier.sweep.space import SweepSpace

_CORNERS = 1_000  # of a space without a grid, how many are checked
_NOT_THE_EXPERIMENT = ("output", "name")  # where it lies and what it is called


@dataclass(frozen=True)
class Planned:
    """One trial, composed and checked.

    Attributes:
        point: what the sweep varies, without the seed.
        words: the same as words of a command line, the seed's included where it was given.
        command: all words of ``espalier train`` that make the same run.
        name: what differs from other trials, for people.
        digest: of the resolved config; two trials with the same one would be the same run.
        hardware: its resolved node.
    """

    point: Point
    seed: int
    words: tuple[str, ...]
    command: tuple[str, ...]
    name: str
    digest: str
    hardware: Mapping[str, Any]
    _make: Callable[[], Experiment]

    @cached_property
    def experiment(self) -> Experiment:
        """The composed experiment; made when it is asked for."""
        return self._make()


class Planner:
    """The trials of a command.

    Args:
        machine: tells on what they are to run; None where that is not known.

    Attributes:
        space: what is varied.
        seeds: repeats of each configuration; one at least.
    """

    def __init__(self, command: Command, machine: Callable[[], Machine | None] = probe) -> None:
        self.command = command
        self._bases = Bases(command)
        self._machine = machine
        self._words: dict[tuple[str, str], Word] = {}
        self._right: set[str] = set()
        self.space = SweepSpace(command, self._bases)

    @cached_property
    def _short(self) -> dict[str, str]:
        return short_keys([*(dimension.key for dimension in self.space.all()), "seed"])

    @cached_property
    def _first(self) -> Base:
        return self._bases.of(next(combinations(self.space.options())))

    @property
    def size(self) -> int | None:
        """How many configurations there are; None: endlessly many."""
        return count(self.space)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Swept ones, or the one that holds."""
        seed = self._first.experiment.values["seed"]
        return self.command.seeds or (seed if isinstance(seed, int) else 0,)  # ``check`` tells of one that is no number

    @property
    def name(self) -> str:
        """The sweep's folder under the output: the experiment's name, or else the options that are not varied."""
        every = [self.base(options) for options in combinations(self.space.options())]
        names = {made.values["name"] for made in every}
        if len(names) == 1 and (name := names.pop()):
            return str(name)
        chosen = [{str(made.choices[group]) for made in every} for group in ("data", "model", "adapter")]
        return "-".join(options.pop() for options in chosen if len(options) == 1) or "sweep"

    @property
    def output(self) -> str:
        """The folder under which the sweep is made."""
        return str(self._first.experiment.values["output"])

    def grid(self) -> list[Point] | None:
        """Every point, in Hydra's order; None where there are endlessly many."""
        return None if count(self.space) is None else all_points(self.space)

    def base(self, options: Point) -> Experiment:
        """The experiment beside some options, before any key is varied."""
        return self._bases.of(options).experiment

    def task_objectives(self) -> list[str]:
        """What the tasks of trials choose their best checkpoint by, each once; those that say it in their config."""
        found: list[Any] = []
        for options in combinations(self.space.options()):
            swept = next((key.values for key in self.space.keys(options) if key.key == "task.objective"), ())
            found += swept or [(self.base(options).values.get("task") or {}).get("objective")]
        return list(dict.fromkeys(str(name) for name in found if name))

    def trials(self, seeds: Sequence[int] | None = None, most: int | None = None) -> Iterator[tuple[Point, int]]:
        """Every point with every seed, in Hydra's order: by the place of the word ``seed=…`` among the others.

        Args:
            seeds: all of them, if not given.
            most: configurations; the first so many of the grid, each with every seed, wherever the seed stands.

        Raises:
            ValueError: there are endlessly many.
        """
        points = all_points(self.space)
        if most is not None:
            chosen = set(islice(dict.fromkeys(map(identity, points)), most))
            points = [point for point in points if identity(point) in chosen]
        place = self.command.seed_place
        before = {d.key for d in self.command.dimensions if d.place < place}
        groups: dict[str, list[Point]] = {}
        for point in points:
            groups.setdefault(json.dumps({k: point[k] for k in point if k in before}), []).append(point)
        for group in groups.values():
            yield from ((point, seed) for seed in seeds or self.seeds for point in group)

    def check(self) -> None:
        """Check the trials of a grid, all of them; of any other space the options, and the ends of each key.

        Of a grid that is too large, and of keys with thousands of values, the first are checked.

        Raises:
            ConfigError: every fault, each once, with how many trials have it.
            TrustError: code that is not trusted is all that is wrong.
        """
        every = self._every_base()
        whole = self.is_grid and (self.size or 0) <= MOST_POINTS
        points = list((self.grid() if whole else islice(self._corners(), _CORNERS)) or ())
        found: dict[Fault, list[Point]] = dict.fromkeys(self._never_there(every), points)
        trusted = not found
        for point in points:
            try:
                self._checked(point, None)
            except UserError as error:
                trusted = trusted and isinstance(error, TrustError)
                for fault in error.faults:
                    found.setdefault(fault, []).append(point)
        if found:
            times = len(self.seeds) if whole else 0
            faults = [_counted(fault, concerned, points, times) for fault, concerned in found.items()]
            raise (TrustError if trusted else ConfigError)(*faults)

    def at(self, point: Point, seed: int | None = None) -> Planned:
        """One trial.

        Raises:
            ConfigError: it cannot be, with all faults.
        """
        base = self._bases.of(point)
        experiment = self._checked(point, seed)
        values = experiment.values
        patch = self._patch(point, seed)
        shown = {**point, "seed": values["seed"]} if len(self.command.seeds) > 1 else point
        with_seed = {**point, "seed": seed} if "seed" in patch else point
        return Planned(
            point=point,
            seed=int(values["seed"]),
            words=words_of(with_seed),
            command=(*self._begin(base, patch), *words_of(patch)),
            name=name_of(shown, self._short) or f"seed={values['seed']}",
            digest=_digest(values),
            hardware=values["hardware"],
            _make=lambda: changed(base.experiment, words_of(patch)),
        )

    @property
    def is_grid(self) -> bool:
        """Whether all points are known before anything runs."""
        target = self.command.settings.values["search"]["_target_"]
        return str(target).startswith("espalier.search.grid.") and count(self.space) is not None

    def _begin(self, base: Base, patch: Mapping[str, Any]) -> list[str]:
        """The words of a command line before those of the patch; what the patch sets is left out."""
        folders = [word for folder in self.command.config_dirs for word in ("--config-dir", str(folder.resolve()))]
        if self.command.rerun:
            own = [word for word in (*self._bases.fixed_words, *words_of(base.options)) if word not in base.lacked]
            return [*folders, "--rerun", str(self.command.rerun), *_without(own, patch)]
        return [*folders, *_without(base.experiment.overrides, patch)]

    def _patch(self, point: Point, seed: int | None) -> dict[str, Any]:
        keys = {dimension.key for dimension in self.space.keys(point)}
        values = {key: value for key, value in point.items() if key in keys}
        given = seed is not None and (self.command.seeds or "seed" in self._bases.fixed_keys)
        return {**values, "seed": seed} if given else values

    def _checked(self, point: Point, seed: int | None) -> Experiment:
        """The experiment, which holds until the next is made; a point is checked once, whatever its seed."""
        made = self._bases.of(point).quickly(self._patch(point, seed), self._words)
        if (name := identity(point)) not in self._right:
            check(made, machine=self._machine)
            self._right.add(name)
        return made

    def _corners(self) -> Iterator[Point]:
        """Beside each set of options: the middle of every key, and each of its values or ends in turn."""
        for options in combinations(self.space.options()):
            keys = self.space.keys(options)
            middle = {key.key: _ends(key)[0] for key in keys}
            yield {**options, **middle}
            for key in keys:
                yield from ({**options, **middle, key.key: value} for value in _ends(key)[1:])

    def _every_base(self) -> list[Base]:
        every: list[Base] = []
        faults: list[Fault] = []
        for options in combinations(self.space.options()):
            try:
                every.append(self._bases.of(options))
            except UserError as error:
                faults += error.faults
        if faults:
            raise ConfigError(*dict.fromkeys(faults))
        return every

    def _never_there(self, every: list[Base]) -> Iterator[Fault]:
        """Faults of the line's keys that no set of options has."""
        yield from self._bases.never_there(every)
        for dimension, word in self._swept_keys():
            lacking = [base.lacks(dimension) for base in every]
            if lacking[0] and all(lacking):
                yield replace(lacking[0], what=word.typed)

    def _swept_keys(self) -> Iterator[tuple[Dimension, Word]]:
        words = {str(word.override.get_key_element()): word for word in self.command.swept}
        yield from ((dimension, words[dimension.key]) for dimension in self._bases.keys)


def _without(words: Iterable[str], patch: Mapping[str, Any]) -> list[str]:
    return [word for word in words if word.partition("=")[0] not in patch]


def _ends(key: Dimension) -> list[Any]:
    return list(key.values) if key.values else [key.low, key.high]


def _counted(fault: Fault, concerned: Sequence[Point], points: Sequence[Point], times: int) -> Fault:
    """With the number of trials that have it, and what they have in common, where not all have it."""
    if len(concerned) == len(points):
        return fault
    shared = dict(concerned[0])
    for point in concerned:
        shared = {key: value for key, value in shared.items() if key in point and point[key] == value}
    different = {key: value for key, value in shared.items() if any(p.get(key) != value for p in points)}
    who = f": {' '.join(words_of(different))}" if different and fault.what not in words_of(different) else ""
    of = f"{len(concerned) * times:,} of {len(points) * times:,} trials" if times else "some trials"
    return replace(fault, truth=f"{fault.truth} In {of}{who}.")


def _digest(values: Mapping[str, Any]) -> str:
    kept = {key: value for key, value in values.items() if key not in _NOT_THE_EXPERIMENT}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()[:16]


def digests(planned: Iterable[Planned]) -> dict[str, list[Planned]]:
    """Trials that would be the same run, by their digest."""
    found: dict[str, list[Planned]] = {}
    for trial in planned:
        found.setdefault(trial.digest, []).append(trial)
    return found
