"""Where cells of a table are empty that must not be, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_SHOWN = 5


def by_column(numbers: Mapping[str, Sequence[int]], unit: str) -> str:
    """``'text' on line 3, 5 and 20 more; 'label' on line 4``.

    Args:
        numbers: column -> the numbers of its rows that are empty; of some columns there may be none.
        unit: what a row is called.
    """
    return "; ".join(f"{column!r} on {unit} {_some(rows)}" for column, rows in numbers.items() if rows)


def _some(rows: Sequence[int]) -> str:
    more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
    return ", ".join(map(str, rows[:_SHOWN])) + more
