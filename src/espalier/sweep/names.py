"""Short names for what a sweep varies: ``lr=0.0003 adapter=lora seed=1``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from espalier.config.dimensions import spelled
from espalier.core.searching import Dimension

_LONGEST = 40
_LISTED = 12  # values


def short_keys(keys: Sequence[str]) -> dict[str, str]:
    """Key -> its last part, with more of it where two would be alike."""
    parts = {key: key.lstrip("+").replace("/", ".").split(".") for key in keys}
    taken = dict.fromkeys(parts, 1)
    while True:
        names = {key: ".".join(parts[key][-taken[key] :]) for key in parts}
        said = list(names.values())
        alike = [key for key in parts if said.count(names[key]) > 1 and taken[key] < len(parts[key])]
        if not alike:
            return names
        taken.update({key: taken[key] + 1 for key in alike})


def name_of(values: Mapping[str, Any], short: Mapping[str, str]) -> str:
    """``lr=0.0003 adapter=lora``; numbers with four digits, texts that are long by their end."""
    return " ".join(f"{short.get(key, key)}={_shown(value)}" for key, value in values.items())


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = value if isinstance(value, str) else spelled(value)
    return text if len(text) <= _LONGEST else f"…{text[-_LONGEST:]}"


def spoken(dimension: Dimension) -> str:
    """``lora, probe``; ``0.00001 to 0.01, by its logarithm``."""
    if not dimension.is_interval:
        values = [value if isinstance(value, str) else spelled(value) for value in dimension.values]
        if len(values) <= _LISTED:
            return ", ".join(values)
        return f"{', '.join(values[: _LISTED - 3])} … {values[-1]} ({len(values):,} values)"
    ends = f"{dimension.low:g} to {dimension.high:g}"
    whole = ", whole numbers" if dimension.whole else ""
    return f"{ends}{whole}{', by its logarithm' if dimension.log else ''}"
