"""From a checked experiment to the process that trains it: its run directory, then ``python -m espalier.run DIR``."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from espalier.config.compose import Experiment
from espalier.config.saved import summary, write
from espalier.core.errors import Fault, UserError
from espalier.core.outcome import Outcome
from espalier.core.rendezvous import announce, learn
from espalier.core.rundir import create, process_created, shown, write_outcome
from espalier.core.world import launched


def prepare(experiment: Experiment) -> Path:
    """A new run directory with the experiment's config in it; of ranks started together, the first one's."""
    values, world = experiment.values, launched()
    output = Path(values["output"])
    if world and world.rank:
        return learn(output, world)
    directory = create(output, values["name"] or _default_name(experiment))
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
        summary=summary(experiment),
    )
    write_outcome(directory, outcome)
    if world:
        announce(output, world, directory)
    return directory


def become(directory: Path, *, resume: bool = False) -> int:
    """Turn this process into the one that trains: signals and the exit code need no go-between. Does not return."""
    if sys.stdout.isatty():
        print("checked; loading torch and what else the experiment needs …", flush=True)
    return turn_into(*_command(directory, resume)[2:])


def turn_into(module: str, *words: str) -> int:
    """Turn this process into another module of ours. SIGINT is kept back until that can end in order."""
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
        begun.append(prepare(experiment))
        code = _run(begun[-1])
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


def _run(directory: Path) -> int:
    # A terminal's Ctrl-C reaches the run as well, which ends in order; this process waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    child = subprocess.Popen(_command(directory, False), env=_environment())
    handlers = {
        s: signal.signal(s, lambda number, _: child.send_signal(number)) for s in (signal.SIGTERM, signal.SIGUSR1)
    }
    handlers[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    try:
        code = child.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _command(directory: Path, resume: bool) -> list[str]:
    return [sys.executable, "-m", "espalier.run", str(directory), *(["--resume"] if resume else [])]


def _default_name(experiment: Experiment) -> str:
    return "-".join(str(experiment.choices[group]) for group in ("data", "model", "adapter"))


def _environment() -> dict[str, str]:
    # Libraries read these as they are imported: their notes on loading stay away unless somebody asks for them.
    quiet = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TOKENIZERS_PARALLELISM": "true"}
    # A module in the working folder never takes the place of an installed one, here or in the processes below.
    return {**quiet, **os.environ, "PYTHONSAFEPATH": "1"}
