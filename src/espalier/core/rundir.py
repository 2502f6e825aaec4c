"""Run directories: made once and never shared, found again, and what each says of itself."""

from __future__ import annotations

import os
import re
import secrets
import shlex
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from espalier.core.errors import Fault, UserError
from espalier.core.facts import DataFacts
from espalier.core.files import read_json, write_json
from espalier.core.lock import is_held
from espalier.core.outcome import Outcome
from espalier.core.record import BEST, SWEEP, TRIALS
from espalier.core.trial import read_trial

OUTCOME, FACTS, LATEST = "outcome.json", "facts.json", "latest"
_TRIES = 100
_LONGEST_UP = 2**28  # seconds: times 16 bits of a boot, a float still tells hundredths
_NAME = re.compile(r"[^\w.+=-]+")
SWEEP_NAME = re.compile(r"sweep-(?P<began>\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d)-(?P<id>[0-9a-f]{6})")


def create(output: Path, name: str) -> Path:
    """``<output>/<name>/<date>_<time>-<6 hex>/``; absolute. Two runs that start in one second get two.

    Raises:
        UserError: no directory can be made there.
    """
    place = output.resolve() / safe_name(name)
    truth = ""
    for _ in range(_TRIES):
        directory = place / f"{datetime.now():%Y-%m-%d_%H-%M-%S}-{secrets.token_hex(3)}"
        try:
            place.mkdir(parents=True, exist_ok=True)
            directory.mkdir()
        except OSError as error:
            truth = f"cannot hold runs: {error.strerror} ({error.filename})."
            # Another run has this name; or one that never began was removed just now, and its empty parent with it.
            if not isinstance(error, FileExistsError | FileNotFoundError):
                break
        else:
            return directory
    raise UserError(Fault(f"output={output}", truth, "Choose another folder:  output=DIR"))


def safe_name(name: str) -> str:
    """A name that can be a folder's: letters of any script, digits and ``. + = - _``; others become ``-``."""
    return _NAME.sub("-", name).strip("-.") or "run"


@dataclass(frozen=True)
class Place:
    """Where a run directory lies: ``<output>/<name>/<run>``, or ``<output>/<name>/<sweep>/trials/<number>``.

    Attributes:
        sweep: directory of the sweep that a trial belongs to; None of a run that is no trial.
    """

    output: Path
    name: str
    sweep: Path | None = None

    @staticmethod
    def of(directory: Path) -> Place:
        """By its path alone."""
        if directory.parent.name == TRIALS:
            sweep = directory.parent.parent
            return Place(sweep.parent.parent, sweep.parent.name, sweep)
        return Place(directory.parent.parent, directory.parent.name)


def run_id(directory: Path) -> str:
    """Stable over resumes: the six hex digits at the end of a run directory's name, or what a trial's sweep gave it."""
    trial = read_trial(directory)
    return trial.run_id if trial else directory.name.rpartition("-")[2]


def point_latest(directory: Path) -> None:
    """Let ``<output>/latest`` point to a run directory, by one rename; a trial is never the latest run."""
    place = Place.of(directory)
    if place.sweep:
        return
    output = place.output
    temporary = output / f".latest-{secrets.token_hex(3)}"
    with suppress(OSError):  # a file system without links has no latest
        temporary.symlink_to(directory.relative_to(output))
        temporary.replace(output / LATEST)


def write_outcome(directory: Path, outcome: Outcome) -> None:
    """Atomically, secrets masked."""
    write_json(directory / OUTCOME, outcome.masked().as_dict())


def read_outcome(directory: Path) -> Outcome:
    """What a run says of itself.

    Raises:
        UserError: not a run directory, or unreadable.
    """
    file = directory / OUTCOME
    try:
        return Outcome.of(read_json(file))
    except FileNotFoundError:
        raise UserError(no_run(directory, OUTCOME)) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(Fault(str(file), f"cannot be read: {type(error).__name__}.")) from None


def no_run(directory: Path, lacks: str) -> Fault:
    """A path that was named as a run's lacks one of its files: what it is instead."""
    if not directory.exists():
        return Fault(str(directory), f"is not there (looked from {Path.cwd()}).", "See:  espalier runs")
    if (directory / SWEEP).exists():
        if (best := directory / BEST).exists():
            return Fault(
                str(directory), "is a sweep's directory.", f"Name its best trial:  {shlex.quote(str(shown(best)))}"
            )
        remedy = f"Go on:  {typed('sweep resume', directory)}"
        return Fault(str(directory), "is a sweep's directory, which has no best trial yet.", remedy)
    return Fault(str(directory), f"is no run directory: it has no {lacks}.", "See:  espalier runs")


def write_facts(directory: Path, facts: DataFacts) -> None:
    """What is known of the data, atomically: enough to build the model again without them."""
    write_json(directory / FACTS, facts.as_dict())


def read_facts(directory: Path) -> DataFacts:
    """What ``write_facts`` wrote.

    Raises:
        UserError: it is not there, or unreadable.
    """
    file, again = directory / FACTS, f"Train it again:  {typed('train --rerun', directory)}"
    try:
        return DataFacts.from_dict(read_json(file))
    except FileNotFoundError:
        truth = f"has no {FACTS}: its training did not begin, or it was made by an earlier version of Espalier."
        raise UserError(Fault(str(directory), truth, again)) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(Fault(str(file), f"cannot be read: {type(error).__name__}.", again)) from None


def weights_file(path: Path) -> Path | None:
    """The safetensors that a path of weights alone means, a folder's too; None of a run directory.

    Nor of a folder with an adapter beside the weights: without what that has learned they are another model's.
    """
    if not path.is_dir():
        return path
    whole = not any((path / name).exists() for name in (OUTCOME, "adapter_config.json"))
    return inner if whole and (inner := path / "model.safetensors").is_file() else None


def is_gone(directory: Path, outcome: Outcome) -> bool:
    """Whether a run that says ``running`` was killed: nobody holds its directory, and its process is not there.

    The process counts while the run is starting and holds nothing yet; of another host's only the lock tells.
    """
    if outcome.status != "running" or is_held(directory):
        return False
    began = process_created(outcome.pid) if outcome.host == os.uname().nodename else None
    return began is None or abs(began - outcome.process_created) > 1


def discard(directory: Path) -> None:
    """Remove a run directory that holds nothing but what was made before a run: its config, its first outcome."""
    for name in ("config.yaml", "origin.yaml", FACTS, OUTCOME, "lock"):
        (directory / name).unlink(missing_ok=True)
    with suppress(OSError):  # something else is in it, and stays
        directory.rmdir()
        directory.parent.rmdir()


def process_created(pid: int) -> float | None:
    """What tells a process from a later one of its number; None where there is none, or only a zombie.

    Seconds from the boot to its beginning, beside the boot: no clock that anybody sets goes into it, so that it stays
    the same while the process lives. It is not a time of day.
    """
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == "Z" else _this_boot() + int(fields[18]) / os.sysconf("SC_CLK_TCK")


def _this_boot() -> int:
    """A number of this boot, further from another's than a machine runs; 0 where boots have no names."""
    with suppress(OSError):
        return int(Path("/proc/sys/kernel/random/boot_id").read_text()[:4], 16) * _LONGEST_UP
    return 0


def shown(directory: Path) -> Path:
    """A path as a person types it: relative where it lies below the working folder."""
    whole, here = directory.absolute(), Path.cwd()
    return whole.relative_to(here) if whole.is_relative_to(here) else whole


def typed(words: str, directory: Path) -> str:
    """The command that does something with a directory, as a shell takes it: ``espalier train --rerun 'my runs/1'``."""
    return f"espalier {words} {shlex.quote(str(shown(directory)))}"
