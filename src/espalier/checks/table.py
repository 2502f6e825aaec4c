"""Suspects as a file: a delimited table or JSON lines, by its ending."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from espalier.core.files import write_atomic
from espalier.core.findings import Suspect


def write_suspects(path: Path, rows: Sequence[Suspect]) -> None:
    """Write them in the order given; ``.jsonl`` holds an object each, anything else (``.csv``) a header and rows."""
    if path.suffix == ".jsonl":
        write_atomic(path, "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows))
        return
    written = io.StringIO(newline="")
    table = csv.DictWriter(written, [field.name for field in fields(Suspect)], lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(row) for row in rows)
    write_atomic(path, written.getvalue())
