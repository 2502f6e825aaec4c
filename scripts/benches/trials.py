"""A trial's own seconds: from its placement to its first step, less what its model and its data need."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benches.machine import ROOT, child, say
from benches.records import Figure, Measured, Row, Settings
from benches.training import last_json
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.core.launching import Job
from espalier.core.rundir import create
from espalier.core.trial import Trial, write_trial
from espalier.launcher.pool import Pool

PARTS, AGAIN = (ROOT / "scripts" / "benches" / name for name in ("parts", "again.py"))
COMMON = ("hardware=cpu", "callback=[mark,checkpoint]", "trainer.max_epochs=1", "data.limit=64")
KINDS = {
    "digits, mlp": ("data=digits", "model=mlp", "adapter=full", "tracking=none", *COMMON),
    "MiniLM + LoRA, W&B": ("data=support_intents", "model=minilm", "adapter=lora", *COMMON),
}


def trials(settings: Settings) -> Measured:
    """Warm and cold by turns."""
    rounds, own = 1 if settings.quick else 7, {}
    held: dict[str, list[float]] = {"parent": [], "own": []}
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as folder, _parts(), ExitStack() as stack:
        warm, cold = (stack.enter_context(_pool(warm)) for warm in (True, False))
        for name, words in KINDS.items():
            once = [str(_trial(Path(folder), words, number)) for number in range(2)]
            need = float(last_json(child([sys.executable, str(AGAIN), *once]).stdout)["seconds"])
            say(f"{name}: its model and data need {need:.2f} s")
            _place(warm, _trial(Path(folder), words, 2))  # what the parent learns from, once in a sweep
            time.sleep(2)
            timed = [
                [_place(pool, _trial(Path(folder), words, number)) for pool in (warm, cold)]
                for number in range(3, 3 + rounds)
            ]
            own[name] = [[mark["seconds"] - need for mark in marks] for marks in zip(*timed, strict=True)]
            for which in held:
                held[which] += [pair[0][which] / 2**20 for pair in timed]
            say(f"{name}: warm {statistics.median(own[name][0]):.2f} s, cold {statistics.median(own[name][1]):.2f} s")
    ours = [Figure(name, "s", tuple(by_side[0])) for name, by_side in own.items()]
    memory = [Figure(f"{which} process", "MB", tuple(map(round, held[key]))) for which, key in _HELD]
    beside = tuple(Figure(name, "s", tuple(by_side[1])) for name, by_side in own.items())
    holds = all(figure.value <= 0.7 for figure in ours)
    return Measured((*ours, *memory), {"a new process each": beside}, "≤ 0.7 s each", holds)


_HELD = (("warm parent, PSS of its", "parent"), ("a trial at its first step, PSS of its", "own"))


def _pool(warm: bool) -> Pool:
    return Pool(trials=1, gpus_per_trial=1, trials_per_gpu=1, threads_per_trial=1, warm=warm)


def _trial(folder: Path, words: Sequence[str], number: int) -> Path:
    experiment = compose(words, config_dirs=[PARTS / "conf"])
    check(experiment)
    directory = create(folder / "outputs", "trials")
    write(experiment, directory)
    write_trial(directory, Trial("sweep-bench", number, f"bench-{number}", f"trial {number}"))
    return directory


def _place(pool: Pool, directory: Path) -> dict[str, float]:
    """Place it, wait for its end; what it marked, and after how many seconds."""
    job = Job(directory, resume=False, hardware={"_target_": "espalier.hardware.cpu.cpu"}, environment={})
    while not pool.fits(job):
        time.sleep(0.01)
    began = time.time()
    placed = pool.submit(job)
    while (ended := pool.poll(placed)) is None:
        time.sleep(0.01)
    if ended.code:
        sys.exit(f"bench: {directory} ended with {ended}\n{(directory / 'log.txt').read_text()[-2000:]}")
    mark = json.loads((directory / "mark.json").read_text())
    return {**mark, "seconds": mark["at"] - began}


@contextmanager
def _parts() -> Iterator[None]:
    """Trials and this process know the part that marks, and nobody asks a network."""
    wanted = {"ESPALIER_TRUST": "at_step", "PYTHONPATH": str(PARTS), "WANDB_MODE": "offline", "HF_HUB_OFFLINE": "1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    sys.path.append(str(PARTS))
    try:
        yield
    finally:
        sys.path.remove(str(PARTS))
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


SOURCES = (
    "src/espalier/run/**/*.py", "src/espalier/build/**/*.py", "src/espalier/config/**/*.py",
    "src/espalier/core/**/*.py", "src/espalier/launcher/*.py", "scripts/benches/trials.py",
    "scripts/benches/again.py", "scripts/benches/parts/at_step/*.py",
)  # fmt: skip
ROWS = (Row("trials", "trials", "A trial of a sweep: its own seconds before its first step", SOURCES, trials),)
