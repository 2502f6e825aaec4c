"""References (``${optimizer.lr}``) that lead nowhere, in words."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from espalier.config.layers import flatten
from espalier.config.suggest import nearest_keys
from espalier.config.tree import at

_REFERENCE = re.compile(r"\$\{([^${}]*)\}")


def explained(text: str, tree: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is true of a text with a reference that cannot be resolved, and what to type.

    None where it leads to a value that must be set (``???``), and is not, or to one that leads nowhere itself: what is
    wrong is said there.
    """
    for inner in _REFERENCE.findall(text):
        resolver, colon, argument = inner.partition(":")
        if resolver == "oc.env" and argument not in os.environ:
            return f"needs the variable {argument} of the environment, which is not set.", f"Type  export {argument}=…"
        if colon and not resolver.startswith("oc."):
            return f'asks for "{resolver}:", which is none of oc.env, oc.decode, oc.select …', "Mend the reference."
        if not colon and at(tree, inner.strip()) == "???":
            return None
        if not colon and "${" in (target := str(at(tree, inner.strip()))) and not _circles(target, tree, {text}):
            return None
        if not colon and at(tree, inner.strip()) is None:
            keys = nearest_keys(inner.strip(), [key for key, _ in flatten(tree)])
            guess = f"Did you mean  ${{{keys[0]}}} ?" if keys else "Name a key of the experiment."
            return f'refers to "{inner.strip()}", which is not there.', guess
    return "refers to itself, or to what is not there.", "Mend the reference."


def _circles(text: str, tree: Mapping[str, Any], seen: set[str]) -> bool:
    """Whether references lead back to where they came from; those that do are answered at each place."""
    if text in seen:
        return True
    targets = (str(at(tree, inner.strip())) for inner in _REFERENCE.findall(text))
    return any("${" in target and _circles(target, tree, {*seen, text}) for target in targets)
