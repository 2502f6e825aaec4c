"""Configs of earlier versions, as this one would have written them: named steps, from one schema to the next.

A setting that came later needs no step where its default does what was done before it was there: then that is taken. A
step is for what was renamed, what moved, and what would mean something else now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import cache
from typing import Any

from espalier.config.compose import compose
from espalier.config.gate import ROOT
from espalier.config.signature import signature_of
from espalier.config.tree import plain

SCHEMA = 2
_OURS = "espalier."


def migrated(tree: Mapping[str, Any], schema: int) -> dict[str, Any]:
    """The plain tree of a saved config, brought from its schema to ``SCHEMA``.

    Nothing of it is trusted: sources of our own parts are read, and nothing is imported.
    """
    settings = dict(tree)
    for number in range(schema, SCHEMA):
        for step in _STEPS[number]:
            step(settings)
    return _with_later_settings(settings)


def _one_class_for_transformers(tree: MutableMapping[str, Any]) -> None:
    """``model=minilm`` was a class of its own, and is ``model=hub`` with its source and revision."""
    model = tree.get("model")
    if isinstance(model, Mapping) and model.get("_target_") == "espalier.model.minilm.MiniLm":
        tree["model"] = {**model, "_target_": "espalier.model.hub.Transformer"}


def _vectors_were_decayed(tree: MutableMapping[str, Any]) -> None:
    """Weight decay took every parameter; now it leaves biases and scales alone unless it is told."""
    optimizer = tree.get("optimizer")
    if isinstance(optimizer, Mapping) and str(optimizer.get("_target_")).startswith(f"{_OURS}optimizer."):
        tree["optimizer"] = {"decay_vectors": True, **optimizer}


_STEPS: Mapping[int, tuple[Callable[[MutableMapping[str, Any]], None], ...]] = {
    1: (_one_class_for_transformers, _vectors_were_decayed),
}


def _with_later_settings(node: Mapping[str, Any]) -> dict[str, Any]:
    """Our parts with the settings that they need and the config has not, as their options' files give them."""
    whole = {name: _with_later_settings(value) if isinstance(value, Mapping) else value for name, value in node.items()}
    target = whole.get("_target_")
    if not (isinstance(target, str) and target.startswith(_OURS)):
        return whole
    lacking = [n for n, parameter in signature_of(target).parameters.items() if parameter.required and n not in whole]
    defaults = _defaults(target) if lacking else {}
    return whole | {name: defaults[name] for name in lacking if name in defaults}


@cache
def _defaults(target: str) -> Mapping[str, Any]:
    """The settings of the option that has a part's name; none where there is no such option."""
    group, _, option = target.removeprefix(_OURS).rpartition(".")[0].replace(".", "/").rpartition("/")
    made = compose([] if target == ROOT else [f"{group}={option}"])
    return next((node for node in _parts(plain(made.config)) if node["_target_"] == target), {})


def _parts(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "_target_" in node:
        yield node
    for value in node.values():
        if isinstance(value, Mapping):
            yield from _parts(value)
