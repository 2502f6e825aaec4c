"""References that double: forty lines of ``a2: ${a1}${a1}`` are a text of a terabyte once somebody resolves them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from espalier.core.errors import ConfigError, Fault

MOST = 2**22  # values and characters of a whole tree; a config has some thousands
_REFERENCE = re.compile(r"[\w.\[\]-]+")


def require_small(tree: Mapping[str, Any]) -> None:
    """Add up what a tree of plain values comes to once its references are resolved, without resolving them.

    Args:
        tree: interpolations as they are written. What stands in one counts as often as it is named.

    Raises:
        ConfigError: it is more than any config.
    """
    sizes = _Sizes(tree)
    try:
        whole = {str(key): sizes.of(str(key), value) for key, value in tree.items()}
    except RecursionError:
        whole = {"the config": MOST + 1}
    for key, size in whole.items():
        if size > MOST:
            truth = f"comes to more than {MOST:,} characters: references (${{…}}) in it multiply each other."
            raise ConfigError(Fault(key, truth, "Write out what is meant."))


class _Sizes:
    def __init__(self, tree: Mapping[str, Any]) -> None:
        self.tree = tree
        self._known: dict[str, int] = {}
        self._open: set[str] = set()

    def of(self, key: str, value: Any) -> int:
        if key in self._known:
            return self._known[key]
        if key in self._open:  # a circle, which is told as such where it is resolved
            return 1
        self._open.add(key)
        if isinstance(value, Mapping):
            size = 1 + sum(self.of(f"{key}.{name}", inner) for name, inner in value.items())
        elif isinstance(value, list):
            size = 1 + sum(self.of(f"{key}.{place}", inner) for place, inner in enumerate(value))
        else:
            text = str(value) if not isinstance(value, int) else ""
            size = 1 + len(text) + (self._named(text, key) if "${" in text else 0)
        self._open.remove(key)
        self._known[key] = size
        return size

    def _named(self, text: str, key: str) -> int:
        total = 0
        for name in _REFERENCE.findall(text):
            there = _absolute(name, key)
            if (found := _at(self.tree, there)) is not None:
                total += self.of(".".join(there), found)
        return total


def _absolute(name: str, key: str) -> list[str]:
    """The path of a reference: ``.x`` stands beside its own key, ``..x`` one level above."""
    plain = name.replace("[", ".").replace("]", "")
    above = len(plain) - len(plain.lstrip("."))
    base = key.split(".")[:-above] if above else []
    return [*base, *plain.strip(".").split(".")]


def _at(tree: Any, path: list[str]) -> Any:
    for name in path:
        if isinstance(tree, Mapping):
            tree = tree.get(name)
        elif isinstance(tree, list) and name.isdecimal() and int(name) < len(tree):
            tree = tree[int(name)]
        else:
            return None
    return tree
