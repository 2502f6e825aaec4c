"""``--cfg`` and ``--info``: what composing comes to, without training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra._internal.hydra import Hydra
from omegaconf import OmegaConf

from espalier.config.compose import Experiment
from espalier.config.options import groups
from espalier.config.sources import loader, shipped
from espalier.config.tree import at, plain, resolved
from espalier.core.errors import Fault, UserError

INFO = ("groups", "defaults-tree", "defaults", "config", "searchpath", "all")


def show_config(experiment: Experiment, which: str, package: str | None, *, resolve: bool) -> None:
    """Print the job's tree, Hydra's, or both, as YAML.

    Raises:
        UserError: there is no node ``package``.
    """
    read = resolved if resolve else plain
    tree = {} if which == "hydra" else read(experiment.config)
    if which != "job":
        tree = {**tree, "hydra": read(experiment.hydra)}
    shown = at(tree, package) if package else tree
    if shown is None:
        raise UserError(Fault(f"--package {package}", "is no node of the config.", "See:  espalier train --cfg job"))
    print(OmegaConf.to_yaml(OmegaConf.create(shown)) if isinstance(shown, dict | list) else shown)


def show_info(what: str, overrides: Sequence[str], config_dirs: Sequence[Path]) -> None:
    """Print the groups, or what Hydra says of its defaults list, search path and config."""
    if what in ("groups", "all"):
        for group, names in groups([*config_dirs, shipped()]).items():
            print(f"{group}\n" + "".join(f"  {group}={name}\n" for name in names))
    if what != "groups":
        Hydra(task_name="espalier", config_loader=loader(config_dirs)).show_info(what, "train", list(overrides))
