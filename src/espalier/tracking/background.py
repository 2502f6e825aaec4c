"""Work that may be slow or fail, kept away from training: one thread, jobs in order, nobody waits for long."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Thread

from espalier.core.masking import masked_text

Job = Callable[[], object]
_BACKLOG = 20_000  # jobs; one is about a kilobyte
_SECONDS = 1.0  # that a job may take before it counts as stalled


class Background:
    """Does jobs one after the other in a thread of its own, which never keeps the process from ending.

    Attributes:
        dropped: jobs that failed, or that there was no more room for.
        error: what the first failing job said, in one line.
    """

    def __init__(self, name: str) -> None:
        self.dropped = 0
        self.error = ""
        self._jobs: SimpleQueue[tuple[Job, float] | None] = SimpleQueue()
        self._until: float | None = None
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def do(self, job: Job, seconds: float = _SECONDS) -> None:
        """Add a job; takes a microsecond. One that then takes longer than ``seconds`` has stalled."""
        if self._jobs.qsize() >= _BACKLOG:
            self.dropped += 1
        else:
            self._jobs.put((job, seconds))

    @property
    def stalled(self) -> bool:
        """Whether the job that has its turn takes longer than it may."""
        return self._until is not None and time.monotonic() > self._until

    def worked(self) -> float:
        """Seconds of a processor that its jobs took so far: one that hangs takes none, one on a busy machine some."""
        try:
            return time.clock_gettime(time.pthread_getcpuclockid(self._thread.ident or 0))
        except (AttributeError, OSError):  # not on this system; the thread has ended
            return 0.0

    def settle(self, seconds: float) -> bool:
        """Wait until the jobs so far had their turn, so long at most. Returns whether they had."""
        reached = Event()
        self.do(reached.set)
        return reached.wait(seconds)

    def close(self, seconds: float) -> bool:
        """No more jobs; wait for those there are, so long at most, or wait on. Returns whether all had their turn."""
        self._jobs.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while given := self._jobs.get():
            job, seconds = given
            self._until = time.monotonic() + seconds
            try:
                job()
            except BaseException as error:  # SystemExit too: a library that wants to end the process ends nothing
                self.dropped += 1
                self.error = self.error or in_one_line(error)
            finally:
                self._until = None


def in_one_line(error: BaseException) -> str:
    """Kind and first line of an error, secrets masked."""
    text = masked_text(str(error)).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
