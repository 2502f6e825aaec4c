from __future__ import annotations

import json
from pathlib import Path

from espalier.core.launching import Ended, Job
from espalier.launcher.slurm_notes import Notes, batch_of, write_batch


def notes_of(sweep: Path, number: int) -> Notes:
    """Of a trial that is placed."""
    directory = sweep / "trials" / f"{number:03d}"
    directory.mkdir(parents=True, exist_ok=True)
    return Notes.begin(Job(directory, False, {}, {}))


def test_they_stand_beside_the_trials_for_nobody_else_to_read(tmp_path: Path) -> None:
    notes = notes_of(tmp_path, 7)
    assert notes.folder == tmp_path / "slurm"
    assert notes.folder.stat().st_mode & 0o077 == 0
    assert notes.place.startswith("007-")
    assert notes_of(tmp_path, 7).place != notes.place


def test_another_driver_finds_them_by_the_handle(tmp_path: Path) -> None:
    notes = notes_of(tmp_path, 0)
    again = Notes.of(json.loads(json.dumps(notes.handle)))
    assert (again, again.job_id, again.ended, again.is_cancelled) == (notes, "", None, False)
    notes.write_job_id("17_3")
    notes.write_cancelled(now=False)
    assert not again.is_killed
    notes.write_cancelled(now=True)
    assert again.is_killed
    notes.write_ended(Ended(143, "stopped"))
    assert (again.job_id, again.ended, again.is_cancelled) == ("17_3", Ended(143, "stopped"), True)


def test_a_place_is_found_in_its_batch(tmp_path: Path) -> None:
    first, second, alone, unknown = (notes_of(tmp_path, number) for number in range(4))
    write_batch(first.folder, "espalier-aa", [first.place, second.place])
    write_batch(first.folder, "espalier-bb", [alone.place])
    assert batch_of(second) == ("espalier-aa", "_1")
    assert batch_of(alone) == ("espalier-bb", "")
    assert batch_of(unknown) is None
