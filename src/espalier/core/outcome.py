"""``Outcome``: what a run came to, as plain values that JSON can hold. No tensors, no DictConfig."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from espalier.core.masking import masked_text, masked_words

Status = Literal["running", "done", "failed", "interrupted", "paused"]

_TYPES: Mapping[str, Any] = {
    "Status": str, "str": str, "int": int | float, "float": int | float, "Mapping": Mapping, "Cost": Mapping,
}  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """What the run used: seconds, rates per second of training, bytes of memory at the peak; 0 if not measured."""

    wall_seconds: float = 0.0
    device_seconds: float = 0.0
    train_seconds: float = 0.0
    samples_per_second: float = 0.0
    tokens_per_second: float = 0.0
    peak_memory_bytes: int = 0
    parameters: int = 0
    trained_parameters: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        status: ``running`` from the start, ``done`` only when every promised file is there; only ``report.html`` may be
            made later. ``paused``: a trial that waits, with its checkpoint, until its sweep lets it go on.
        process_created: of the process ``pid``, what tells it from a later one that bears its number.
        metrics: ``<split>/<metric>`` -> value, of the best checkpoint; a trial's have no test until it has won.
        intervals: the same keys -> (low, high), 95% bootstrap.
        objective: the metric that chose the best checkpoint, and its direction (``max`` or ``min``).
        best: path of the best checkpoint, relative to the run directory.
        data: origin, fingerprint and counts per split.
        versions: package -> version; ``python``, ``platform`` and ``machine`` too.
    """

    status: Status
    name: str
    seed: int
    started: str
    pid: int
    host: str
    process_created: float = 0.0
    finished: str = ""
    objective: str = ""
    direction: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    best: str = ""
    epochs: int = 0
    steps: int = 0
    cost: Cost = field(default_factory=Cost)
    data: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    git_commit: str = ""
    tracking: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain nested dict, ready for JSON; numbers that JSON has not (NaN) as strings."""
        record = asdict(self)
        record["metrics"] = {name: v if math.isfinite(v) else str(v) for name, v in self.metrics.items()}
        record["intervals"] = {
            name: [v if math.isfinite(v) else str(v) for v in ends] for name, ends in self.intervals.items()
        }
        return record

    def masked(self) -> Outcome:
        """As it may be written and shown: without secrets in what errors, data sources and trackers said."""
        data = {**self.data, **{n: masked_words(self.data[n]) for n in ("origin", "notes") if n in self.data}}
        return replace(self, error=masked_text(self.error), data=data, tracking=masked_words(self.tracking))

    @staticmethod
    def of(record: Mapping[str, Any]) -> Outcome:
        """The reverse of ``as_dict``; keys of later versions are passed over.

        Raises:
            ValueError, TypeError: it is no outcome's.
        """
        known = _known(Outcome, record)
        cost, summary = _known(Cost, known.get("cost", {})), known.get("summary", {})
        if not isinstance(summary.get("options", {}), dict) or not isinstance(summary.get("overrides", []), list):
            raise TypeError("summary")
        intervals = {k: (_number(low), _number(high)) for k, (low, high) in known.get("intervals", {}).items()}
        metrics = {k: _number(v) for k, v in known.get("metrics", {}).items()}
        return Outcome(**{**known, "metrics": metrics, "cost": Cost(**cost), "intervals": intervals})


def _known(kind: type[Outcome | Cost], record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of a class's fields, each of its type."""
    known = {each.name: each for each in fields(kind) if each.name in record}
    for name, each in known.items():
        value = record[name]
        if not isinstance(value, _TYPES[str(each.type).partition("[")[0]]):
            raise TypeError(name)
        if isinstance(value, int | float) and not math.isfinite(_number(value)):
            raise ValueError(name)
    return {name: record[name] for name in known}


def _number(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError("an integer that is more than any number") from None
