"""One composed experiment for each set of options that a sweep chooses: its trials are that one with other values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from espalier.config.compose import Experiment, changed, overwritten, scratch
from espalier.config.dimensions import spelled, words_of
from espalier.config.multirun import Command
from espalier.config.options import groups
from espalier.config.sources import shipped
from espalier.config.words import Word, read_words
from espalier.core.errors import ConfigError, Fault
from espalier.core.searching import Dimension, Point, identity

_ABSENT = "has no setting"


@dataclass(frozen=True)
class Base:
    """An experiment beside one set of options.

    Attributes:
        options: the varied groups and their options.
        experiment: with the command's fixed words.
        absent: faults of fixed words whose key these options don't have; other options may have it.
    """

    options: Point
    experiment: Experiment
    absent: tuple[Fault, ...]

    @property
    def lacked(self) -> set[str]:
        """Those words."""
        return {fault.what for fault in self.absent}

    @cached_property
    def _scratch(self) -> Experiment:
        return scratch(self.experiment)

    def lacks(self, dimension: Dimension) -> Fault | None:
        """The fault of a key that these options don't have; None where the option itself is not there."""
        if dimension.key.lstrip("+").startswith(tuple(f"{group}." for group in self.experiment.unsettled)):
            return None
        first = dimension.values[0] if dimension.values else dimension.low
        tried = changed(self.experiment, words_of({dimension.key: first}))
        new = tried.faults[len(self.experiment.faults) :]
        return next((fault for fault in new if _ABSENT in fault.truth), None)

    def quickly(self, values: Point, cache: dict[tuple[str, str], Word]) -> Experiment:
        """With other values; it holds until this is called once more."""
        if any(isinstance(value, Mapping) or _is_new(key) for key, value in values.items()):
            # Mappings are merged into what stands there, and what is added must not be there yet.
            return changed(self.experiment, words_of(values))
        return overwritten(self._scratch, [_word(key, value, cache) for key, value in values.items()])


class Bases:
    """Bases by their options, composed when they are asked for."""

    def __init__(self, command: Command) -> None:
        self._command = command
        known = groups([*command.config_dirs, shipped()])
        words = {word.key: word for word in command.swept}
        self.options = [d for d in command.dimensions if d.key.lstrip("+").partition("@")[0] in known]
        self.keys = [d for d in command.dimensions if d not in self.options]
        self._fixed = [word for word in read_words(command.fixed)[0] if word.key not in words]
        self._made: dict[str, Base] = {}

    @property
    def fixed_keys(self) -> set[str]:
        """Keys and groups that the command sets to one value."""
        return {word.key for word in self._fixed}

    @property
    def fixed_words(self) -> list[str]:
        """The words that say so."""
        return [word.typed for word in self._fixed]

    def of(self, options: Point) -> Base:
        """The base beside these options; more of a point does no harm.

        Raises:
            UserError: nothing can be composed so.
        """
        chosen = {dimension.key: options[dimension.key] for dimension in self.options}
        name = identity(chosen)
        if name not in self._made:
            self._made[name] = self._compose(chosen)
        return self._made[name]

    def never_there(self, bases: Sequence[Base]) -> list[Fault]:
        """Faults of fixed words whose key none of the bases has."""
        rows = [{fault.what: fault for fault in base.absent} for base in bases]
        return [fault for what, fault in (rows[0] if rows else {}).items() if all(what in row for row in rows)]

    def _compose(self, chosen: Point) -> Base:
        words = [*(word.typed for word in self._fixed), *words_of(chosen)]
        made = self._command.experiment(words)
        typed = {word.typed for word in self._fixed if "." in word.key}
        absent = [fault for fault in made.faults if fault.what in typed and _ABSENT in fault.truth]
        if len(self._command.dimensions) == 0 or not chosen:
            absent = []
        left = tuple(fault for fault in made.faults if fault not in absent)
        taken = tuple(word for word in made.overrides if word not in {fault.what for fault in absent})
        return Base(chosen, replace(made, faults=left, overrides=taken), tuple(absent))


def _is_new(key: str) -> bool:
    return key.startswith("+") and not key.startswith("++")


def _word(key: str, value: Any, cache: dict[tuple[str, str], Word]) -> Word:
    text = spelled(value)
    if (key, text) not in cache:
        words, faults = read_words([f"{key}={text}"])
        if faults:
            raise ConfigError(*faults)
        cache[key, text] = words[0]
    return cache[key, text]
