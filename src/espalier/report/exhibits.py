"""What a task shows of its model, as the page has it: of the test in full, of the validations as series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from espalier.core.exhibits import Exhibit, read_exhibits

_SHOWN = 8  # of a series: the first, the last, and some between


@dataclass(frozen=True)
class Moment:
    """An exhibit of one validation; ``step``: optimizer steps done."""

    step: int
    exhibit: Exhibit


@dataclass(frozen=True)
class Shown:
    """Attributes:
    final: of the test.
    series: title -> moments in order, at most eight of them, for titles that validations show.
    """

    final: Sequence[Exhibit]
    series: dict[str, list[Moment]]


def exhibits_of(directory: Path, *, texts: bool) -> Shown:
    """What lies in a run's ``exhibits/``.

    Args:
        texts: whether the data's own texts and images may be shown.
    """
    folder = directory / "exhibits"
    series: dict[str, list[Moment]] = {}
    for file in sorted(folder.glob("validation-*.jsonl")):
        step = int(file.stem.rpartition("-")[2])
        for exhibit in _allowed(read_exhibits(file), texts):
            series.setdefault(exhibit.title, []).append(Moment(step, exhibit))
    return Shown(_allowed(read_exhibits(folder / "test.jsonl"), texts), {t: _some(m) for t, m in series.items()})


def _allowed(exhibits: Sequence[Exhibit], texts: bool) -> list[Exhibit]:
    return [exhibit for exhibit in exhibits if texts or not exhibit.texts]


def _some(moments: list[Moment]) -> list[Moment]:
    if len(moments) <= _SHOWN:
        return moments
    return [moments[round(i * (len(moments) - 1) / (_SHOWN - 1))] for i in range(_SHOWN)]
