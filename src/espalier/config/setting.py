"""A value and what stands around it, for bounds that look beyond the value itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from espalier.core.machine import Machine, probe

Answer = tuple[str, str, str]
"""(the key that is to be changed, what is true, what to type)"""


@dataclass(frozen=True)
class Setting:
    """A value and where it stands.

    Attributes:
        key: dotted.
        siblings: the settings of the same part.
        tree: the whole config, resolved; groups of which nothing is known are left out.
        machine: tells what it is to run on; None where that is not known.
    """

    key: str
    value: Any
    siblings: Mapping[str, Any]
    tree: Mapping[str, Any]
    machine: Callable[[], Machine | None] = probe
