"""Stop a run anywhere, resume it, compare with an undisturbed one; the same on plain Lightning."""

from __future__ import annotations

import sys

from benches.machine import ROOT, child, say
from benches.records import Figure, Measured, Row, Settings
from benches.training import last_json

LEAST, KINDS = 200, 15


def resume(settings: Settings) -> Measured:
    """``scripts/stop_points`` and ``plain/stopped_lightning.py``."""
    program = [sys.executable, str(ROOT / "scripts" / "stop_points"), "--json"]
    told = child([*program, "--points", "5" if settings.quick else "240"], accept=None).stdout
    for line in told.splitlines():
        if "NOT exact" in line:
            say(line.strip())
    answer = last_json(told)
    points, exact, kinds = (float(answer[name]) for name in ("points", "exact", "kinds"))
    program = [sys.executable, str(ROOT / "scripts" / "benches" / "plain" / "stopped_lightning.py")]
    plain = last_json(child([*program, "--points", "3" if settings.quick else "19"]).stdout)
    beside = (
        Figure("exact after resume", "", (float(plain["exact"]),)),
        Figure("of", "stop points in the middle of an epoch", (float(plain["points"]),)),
    )
    return Measured(
        (
            Figure("exact after resume", "", (exact,)),
            Figure("of", "stop points", (points,)),
            Figure("over", "kinds of training", (kinds,)),
        ),
        {"Lightning, ModelCheckpoint and fit(ckpt_path=last)": beside},
        f"all of {LEAST} or more, over {KINDS} kinds or more",
        exact == points and points >= LEAST and kinds >= KINDS,
    )


SOURCES = (
    "src/espalier/**/*.py", "conf/**/*.yaml", "scripts/stop_points", "scripts/benches/resume.py",
    "scripts/benches/stopping.py", "scripts/benches/compared.py", "scripts/benches/kinds.py",
    "scripts/benches/parts/**/*.py", "scripts/benches/plain/stopped_lightning.py", "tests/awkward_parts/**/*",
)  # fmt: skip
TITLE = "Stopped anywhere, then resumed: bit for bit the run never stopped"
ROWS = (Row("faults", "faults_resume", TITLE, SOURCES, resume),)
