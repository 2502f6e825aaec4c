"""``python -m espalier.checks.show FOLDER``: the process behind ``espalier data show``."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from espalier.checks.opening import answered, opened
from espalier.checks.rows import classes
from espalier.core.facts import Raw
from espalier.report.data_checks import show_lines


def main() -> int:
    """Show; 0, or 2 where something is to be mended."""
    parser = argparse.ArgumentParser(prog="python -m espalier.checks.show", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rows", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    return answered(lambda: _show(given))


def _show(given: argparse.Namespace) -> int:
    experiment, _, raw = opened(given.directory)
    record = {
        "origin": raw.origin,
        "fingerprint": raw.fingerprint,
        "kinds": dict(raw.kinds),
        "shape": list(raw.shape),
        "counts": {split: asdict(counts) for split, counts in raw.counts.items()},
        "labels": {source: list(names) for source, names in raw.labels.items()},
        "classes": classes(raw),
        "notes": list(raw.notes),
        "rows": {split: head(raw, split, given.rows) for split in raw.splits},
    }
    print(
        json.dumps(record, ensure_ascii=False)
        if given.json
        else "\n".join(show_lines(experiment.choices["data"], record))
    )
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


if __name__ == "__main__":
    sys.exit(main())
