"""How long a command takes that trains nothing, beside a bare Hydra app over the same config groups."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benches.machine import ESPALIER, ROOT, child, say
from benches.records import Figure, Measured, Row, Settings

HYDRA_APP = ROOT / "scripts" / "benches" / "plain" / "hydra_app.py"
COMMANDS = {
    "--help": (["--help"], 0),
    "train --cfg job": (["train", "--cfg", "job"], 0),
    "three faults": (["train", "optimizer.lrr=1e-3", "model=minlm", "hardware.devices=99"], 2),
}


def start(settings: Settings) -> Measured:
    timed: dict[str, list[float]] = {name: [] for name in (*COMMANDS, "bare Hydra app")}
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as folder:
        cwd = Path(folder)
        for _ in range(2 if settings.quick else 21):
            for name, (words, code) in COMMANDS.items():
                timed[name].append(child([ESPALIER, *words], cwd=cwd, accept=code).seconds)
            bare = [sys.executable, str(HYDRA_APP), "--config-dir", str(ROOT / "conf"), "--cfg", "job"]
            timed["bare Hydra app"].append(child(bare, cwd=cwd).seconds)
        torch_free = not any(_imports_torch(words, cwd) for words, _ in COMMANDS.values())
    say("torch is not imported" if torch_free else "torch is imported")
    figures = tuple(Figure(name, "s", tuple(timed[name])) for name in COMMANDS)
    return Measured(
        figures,
        {"bare Hydra app": (Figure("train --cfg job", "s", tuple(timed["bare Hydra app"])),)},
        "≤ 0.45 s each, torch not imported",
        torch_free and all(figure.value <= 0.45 for figure in figures),
    )


def _imports_torch(words: list[str], cwd: Path) -> bool:
    told = child([sys.executable, "-X", "importtime", "-m", "espalier", *words], cwd=cwd, accept=None).stderr
    return any(line.rpartition("|")[2].strip() == "torch" for line in told.splitlines())


SOURCES = (
    "src/espalier/__main__.py", "src/espalier/cli/**/*.py", "src/espalier/config/**/*.py", "src/espalier/core/**/*.py",
    "conf/**/*.yaml", "scripts/benches/start.py", "scripts/benches/plain/hydra_app.py",
)  # fmt: skip
ROWS = (Row("start", "start", "A command that trains nothing", SOURCES, start),)
