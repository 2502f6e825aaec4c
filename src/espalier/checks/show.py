"""What a data option reads, as ``espalier data show`` prints it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from espalier.checks.opening import opened
from espalier.checks.rows import classes
from espalier.config.compose import Experiment
from espalier.core.facts import Raw
from espalier.report.data_checks import show_lines


def show(experiment: Experiment, *, rows: int, as_json: bool) -> int:
    """Print splits, columns, labels and the first rows of each split; 0.

    Args:
        rows: of each split.
        as_json: one object, for other programs.

    Raises:
        UserError: the rows are not what the config says.
    """
    _, raw = opened(experiment)
    record = {
        "origin": raw.origin,
        "fingerprint": raw.fingerprint,
        "kinds": dict(raw.kinds),
        "shape": list(raw.shape),
        "counts": {split: asdict(counts) for split, counts in raw.counts.items()},
        "labels": {source: list(names) for source, names in raw.labels.items()},
        "classes": classes(raw),
        "notes": list(raw.notes),
        "rows": {split: head(raw, split, rows) for split in raw.splits},
    }
    lines = [json.dumps(record, ensure_ascii=False)] if as_json else show_lines(experiment.choices["data"], record)
    print("\n".join(lines))
    return 0


def head(raw: Raw, split: str, rows: int) -> list[dict[str, Any]]:
    """The first rows of a split as plain values; labels by their names, images and vectors whole."""
    shown: pa.Table = raw.splits[split].slice(0, rows)
    return [{role: _named(raw, role, value) for role, value in row.items()} for row in shown.to_pylist()]


def _named(raw: Raw, role: str, value: Any) -> Any:
    if raw.kinds.get(role) not in ("label", "labels") or len(raw.labels) != 1:
        return value
    (names,) = raw.labels.values()
    return names[value] if isinstance(value, int) else [n for n, has in zip(names, value, strict=True) if has]
