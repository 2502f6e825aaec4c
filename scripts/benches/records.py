"""Figures, rows and the results file ``scripts/bench_results.json``."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from benches.code import digest_of
from benches.machine import ROOT, machine, versions

RESULTS = ROOT / "scripts" / "bench_results.json"


@dataclass(frozen=True)
class Figure:
    """Repeated measurements of one thing; what is shown is their median (or mean ± sd) with the spread."""

    name: str
    unit: str
    samples: tuple[float, ...]
    of: str = "median"

    @property
    def value(self) -> float:
        """The number that stands for the samples."""
        return statistics.mean(self.samples) if self.of == "mean" else statistics.median(self.samples)

    def __str__(self) -> str:
        whole = all(sample == int(sample) for sample in self.samples)
        digits = 0 if whole else 3 if self.value < 10 else 1 if self.value < 100 else 0
        shown = f"{self.value:.2g}" if 0 < self.value < 0.01 else f"{self.value:.{digits}f}"
        if len(self.samples) > 1 and self.of == "mean":
            shown += f" ± {statistics.stdev(self.samples):.{digits}f}"
        elif len(self.samples) > 1:
            shown += f" ({min(self.samples):.{digits}f} – {max(self.samples):.{digits}f})"
        return " ".join(part for part in (self.name, shown, self.unit) if part)


@dataclass(frozen=True)
class Measured:
    """One row's answer.

    Attributes:
        ours: figures of Espalier.
        beside: name of what is compared -> its figures, measured in the same run.
        claim: what the row must show.
        holds: whether it does.
    """

    ours: tuple[Figure, ...]
    beside: Mapping[str, tuple[Figure, ...]]
    claim: str
    holds: bool


@dataclass(frozen=True)
class Settings:
    """``quick``: a try-out whose numbers mean nothing; ``full``: the slow plain loops train to their end too."""

    quick: bool = False
    full: bool = False


@dataclass(frozen=True)
class Row:
    """One thing to measure.

    Attributes:
        sources: globs below the checkout.
        runs: words of what it trains, ``experiment=…``. A change of a source, or of such a run's config or code, makes
            the row's record stale.
    """

    bench: str
    key: str
    title: str
    sources: tuple[str, ...]
    measure: Callable[[Settings], Measured]
    runs: tuple[str, ...] = ()

    def digest(self) -> str:
        """sha256 over what the row's numbers depend on, and the libraries' versions."""
        content = hashlib.sha256(json.dumps([self.title, versions()], sort_keys=True).encode())
        content.update("".join(map(digest_of, self.runs)).encode())
        for path in sorted({p for pattern in self.sources for p in ROOT.glob(pattern) if p.is_file()}):
            if "__pycache__" not in path.parts:
                content.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
        return content.hexdigest()


def load() -> dict[str, dict[str, Any]]:
    """Row key -> its record; none where nothing was measured yet."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def is_fresh(row: Row) -> bool:
    """Whether the results file holds this row, measured with the same config, code and versions."""
    return load().get(row.key, {}).get("digest") == row.digest()


def store(row: Row, measured: Measured, command: str) -> None:
    """Put a row's record in the place of its last one."""
    record = {
        "bench": row.bench,
        "title": row.title,
        "digest": row.digest(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": command,
        "machine": machine(),
        "versions": versions(),
        **asdict(measured),
    }
    RESULTS.write_text(json.dumps(load() | {row.key: record}, indent=1, ensure_ascii=False) + "\n")


def figures(record: Sequence[Mapping[str, Any]]) -> Iterator[Figure]:
    """Figures of a stored record."""
    return (Figure(f["name"], f["unit"], tuple(f["samples"]), f["of"]) for f in record)
