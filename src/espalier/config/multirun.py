"""``espalier train -m``: one line, read. What belongs to the sweep is taken out; what is left are words of experiments.

    read_command(["data=sst2", "optimizer.lr=1e-4,1e-3", "seed=0,1", "sweep=tpe", "launcher.slots=2"])

Neither the sweep's words nor its settings are part of a trial's config, so that equal configs are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from espalier.config.check import check
from espalier.config.compose import Experiment, compose
from espalier.config.dimensions import dimension, misread, words_of
from espalier.config.hydra_words import belongs_to_sweep, foreign, translated
from espalier.config.saved import rerun
from espalier.config.sources import loader
from espalier.config.words import Word, read_words
from espalier.core.errors import ConfigError, Fault, UserError
from espalier.core.machine import Machine
from espalier.core.searching import Dimension, Point

_MOST_TRIED = 10
NODES = ("sweep", "search", "pruning", "launcher")


def _unknown(_: Experiment) -> Machine | None:
    return None


@dataclass(frozen=True)
class Command:
    """One ``espalier train -m`` line.

    Attributes:
        typed: all its words.
        settings: the root ``multirun``, checked: nodes ``sweep``, ``search``, ``pruning``, ``launcher``.
        fixed: the experiment's words with one value, the seed's included.
        swept: the experiment's words with several values, in order; the seed's is not among them.
        dimensions: the same, as what they vary.
        seeds: repeats of each configuration; empty where no word sweeps over the seed.
        config_dirs: the user's folders of options.
        rerun: the run directory that the experiments begin from, with ``--rerun``.
        stock: whether Hydra's own sweeper and launcher were asked for: one process after the other.
    """

    typed: tuple[str, ...]
    settings: Experiment
    fixed: tuple[str, ...]
    swept: tuple[Word, ...]
    dimensions: tuple[Dimension, ...]
    seeds: tuple[int, ...]
    config_dirs: tuple[Path, ...] = ()
    rerun: Path | None = None
    stock: bool = False
    seed_place: int = field(default=0)

    @property
    def first(self) -> Point:
        """The first value of all that is varied."""
        return {d.key: d.values[0] if d.values else d.low for d in self.dimensions}

    def experiment(self, words: Sequence[str]) -> Experiment:
        """The experiment of some words; faults of the words are kept in it.

        Raises:
            UserError: nothing can be composed at all.
        """
        if self.rerun:
            return rerun(self.rerun, words, self.config_dirs)
        return compose(words, config_dirs=self.config_dirs)


def read_command(
    overrides: Sequence[str],
    config_dirs: Sequence[Path] = (),
    *,
    rerun: Path | None = None,
    machine: Callable[[Experiment], Machine | None] = _unknown,
) -> Command:
    """Read a line. Its experiments are not composed here but where nothing else is right anyway.

    Args:
        rerun: the run directory that the experiments begin from.
        machine: tells of such settings on what their launcher's trials run; asked only where something is wrong.

    Raises:
        ConfigError: every fault of the sweep's words, and those of the experiment's words with them.
    """
    words, faults = read_words(overrides, sweep=True, config_loader=loader(config_dirs))
    own = [word for word in words if belongs_to_sweep(word)]
    stock, own_faults, own_words = translated(own)
    experiment = [word for word in words if word not in own]
    faults += [*own_faults, *(fault for word in experiment if (fault := misread(word) or foreign(word)))]
    settings = compose(own_words, root="multirun", config_dirs=config_dirs)
    faults += _settings_faults(settings)
    plain = [word for word in experiment if not word.override.is_sweep_override()]
    swept = [word for word in experiment if word.override.is_sweep_override() and not _is_seed(word)]
    seeds, seed_place, seed_faults = _seeds(experiment)
    dimensions: list[Dimension] = []
    for place, word in enumerate(swept):
        read = dimension(word, place)
        if isinstance(read, Fault):
            faults.append(read)
        else:
            dimensions.append(read)
    faults += [*seed_faults, *_twice(experiment)]
    command = Command(
        typed=tuple(overrides),
        settings=settings,
        fixed=tuple(word.typed for word in plain if word.typed not in {fault.what for fault in faults}),
        swept=tuple(swept),
        dimensions=tuple(dimensions),
        seeds=seeds,
        config_dirs=tuple(config_dirs),
        rerun=rerun,
        stock=stock,
        seed_place=seed_place,
    )
    if faults:
        raise ConfigError(*dict.fromkeys([*faults, *_experiment_faults(command, lambda: machine(settings))]))
    return command


def _settings_faults(settings: Experiment) -> Sequence[Fault]:
    try:
        check(settings, only=NODES)
    except UserError as error:
        return error.faults
    return ()


def _experiment_faults(command: Command, machine: Callable[[], Machine | None]) -> list[Fault]:
    """Of the experiment's words, each value in turn, so that they are told with those of the sweep's words."""
    first = command.first
    points = [first, *({**first, d.key: value} for d in command.dimensions for value in d.values[1:_MOST_TRIED])]
    told: list[dict[str, Fault]] = []
    for point in points:
        try:
            told.append({})
            check(command.experiment([*command.fixed, *words_of(point)]), machine=machine)
        except UserError as error:
            told[-1] = {fault.what: fault for fault in error.faults}
    # A key that some option lacks is no fault where another one has it.
    fixed = [what for what in command.fixed if not all(what in faults for faults in told)]
    return list(dict.fromkeys(fault for faults in told for what, fault in faults.items() if what not in fixed))


def _is_seed(word: Word) -> bool:
    return word.key == "seed" and word.override.is_sweep_override()


def _seeds(words: Sequence[Word]) -> tuple[tuple[int, ...], int, list[Fault]]:
    """Seeds, how many sweeping words stand before theirs, and what is wrong with them."""
    before = 0
    for word in words:
        if _is_seed(word):
            read = dimension(word, before)
            if isinstance(read, Fault):
                return (), before, [read]
            if read.is_interval or not all(type(value) is int and value >= 0 for value in read.values):
                remedy = "Name them, as in  seed=0,1,2"
                return (), before, [Fault(word.typed, "is a repeat of a configuration, and never searched.", remedy)]
            return read.values, before, []
        before += word.override.is_sweep_override()
    return (), before, []


def _twice(words: Sequence[Word]) -> list[Fault]:
    """Keys that are swept, and set by another word as well."""
    keys = [word.key for word in words]
    return [
        Fault(word.typed, f"is not all that is said of {word.key}.", "Name all values in one word.")
        for word in words
        if word.override.is_sweep_override() and keys.count(word.key) > 1
    ]
