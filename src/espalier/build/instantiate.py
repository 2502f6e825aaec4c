"""The one place where a config's ``_target_`` becomes an object: judged first, then called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import hydra.utils
from omegaconf import DictConfig, OmegaConf

from espalier.config.gate import gate
from espalier.core.errors import ConfigError, Fault, TrustError, UserError
from espalier.core.frames import own_place


def instantiate(node: DictConfig, /, *given: Any, **live: Any) -> Any:
    """The object that a node describes.

    References are resolved once, to plain values; those are judged, and those are used.

    Args:
        node: a node with ``_target_``; nested nodes are made first.
        given: what the run knows: positional-only parameters.
        live: objects that take the place of a nested node that was made before.

    Raises:
        TrustError: the node, or one inside it, names code that is neither ours nor trusted.
        ConfigError: a module of the user's own cannot be loaded.
    """
    content: Any = OmegaConf.to_container(node, resolve=True)
    settings = {key: value for key, value in content.items() if key not in live}
    key = node._get_full_key(None) or "part"
    gate(settings, key)
    for target in _targets(settings):
        _require_its_own(target, key)
    # Made in two steps, so that what the run gives is passed on as it is, and errors come as they are raised.
    make = hydra.utils.instantiate(settings, _convert_="all", _partial_=True)
    return make(*given, **live)


def _load(target: str, key: str) -> None:
    """Import the module of a user's part, so that what it raises is told as it is, with its line."""
    try:
        import_module(target.rpartition(".")[0])
    except UserError:
        raise
    except Exception as error:
        what = own_place(error) or f"{key}._target_={target}"
        raise ConfigError(Fault(what, f"{type(error).__name__}: {getattr(error, 'msg', error)}")) from error


def _targets(tree: Any) -> Iterator[str]:
    """Every target, and no text that Hydra would resolve a second time."""
    if isinstance(tree, Mapping):
        if "_target_" in tree:
            yield tree["_target_"]
        for value in tree.values():
            yield from _targets(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _targets(value)
    elif isinstance(tree, str) and "${" in tree:
        raise TrustError(Fault(tree, "would be read as a reference once more.", "Write it without ${."))


def _require_its_own(target: str, key: str) -> None:
    """The source was judged; what stands under the name at run time must live in the same package."""
    package = target.partition(".")[0]
    if package != "espalier":
        _load(target, key)
    found = hydra.utils.get_object(target)
    home = str(getattr(found, "__module__", package))
    if home.partition(".")[0] != package or not callable(found):
        raise TrustError(
            Fault(f"{key}._target_={target}", f"leads out of {package}, to {home}.", f"Wrap it in {package}.")
        )
