"""A machine whose wall clock is set, or that has been booted again, while a test goes on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Forward, or back: Linux then says another time of the boot."""

    def moved(text: str) -> str:
        return re.sub(r"^btime (\d+)$", lambda found: f"btime {int(found[1]) + seconds}", text, flags=re.MULTILINE)

    _read_as(monkeypatch, "/proc/stat", moved)


def boot_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in ``/proc`` of processes stays: as if others had begun at the same moments."""

    def another(text: str) -> str:
        return f"{int(text[:8], 16) ^ 0x10001000:08x}{text[8:]}"

    _read_as(monkeypatch, "/proc/sys/kernel/random/boot_id", another)


def _read_as(monkeypatch: pytest.MonkeyPatch, file: str, change: Callable[[str], str]) -> None:
    read = Path.read_text

    def changed(path: Path, *words: Any, **given: Any) -> str:
        text = read(path, *words, **given)
        return change(text) if str(path) == file else text

    monkeypatch.setattr(Path, "read_text", changed)
