"""``metrics.jsonl``: every metric by step, one JSON object a line, append-only.

No times in it, so that a resumed run's file equals an undisturbed one's.

    {"step": 40, "epoch": 1, "train/loss": 0.412, "lr": 0.001}
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from espalier.core.errors import CorruptError
from espalier.core.files import parse_json, sync_folder

_NON_FINITE = ("NaN", "Infinity", "-Infinity")


class MetricsFile:
    """The file while a run writes it; a line that a kill left unfinished is cut off on opening.

    Every line is handed to the kernel at once, so that a killed process loses none. Lines that a full disk refuses wait
    in memory, and are written before the next one.

    Attributes:
        trouble: why lines wait; ``""`` while none does.
    """

    def __init__(self, path: Path) -> None:
        self.trouble = ""
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._size = _whole_lines(path)
        self._waiting = bytearray()
        os.truncate(path, self._size)

    def log(self, metrics: Mapping[str, float], step: int, epoch: int) -> None:
        """Append a line. Floats are kept exactly; NaN and infinities, for which JSON has no number, become strings."""
        values = {name: _as_json(float(value)) for name, value in metrics.items()}
        line = json.dumps({"step": step, "epoch": epoch, **values}, ensure_ascii=False, allow_nan=False)
        self._waiting += line.encode() + b"\n"
        with suppress(OSError):
            self._write(durably=False)

    def offset(self) -> int:
        """Bytes of all lines so far: what a checkpoint remembers, which may stand only once ``sync`` has succeeded."""
        return self._size + len(self._waiting)

    def sync(self) -> None:
        """Make every line durable.

        Raises:
            OSError: the disk is full; the lines wait.
        """
        self._write(durably=True)

    def cut(self, offset: int) -> None:
        """Go back to what ``offset`` said.

        Raises:
            CorruptError: the file is shorter than that.
        """
        if (size := self.offset()) < offset:
            raise CorruptError(f"{self._path} has {size} bytes, its checkpoint knows {offset}: lines are missing")
        self.sync()
        os.ftruncate(self._file.fileno(), offset)
        os.fsync(self._file.fileno())
        self._size = offset

    def close(self) -> None:
        """Make it durable, its place in the folder too, and let go of it; ``trouble`` says whether lines are lost."""
        with suppress(OSError):
            self.sync()
            sync_folder(self._path.parent)
        self._file.close()

    def _write(self, *, durably: bool) -> None:
        """What waits; a line of which the disk took a part is completed by the next try."""
        try:
            while self._waiting:
                written = self._file.write(self._waiting)
                self._size += written
                del self._waiting[:written]
            if durably:
                os.fsync(self._file.fileno())
        except OSError as error:
            self.trouble = error.strerror or str(error)
            raise
        self.trouble = ""


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
        record = parse_json(line)
        return {name: float(value) if value in _NON_FINITE else value for name, value in record.items()}
    except (ValueError, AttributeError):
        raise CorruptError(f"{path}, line {number}, is no JSON object") from None


def _as_json(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _whole_lines(path: Path) -> int:
    return path.read_bytes().rfind(b"\n") + 1
