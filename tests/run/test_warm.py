from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from espalier.run.warm import unfit

# The parent and its forks, without what they import: a fork here prints what it was told.
PROGRAM = """
import socket, sys
from espalier.run.warm import Parent
channel = socket.socket(fileno=int(sys.argv[1]))
request = Parent(channel).serve()
if request:
    sys.exit(request["code"])
"""


class Driver:
    """The other end."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-c", PROGRAM, str(theirs.fileno())]
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        self.channel = ours
        self.lines = ours.makefile("rb")

    def say(self, **message: Any) -> None:
        self.channel.sendall(json.dumps(message).encode() + b"\n")

    def hear(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.lines.readline())
        return answer

    def leave(self) -> None:
        self.lines.close()
        self.channel.close()


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
        assert driver.hear() == {"ended": answer["pid"], "code": code}


def test_requests_may_come_in_pieces_and_together(driver: Driver) -> None:
    driver.hear()
    driver.channel.sendall(b'{"id": 1, "co')
    driver.channel.sendall(b'de": 4}\n{"id": 2, "code": 5}\n')
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
