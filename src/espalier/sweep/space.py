"""What a sweep may vary: the command line's words, and the spaces of the options that are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from espalier.config.multirun import Command
from espalier.core.searching import Dimension, Point, combinations, identity
from espalier.sweep.bases import Bases
from espalier.sweep.option_spaces import option_space


class SweepSpace:
    """The space of a command (``core.searching.Space``)."""

    def __init__(self, command: Command, bases: Bases) -> None:
        self._command, self._bases = command, bases
        self._keys: dict[str, tuple[Dimension, ...]] = {}
        settings = command.settings.values
        rule = settings["sweep"]["space"]
        searches = not str(settings["search"]["_target_"]).startswith("espalier.search.grid.")
        self.uses_options = rule == "all" or (rule == "auto" and searches and not bases.keys)

    def options(self) -> Sequence[Dimension]:
        """Groups whose option is varied."""
        return self._bases.options

    def keys(self, options: Point, /) -> Sequence[Dimension]:
        """Keys that are varied beside these options: those of the command line that they have, then their own."""
        name = identity({dimension.key: options[dimension.key] for dimension in self._bases.options})
        if name not in self._keys:
            self._keys[name] = tuple(self._find(options))
        return self._keys[name]

    def all(self) -> list[Dimension]:
        """Every dimension that some point has, each once, in order."""
        found = {dimension.key: dimension for dimension in self._bases.options}
        for options in combinations(self._bases.options):
            for dimension in self.keys(options):
                found.setdefault(dimension.key, dimension)
        return sorted(found.values(), key=lambda dimension: dimension.place)

    def _find(self, options: Point) -> list[Dimension]:
        base = self._bases.of(options)
        found = [dimension for dimension in self._bases.keys if not base.lacks(dimension)]
        if not self.uses_options:
            return found
        said = self._bases.fixed_keys | {dimension.key for dimension in found}
        own = [d for d in option_space(base.experiment.choices, self._command.config_dirs) if d.key not in said]
        first = len(self._command.dimensions)
        return [*found, *(replace(dimension, place=first + n) for n, dimension in enumerate(own))]
