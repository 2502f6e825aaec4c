"""``python import_witness.py MODULE …``: import modules, and tell of each act that is more than defining things.

Acts are what CPython's audit hooks report (PEP 578): processes, connections, files opened for writing, made, moved or
removed. Written at the end, each once, as ``act: …`` with the file of the library that did it.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
ACTS = frozenset((
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn",  # processes
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request",
    "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "shutil.rmtree", "shutil.move", "shutil.copyfile",
))  # fmt: skip
acts: dict[str, None] = {}
busy = False


def witness(event: str, arguments: tuple[Any, ...]) -> None:
    """A hook for ``sys.addaudithook``; it may call nothing that reports again."""
    global busy
    if busy:
        return
    busy = True
    try:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & WRITING and path != os.devnull and not isinstance(path, int):
                acts[f"writes {os.fsdecode(path)}{_where()}"] = None
        elif event in ACTS:
            acts[f"{event} {_said(arguments)}{_where()}"] = None
    finally:
        busy = False


def _said(arguments: tuple[Any, ...]) -> str:
    told = (argument for argument in arguments if argument is not None and not hasattr(argument, "fileno"))
    return " ".join(str(argument)[:100] for argument in told)


def _where() -> str:
    """The innermost file of a library on the stack."""
    frame = sys._getframe(2)
    while frame:
        name = frame.f_code.co_filename
        if "site-packages" in name:
            return f"  in {name.rpartition('site-packages/')[2]}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""


def main() -> None:
    sys.addaudithook(witness)
    missing = []
    for name in sys.argv[1:]:
        try:
            importlib.import_module(name)
        except ImportError as error:
            missing.append(f"{name}: {error}")
        except BaseException as error:  # libraries raise what they like where they do not fit the machine
            acts[f"raises {type(error).__name__} as {name} is imported: {str(error)[:80]}"] = None
    for act in acts:
        print("act:", act.replace("\n", " "))
    print("missing:", missing)


if __name__ == "__main__":
    main()
