from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from espalier.core.rundir import process_created
from espalier.run.warm import unfit

# The parent and its forks, without what they import: a fork here prints what it was told.
PROGRAM = """
import os, signal, socket, subprocess, sys
from espalier.run.warm import Parent
channel = socket.socket(fileno=int(sys.argv[1]))
request = Parent(channel).serve()
if request and "rank" in request:
    os.setsid()
    os.write(int(sys.argv[2]), str(subprocess.Popen(["sleep", "300"]).pid).encode())
    os.kill(os.getpid(), signal.SIGKILL)
if request:
    sys.exit(request["code"])
"""


class Driver:
    """The other end."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.told, tell = os.pipe()
        command = [sys.executable, "-c", PROGRAM, str(theirs.fileno()), str(tell)]
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno(), tell])
        theirs.close()
        os.close(tell)
        self.channel = ours
        self.lines = ours.makefile("rb")

    def say(self, **message: Any) -> None:
        self.channel.sendall(json.dumps({"until": time.monotonic() + 60, **message}).encode() + b"\n")

    def hear(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.lines.readline())
        return answer

    def leave(self) -> None:
        self.lines.close()
        self.channel.close()
        os.close(self.told)


@pytest.fixture
def driver() -> Iterator[Driver]:
    made = Driver()
    yield made
    made.leave()
    assert made.process.wait(20) == 0  # with nobody to talk to, it ends


def test_it_forks_and_tells_how_forks_end(driver: Driver) -> None:
    assert driver.hear() == {"ready": True}
    for number, code in enumerate((0, 3, 130)):
        driver.say(id=number, code=code)
        answer = driver.hear()
        assert answer["id"] == number
        assert driver.hear() == {"ended": number, "code": code}


def test_a_request_that_was_given_up_is_not_begun(driver: Driver) -> None:
    """Its driver has started the trial in another way: it must not run twice."""
    driver.hear()
    driver.say(id=1, code=0, until=time.monotonic() - 0.001)
    assert driver.hear() == {"id": 1, "busy": "it was asked too long ago"}


def test_a_kernel_that_gives_no_process_is_no_end_of_it(driver: Driver) -> None:
    driver.hear()
    pid = driver.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NPROC, (0, 0))
    if os.getuid() == 0:  # whom that limit does not bind
        pytest.skip("root may start any number of processes")
    driver.say(id=1, code=0)
    assert "busy" in driver.hear()
    resource.prlimit(pid, resource.RLIMIT_NPROC, before)
    driver.say(id=2, code=0)
    assert "pid" in driver.hear()


def test_what_a_killed_fork_left_behind_ends(driver: Driver) -> None:
    driver.hear()
    driver.say(id=1, code=0, rank=True)
    driver.hear()
    assert driver.hear() == {"ended": 1, "code": -signal.SIGKILL}
    beside = int(os.read(driver.told, 20))
    until = time.monotonic() + 20
    while process_created(beside):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_requests_may_come_in_pieces_and_together(driver: Driver) -> None:
    driver.hear()
    driver.channel.sendall(b'{"until": 1e99, "id": 1, "co')
    driver.channel.sendall(b'de": 4}\n{"until": 1e99, "id": 2, "code": 5}\n')
    heard = [driver.hear() for _ in range(4)]
    assert {message["id"] for message in heard if "id" in message} == {1, 2}
    assert {message["code"] for message in heard if "code" in message} == {4, 5}


def test_a_process_of_one_thread_is_fit() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from espalier.run.warm import unfit; print(repr(unfit()))"],
        capture_output=True,
        text=True,
    )
    assert told.stdout == "''\n", told.stderr


def test_a_process_with_another_thread_is_not() -> None:
    leave = threading.Event()
    beside = threading.Thread(target=leave.wait)
    beside.start()
    try:
        assert unfit().startswith("a library has started threads")
    finally:
        leave.set()
        beside.join()


def test_the_libraries_start_no_thread() -> None:
    program = (
        "import sys; from espalier.run import warm; warm.still()\n"
        "print(warm.unfit() or 'fit', sorted({'torch', 'transformers', 'peft', 'datasets'} - set(sys.modules)))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert told.stdout == "fit []\n", told.stderr
