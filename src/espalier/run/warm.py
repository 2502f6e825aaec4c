"""``python -m espalier.run.warm FD``: a parent that has imported what trials need, and becomes a trial by forking.

It starts no thread and touches no GPU, so that what it forks is as good as a new process, six seconds earlier. FD is
one end of a socket whose other end its driver holds; both say lines of JSON:

    parent   {"ready": true}
    driver   {"id": 1, "words": [DIR, …], "environment": {…}, "cwd": DIR, "log": FILE, "threads": 1, "until": 9}
    parent   {"id": 1, "pid": 123}      or  {"id": 1, "refused": "it has started a thread"}, for good,
                                        or  {"id": 1, "busy": "no memory"}, for now
    parent   {"ended": 1, "code": 0}        -n: by signal n

A request holds until a time of the monotonic clock: a driver that has got no answer by then starts the trial otherwise.

When the driver goes away, its trials go on; the parent ends with the last of them. What a trial had to import beside
that, it tells at its end, so that the next ones find it there.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import random
import select
import signal
import socket
import sys
import textwrap
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from espalier.core.interpreter import leave
from espalier.core.process_group import end_left_behind
from espalier.core.streams import mask_streams

# Libraries of numbers would start threads as they are loaded; asking CUDA for its GPUs would leave forks without them.
_STILL = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
}
# In this order: the slowest first, nothing that looks at the machine.
_LIBRARIES = ("torch", "pytorch_lightning", "transformers", "peft", "datasets", "torchmetrics")
_RUN = "espalier.run.__main__"
# What a trial may tell its parent to import as well: no code of a user's, nothing that is built for one machine.
_LEARNED = ("espalier", "transformers", "peft", "pytorch_lightning", "torchmetrics", "datasets", "sklearn", "wandb")
_GPU_FILE = "/dev/nvidia-uvm"  # stays open where CUDA was begun


def main() -> NoReturn:
    """Import, then fork what the driver asks for. In a fork: what ``python -m espalier.run`` does."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the driver, which tells its trials
    mask_streams()  # before libraries keep them for their logs
    still()
    parent = Parent(channel)
    if request := parent.serve():
        _become(request, parent.lessons)
    leave(0)


def still() -> None:
    """Import what every trial needs, and start nothing."""
    os.environ.update(_STILL)
    gc.disable()
    for name in (*_LIBRARIES, _RUN):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a fork would write to every page that is shared


class Parent:
    """Answers the driver, until that is gone and the last trial has ended; in a fork, ``serve`` returns the request."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel: socket.socket | None = channel
        self._pending = b""
        self._children: dict[int, int] = {}  # pid -> the request that it is of: a pid may be given again
        self._wakes, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._taught, self.lessons = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._later: list[str] = []
        self._tried: set[str] = set()

    def serve(self) -> dict[str, Any] | None:
        """What a fork is to do; None in the parent, at its end."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        self._tell({"ready": True})
        while self._channel or self._children:
            listening: list[int | socket.socket] = [
                self._wakes,
                self._taught,
                *([self._channel] if self._channel else []),
            ]
            ready, _, _ = select.select(listening, [], [], 0 if self._later else None)
            if self._wakes in ready:
                os.read(self._wakes, 4096)
                self._reap()
            if self._taught in ready:
                self._later += os.read(self._taught, 1 << 16).decode().split()
            if self._channel in ready:
                for request in self._heard():
                    if self._fork(request):
                        return request
            if self._later and not ready:
                self._learn(self._later.pop(0))
        return None

    def _learn(self, name: str) -> None:
        if name.partition(".")[0] in _LEARNED and name not in sys.modules and name not in self._tried:
            self._tried.add(name)  # what fails is not tried again after every trial
            with suppress(Exception):
                importlib.import_module(name)
        if not self._later:
            gc.collect()
            gc.freeze()

    def _heard(self) -> list[dict[str, Any]]:
        assert self._channel
        try:
            said = self._channel.recv(1 << 16)
        except ConnectionError:
            said = b""
        if not said:
            self._leave()
        *lines, self._pending = (self._pending + said).split(b"\n")
        return [json.loads(line) for line in lines]

    def _fork(self, request: Mapping[str, Any]) -> bool:
        """Whether this is the fork."""
        if time.monotonic() > request["until"]:
            self._tell({"id": request["id"], "busy": "it was asked too long ago"})
            return False
        if reason := unfit():
            self._tell({"id": request["id"], "refused": reason})
            return False
        try:
            pid = os.fork()
        except OSError as error:
            self._tell({"id": request["id"], "busy": str(error)})
            return False
        if pid == 0:
            signal.set_wakeup_fd(-1)
            self._leave()
            for handle in (self._wakes, self._waker, self._taught):
                os.close(handle)
            return True
        self._children[pid] = request["id"]
        self._tell({"id": request["id"], "pid": pid})
        return False

    def _reap(self) -> None:
        for pid in list(self._children):
            end_left_behind(pid)
            with suppress(ChildProcessError):
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    self._tell({"ended": self._children.pop(pid), "code": os.waitstatus_to_exitcode(status)})

    def _tell(self, message: Mapping[str, Any]) -> None:
        if self._channel:
            try:
                self._channel.sendall(json.dumps(message).encode() + b"\n")
            except OSError:
                self._leave()

    def _leave(self) -> None:
        if self._channel:
            self._channel.close()
        self._channel = None


def unfit() -> str:
    """Why this process must not be forked; ``""`` if it may: forks have one thread, and no GPU that was begun."""
    threads = [Path(f"/proc/self/task/{name}/comm").read_text().strip() for name in _listed("task")]
    if len(threads) > 1:
        return f"a library has started threads as it was imported: {', '.join(sorted(threads)[1:])}"
    for name in _listed("fd"):
        with suppress(OSError):
            if str(Path(f"/proc/self/fd/{name}").readlink()) == _GPU_FILE:
                return "a library has begun to use a GPU as it was imported"
    return ""


def _listed(folder: str) -> list[str]:
    return [entry.name for entry in Path(f"/proc/self/{folder}").iterdir()]


def _become(request: Mapping[str, Any], lessons: int) -> NoReturn:
    """Be the process that ``python -m espalier.run`` would be, from its first line to its end."""
    os.setsid()
    known = set(sys.modules)
    for number in (signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL if number == signal.SIGCHLD else signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    _redirect(request["log"])
    sys.argv = [str(importlib.import_module(_RUN).__file__), *request["words"]]
    sys.modules["__main__"].__spec__ = importlib.util.find_spec(_RUN)  # by it, Lightning starts the other ranks
    importlib.invalidate_caches()
    gc.enable()
    code = 1
    try:
        _fresh(request["threads"])
        code = importlib.import_module(_RUN).main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except BaseException:
        traceback.print_exc()
    _teach(lessons, set(sys.modules) - known)
    leave(code)


def _teach(lessons: int, imported: set[str]) -> None:
    names = " ".join(sorted(name for name in imported if name.partition(".")[0] in _LEARNED))
    with suppress(OSError):  # the parent is gone
        for piece in textwrap.wrap(names, select.PIPE_BUF - 1):  # so short that other trials' words come not between
            os.write(lessons, piece.encode() + b" ")


def _fresh(threads: int) -> None:
    """Random states that no other trial has, and threads as the environment says: libraries read it at their import."""
    torch, numpy = importlib.import_module("torch"), importlib.import_module("numpy")
    random.seed()
    numpy.random.seed()
    torch.set_num_threads(threads)
    importlib.import_module("threadpoolctl").threadpool_limits(threads, user_api="blas")


def _redirect(log: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for opened, number in ((nothing, 0), (file, 1), (file, 2)):
        os.dup2(opened, number)
    os.close(nothing)
    os.close(file)


if __name__ == "__main__":
    main()
