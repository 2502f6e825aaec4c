"""The one place where a config's ``_target_`` becomes an object: judged first, then called."""

from __future__ import annotations

from typing import Any

import hydra.utils
from omegaconf import DictConfig

from espalier.config.gate import gate


def instantiate(node: DictConfig, /, *given: Any, **live: Any) -> Any:
    """The object that a node describes.

    Args:
        node: a node with ``_target_``; nested nodes are made first.
        given: what the run knows: positional-only parameters.
        live: objects that take the place of a nested node that was made before.

    Raises:
        TrustError: the node, or one inside it, names code that is neither ours nor trusted.
    """
    gate(node)
    plain = {key: value for key, value in node.items_ex(resolve=True) if key not in live}
    return hydra.utils.instantiate(plain, *given, _convert_="all", **live)
