"""Faults of processes and disks while a run saves, and after: what can still be read, and whether it is right."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benches.machine import say
from benches.records import Figure, Measured, Row, Settings

WARM = ["benches.saving", "espalier.core.lock"]
OTHER_DISK = Path("/dev/shm")  # where TMPDIR lies in half of the kills
KILLS, DAMAGES, FULL, HOLDERS = 150, 120, 30, 20
KINDS = ("bit flipped", "cut short", "file lost", "file of another checkpoint")


@dataclass
class Count:
    """What became of the faults that one way met.

    Attributes:
        faults: how many.
        unreadable: runs that a resume cannot go on with.
        wrong: loads of numbers that nobody saved, without a word.
        lost: of the others, how many intervals at most, compared with the last save that was reported.
        ended: runs that a full disk ended.
    """

    faults: int = 0
    unreadable: int = 0
    wrong: int = 0
    lost: int = 0
    ended: int = 0
    said: list[str] = field(default_factory=list)

    def look(self, way: str, directory: Path, reported: int, what: str) -> bool:
        """Load what a run would go on with; whether it can."""
        from benches.saving import load

        self.faults += 1
        try:
            found = load(way, directory)
        except Exception as error:
            self.unreadable += 1
            self.said.append(f"{what}: unreadable ({type(error).__name__})")
            return False
        if found is not None and not found.right:
            self.wrong += 1
            self.said.append(f"{what}: other numbers than were saved")
        if (found.step if found else 0) < reported - 1:
            self.said.append(f"{what}: {found.step if found else 'nothing'} of {reported}")
        self.lost = max(self.lost, reported - (found.step if found else 0))
        return found is not None


def checkpoints(settings: Settings) -> Measured:
    """Ours meets all of them, plain Lightning a third of the kills and as much damage."""
    share = 0.03 if settings.quick else 1.0
    context: Any = multiprocessing.get_context("forkserver")
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])  # the server is told no sys.path before Python 3.13
    context.set_forkserver_preload(WARM)
    counts = {way: Count() for way in ("espalier", "lightning")}
    with tempfile.TemporaryDirectory(prefix="espalier-bench-") as made:
        folder = Path(made)
        for way, count in counts.items():
            began = time.monotonic()
            part = share if way == "espalier" else share / 3
            _kills(context, way, folder / f"{way}-killed", max(2, round(KILLS * part)), count)
            template = _template(context, way, folder / f"{way}-whole")
            _damages(way, template, folder / f"{way}-damaged", max(4, round(DAMAGES * share)), count)
            for number in range(max(2, round(FULL * part))):
                _full_disk(context, way, folder / f"{way}-full-{number}", number, count)
            say(f"{way}: {count.faults} faults in {time.monotonic() - began:.0f} s")
            for line, often in Counter(count.said).items():
                say(f"  {often:3} x {line}")
        together = _two_at_once(context, folder / "held", max(2, round(HOLDERS * share)))
    ours, theirs = counts["espalier"], counts["lightning"]
    ours.faults += together[0]
    holds = (ours.unreadable, ours.wrong, ours.ended) == (0, 0, 0) and ours.lost <= 1 and together[0] == together[1]
    claim = f"{ours.faults} faults: 0 unreadable runs, 0 wrong loads, at most one interval lost, no run ended"
    beside = {"Lightning's ModelCheckpoint": _figures(theirs)}
    return Measured(_figures(ours), beside, claim, holds and (settings.quick or ours.faults >= 300))


def _figures(count: Count) -> tuple[Figure, ...]:
    told = {
        "faults": count.faults,
        "unreadable": count.unreadable,
        "silently wrong": count.wrong,
        "intervals lost at most": count.lost,
        "runs ended by a full disk": count.ended,
    }
    return tuple(Figure(name, "", (float(value),)) for name, value in told.items())


def _kills(context: Any, way: str, directory: Path, number: int, count: Count) -> None:
    """SIGKILL at random moments of a process that does little but save; the next one goes on from what is there."""
    chance = random.Random(0)
    directory.mkdir()
    reported = 0
    for kill in range(number):
        near = OTHER_DISK if kill % 2 and OTHER_DISK.is_dir() else directory.parent
        with tempfile.TemporaryDirectory(dir=near) as temporary:
            said = _killed(context, way, directory, Path(temporary), chance.uniform(0.0, 0.3))
        reported = max([reported, *said])
        if not count.look(way, directory, reported, "killed while saving"):
            shutil.rmtree(directory)  # what cannot be read ends the run; another one begins
            directory.mkdir()
            reported = 0


def _killed(context: Any, way: str, directory: Path, temporary: Path, after: float) -> list[int]:
    """The steps whose saves a process reported before it was killed, so many seconds after its first."""
    from benches.saving import train

    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=train, args=(way, directory, temporary, theirs))
    process.start()
    theirs.close()
    said = list(_received(mine, until=1))
    time.sleep(after)
    os.kill(process.pid, signal.SIGKILL)
    said += _received(mine)
    process.join()
    return said


def _received(pipe: Any, until: int = 10**9) -> Iterator[int]:
    try:
        for _ in range(until):
            yield pipe.recv()
    except (EOFError, OSError):
        return


def _template(context: Any, way: str, directory: Path) -> Path:
    """A run of some steps, whole."""
    directory.mkdir()
    process = context.Process(target=_few_steps, args=(way, directory, 4))
    process.start()
    process.join()
    return directory


def _few_steps(way: str, directory: Path, steps: int) -> None:
    from benches.saving import fit, silence

    silence()
    fit(way, directory, lambda _: None, steps=steps)


def _damages(way: str, template: Path, directory: Path, number: int, count: Count) -> None:
    """One file of the newest checkpoint after the other, in each way."""
    chance = random.Random(1)
    newest = "step-00000004" if way == "espalier" else "last.ckpt"
    for fault in range(number):
        subprocess.run(["cp", "-a", template, directory], check=True)  # the best is a second name, in the copy as well
        place = directory / "checkpoints" / newest
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        kind = KINDS[fault % len(KINDS)]
        file = files[fault // len(KINDS) % len(files)]
        _damage(kind, file, chance)
        count.look(way, directory, 4, f"{file.name}: {kind}")
        shutil.rmtree(directory)


def _damage(kind: str, file: Path, chance: random.Random) -> None:
    size = file.stat().st_size
    if kind == "bit flipped":
        with file.open("r+b") as opened:
            place = chance.randrange(size)
            opened.seek(place)
            (byte,) = opened.read(1)
            opened.seek(place)
            opened.write(bytes([byte ^ 1 << chance.randrange(8)]))
    elif kind == "cut short":
        os.truncate(file, chance.randrange(size))
    elif kind == "file lost":
        file.unlink()
    else:
        older = [f for f in file.parents[1].glob(f"*/{file.name}") if f.parent != file.parent and "best" not in str(f)]
        others = older or [f for f in file.parent.glob("*") if f != file]
        shutil.copyfile(others[0], file)


def _full_disk(context: Any, way: str, directory: Path, number: int, count: Count) -> None:
    """The disk takes no more than so many bytes of a file during three of eight saves, and everything again later."""
    directory.mkdir()
    mine, theirs = context.Pipe(duplex=False)
    limit = random.Random(number).choice((0, 100, 400, 700, 2_000, 500_000, 1_700_000, 3_000_000))
    process = context.Process(target=_with_little_room, args=(way, directory, limit, theirs))
    process.start()
    theirs.close()
    steps = list(_received(mine))
    process.join()
    count.ended += process.exitcode != 0
    count.look(way, directory, 8 if process.exitcode == 0 else max(steps, default=0), f"no room beyond {limit} bytes")


def _with_little_room(way: str, directory: Path, limit: int, told: Any) -> None:
    from benches.saving import fit, silence

    silence()

    def tell(step: int) -> None:
        room = limit if 3 <= step < 6 else resource.RLIM_INFINITY
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        told.send(step)

    fit(way, directory, tell, steps=8)


def _two_at_once(context: Any, directory: Path, number: int) -> tuple[int, int]:
    """Asks for a run directory that another process holds: how many, and how many were refused by its number."""
    from espalier.core.errors import UserError
    from espalier.core.lock import held

    directory.mkdir()
    mine, theirs = context.Pipe(duplex=False)
    holder = context.Process(target=_hold, args=(directory, theirs))
    holder.start()
    mine.recv()
    refused = 0
    for _ in range(number):
        try:
            with held(directory):
                pass
        except UserError as error:
            refused += f"process {holder.pid} on {os.uname().nodename}" in str(error)
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    with held(directory):  # which a killed one does not keep
        return number, refused


def _hold(directory: Path, told: Any) -> None:
    from espalier.core.lock import held

    with held(directory):
        told.send(0)
        time.sleep(600)


SOURCES = (
    "src/espalier/state/*.py", "src/espalier/callback/checkpoint.py", "src/espalier/core/files.py",
    "src/espalier/core/lock.py", "scripts/benches/checkpoints.py", "scripts/benches/saving.py",
)  # fmt: skip
TITLE = "Killed while saving, disks full, files damaged, two processes on one run: what a resume finds"
ROWS = (Row("faults", "faults_checkpoints", TITLE, SOURCES, checkpoints),)
