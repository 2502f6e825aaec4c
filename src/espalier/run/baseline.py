"""What a task's simple model reaches on a run's test rows; kept for the next run on the same rows."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from espalier.build.assemble import Assembly
from espalier.core.files import read_json
from espalier.core.home import cache
from espalier.core.parts import Baseline
from espalier.run.result import predictions_table, write_table

_RECORD, _TABLE = "record.json", "predictions.parquet"


def compare(assembly: Assembly, split: str, settings: Mapping[str, Any], directory: Path) -> dict[str, Any] | None:
    """Write ``predictions/baseline.parquet`` and return ``name``, ``metrics`` and ``intervals``; None if there is none.

    What it makes lies in ``core.home.cache()/baseline``, under a key of the data's fingerprint, the split, the task's
    settings and code.

    Args:
        split: the one that the run was tested on.
        settings: the task's.
    """
    task: Any = assembly.task
    kept = cache() / "baseline" / _key(assembly, split, settings)
    target = directory / "predictions" / "baseline.parquet"
    # Broken, half-written or not there: in any case it can be made again.
    with suppress(OSError, ValueError):
        if assembly.raw.fingerprint:
            record: dict[str, Any] = read_json(kept / _RECORD)
            write_table(target, pq.read_table(kept / _TABLE))
            return record
    found: Baseline | None = task.baseline(assembly.raw, split)
    if found is None:
        return None
    table = predictions_table(found.predictions, assembly.raw.splits[split], assembly.lengths.get(split))
    target.parent.mkdir(exist_ok=True)
    write_table(target, table)
    record = {
        "name": found.name,
        "metrics": {f"{split}/{name}": _json(value) for name, value in found.metrics.items()},
        "intervals": {f"{split}/{name}": [_json(end) for end in ends] for name, ends in found.intervals.items()},
    }
    if assembly.raw.fingerprint:
        with suppress(OSError):  # a cache that cannot be written costs time, not the run
            _keep(kept, target, record)
    return record


def _key(assembly: Assembly, split: str, settings: Mapping[str, Any]) -> str:
    said = json.dumps(settings, sort_keys=True, default=str)
    needs = getattr(assembly.task, "baseline_needs", "")  # what else than data and settings it is made of
    digest = hashlib.sha256(f"{assembly.raw.fingerprint} {split} {said} {needs}".encode())
    if source := inspect.getsourcefile(type(assembly.task)):
        digest.update(b"".join(file.read_bytes() for file in sorted(Path(source).parent.glob("*.py"))))
    return digest.hexdigest()


def _json(number: float) -> float | str:
    return float(number) if math.isfinite(number) else str(number)  # JSON has no NaN


def _keep(folder: Path, table: Path, record: Mapping[str, Any]) -> None:
    # Written aside and moved into its place; who finds the place taken leaves what is there.
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        shutil.copyfile(table, aside / _TABLE)
        (aside / _RECORD).write_text(json.dumps(record), encoding="utf-8")
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
