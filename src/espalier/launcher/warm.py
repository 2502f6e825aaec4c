"""The driver's side of ``python -m espalier.run.warm``: a parent that trials are forked from."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MODULE = "espalier.run.warm"
_ANSWER = 10.0  # seconds until an answer is there on a busy machine: a fork takes 0.02
_BRIEFLY, _ENDS = 0.5, 10.0  # seconds that leaving waits: for one that stays with its trials, for one that has none
_BEGIN = 5.0  # seconds after which it is not begun any more: one that was given up must not run beside another one


@dataclass(frozen=True)
class Fork:
    """A process that was forked, and by which request: the kernel gives a process' number again."""

    number: int
    pid: int


class WarmParent:
    """Forks trials.

    Args:
        environment: of the parent; what libraries read as they are imported, they read here.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._channel, theirs = socket.socketpair()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - for as long as the parent lives
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, str(theirs.fileno())],
                env=environment, pass_fds=[theirs.fileno()], start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=self._said, stderr=self._said,
            )  # fmt: skip
        self._pending = b""
        self._asked = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._codes: dict[int, int] = {}
        self._running: set[int] = set()
        self._gone = False
        self.ready = False

    @property
    def pid(self) -> int:
        """Of the parent."""
        return self._process.pid

    def lives(self) -> bool:
        """Whether it is there and speaks."""
        return not self._gone and self._process.poll() is None

    def listen(self, seconds: float = 0.0) -> None:
        """Take up what it has said."""
        while not self._gone and select.select([self._channel], [], [], max(0.0, seconds))[0]:
            try:
                said = self._channel.recv(1 << 16)
            except ConnectionError:
                said = b""
            self._gone = not said
            *lines, self._pending = (self._pending + said).split(b"\n")
            for line in lines:
                self._take(json.loads(line))
            seconds = 0.0

    def fork(self, words: list[str], environment: Mapping[str, str], log: str, threads: int) -> Fork | str | None:
        """A new process that does what ``python -m espalier.run`` does; why there will be none; None: not now."""
        self._asked += 1
        request = {"id": self._asked, "words": words, "environment": dict(environment), "cwd": str(Path.cwd())}
        until = time.monotonic() + _ANSWER
        line = json.dumps({**request, "log": log, "threads": threads, "until": until - _ANSWER + _BEGIN})
        with suppress(OSError):
            self._channel.sendall(line.encode() + b"\n")
            while self._asked not in self._answers and not self._gone and time.monotonic() < until:
                self.listen(until - time.monotonic())
        answer = self._answers.pop(self._asked, {"refused": "it does not answer"})
        if "busy" in answer:
            return None
        if "refused" in answer:
            return str(answer["refused"])
        return Fork(self._asked, answer["pid"])

    def code(self, fork: Fork) -> int | None:
        """The exit code of a process that it forked; None while that is not known."""
        self.listen()
        return self._codes.get(fork.number)

    def last_words(self) -> str:
        """What it printed last: why it ended, where it ended by itself."""
        self._said.seek(0)
        return self._said.read().decode(errors="replace").strip().rpartition("\n")[2]

    def leave(self) -> None:
        """Let go of it: it ends with the last of its trials, at once where there is none."""
        self.listen()
        self._channel.close()
        self._said.close()
        if not self.ready:  # it is still importing, for nobody
            self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_BRIEFLY if self._running else _ENDS)

    def _take(self, message: Mapping[str, Any]) -> None:
        if "ended" in message:
            self._codes[message["ended"]] = message["code"]
            self._running.discard(message["ended"])
        elif "id" in message:
            self._answers[message["id"]] = dict(message)
            if "pid" in message:
                self._running.add(message["id"])
        else:
            self.ready = True
