"""Runs whose tracker fails: what they lose, how much later they end, and whether the gap can be filled afterwards."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benches.machine import ESPALIER, ROOT, say
from benches.records import Figure, Measured, Row, Settings
from benches.wandb_server import wandb_server

_PARTS = ROOT / "scripts" / "benches" / "parts"
_WORDS = (
    "train", "--config-dir", str(_PARTS / "conf"), "data=digits", "model=mlp", "adapter=full", "hardware=cpu",
    "name=faulty", "callback=[checkpoint,wandb_fails]", "trainer.log_every_n_steps=1",
)  # fmt: skip
_ONLINE: dict[str, str | int] = {
    "server refuses": "refuses",
    "server takes 30 s a call": "hangs",
    "server answers 500": 500,
}
_WITHIN = {
    "a call takes 30 s": "slow", "calls raise": "raise", "its process is killed": "kill",
    "its process is frozen": "freeze", "its disk is full": "full",
}  # fmt: skip
FAULTS = (*_ONLINE, *_WITHIN, "its folder cannot be written", "its package is broken")
QUICK = ("server takes 30 s a call", "its process is killed", "its disk is full")


@dataclass(frozen=True)
class Ended:
    """A run that came to its end.

    Attributes:
        seconds: of the whole command.
        lines: of metrics.jsonl.
        said: by the command about W&B, in lines.
        sent: rows of the file that ``espalier track`` then makes.
    """

    code: int
    seconds: float
    lines: Sequence[str]
    said: Sequence[str]
    errors: str
    sent: int = 0


def faults(settings: Settings) -> Measured:
    """Every fault, beside runs whose tracker is well: in rounds, since what this machine does besides takes seconds."""
    epochs, rounds = (2, 1) if settings.quick else (20, 3)
    wanted = QUICK if settings.quick else FAULTS
    took: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as place:
        for number in range(rounds):
            last = {fault: trained(Path(place) / f"{number}-{fault}", fault, epochs) for fault in ("", *wanted)}
            for fault, run in last.items():
                took[fault].append(run.seconds)
    healthy = last.pop("")
    broken = last
    lost = {fault: len(set(healthy.lines) - set(run.lines)) for fault, run in broken.items()}
    added = {fault: statistics.median(took[fault]) - statistics.median(took[""]) for fault in broken}
    for fault, run in broken.items():
        say(f"{fault}: {lost[fault]} lost, {added[fault]:+.2f} s, exit {run.code}, {run.said or run.errors[-300:]}")
    told = [len(run.said) == 1 and run.code == 0 and not run.errors for run in broken.values()]
    steps = len({json.loads(line)["step"] for line in healthy.lines})
    filled = [run.sent == steps for run in broken.values()]
    return Measured(
        (
            Figure("faults", "", (float(len(broken)),)),
            Figure("metrics lost in all", "", (float(sum(lost.values())),)),
            Figure("seconds added", "s", tuple(added.values())),
            Figure("told in one line, exit 0", f"of {len(broken)}", (float(sum(told)),)),
            Figure("filled by espalier track", f"of {len(broken)}", (float(sum(filled)),)),
        ),
        {"W&B is well": (Figure("the whole command", "s", tuple(took[""])),)},
        "0 metrics lost, ≤ 1 s added each, exit 0, said in one line, filled by espalier track",
        not any(lost.values()) and max(added.values()) <= 1 and all(told) and all(filled),
    )


def trained(folder: Path, fault: str, epochs: int) -> Ended:
    """A short training with one fault, or none; then what is missing at W&B is told to it, without a network."""
    folder.mkdir(parents=True)
    words = [*_WORDS, f"trainer.max_epochs={epochs}", f"callback.wandb_fails.how={_WITHIN.get(fault, 'none')}"]
    with _surroundings(fault, folder) as environment:
        began = time.perf_counter()
        done = _called(words, folder, environment)
        seconds = time.perf_counter() - began
    (run,) = folder.glob("outputs/faulty/*-*")
    lines = (run / "metrics.jsonl").read_text().splitlines()
    said = [line.strip() for line in done.stdout.splitlines() if "espalier track" in line or "wandb sync" in line]
    _called(["track", str(run), "--to", "wandb"], folder, {"WANDB_MODE": "offline"})
    return Ended(done.returncode, seconds, lines, said, done.stderr.strip(), _told(run))


def _called(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    own = {"ESPALIER_TRUST": "wandb_fails", "WANDB_MODE": "offline", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    path = os.pathsep.join(filter(None, (environment.get("PYTHONPATH"), str(_PARTS))))
    command = [ESPALIER, *words]
    given = {**os.environ, **own, **environment, "PYTHONPATH": path}
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True)


@contextmanager
def _surroundings(fault: str, folder: Path) -> Iterator[dict[str, str]]:
    if fault in _ONLINE:
        with wandb_server(_ONLINE[fault]) as server:
            yield {"WANDB_MODE": "online", "WANDB_API_KEY": "0" * 39 + "1", "WANDB_BASE_URL": server.url}
    elif fault == "its folder cannot be written":
        yield {"WANDB_DIR": "/proc/none"}
    elif fault == "its package is broken":
        package = folder / "broken" / "wandb"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise ImportError('half of it is missing')\n")
        yield {"PYTHONPATH": str(package.parent)}
    else:
        yield {}


def _told(run: Path) -> int:
    """Rows in the one offline file of a run, by W&B's own reader."""
    tool = Path(ESPALIER).with_name("wandb")
    files = list(run.glob("wandb/offline-run-*/*.wandb"))
    if len(files) != 1:
        return -len(files)
    printed = subprocess.run([tool, "leet", "inspect", "--json", str(files[0])], capture_output=True, text=True).stdout
    return len(re.findall(r'"type":\s*"history"', printed))


SOURCES = (
    "src/espalier/tracking/**/*.py", "src/espalier/run/recorder.py", "src/espalier/run/session.py",
    "src/espalier/core/metrics_file.py", "src/espalier/cli/track.py", "scripts/benches/trackers.py",
    "scripts/benches/wandb_server.py", "scripts/benches/parts/wandb_fails/*.py",
)  # fmt: skip
ROWS = (
    Row("faults", "faults_trackers", "W&B is down, slow, full, raises or dies while a run trains", SOURCES, faults),
)
