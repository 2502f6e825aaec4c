"""Which settings of a run are not the defaults, who set them, and over what: from its config.yaml and origin.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from espalier.core.masking import MASK, is_secret, masked_text
from espalier.core.yaml_files import read_yaml


@dataclass(frozen=True)
class Setting:
    """One key.

    Attributes:
        key: ``optimizer.lr``.
        value: as config.yaml has it; a secret is masked.
        by: file and line, or the command line's word.
        over: the value that it was set over; ``""`` if it had none.
    """

    key: str
    value: str
    by: str
    over: str


def settings_of(directory: Path) -> list[Setting]:
    """What was set over a default, in the config's order; none where the files do not tell.

    Args:
        directory: of a run; its origin.yaml says ``set``: key -> [who set it, over what].
    """
    try:
        config = read_yaml(directory / "config.yaml")
        told = read_yaml(directory / "origin.yaml").get("set", {})
        return [_setting(config, str(key), str(by), str(over)) for key, (by, over) in told.items()]
    except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError):
        return []


def _setting(config: Mapping[str, Any], key: str, by: str, over: str) -> Setting:
    name, value = key.rpartition(".")[2], yaml_words(_at(config, key))
    return Setting(key, _kept_back(name, value), masked_text(by), _kept_back(name, over))


def _at(tree: Any, key: str) -> Any:
    for name in key.split("."):
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return tree


def yaml_words(value: Any) -> str:
    """A value on one line, as YAML writes it: ``null``, ``true``, ``0.001``, ``[a, b]``."""
    if isinstance(value, str):
        return value
    written: str = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return written.removesuffix("...\n").strip()


def _kept_back(name: str, value: str) -> str:
    return MASK if value and is_secret(name, value) else value
