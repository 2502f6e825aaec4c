"""Looking into a composed tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException


def plain(tree: DictConfig) -> dict[str, Any]:
    """Nested plain values, interpolations as they are written, missing ones as ``???``."""
    content: Any = OmegaConf.to_container(tree, resolve=False, throw_on_missing=False)
    return dict(content)


def resolved(tree: DictConfig) -> dict[str, Any]:
    """Nested plain values, interpolations resolved where that is possible."""
    try:
        content: Any = OmegaConf.to_container(tree, resolve=True, throw_on_missing=False)
        return dict(content)
    except OmegaConfBaseException:
        return {str(key): _resolved(tree, str(key), value) for key, value in plain(tree).items()}


def interpolations(tree: DictConfig) -> dict[str, str]:
    """Dotted key -> text, of the interpolations that cannot be resolved."""
    found: dict[str, str] = {}
    _unresolvable(tree, "", plain(tree), found)
    return found


def is_open(tree: DictConfig, key: str) -> bool:
    """Whether a new key may be set there: below a mapping that is neither the root nor a part (``vars``, ``columns``)."""
    if _has(tree, key):
        return False
    parent = key.rpartition(".")[0]
    while parent and not _has(tree, parent):
        parent = parent.rpartition(".")[0]
    if not parent or parent.partition(".")[0] == "hydra":
        return False
    node = OmegaConf.select(tree, parent, throw_on_missing=False)
    return isinstance(node, DictConfig) and "_target_" not in node


def at(tree: Mapping[str, Any], key: str) -> Any:
    """The value at a dotted key of nested plain values; None where there is none."""
    node: Any = tree
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return None
        node = node[part]
    return node


def _has(tree: DictConfig, key: str) -> bool:
    try:
        parent, _, name = key.rpartition(".")
        node = OmegaConf.select(tree, parent, throw_on_missing=False) if parent else tree
        return isinstance(node, DictConfig) and name in node.keys()  # noqa: SIM118  # `in` hides missing values
    except OmegaConfBaseException:
        return False


def _resolved(tree: DictConfig, key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _resolved(tree, f"{key}.{name}", inner) for name, inner in value.items()}
    if "${" not in str(value):
        return value
    try:
        found = OmegaConf.select(tree, key, throw_on_missing=False)
    except OmegaConfBaseException:
        return value
    return OmegaConf.to_container(found, resolve=True) if OmegaConf.is_config(found) else found


def _unresolvable(tree: DictConfig, prefix: str, values: Mapping[str, Any], found: dict[str, str]) -> None:
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            _unresolvable(tree, f"{key}.", value, found)
        elif "${" in str(value):
            try:
                OmegaConf.select(tree, key, throw_on_missing=False)
            except OmegaConfBaseException:
                found[key] = str(value)
