"""Trials of a sweep in this process, and someone who answers them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.saved import read, write
from espalier.core.outcome import Outcome
from espalier.core.trial import ASK, Answer, Ask, Trial, read_ask, write_answer, write_trial
from espalier.run.fit import run
from espalier.run.stop import Stop

SWEEP = "sweep-2026-11-30_14-02-11-3fa9c1"
SMALL = (
    "data=digits", "model=mlp", "adapter=full", "task=classification", "trainer.max_epochs=4", "data.limit=128",
    "data.batch_size=32", "tracking=none", "hardware=cpu", "callback=[checkpoint]", "task.bootstrap=20",
    "trainer.log_every_n_steps=1",
)  # fmt: skip


def trial_in(folder: Path, *words: str, number: int = 7, rungs: tuple[int, ...] = (), small: bool = True) -> Path:
    """The directory of a trial that has not begun."""
    experiment = compose([*(SMALL if small else ()), *words])
    check(experiment)
    directory = (folder / "outputs" / "small" / SWEEP / "trials" / f"{number:03d}").resolve()
    directory.mkdir(parents=True)
    write(experiment, directory)
    write_trial(
        directory, Trial(SWEEP, number, f"{SWEEP[-6:]}-{number}", "lr=0.01 seed=0", ("optimizer.lr=0.01",), rungs)
    )
    return directory


def train(directory: Path, *, resume: bool = False) -> Outcome:
    """Until it ends, or waits."""
    with Stop(directory) as stop:
        return run(read(directory), directory, stop, resume=resume)


@contextmanager
def answered(directory: Path, answer: Callable[[Ask], bool | None]) -> Iterator[list[Ask]]:
    """Someone who answers the trial's questions; None leaves one unanswered. Yields those that were asked."""
    asked: list[Ask] = []
    over = threading.Event()
    before = _written(directory / ASK)

    def listen() -> None:
        last = before
        while not over.is_set():
            written = _written(directory / ASK)
            if written != last and (ask := read_ask(directory)):
                last = written
                asked.append(ask)
                if (go_on := answer(ask)) is not None:
                    write_answer(directory, Answer(ask.validations, go_on))
            time.sleep(0.005)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield asked
    finally:
        over.set()
        thread.join()


def _written(file: Path) -> tuple[int, int]:
    """Another one each time that the file is written, be it with the same content."""
    found = file.stat() if file.exists() else None  # once: it may be replaced meanwhile
    return (found.st_ino, found.st_mtime_ns) if found else (0, 0)
