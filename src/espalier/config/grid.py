"""``-m``: a command line whose words name several values, as the command lines of its grid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

from espalier.config.sources import loader
from espalier.config.words import read_words, sweep_values
from espalier.core.errors import ConfigError, Fault


def grid(overrides: Sequence[str], config_dirs: Sequence[Path] = ()) -> list[list[str]]:
    """Every combination, in Hydra's order (the last word changes quickest).

    Raises:
        ConfigError: words that cannot be read, or an interval, which only a search can sample.
    """
    words, faults = read_words(overrides, sweep=True, config_loader=loader(config_dirs))
    for word in words:
        if word.override.is_interval_sweep():
            faults.append(
                Fault(
                    word.typed, "is an interval: endlessly many values.", "List values for a grid:  key=1e-4,3e-4,1e-3"
                )
            )
        elif word.override.is_sweep_override() and word.override.is_hydra_override():
            faults.append(Fault(word.typed, "sweeps over Hydra's own settings.", "Give it one value."))
    if faults:
        raise ConfigError(*faults)
    return [list(combination) for combination in product(*(list(sweep_values(word)) for word in words))]
