"""``python -m espalier.run DIR [--resume | --conclude]``: train the experiment whose config stands in DIR."""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()  # until all is loaded: that makes a million objects, and no garbage

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
from espalier.core.errors import EspalierError, InterruptedRunError, RunFailedError, UserError
from espalier.core.files import is_full
from espalier.core.interpreter import leave
from espalier.core.lock import held
from espalier.core.outcome import Outcome, Status
from espalier.core.rendezvous import close
from espalier.core.rundir import Place, discard, read_outcome, typed, write_outcome
from espalier.core.streams import mask_streams
from espalier.core.trial import read_trial
from espalier.core.world import is_first, launched
from espalier.report.faults import failure_lines, fault_lines, warning_line
from espalier.run.conclude import conclude_trial
from espalier.run.fit import run
from espalier.run.stop import Stop

_CODES = {"done": 0, "paused": 0, "failed": 1}


def main() -> int:
    """Run; 0 done or paused, 1 failed, 2 something to mend, 130 or 143 ended by a signal and resumable."""
    parser = argparse.ArgumentParser(prog="python -m espalier.run", description=__doc__)
    parser.add_argument("directory", type=Path)
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    way.add_argument("--conclude", action="store_true", help="test a sweep's trial that is done, leave model and page")
    given = parser.parse_args()
    directory = given.directory.resolve()
    mask_streams()
    _quiet()
    try:
        experiment = read(directory)
        if not (given.resume or given.conclude) and (directory / "metrics.jsonl").exists() and is_first():
            raise RunFailedError(f"{directory} holds a run already:  {typed('train --resume', directory)}")
        check(experiment)
        sys.meta_path.append(WorkingFolderFinder(Path.cwd()))
        with held(directory) if is_first() else nullcontext(), Stop(directory) as stop:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # one that came while libraries were loaded
            if given.conclude:
                return _code(conclude_trial(experiment, directory, stop))
            return _code(run(experiment, directory, stop, resume=given.resume))
    except EspalierError as error:
        if os.environ.get("ESPALIER_TRACEBACK"):
            traceback.print_exc()
        if is_first():
            _explain(error, directory, resume=given.resume)  # a conclusion changes nothing before it is whole
        return error.exit_code
    except OSError as error:  # before it began: a run tells of its own
        if not is_full(error):
            raise
        full = RunFailedError(f"There is no room for {error.filename or directory}.")
        _explain(full, directory, resume=given.resume)
        return full.exit_code
    finally:
        if is_first() and (world := launched()):
            close(Place.of(directory).output, world)


def _explain(error: EspalierError, directory: Path, *, resume: bool) -> None:
    """One message; a run that never began leaves nothing behind, one that was to go on stays resumable.

    A trial stays as its sweep made it, and says why it failed.
    """
    lines = fault_lines(error.faults) if isinstance(error, UserError) else failure_lines(error)
    stopped = isinstance(error, InterruptedRunError)
    print("\n".join([f"{error} before anything was trained"] if stopped else lines), file=sys.stderr)
    if not isinstance(error, UserError | InterruptedRunError) or not (directory / "outcome.json").exists():
        return
    outcome = read_outcome(directory)
    if outcome.pid != os.getpid() or outcome.status != "running":
        return
    if read_trial(directory):
        status: Status = "interrupted" if stopped else "failed"
        write_outcome(directory, replace(outcome, status=status, error=str(error)))
    elif resume:
        write_outcome(directory, replace(outcome, status="interrupted"))
    else:
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
    warnings.formatwarning = warning_line
    warnings.filterwarnings("ignore", message=r"Found \d+ module\(s\) in eval mode")  # a probe's frozen trunk


if __name__ == "__main__":
    gc.freeze()
    gc.enable()
    leave(main())
