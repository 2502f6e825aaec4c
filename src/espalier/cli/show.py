"""``--cfg`` and ``--info``: what composing comes to, without training."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from hydra._internal.hydra import Hydra
from omegaconf import OmegaConf

from espalier.config.compose import Experiment
from espalier.config.options import groups
from espalier.config.sources import loader, shipped
from espalier.config.tree import at, plain, resolved
from espalier.config.words import read_words
from espalier.core.errors import ConfigError, Fault, UserError
from espalier.core.masking import masked

INFO = ("groups", "defaults-tree", "defaults", "searchpath")


def show_config(experiment: Experiment, which: str, package: str | None, *, resolve: bool) -> None:
    """Print the job's tree, Hydra's, or both, as YAML.

    Raises:
        UserError: a word is wrong, or there is no node ``package``.
    """
    require_right_words(experiment)
    read = resolved if resolve else plain
    tree = {} if which == "hydra" else read(experiment.config)
    if which != "job":
        tree = {**tree, "hydra": read(experiment.hydra)}
    tree = masked(tree)
    shown = at(tree, package) if package else tree
    if shown is None:
        raise UserError(Fault(f"--package {package}", "is no node of the config.", "See:  espalier train --cfg job"))
    print(OmegaConf.to_yaml(OmegaConf.create(shown)) if isinstance(shown, dict | list) else shown)


def show_groups(config_dirs: Sequence[Path]) -> None:
    """Print every group with its options."""
    for group, names in groups([*config_dirs, shipped()]).items():
        print(f"{group}\n" + "".join(f"  {group}={name}\n" for name in names))


def show_info(what: str, experiment: Experiment) -> None:
    """Print what Hydra says of the defaults list or the search path.

    Raises:
        UserError: a word is wrong.
    """
    require_right_words(experiment)
    lines = [str(word.override.input_line) for word in read_words(experiment.overrides)[0]]
    if what == "searchpath":  # composes with the words, and none but this one changes it
        lines = [line for line in lines if line.startswith("hydra.searchpath=")]
    said = io.StringIO()
    with redirect_stdout(said):  # Hydra logs it line by line
        Hydra(task_name="espalier", config_loader=loader(experiment.config_dirs)).show_info(what, "train", lines)
    print(said.getvalue().strip("\n"))


def require_right_words(experiment: Experiment) -> None:
    """Raises ``ConfigError`` with the faults of the words: what they come to would not be what was meant."""
    if experiment.faults:
        raise ConfigError(*experiment.faults)
