"""From a checked experiment to the process that trains it: its run directory, then ``python -m espalier.run DIR``."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from espalier.config.compose import Experiment
from espalier.config.saved import summary, write
from espalier.core.errors import Fault, UserError
from espalier.core.outcome import Outcome
from espalier.core.rendezvous import announce, learn
from espalier.core.rundir import (
    OUTCOME,
    create,
    is_gone,
    process_created,
    read_outcome,
    safe_name,
    shown,
    write_outcome,
)
from espalier.core.world import batch_job, launched, queued_again

NEW, RESUME, DONE = "new", "resume", "done"
"""What to do with a run directory."""


def begin(experiment: Experiment) -> int:
    """Train it; in a batch job that was queued again, go on with what it began. Returns only if that is finished."""
    directory, what = placed(experiment)
    return 0 if what == DONE else become(directory, resume=what == RESUME)


def placed(experiment: Experiment) -> tuple[Path, str]:
    """The run directory and what to do with it; of ranks started together, what the first one says."""
    world, output = launched(), Path(experiment.values["output"])
    if world and world.rank:
        return learn(output, world)
    left = _left_by_this_job(experiment) if queued_again() else None
    what = NEW if left is None else DONE if read_outcome(left).status == "done" else RESUME
    directory = left or prepare(experiment)
    if left:
        said = "is finished already" if what == DONE else "is gone on with"
        print(f"this job was queued again: {shown(directory)} {said}", flush=True)
    if world:
        announce(output, world, directory, what)
    return directory, what


def prepare(experiment: Experiment) -> Path:
    """A new run directory with the experiment's config in it."""
    values = experiment.values
    directory = create(Path(values["output"]), _name(experiment))
    write(experiment, directory)
    # From now on it is a run: one that is killed before it trains is listed, and can be resumed.
    outcome = Outcome(
        status="running",
        name=directory.parent.name,
        seed=values["seed"],
        started=datetime.now().astimezone().isoformat(timespec="seconds"),
        pid=os.getpid(),
        process_created=process_created(os.getpid()) or 0.0,
        host=os.uname().nodename,
        summary={**summary(experiment), "job": batch_job()},
    )
    write_outcome(directory, outcome)
    return directory


def become(directory: Path, *, resume: bool = False) -> int:
    """Turn this process into the one that trains: signals and the exit code need no go-between. Does not return."""
    return turn_into(*_command(directory, resume)[2:])


def turn_into(module: str, *words: str) -> int:
    """Turn this process into another module of ours. SIGINT is kept back until that can end in order."""
    if sys.stderr.isatty():  # standard output may be answers
        print("checked; loading torch and what else it needs …", file=sys.stderr, flush=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    os.execve(sys.executable, [sys.executable, "-m", module, *words], _environment())


def run_each(experiments: Sequence[Experiment], lines: Sequence[Sequence[str]]) -> int:
    """One run after the other, each a process of its own; a signal ends the grid. The worst exit code.

    Raises:
        UserError: this is one of several processes that a launcher started.
    """
    if world := launched():
        truth = f"starts a process for each run, and {world.by} has started {world.size}."
        raise UserError(Fault("-m", truth, f"Leave {world.by} out; several processes a run:  hardware=ddp_cpu"))
    worst = 0
    begun: list[Path] = []
    for number, (experiment, line) in enumerate(zip(experiments, lines, strict=True), start=1):
        print(f"\n[{number}/{len(lines)}] {shlex.join(line)}", flush=True)
        directory, what = placed(experiment)
        begun.append(directory)
        code = 0 if what == DONE else _run(directory, resume=what == RESUME)
        worst = max(worst, code)
        if code >= 128:
            break
    if len(begun) > 1:
        print(f"\nside by side   espalier compare {shlex.join(str(shown(directory)) for directory in begun)}")
    return worst


def ask(module: str, *words: str) -> int:
    """Run a module of ours that loads what the command line does not, and prints the answer; its exit code."""
    code = subprocess.call([sys.executable, "-m", module, *words], env=_environment())
    return code if code >= 0 else 128 - code


def _run(directory: Path, *, resume: bool) -> int:
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(number: int, _: object) -> None:
        child.send_signal(number) if child else early.append(number)

    handlers: dict[int, Any] = {s: signal.signal(s, pass_on) for s in (signal.SIGTERM, signal.SIGUSR1)}
    # A terminal's Ctrl-C reaches the run as well, which ends in order; this process waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        child = subprocess.Popen(_command(directory, resume), env=_environment())
        for number in early:
            child.send_signal(number)
        handlers[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        code = child.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _command(directory: Path, resume: bool) -> list[str]:
    return [sys.executable, "-m", "espalier.run", str(directory), *(["--resume"] if resume else [])]


def _left_by_this_job(experiment: Experiment) -> Path | None:
    """The newest run of the same words that this batch job began before it was queued again."""
    job, words = batch_job(), summary(experiment)["overrides"]
    place = Path(experiment.values["output"]).resolve() / safe_name(_name(experiment))
    for file in sorted(place.glob(f"*/{OUTCOME}"), reverse=True):
        with suppress(UserError):
            outcome = read_outcome(file.parent)
            same = (outcome.summary.get("job"), outcome.summary.get("overrides")) == (job, words)
            if same and (outcome.status != "running" or is_gone(file.parent, outcome)):
                return file.parent
    return None


def _name(experiment: Experiment) -> str:
    chosen = "-".join(str(experiment.choices[group]) for group in ("data", "model", "adapter"))
    return str(experiment.values["name"] or chosen)


def _environment() -> dict[str, str]:
    # Libraries read these as they are imported: their notes on loading stay away unless somebody asks for them.
    quiet = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TOKENIZERS_PARALLELISM": "true"}
    # A module in the working folder never takes the place of an installed one, here or in the processes below.
    return {**quiet, **os.environ, "PYTHONSAFEPATH": "1"}
