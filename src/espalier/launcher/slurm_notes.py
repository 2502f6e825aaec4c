"""What is written down of jobs handed to Slurm, in ``<sweep>/slurm/``, so that another driver finds them again.

<token>.batch.json     before ``sbatch``: the places that are to be in one array, in order
<place>.job.json       after it: the job's id
<place>.cancel         the driver wants it to end: it is not to be queued again
<place>.kill           and at once, without a checkpoint
<place>.ended.json     by the job: how its trial ended, with no more to come from it
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from espalier.core.files import read_json, write_json
from espalier.core.launching import Ended, Job

FOLDER = "slurm"


@dataclass(frozen=True)
class Notes:
    """Of one placing of a trial."""

    folder: Path
    place: str

    @staticmethod
    def begin(job: Job) -> Notes:
        """For a job that is to be placed: beside the sweep's trials, or in a run directory that is no trial's."""
        trials = job.directory.parent
        folder = (trials.parent if trials.name == "trials" else job.directory) / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        return Notes(folder, f"{job.directory.name}-{secrets.token_hex(3)}")

    @staticmethod
    def of(handle: Mapping[str, Any]) -> Notes:
        """Those that ``handle`` names."""
        return Notes(Path(handle["folder"]), str(handle["place"]))

    @property
    def handle(self) -> dict[str, str]:
        """Enough to find them again."""
        return {"folder": str(self.folder), "place": self.place}

    @property
    def job_id(self) -> str:
        """``17`` or ``17_3``; ``""`` where no driver lived to write it down."""
        return str((_read(self._file("job.json")) or {}).get("job", ""))

    def write_job_id(self, job_id: str) -> None:
        """Atomically."""
        write_json(self._file("job.json"), {"job": job_id})

    @property
    def is_cancelled(self) -> bool:
        """Whether the driver has asked it to end."""
        return self._file("cancel").exists()

    @property
    def is_killed(self) -> bool:
        """Whether that is to be at once."""
        return self._file("kill").exists()

    def write_cancelled(self, *, now: bool) -> None:
        """Before the signal is sent."""
        if now:
            self._file("kill").touch()
        self._file("cancel").touch()

    @property
    def ended(self) -> Ended | None:
        """What the job itself says of its end."""
        found = _read(self._file("ended.json"))
        return found and Ended(**found)

    def write_ended(self, ended: Ended) -> None:
        """Atomically."""
        write_json(self._file("ended.json"), asdict(ended))

    def _file(self, what: str) -> Path:
        return self.folder / f"{self.place}.{what}"


def write_batch(folder: Path, token: str, places: Sequence[str]) -> None:
    """Which places are to be in one array."""
    write_json(folder / f"{token}.batch.json", {"places": list(places)})


def forget_batch(folder: Path, token: str) -> None:
    """It was refused; its places may be handed over in others."""
    (folder / f"{token}.batch.json").unlink(missing_ok=True)


def batch_of(notes: Notes) -> tuple[str, str] | None:
    """Token of the batch that a place is in, and the end of its job's id there: ``""``, or ``_3`` in an array."""
    for file in notes.folder.glob("*.batch.json"):
        places = (_read(file) or {"places": []})["places"]
        if notes.place in places:
            return file.name.partition(".")[0], f"_{places.index(notes.place)}" if len(places) > 1 else ""
    return None


def _read(file: Path) -> Any:
    try:
        return read_json(file)
    except FileNotFoundError:
        return None
