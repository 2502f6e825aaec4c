"""The layers of a model's trunk, found by its structure."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn


def layers_of(module: nn.Module) -> Iterator[nn.Module]:
    """The entries of the outermost lists of two or more modules with parameters, in the order of computation."""
    entries = [child for child in module.children() if next(child.parameters(), None) is not None]
    if isinstance(module, nn.ModuleList | nn.Sequential) and len(entries) > 1:
        yield from entries
    else:
        for entry in entries:
            yield from layers_of(entry)
