"""Kill a run by SIGKILL anywhere, resume it, compare weights, optimizer state and metrics with an undisturbed one's."""

from __future__ import annotations

import sys

from benches.machine import ROOT, child
from benches.records import Figure, Measured, Row, Settings
from benches.training import last_json


def resume(settings: Settings) -> Measured:
    program = [sys.executable, str(ROOT / "scripts" / "stop_points"), "--json"]
    answer = last_json(child([*program, "--points", "5" if settings.quick else "40"], accept=None).stdout)
    points, exact = float(answer["points"]), float(answer["exact"])
    return Measured(
        (Figure("exact after resume", "", (exact,)), Figure("of", "stop points", (points,))),
        {},
        "40 of 40",
        exact == points and points >= 40,
    )


SOURCES = ("src/espalier/**/*.py", "conf/**/*.yaml", "scripts/stop_points", "scripts/benches/resume.py")
ROWS = (Row("resume", "resume", "Killed anywhere, then resumed: bit for bit the run never stopped", SOURCES, resume),)
