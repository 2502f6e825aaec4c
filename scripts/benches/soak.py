"""Five hundred short runs from one warm parent: what of memory, files and processes it leaves behind."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benches.machine import say
from benches.records import Figure, Measured, Row, Settings
from espalier.config.check import check
from espalier.config.compose import Experiment, compose
from espalier.config.saved import write
from espalier.core.launching import Ended, Job, Placed
from espalier.core.rundir import create
from espalier.core.trial import Trial, write_trial
from espalier.launcher.pool import Pool

COMMON = (
    "adapter=full", "task=classification", "trainer.max_epochs=1", "data.limit=64", "task.bootstrap=20",
    "hardware=cpu", "callback=[checkpoint]",
)  # fmt: skip
KINDS = (("data=digits", "model=mlp", "tracking=none"), ("data=support_intents", "model=lstm", "tracking=csv"))
PLACES = 2
KILLED, ENDED, BROKEN = 3, 6, 9  # of ten: one at once, one in order, one that cannot be read


@dataclass(frozen=True)
class State:
    """Of the warm parent, and of the driver that holds it."""

    memory: int  # bytes of the parent that no file holds
    files: int
    children: int


def soak(settings: Settings) -> Measured:
    """All through one pool, as a sweep's driver does."""
    runs, first = (40, 20) if settings.quick else (500, 50)
    others = _warm_parents()
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as folder:
        with Pool(trials=PLACES, gpus_per_trial=1, trials_per_gpu=1, threads_per_trial=1, warm=True) as pool:
            before, pids = _run(pool, Path(folder), range(first), others)
            say(f"after {first} runs: {before}")
            after, more = _run(pool, Path(folder), range(first, runs), others)
            say(f"after {runs} runs: {after}")
            parent = _parent(others)
        left = _left([*pids, *more, parent])
        for pid in left:
            say(f"left: {pid}  {_said(pid)}")
    growth = 100 * (after.memory / before.memory - 1)
    files, processes = after.files - before.files, len(left) + after.children
    ours = (
        Figure("warm parent", "MB", (before.memory / 2**20,)),
        Figure(f"grows from run {first} to run {runs} by", "%", (growth,)),
        Figure("files left open", "", (files,)),
        Figure("processes left", "", (processes,)),
    )
    return Measured(
        ours, {}, "≤ 2 % more memory, no file and no process left", growth <= 2 and not (files or processes)
    )


def _run(pool: Pool, folder: Path, numbers: range, others: set[int]) -> tuple[State, list[int]]:
    """Each to its end, as many at a time as there are places; the state after the last, and their processes."""
    experiments = [compose([*COMMON, *kind]) for kind in KINDS]
    for experiment in experiments:
        check(experiment)
    waiting, running, pids = list(numbers), dict[int, tuple[Job, Placed]](), list[int]()
    while waiting or running:
        while waiting and pool.fits(_job(folder)):
            number = waiting.pop(0)
            job = _begin(folder, number, experiments[number % len(experiments)])
            placed = pool.submit(job)
            running[number] = job, placed
            pids.append(placed.handle["pid"])
            if number % 10 in (KILLED, ENDED):
                time.sleep(number % 7 / 10)
                pool.cancel(placed, now=number % 10 == KILLED)
        for number, (job, placed) in list(running.items()):
            if ended := pool.poll(placed):
                _require(number, ended, job)
                shutil.rmtree(job.directory)
                del running[number]
        time.sleep(0.02)
    time.sleep(1)  # what the last one taught is learned
    parent = _parent(others)
    until = time.monotonic() + 20
    while _children(parent) and time.monotonic() < until:
        time.sleep(0.1)
    files = len(list(Path(f"/proc/{parent}/fd").iterdir())) + len(list(Path("/proc/self/fd").iterdir()))
    return State(_anonymous(parent), files, len(_children(parent))), pids


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _job(directory: Path) -> Job:
    return Job(directory, resume=False, hardware={"_target_": "espalier.hardware.cpu.cpu"}, environment={})


def _begin(folder: Path, number: int, experiment: Experiment) -> Job:
    directory = create(folder / "outputs", "soak")
    write(experiment, directory)
    write_trial(directory, Trial("sweep-soak", number, f"soak-{number}", f"trial {number}"))
    if number % 10 == BROKEN:
        (directory / "config.yaml").write_text("no: [experiment")
    return _job(directory)


def _require(number: int, ended: Ended, job: Job) -> None:
    allowed = {KILLED: {0, 137}, ENDED: {0, 143}, BROKEN: {2}}.get(number % 10, {0})
    if ended.code not in allowed:
        sys.exit(f"bench: run {number} ended with {ended}\n{(job.directory / 'log.txt').read_text()[-2000:]}")


def _warm_parents() -> set[int]:
    """Children of this process."""
    names = Path("/proc/thread-self/children").read_text().split()
    return {int(name) for name in names if b"espalier.run.warm" in Path(f"/proc/{name}/cmdline").read_bytes()}


def _parent(others: set[int]) -> int:
    """The warm parent of the pool; ``others`` were there before it."""
    for pid in _warm_parents() - others:
        return pid
    sys.exit("bench: the warm parent is not there: trials were started anew")


def _anonymous(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024


def _left(leaders: list[int]) -> list[int]:
    """Processes that are in a session of one of these, a while after the pool was left."""
    until = time.monotonic() + 20
    while (found := list(_in_sessions(set(leaders)))) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def _said(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "ended since"


def _in_sessions(leaders: set[int]) -> Iterator[int]:
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z" and int(fields[3]) in leaders:  # a dead one waits for its new parent, and holds nothing
            yield int(file.parent.name)


SOURCES = (
    "src/espalier/run/**/*.py", "src/espalier/launcher/*.py", "src/espalier/core/*.py", "scripts/benches/soak.py",
)  # fmt: skip
ROWS = (Row("faults", "faults_soak", "500 short runs in one warm pool leave nothing behind", SOURCES, soak),)
