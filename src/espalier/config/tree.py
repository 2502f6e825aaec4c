"""Looking into a composed tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from espalier.config.unfolding import require_small


def plain(tree: DictConfig) -> dict[str, Any]:
    """Nested plain values, interpolations as they are written, missing ones as ``???``."""
    content: Any = OmegaConf.to_container(tree, resolve=False, throw_on_missing=False)
    return dict(content)


def resolved(tree: DictConfig) -> dict[str, Any]:
    """Nested plain values, interpolations resolved; one that cannot be resolved stays as it is written.

    Raises:
        ConfigError: they come to more than any config; see ``config.unfolding``.
    """
    written = plain(tree)
    require_small(written)
    try:
        content: Any = OmegaConf.to_container(tree, resolve=True, throw_on_missing=False)
        return dict(content)
    except (OmegaConfBaseException, RecursionError):
        return {str(key): _resolved(tree, str(key), value) for key, value in written.items()}


def interpolations(tree: DictConfig) -> dict[str, str]:
    """Key -> text, of the interpolations that cannot be resolved; ``columns.text``, ``tags[0]``."""
    return {key: text for key, text in _references(plain(tree), "") if isinstance(_select(tree, key), Exception)}


def is_open(tree: DictConfig, key: str) -> bool:
    """Whether a new key may be set there: below a mapping (``vars``, ``columns``), but no part and not the root."""
    parent = _there(tree, key)
    if not parent or parent.partition(".")[0] == "hydra":
        return False
    node = OmegaConf.select(tree, parent, throw_on_missing=False)
    return isinstance(node, DictConfig) and "_target_" not in node


def part_above(tree: DictConfig, key: str) -> tuple[str, str, str] | None:
    """Key and target of the part that a key which is not there would be a setting of, and the setting's name."""
    parent = _there(tree, key)
    node = OmegaConf.select(tree, parent, throw_on_missing=False) if parent and parent != key else None
    target = node._get_node("_target_") if isinstance(node, DictConfig) else None
    written = getattr(target, "_value", lambda: None)()
    return (parent, written, key[len(parent) + 1 :].partition(".")[0]) if isinstance(written, str) else None


def _there(tree: DictConfig, key: str) -> str:
    """The key, or the nearest node above it that is there; ``""`` for the root."""
    while key and not _has(tree, key):
        key = key.rpartition(".")[0]
    return key


def at(tree: Mapping[str, Any], key: str) -> Any:
    """The value at a dotted key of nested plain values; None where there is none."""
    node: Any = tree
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return None
        node = node[part]
    return node


def is_blocked(tree: DictConfig, key: str) -> bool:
    """Whether a value stands where the key would need a node (``seed.x``): setting it would replace that value."""
    parts = key.split(".")
    above = (".".join(parts[:depth]) for depth in range(1, len(parts)))
    return any(_has(tree, part) and not OmegaConf.is_config(_select(tree, part, plainly=False)) for part in above)


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
    if isinstance(value, list):
        return [_resolved(tree, f"{key}[{position}]", inner) for position, inner in enumerate(value)]
    if "${" not in str(value):
        return value
    found = _select(tree, key)
    return value if isinstance(found, Exception) else found


def _references(values: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(values, dict):
        for name, value in values.items():
            yield from _references(value, f"{key}.{name}" if key else str(name))
    elif isinstance(values, list):
        for position, value in enumerate(values):
            yield from _references(value, f"{key}[{position}]")
    elif "${" in str(values):
        yield key, str(values)


def _select(tree: DictConfig, key: str, *, plainly: bool = True) -> Any:
    """The resolved value; the exception where it cannot be resolved."""
    try:
        found = OmegaConf.select(tree, key, throw_on_missing=False, throw_on_resolution_failure=True)
        return OmegaConf.to_container(found, resolve=True) if plainly and OmegaConf.is_config(found) else found
    except (OmegaConfBaseException, RecursionError) as error:
        return error
