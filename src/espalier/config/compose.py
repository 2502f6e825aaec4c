"""Command line -> ``Experiment``: Hydra's grammar and defaults list, with every fault of the command kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository
from hydra._internal.defaults_list import DefaultsList, create_defaults_list
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from espalier.config import options
from espalier.config.hydra_words import of_a_sweep
from espalier.config.layers import Layers, Mark, flatten, layers_of
from espalier.config.signature import settings_at
from espalier.config.sources import loader, shipped
from espalier.config.tree import is_blocked, is_open, part_above, plain, resolved
from espalier.config.unreadable import composition_fault
from espalier.config.wording import unknown_key, with_a_point
from espalier.config.words import Word, read_words
from espalier.core.errors import ConfigError, Fault

# What Hydra, OmegaConf and YAML raise of files that they cannot make a config of.
_UNREADABLE = (
    HydraException, OmegaConfBaseException, ValueError, TypeError, yaml.YAMLError, OSError, RecursionError
)  # fmt: skip


@dataclass(frozen=True)
class Experiment:
    """A composed config and how it came to be.

    Attributes:
        config: the tree, interpolations kept, Hydra's own node left out.
        hydra: Hydra's node; empty where nothing of it was set.
        choices: group -> option, list of options, or None.
        overrides: the words of the command line that were taken.
        config_dirs: the user's folders of options.
        faults: what is wrong with the words themselves; ``check`` raises them with its own.
        layers: who set what.
        unsettled: keys of groups whose option is not there: what stands below them is not what was meant.
    """

    config: DictConfig
    hydra: DictConfig
    choices: Mapping[str, Any]
    overrides: tuple[str, ...]
    config_dirs: tuple[Path, ...]
    faults: tuple[Fault, ...]
    layers: Layers
    unsettled: frozenset[str] = frozenset()

    @cached_property
    def values(self) -> dict[str, Any]:
        """The tree as plain values, interpolations resolved; one that cannot be resolved stays as it is written."""
        return resolved(self.config)

    @property
    def is_half_read(self) -> bool:
        """Whether a preset (``experiment=…``) is not there: then any value and option may be another than was meant."""
        return any(key not in self.config for key in self.unsettled)


def compose(overrides: Sequence[str], *, root: str = "train", config_dirs: Sequence[Path] = ()) -> Experiment:
    """Compose the root config with the words of a command line.

    Words that are wrong are left out and kept as faults, so that one answer names all of them.

    Raises:
        ConfigError: nothing can be composed at all (a config file cannot be read, a defaults list is wrong).
        TrustError: a search path names a package that is not trusted.
    """
    words, faults = read_words(overrides)
    if root == "train":
        faults += [fault for word in words if (fault := of_a_sweep(word))]
        words = [word for word in words if not of_a_sweep(word)]
    source = loader(config_dirs)
    try:
        lines = [str(word.override.input_line) for word in words]
        _, repository = source._parse_overrides_and_create_caching_repo(root, lines)
        words, wrong = options.sort_out(words, repository, root)
        made = _merge(source, repository, words, root, tuple(config_dirs))
    except _UNREADABLE as error:
        raise ConfigError(*faults, composition_fault(error, [*config_dirs, shipped()])) from error
    unsettled = {key for key in wrong if key in made.config or not made.choices.get(key)} - {options.PRESET}
    made = replace(made, unsettled=frozenset(unsettled))
    own = () if made.is_half_read else made.faults
    faults = [with_a_point(fault, made.values) for fault in faults]
    return replace(made, faults=(*faults, *wrong.values(), *own))


def changed(experiment: Experiment, overrides: Sequence[str]) -> Experiment:
    """A composed experiment with some values changed; its options stay."""
    words, faults = read_words(overrides)
    faults = [with_a_point(fault, experiment.values) for fault in faults]
    tree = OmegaConf.create(plain(experiment.config))
    OmegaConf.set_struct(tree, True)
    layers = experiment.layers.copy()
    for word in words:
        faults += _apply(word, tree, layers)
    taken = (*experiment.overrides, *(word.typed for word in words))
    return replace(experiment, config=tree, overrides=taken, faults=(*experiment.faults, *faults), layers=layers)


def scratch(experiment: Experiment) -> Experiment:
    """A copy whose tree may be overwritten by ``overwritten``."""
    tree = OmegaConf.create(plain(experiment.config))
    OmegaConf.set_struct(tree, True)
    return replace(experiment, config=tree)


def overwritten(experiment: Experiment, words: Sequence[Word]) -> Experiment:
    """As ``changed``, ten times as quick: in the tree itself, which holds until it is overwritten once more."""
    layers = experiment.layers.copy()
    faults = [fault for word in words for fault in _apply(word, experiment.config, layers)]
    taken = (*experiment.overrides, *(word.typed for word in words))
    return replace(experiment, overrides=taken, faults=(*experiment.faults, *faults), layers=layers)


def _merge(
    source: ConfigLoaderImpl,
    repository: CachingConfigRepository,
    words: Sequence[Word],
    root: str,
    config_dirs: tuple[Path, ...],
) -> Experiment:
    def resolve(with_hydra: bool) -> tuple[DefaultsList, DictConfig]:
        parsed = [word.override for word in words]
        found = create_defaults_list(repository, root, parsed, prepend_hydra=with_hydra, skip_missing=False)
        return found, source._compose_config_from_defaults_list(found.defaults, repository)

    # Hydra's own tree takes as long as all the rest, and is needed only where somebody sets something in it.
    with_hydra = any(word.override.is_hydra_override() for word in words)
    defaults, tree = resolve(with_hydra)
    if "hydra" in tree and not with_hydra:
        defaults, tree = resolve(True)
    layers = layers_of(defaults.defaults, [*config_dirs, shipped()])
    OmegaConf.set_struct(tree, True)
    for group, option in options.root_choices(repository, root).items():
        if isinstance(option, list) and group not in tree:  # callback=[]
            OmegaConf.update(tree, group, {}, force_add=True)
    faults: list[Fault] = []
    for word in words:
        if any(word.override is override for override in defaults.config_overrides):
            faults += _apply(word, tree, layers)
    with open_dict(tree):
        hydra = tree.pop("hydra", None) or OmegaConf.create({})
    taken = tuple(word.typed for word in words)
    return Experiment(tree, hydra, options.chosen(defaults), taken, config_dirs, tuple(faults), layers)


def _apply(word: Word, tree: DictConfig, layers: Layers) -> list[Fault]:
    """Set one value as Hydra does; what is no part (columns, vars) takes new keys without a plus, a part its own."""
    key, value = word.key, word.override.value()
    if is_blocked(tree, key):
        return [unknown_key(word, plain(tree), layers, ValueError("it is no node"))]
    try:
        if not word.override.is_delete() and (is_open(tree, key) or _is_taken(tree, key)):
            OmegaConf.update(tree, key, value, merge=True, force_add=True)
        else:
            ConfigLoaderImpl._apply_overrides_to_config([word.override], tree)
    except (HydraException, OmegaConfBaseException, ValueError, TypeError, LookupError) as error:
        return [unknown_key(word, plain(tree), layers, error)]
    if word.override.is_delete():
        layers.remove(key)
    else:
        layers.add(key, Mark(word.typed, 0, str(value)))
        for below, inner in flatten(value) if isinstance(value, dict) else ():
            layers.add(f"{key}.{below}", Mark(word.typed, 0, str(inner)))
    return []


def _is_taken(tree: DictConfig, key: str) -> bool:
    """Whether a key that no file lists is in the signature of the part that it belongs to."""
    above = part_above(tree, key)
    return above is not None and above[2] in settings_at(above[0], above[1]).parameters
