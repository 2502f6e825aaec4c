"""``python -m espalier.run DIR [--resume]``: train the experiment whose config stands in DIR."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import traceback
import warnings
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from lightning_fabric.utilities.warnings import PossibleUserWarning

from espalier.config.check import check
from espalier.config.saved import read
from espalier.config.trust import WorkingFolderFinder
from espalier.core.errors import EspalierError, RunFailedError, UserError
from espalier.core.lock import held
from espalier.core.outcome import Outcome
from espalier.core.rendezvous import close
from espalier.core.rundir import discard, read_outcome, write_outcome
from espalier.core.world import is_first, launched
from espalier.report.faults import failure_lines, fault_lines
from espalier.run.fit import run
from espalier.run.stop import Stop

_CODES = {"done": 0, "failed": 1}


def main() -> int:
    """Run; 0 done, 1 failed, 2 something to mend, 130 or 143 ended by a signal and resumable."""
    parser = argparse.ArgumentParser(prog="python -m espalier.run", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    directory = given.directory.resolve()
    _quiet()
    try:
        experiment = read(directory)
        if not given.resume and (directory / "metrics.jsonl").exists() and is_first():
            raise RunFailedError(f"{directory} holds a run already:  espalier train --resume {directory}")
        check(experiment)
        sys.meta_path.append(WorkingFolderFinder(Path.cwd()))
        with held(directory) if is_first() else nullcontext(), Stop(directory) as stop:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # one that came while libraries were loaded
            return _code(run(experiment, directory, stop, resume=given.resume))
    except EspalierError as error:
        if os.environ.get("ESPALIER_TRACEBACK"):
            traceback.print_exc()
        if is_first():
            _explain(error, directory, resume=given.resume)
        return error.exit_code
    finally:
        if is_first() and (world := launched()):
            close(directory.parent.parent, world)


def _explain(error: EspalierError, directory: Path, *, resume: bool) -> None:
    """One message; a run that never began leaves nothing behind, one that was to go on stays resumable."""
    lines = fault_lines(error.faults) if isinstance(error, UserError) else failure_lines(error)
    print("\n".join(lines), file=sys.stderr)
    if not isinstance(error, UserError) or not (directory / "outcome.json").exists():
        return
    outcome = read_outcome(directory)
    if outcome.pid == os.getpid() and resume:
        write_outcome(directory, replace(outcome, status="interrupted"))
    elif outcome.pid == os.getpid():
        discard(directory)


def _code(outcome: Outcome) -> int:
    if not is_first() and outcome.status != "failed":
        return 0  # Lightning kills a first rank, busy with its last words, when another ends with an error
    if outcome.status in _CODES:
        return _CODES[outcome.status]
    return 130 if "SIGINT" in outcome.error else 143


def _quiet() -> None:
    """Advice for people who write Trainers, and what libraries will change some day."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for category in (PossibleUserWarning, FutureWarning, DeprecationWarning):
        warnings.simplefilter("ignore", category)
    warnings.filterwarnings("ignore", message=r"Found \d+ module\(s\) in eval mode")  # a probe's frozen trunk


if __name__ == "__main__":
    sys.exit(main())
