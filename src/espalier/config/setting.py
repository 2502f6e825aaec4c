"""A value and what stands around it, for bounds that look beyond the value itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Answer = tuple[str, str, str]
"""(the key that is to be changed, what is true, what to type)"""


@dataclass(frozen=True)
class Setting:
    """A value and where it stands.

    Attributes:
        key: dotted.
        siblings: the settings of the same part.
        tree: the whole config, resolved; groups of which nothing is known are left out.
        here: whether it is for this machine.
    """

    key: str
    value: Any
    siblings: Mapping[str, Any]
    tree: Mapping[str, Any]
    here: bool = True
