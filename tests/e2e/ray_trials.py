"""Trials of a sweep that has no driver yet: real run directories, and a launcher told to run them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.core.launching import Ended, Job, Placed
from espalier.core.outcome import Outcome
from espalier.core.rundir import read_outcome, write_outcome
from espalier.core.trial import Trial, write_trial
from espalier.launcher.ray import Ray

SMALL = (
    "data=digits", "model=mlp", "adapter=full", "task=classification", "trainer.max_epochs=2", "tracking=none",
    "callback=[checkpoint]", "data.limit=256", "task.bootstrap=50", "hardware=cpu",
)  # fmt: skip
LONG = ("trainer.max_epochs=60",)
KEYS: dict[str, Any] = {
    "address": None, "cpus_per_trial": "auto", "gpus_per_trial": "auto", "memory": None, "resources": {},
    "nodes_per_trial": "auto", "runtime_env": {}, "max_concurrent": None,
}  # fmt: skip


def launcher(**keys: Any) -> Ray:
    """``launcher=ray`` with some keys set."""
    return Ray(**{**KEYS, **keys})


def trial(sweep: Path, number: int, *words: str) -> Job:
    """A run directory as a sweep's driver makes it."""
    directory = sweep / "trials" / f"{number:03d}"
    directory.mkdir(parents=True)
    experiment = compose([*SMALL, f"seed={number}", *words])
    write(experiment, directory)
    write_trial(directory, Trial(sweep.name, number, f"{number:06x}", f"seed={number}"))
    started = datetime.now().astimezone().isoformat(timespec="seconds")
    write_outcome(directory, Outcome("running", "digits", number, started, os.getpid(), os.uname().nodename))
    return Job(directory, False, experiment.values["hardware"], {})


def again(job: Job) -> Job:
    """The same, to go on from what lies there."""
    return Job(job.directory, True, job.hardware, job.environment)


def place_all(ray: Ray, jobs: Sequence[Job], seconds: float = 400) -> list[Ended]:
    """Each as soon as it fits, to the end."""
    waiting, placed, ends = list(enumerate(jobs)), dict[int, Placed](), dict[int, Ended]()
    until = time.monotonic() + seconds
    while len(ends) < len(jobs):
        assert time.monotonic() < until, (placed, ends)
        while waiting and ray.fits(waiting[0][1]):
            number, job = waiting.pop(0)
            placed[number] = ray.submit(job)
        for number in placed.keys() - ends.keys():
            if ended := ray.poll(placed[number]):
                ends[number] = ended
        time.sleep(0.02)
    return [ends[number] for number in range(len(jobs))]


def end_of(ray: Ray, placed: Placed, seconds: float = 180) -> Ended:
    """Wait for one."""
    until = time.monotonic() + seconds
    while not (ended := ray.poll(placed)):
        assert time.monotonic() < until
        time.sleep(0.02)
    return ended


def wait_until(true: Callable[[], bool], seconds: float = 180) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def has_checkpoint(job: Job) -> bool:
    """Whether it could go on from somewhere."""
    return any(job.directory.glob("checkpoints/step-*/manifest.json"))


def status(job: Job) -> str:
    """What the run says of itself."""
    return read_outcome(job.directory).status


def weights(job: Job) -> bytes:
    """Of the last checkpoint: parameters and what the optimizer knows."""
    (*_, last) = sorted(job.directory.glob("checkpoints/step-*"))
    return (last / "tensors.safetensors").read_bytes()


def log(job: Job) -> str:
    file = job.directory / "log.txt"
    return file.read_text() if file.exists() else ""


def process(job: Job) -> int:
    """The first one of the last attempt."""
    return int(re.findall(r"\[ray\] process (\d+)", log(job))[-1])


def nodes(job: Job) -> list[str]:
    """Where each attempt ran."""
    return re.findall(r"\[ray\] .* node (\w+)", log(job))
