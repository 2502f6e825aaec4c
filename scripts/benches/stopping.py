"""Stop points: a reference run of each kind; beside it runs that a signal ends somewhere, and that are resumed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benches.compared import differences
from benches.kinds import CONFIG_DIRS, KINDS, lay_out, words_of
from benches.machine import CPUS
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.core.rundir import OUTCOME, read_outcome
from espalier.core.trial import Answer as Allowed
from espalier.core.trial import Trial, write_answer, write_trial
from espalier.launcher.warm import WarmParent

SWEEP = "sweep-2026-01-01_00-00-00-abcdef"
# What a point's number chooses: 7 places and 6 signals meet in all ways.
_PLACES = ("batch", "saving", "batch", "validation", "time", "batch", "test")
_OF_TRIALS = ("batch", "saving", "rung", "validation", "time", "batch", "rung")
_SIGNALS = ("SIGKILL", "SIGTERM", "SIGKILL", "SIGINT", "SIGKILL", "SIGUSR1")


@dataclass(frozen=True, order=True)
class Point:
    """Where a run is stopped.

    Attributes:
        place: a moment that ``at_step.Kill`` counts; ``time``, a per mille of the reference run's wall time, at which
            the signal comes from outside; ``rung``, a validation after which a sweep pauses its trial.
        after: which of these moments.
    """

    kind: str
    place: str
    after: int
    signal: str

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.place}-{self.after}-{self.signal}"


@dataclass(frozen=True)
class Answer:
    """What came of a stop point: the exit codes, and what differed after the resume (nothing: exact)."""

    point: Point
    codes: tuple[int, ...]
    differing: tuple[str, ...]

    @property
    def exact(self) -> bool:
        return not self.differing


class Broken(Exception):  # noqa: N818
    """A run ended in a way that no stop explains."""


def try_all(folder: Path, points: int, only: str | None, jobs: int = CPUS) -> list[Answer]:
    """All stop points; those whose answers stand in ``folder/answers.jsonl`` are not tried again."""
    environment = {**os.environ, **lay_out(folder)}
    os.environ.update(environment)
    record = Record(folder / "answers.jsonl")
    with ExitStack() as stack:
        forks = stack.enter_context(_forks(environment))
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        tries = [
            pool.submit(_try_kind, Tries(folder, forks, environment, record), kind, count)
            for kind, count in shares(points, only).items()
        ]
        return [answer for done in tries for answer in done.result()]


def shares(points: int, only: str | None, day: int | None = None) -> dict[str, int]:
    """How many points each kind gets. Where there are fewer than kinds, each day has others."""
    if only:
        return {only: points}
    kinds = list(KINDS)
    day = int(time.time() // 86_400) if day is None else day
    turned = [kinds[(day * points + number) % len(kinds)] for number in range(len(kinds))]
    each, more = divmod(points, len(kinds))
    return {kind: each + (number < more) for number, kind in enumerate(turned) if each or number < more}


class Record:
    """Answers, a line each, so that a try that was cut off goes on."""

    def __init__(self, file: Path) -> None:
        self.file, self._lock = file, threading.Lock()
        lines = file.read_text().splitlines() if file.exists() else []
        self.known: dict[Point, Answer] = {}
        for line in lines:
            said = json.loads(line)
            point = Point(**said["point"])
            self.known[point] = Answer(point, tuple(said["codes"]), tuple(said["differing"]))

    def add(self, answer: Answer) -> None:
        """Write down and say."""
        with self._lock, self.file.open("a") as file:
            file.write(json.dumps(asdict(answer)) + "\n")
            point, codes = answer.point, ", ".join(map(str, answer.codes))
            where = f"{point.kind:16} {point.signal:8} {point.place:>10} {point.after:3}"
            said = "exact" if answer.exact else f"NOT exact: {', '.join(answer.differing)}"
            print(f"  {where}   ended by {codes:9} {said}", flush=True)


@dataclass(frozen=True)
class Tries:
    """What every try needs: where, and who starts processes."""

    folder: Path
    forks: Callable[[list[str], Path], tuple[int, Callable[[], int | None]]]
    environment: dict[str, str]
    record: Record


def _try_kind(tries: Tries, kind: str, count: int) -> list[Answer]:
    try:
        reference = _reference(tries, kind)
        points = list(points_of(kind, count, json.loads((reference / "moments.0.json").read_text())))
    except Broken as broken:
        tries.record.add(answer := Answer(Point(kind, "none", 0, "none"), (), (str(broken),)))
        return [answer]
    answers = []
    for point in points:
        answer = tries.record.known.get(point) or _try(tries, point, reference)
        if point not in tries.record.known:
            tries.record.add(answer)
        answers.append(answer)
    return answers


def points_of(kind: str, count: int, moments: dict[str, int]) -> Iterator[Point]:
    """So many points of a kind, spread over its places, and at each place over its moments."""
    trial = KINDS[kind].rungs is not None
    totals = {"time": 950, "rung": len(KINDS[kind].rungs or ()), **moments}
    order = [place for place in (_OF_TRIALS if trial else _PLACES) if totals.get(place)]
    chance = random.Random(kind)
    first = chance.randrange(len(order) * len(_SIGNALS))
    chosen = [order[(first + number) % len(order)] for number in range(count)]
    seen: Counter[str] = Counter()
    for number, place in enumerate(chosen):
        part = totals[place] / chosen.count(place)
        after = min(totals[place], 1 + int((seen[place] + chance.random()) * part))
        seen[place] += 1
        sent = "pause" if place == "rung" else _SIGNALS[(first + number) % len(_SIGNALS)]
        if place == "test" and sent != "SIGKILL":  # it is obeyed at the next batch: of the last one there is none
            after, sent = min(after, totals[place] - 1), sent if totals[place] > 1 else "SIGKILL"
        yield Point(kind, place, max(after, 1), sent)


def _reference(tries: Tries, kind: str) -> Path:
    """A run that nothing happens to; the one of an earlier try, where there is one."""
    place = Point(kind, "batch", 0, "SIGKILL")
    directory = _directory(tries.folder, place)
    if not (directory / "seconds").exists():
        shutil.rmtree(directory, ignore_errors=True)
        _make(directory, place)
        began = time.monotonic()
        _end(tries, place, directory, [])
        (directory / "seconds").write_text(str(time.monotonic() - began))
    return directory


def _try(tries: Tries, point: Point, reference: Path) -> Answer:
    directory, codes = _directory(tries.folder, point), []
    seconds = float((reference / "seconds").read_text())
    try:
        while not codes:
            shutil.rmtree(directory, ignore_errors=True)
            _make(directory, point)
            ended = _stop(tries, point, directory, seconds)
            begun = (directory / OUTCOME).exists()  # a run that had not leaves nothing to go on with
            codes += [ended] if begun and (ended or point.place == "rung") else []
            seconds *= 0.8 if begun else 1.25  # it had ended before the signal came, or could act
        if KINDS[point.kind].rungs is not None:
            write_answer(directory, Allowed(99, go_on=True))
        _end(tries, point, directory, codes)
        found = differences(reference, directory)
    except Broken as broken:
        found = [str(broken)]
    if not found:
        shutil.rmtree(directory)
    return Answer(point, tuple(codes), tuple(found))


def _stop(tries: Tries, point: Point, directory: Path, seconds: float) -> int:
    """Train until the stop; the exit code."""
    if point.place == "rung":
        write_answer(directory, Allowed((KINDS[point.kind].rungs or ())[point.after - 1], go_on=False))
    pid, code = _start(tries, point.kind, directory, [])
    if point.place == "time":
        until = time.monotonic() + seconds * point.after / 1000
        while time.monotonic() < until and code() is None:
            time.sleep(0.01)
        if code() is None:
            os.kill(pid, getattr(signal, point.signal))
    ended = _wait(code)
    if ended == 0 and point.place not in ("time", "rung"):
        raise Broken("it was not stopped")
    return ended


def _end(tries: Tries, point: Point, directory: Path, codes: list[int]) -> None:
    """Go on to the end; a trial that is done is tested."""
    trial = KINDS[point.kind].rungs is not None
    for flag in (["--resume"] if codes else [], ["--conclude"]):
        if flag == ["--conclude"] and not trial:
            break
        codes.append(_wait(_start(tries, point.kind, directory, flag)[1]))
        status = read_outcome(directory).status
        if codes[-1] or status != "done":
            tail = " / ".join((directory / "log.txt").read_text().splitlines()[-3:])
            raise Broken(f"exit codes {codes}, status {status}: {tail}")


def _directory(folder: Path, point: Point) -> Path:
    whole = folder / "outputs" / point.name
    return whole / SWEEP / "trials" / "000" if KINDS[point.kind].rungs is not None else whole / "run-abcdef"


def _make(directory: Path, point: Point) -> None:
    """A run directory with its config, as the command line or a sweep makes one."""
    place = point.place if point.place in ("batch", "validation", "saving", "test") else "batch"
    after, number = (point.after, point.signal) if place == point.place else (0, "SIGKILL")
    kill = [f"callback.kill.where={place}", f"callback.kill.after={after}", f"callback.kill.signal={number}"]
    experiment = compose([*words_of(point.kind), *kill], config_dirs=CONFIG_DIRS)
    check(experiment)
    directory.mkdir(parents=True)
    write(experiment, directory)
    rungs = KINDS[point.kind].rungs
    if rungs is not None:
        write_trial(directory, Trial(SWEEP, 0, "abcdef-0", "seed=0", (), rungs))
        write_answer(directory, Allowed(99, go_on=True))


def _start(tries: Tries, kind: str, directory: Path, flags: list[str]) -> tuple[int, Callable[[], int | None]]:
    """Its process number, and what tells its exit code once it has ended."""
    words = [str(directory), *flags]
    if not KINDS[kind].alone:
        return tries.forks(words, directory / "log.txt")
    with (directory / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "espalier.run", *words], env=tries.environment, stdout=log, stderr=log
        )
    return process.pid, process.poll


def _wait(code: Callable[[], int | None]) -> int:
    while (ended := code()) is None:
        time.sleep(0.01)
    return ended


@contextmanager
def _forks(environment: dict[str, str]) -> Iterator[Callable[[list[str], Path], tuple[int, Callable[[], int | None]]]]:
    """Processes from one warm parent, as a sweep's driver has them; for several threads."""
    parent, one_by_one = WarmParent(environment), threading.Lock()

    def fork(words: list[str], log: Path) -> tuple[int, Callable[[], int | None]]:
        with one_by_one:
            while not parent.ready and parent.lives():
                parent.listen(1.0)
            made = parent.fork(words, environment, str(log), 1)
        if made is None or isinstance(made, str):
            sys.exit(f"the warm parent does not fork: {made or 'busy'} {parent.last_words()}")

        def code() -> int | None:
            with one_by_one:
                return parent.code(made)

        return made.pid, code

    try:
        yield fork
    finally:
        parent.leave()
