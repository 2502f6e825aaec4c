"""``metrics.jsonl``: every metric by step, one JSON object a line, append-only.

No times in it, so that a resumed run's file equals an undisturbed one's.

    {"step": 40, "epoch": 1, "train/loss": 0.412, "lr": 0.001}
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from espalier.core.errors import CorruptError
from espalier.core.files import sync_folder

_NON_FINITE = ("NaN", "Infinity", "-Infinity")


class MetricsFile:
    """The file while a run writes it; a line that a kill left unfinished is cut off on opening.

    Every line is handed to the kernel at once, so that a killed process loses none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        os.truncate(path, _whole_lines(path))

    def log(self, metrics: Mapping[str, float], step: int, epoch: int) -> None:
        """Append a line. Floats are kept exactly; NaN and infinities, for which JSON has no number, become strings."""
        values = {name: _as_json(float(value)) for name, value in metrics.items()}
        line = json.dumps({"step": step, "epoch": epoch, **values}, ensure_ascii=False, allow_nan=False)
        self._file.write(line.encode() + b"\n")

    def offset(self) -> int:
        """Bytes written so far, durable on disk: what a checkpoint remembers."""
        os.fsync(self._file.fileno())
        return os.fstat(self._file.fileno()).st_size

    def cut(self, offset: int) -> None:
        """Go back to what ``offset`` said.

        Raises:
            CorruptError: the file is shorter than that.
        """
        if (size := self.offset()) < offset:
            raise CorruptError(f"{self._path} has {size} bytes, its checkpoint knows {offset}: lines are missing")
        os.ftruncate(self._file.fileno(), offset)
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Make it durable, its place in the folder included, and let go of it."""
        os.fsync(self._file.fileno())
        self._file.close()
        sync_folder(self._path.parent)


def read_metrics(path: Path, end: int | None = None, having: str = "") -> list[dict[str, Any]]:
    """The lines of a file, NaN and infinities as floats again; none where there is no file.

    Args:
        path: of the file; a run may be writing it.
        end: read the first so many bytes only.
        having: a metric's name; lines without it are passed over unread.

    Raises:
        CorruptError: a line is no JSON object; a torn last line is passed over.
    """
    if not path.exists():
        return []
    content = path.read_bytes()[:end]
    whole = content[: content.rfind(b"\n") + 1]
    wanted = json.dumps(having, ensure_ascii=False).encode() if having else b""
    return [_parse(path, number, line) for number, line in enumerate(whole.splitlines(), 1) if wanted in line]


def _parse(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
        return {name: float(value) if value in _NON_FINITE else value for name, value in record.items()}
    except (ValueError, AttributeError):
        raise CorruptError(f"{path}, line {number}, is no JSON object") from None


def _as_json(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _whole_lines(path: Path) -> int:
    return path.read_bytes().rfind(b"\n") + 1
