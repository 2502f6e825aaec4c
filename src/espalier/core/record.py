"""A sweep's record: ``record.jsonl``, append-only, one event a line; a trial's state is what its events add up to.

    {"event": "planned", "trial": 3, "at": 1764000000.0, "point": {"optimizer.lr": 0.001}, "seed": 1, …}

Everything that a driver knows, it knows from here: one that is killed is replaced by another. A torn last line is
passed over, and cut off by the next writer.
"""

from __future__ import annotations

import errno
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from espalier.core.errors import Fault, UserError
from espalier.core.files import is_full, parse_json
from espalier.core.masking import masked_text

RECORD, SUMMARY, SWEEP, TRIALS, BEST = "record.jsonl", "summary.json", "sweep.yaml", "trials", "best"

State = Literal["planned", "running", "paused", "done", "failed", "infeasible", "stopped", "duplicate"]
ENDED = ("done", "failed", "infeasible", "stopped", "duplicate")


@dataclass(frozen=True)
class TrialRecord:
    """One trial, as the record tells it.

    Attributes:
        trial: its number; directory ``trials/<number>``, three digits or more.
        configuration: trials that differ in their seed alone share it; the number of the first of them.
        point: key or group -> value, of what the sweep varies; without the seed.
        words: the same as words of a command line, the seed's included.
        name: what differs, for people.
        digest: of its resolved config.
        same_as: of a duplicate: the trial whose resolved config is the same.
        attempts: how often it was placed.
        lost: how often a node or a worker was lost under it.
        halved: how often its micro-batch was halved, since memory did not suffice.
        slot, handle: of the last attempt.
        rungs: (validations, value) that it asked with, in order.
        values: of the objectives, in their own direction.
        metrics: of the best checkpoint, ``<split>/<metric>``; with ``test/…`` once it was tested.
        cost: as ``Outcome.cost``, and ``seconds``, the sum over its attempts of the time its slot was taken.
        why: of a trial that failed, or is infeasible or stopped.
        log: the last lines of its log, where it failed.
        diverged: whether it failed since its loss, gradients or objective were not finite: where a search proposes
            such a point, the next ones there do the same.
    """

    trial: int
    configuration: int
    point: Mapping[str, Any]
    seed: int
    words: tuple[str, ...]
    name: str
    state: State = "planned"
    digest: str = ""
    same_as: int | None = None
    attempts: int = 0
    lost: int = 0
    halved: int = 0
    slot: str = ""
    handle: Mapping[str, Any] | None = None
    rungs: tuple[tuple[int, float | None], ...] = ()
    values: tuple[float, ...] = ()
    metrics: Mapping[str, float] | None = None
    cost: Mapping[str, float] | None = None
    why: str = ""
    log: str = ""
    diverged: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it by itself."""
        return self.state in ENDED


class Record:
    """The record while a driver writes it. One writer at a time: the driver holds the sweep's directory.

    Attributes:
        waits: asked when the disk is full: waits a moment, and says whether to try again.
    """

    def __init__(self, directory: Path) -> None:
        self.waits: Callable[[OSError], bool] = lambda _: False
        self._file = (directory / RECORD).open("ab", buffering=0)
        os.truncate(directory / RECORD, _whole(directory / RECORD))
        self.trials: dict[int, TrialRecord] = {row.trial: row for row in read_record(directory)}

    def write(self, event: str, trial: int, **more: Any) -> None:
        """Append an event and take it up; it is with the kernel when this returns. ``why`` and ``log`` are masked.

        Raises:
            OSError: there is no room for all of it, and ``waits`` says no; nothing of it is left.
        """
        said: dict[str, Any] = {name: masked_text(more[name]) for name in ("why", "log") if name in more}
        line: dict[str, Any] = {"event": event, "trial": trial, "at": round(time.time(), 3), **more, **said}
        text = json.dumps(line, ensure_ascii=False).encode(errors="replace")  # a file's name may hold half a character
        while (error := self._append(text + b"\n")) and is_full(error) and self.waits(error):
            pass
        if error:
            raise error
        fold(self.trials, json.loads(text))

    def _append(self, line: bytes) -> OSError | None:
        """All of it or nothing; why it could not be."""
        size = os.fstat(self._file.fileno()).st_size
        try:
            if self._file.write(line) == len(line):
                return None
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._file.name)
        except OSError as error:
            os.ftruncate(self._file.fileno(), size)
            return error

    def close(self) -> None:
        """Make it durable and let go of it."""
        os.fsync(self._file.fileno())
        self._file.close()


def read_record(directory: Path) -> list[TrialRecord]:
    """Every trial of a sweep, by number; none where nothing is recorded.

    Raises:
        UserError: as ``read_events``; an event of a trial that was never planned, or without what it must say.
    """
    trials: dict[int, TrialRecord] = {}
    for event in read_events(directory):
        try:
            fold(trials, event)
        except (LookupError, TypeError, ValueError) as error:
            raise _not_ours(directory, f"{type(error).__name__}: {error}") from None
    return [trials[number] for number in sorted(trials)]


def read_events(directory: Path) -> Iterator[dict[str, Any]]:
    """The record's whole lines in order: what ``fold`` takes up, and ``at``, the time of each.

    Raises:
        UserError: a line that is no event.
    """
    file = directory / RECORD
    if file.exists():
        for line in file.read_bytes()[: _whole(file)].splitlines():
            try:
                event = parse_json(line)
            except ValueError as error:
                raise _not_ours(directory, type(error).__name__) from None
            if (
                not isinstance(event, dict)
                or type(event.get("trial")) is not int
                or type(event.get("event")) is not str
            ):
                raise _not_ours(directory, "a line names no event of a trial")
            yield event


def _not_ours(directory: Path, why: str) -> UserError:
    return UserError(Fault(str(directory / RECORD), f"holds what no sweep has written ({why}).", "Put it back."))


def fold(trials: dict[int, TrialRecord], event: Mapping[str, Any]) -> None:
    """Take up one event.

    ``planned`` and ``duplicate`` make a trial; ``running`` (slot, handle) places it; ``rung`` (validations, value)
    appends; ``paused``, ``done`` (values, metrics, cost), ``failed`` (diverged), ``infeasible``, ``stopped`` (why,
    log) end an attempt; ``tested`` (metrics) adds to the metrics of one that is done; ``again`` makes a trial planned
    once more.
    """
    kind, number = event["event"], event["trial"]
    given = {key: value for key, value in event.items() if key not in ("event", "trial", "at")}
    if kind in ("planned", "duplicate"):
        trials[number] = TrialRecord(number, state=kind, **{**given, "words": tuple(given["words"])})
        return
    old = trials[number]
    if kind == "running":
        trials[number] = replace(old, state="running", attempts=old.attempts + 1, **given)
    elif kind == "rung":
        trials[number] = replace(old, rungs=(*old.rungs, (given["validations"], given["value"])))
    elif kind == "tested":
        trials[number] = replace(old, metrics={**(old.metrics or {}), **given["metrics"]})
    else:
        values, diverged = tuple(given.pop("values", old.values)), given.pop("diverged", False)
        state: Any = "planned" if kind == "again" else kind
        trials[number] = replace(old, state=state, values=values, diverged=diverged, **given)


def kind_of(why: str) -> str:
    """Why a trial ended, without what an error's message quotes of the data: ``out of memory: OutOfMemoryError``."""
    first = why.strip().partition("\n")[0]
    found = re.match(r"(?:[\w ]+: )?[\w.]*(?:Error|Exception|Interrupt|Warning|Exit)\b", first)
    return found[0] if found else first


def trial_directory(sweep: Path, trial: int) -> Path:
    """``trials/007``."""
    return sweep / TRIALS / f"{trial:03d}"


def last_lines(text: Iterable[str], most: int = 20) -> str:
    """The end of a log."""
    return "\n".join([line.rstrip() for line in text][-most:])


def _whole(file: Path) -> int:
    return file.read_bytes().rfind(b"\n") + 1
