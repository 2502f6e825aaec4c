"""Two finished runs, compared bit for bit: weights, optimizers, schedules, places, random states, metrics, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from espalier.core.rundir import read_outcome
from espalier.state import folder

_BY_THE_CLOCK = "Throughput"  # a callback whose state is seconds


def differences(reference: Path, stopped: Path) -> list[str]:
    """What differs; empty where they are the same to the bit."""
    found = []
    for kind in ("step", "best"):
        newest = [max((d / "checkpoints").glob(f"{kind}-*"), default=None) for d in (reference, stopped)]
        names = [path.name if path else "none" for path in newest]
        if names[0] != names[1]:
            found.append(f"{names[0]} against {names[1]}")
        elif newest[0] and newest[1]:
            found += [f"{kind}: {part}" for part in _parts(folder.read(newest[0]), folder.read(newest[1]))]
    found += _files(reference, stopped)
    if read_outcome(reference).metrics != read_outcome(stopped).metrics:
        found.append("metrics")
    return found


def same(a: Any, b: Any) -> bool:
    """Equal to the bit, tensors included; NaN is NaN."""
    if isinstance(a, torch.Tensor):
        alike = isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.shape == b.shape
        return alike and bool(torch.equal(_bits(a), _bits(b)))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return bool(np.array_equal(a, b))
    return bool(type(a) is type(b) and (a == b or (a != a and b != b)))


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous().reshape(-1).view(torch.uint8)


def _parts(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    found = [] if ours.keys() == theirs.keys() else ["parts"]
    for part in ours.keys() & theirs.keys():
        a, b = ours[part], theirs[part]
        if part == "callbacks":
            a, b = ({name: state for name, state in c.items() if _BY_THE_CLOCK not in name} for c in (a, b))
        if not same(a, b):
            found.append(part)
    return sorted(found)


def _files(reference: Path, stopped: Path) -> list[str]:
    """``metrics.jsonl``, and all that the run leaves for others."""
    one, other = (
        {str(path.relative_to(d)) for part in ("model", "predictions") for path in (d / part).rglob("*.*")}
        for d in (reference, stopped)
    )
    names = {"metrics.jsonl", *(one & other)}
    return [*sorted(one ^ other), *(name for name in sorted(names) if not _same_file(reference / name, stopped / name))]


def _same_file(one: Path, other: Path) -> bool:
    if one.suffix == ".parquet":  # a table that was kept for the next run is written in other words
        return bool(pq.read_table(one).equals(pq.read_table(other)))
    return one.read_bytes() == other.read_bytes()
