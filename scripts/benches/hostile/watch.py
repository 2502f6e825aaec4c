"""One try in a forked child of a warm parent, under an audit hook that notes whatever acts."""
# tables of cases, a line each

from __future__ import annotations

import io
import json
import os
import re
import resource
import signal
import sys
import sysconfig
import time
import traceback
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn

from benches.machine import ROOT

SECONDS = 60
_RUNS = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "subprocess.Popen",
    "pty.spawn",
    "os.fork",
)
_NET = (
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.sendto",
    "urllib.Request",
    "ftplib.connect",
    "smtplib.connect",
    "http.client.connect",
)
_CHANGES = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "os.chown",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.utime",
    "os.setxattr",
    "shutil.copyfile",
    "shutil.move",
    "shutil.rmtree",
    "shutil.unpack_archive",
)
_BOTH = ("os.rename", "os.link", "shutil.move")  # what they are given first goes, or is shared
_SECOND = ("os.symlink", "shutil.copyfile")
_INSTALLED = (sysconfig.get_path("stdlib"), sys.prefix, str(ROOT / "src"), str(ROOT / "scripts"))
# Libraries that make code of texts of their own as they are used: named tuples, data classes, page templates.
_MAKERS = (
    "dataclasses.py",
    "collections/__init__.py",
    "ast.py",
    "enum.py",
    "jinja2/environment.py",
    "inspect.py",
    "typing.py",
)


# What every run does of itself, whatever it was given: it asks git for the commit, and tells its seed to its workers.
_EVERY_RUN = (
    r"run subprocess\.Popen git \['git', ('rev-parse', 'HEAD'|'config', '--includes')",
    r"run subprocess\.Popen git \['git', '-c', 'core\.fsmonitor=false', 'status'",
    r"env (os\.putenv b')?PL_(GLOBAL_SEED|SEED_WORKERS)'?",
)


class HandedOver(BaseException):
    """The command has checked everything, and would turn into the process that trains."""


@dataclass
class Tried:
    """What came of a try.

    Attributes:
        code: exit code; None where it was killed; ``"handed over"`` where it would have gone on.
        acts: what it did that a config or a file must not do: ``code …``, ``run …``, ``net …``, ``write …``,
            ``import …``, ``unpickle …``, ``env …``.
        said: the end of what it printed.
        seconds, memory: of the try; memory is what its peak lay above its start, in MB.
    """

    code: int | str | None
    acts: list[str] = field(default_factory=list)
    said: str = ""
    seconds: float = 0.0
    memory: float = 0.0


def tried(
    do: Callable[[], int],
    folder: Path,
    *,
    writable: Collection[Path] = (),
    go_on: Callable[[list[str]], int] | None = None,
    memory: int = 2**30,
    light: bool = True,
    seconds: int = SECONDS,
) -> Tried:
    """Do something in a child of this process, in a folder.

    Args:
        do: what ``espalier`` would do; its exit code.
        writable: folders in which files may be made.
        go_on: what is done instead where the command turns into another process; None: the try ends there.
        memory: address space that it may take beside what it has, in bytes.
        light: nothing may be imported that its parent has not, and no library makes code of texts; else what is
            installed may do both.
        seconds: after which it is killed.
    """
    reads, writes = os.pipe()
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.close(reads)
        _child(do, folder, writes, tuple(map(str, writable)), go_on, memory, light, seconds)
    os.close(writes)
    with os.fdopen(reads, encoding="utf-8") as pipe:
        text = pipe.read()
    _, status, usage = os.wait4(child, 0)
    took = time.perf_counter() - began
    if text:
        return Tried(**{**json.loads(text), "seconds": took})
    said = f"killed by signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"ended with {status}"
    return Tried(None, [], said, took, usage.ru_maxrss / 1024)


def _child(
    do: Callable[[], int],
    folder: Path,
    writes: int,
    writable: tuple[str, ...],
    go_on: Callable[[list[str]], int] | None,
    memory: int,
    light: bool,
    seconds: int,
) -> NoReturn:
    found = Tried(None)
    try:
        os.chdir(folder)
        said = io.StringIO()
        sys.stdout = sys.stderr = said  # type: ignore[assignment]
        signal.alarm(seconds)
        before, known, variables = _peak(), set(sys.modules), dict(os.environ)
        size = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (size + memory, resource.RLIM_INFINITY))
        hook = _Hook(writable, light)
        sys.addaudithook(hook)
        found.code = _done(do, go_on)
        hook.armed = False
        found.acts = hook.acts
        strange = set(sys.modules) - known
        found.acts += sorted(f"import {name}" for name in strange if light or not _is_installed(sys.modules[name]))
        found.acts += sorted(f"env {name}" for name in variables if os.environ.get(name) != variables[name])
        found.said, found.memory = said.getvalue()[-2000:], _peak() - before
    except BaseException as error:  # whatever it is: it is told
        found.said = f"{type(error).__name__}: {error}"
    try:
        resource.setrlimit(resource.RLIMIT_AS, resource.getrlimit(resource.RLIMIT_AS)[1:] * 2)
        with os.fdopen(writes, "w", encoding="utf-8") as pipe:
            json.dump(asdict(found), pipe)
    finally:
        os._exit(0)


def _done(do: Callable[[], int], go_on: Callable[[list[str]], int] | None) -> int | str:
    try:
        return do()
    except SystemExit as ended:
        return int(ended.code or 0) if isinstance(ended.code, int | None) else 1
    except HandedOver as over:
        if go_on is None:
            return "handed over"
        try:
            return go_on(list(over.args))
        except SystemExit as ended:
            return int(ended.code or 0) if isinstance(ended.code, int | None) else 1
        except Exception:
            return _crashed()
    except Exception:
        return _crashed()


def _crashed() -> str:
    traceback.print_exc()
    return "crashed"


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Hook:
    """Notes what acts. Nothing is held back but turning into another process."""

    def __init__(self, writable: tuple[str, ...], light: bool) -> None:
        self.writable, self.light, self.acts, self.armed = writable, light, list[str](), True

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.armed:
            return
        if event in ("os.exec", "subprocess.Popen") and _is_ours(given[1]):
            raise HandedOver(*map(str, list(given[1])[2:]))
        if event in _RUNS:
            self._note("run", event, *given[:2])
        elif event in _NET:
            self._note("net", event, *given[1:2])
        elif event in ("os.putenv", "os.unsetenv"):
            self._note("env", event, given[0])
        elif event == "pickle.find_class":
            self._note("unpickle", *given)
        elif event in ("exec", "compile") and self._is_text(event, given):
            self._note("code", event, _caller())
        elif (
            event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        ) or event in _CHANGES:
            for path in given[:2] if event in _BOTH else given[1:2] if event in _SECOND else given[:1]:
                self._write(event, path)

    def _note(self, *words: Any) -> None:
        said = " ".join(str(word)[:120] for word in words)
        if not any(re.match(own, said) for own in _EVERY_RUN):
            self.acts.append(said)

    def _write(self, event: str, path: Any) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a descriptor of a file that is open
        there = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # as written: links are not followed
        if there != os.devnull and not any(there == place or there.startswith(f"{place}/") for place in self.writable):
            self._note("write", event, there)

    def _is_text(self, event: str, given: tuple[Any, ...]) -> bool:
        """Whether code that stands in no module's file is made or run, by other than those who make their own."""
        code = given[0]
        name = code.co_filename if isinstance(code, CodeType) else given[1] if event == "compile" else ""
        if isinstance(name, str) and name.startswith(_INSTALLED):
            return False
        caller = _caller()
        return not caller.endswith(_MAKERS) if self.light else not caller.startswith(_INSTALLED)


def _is_ours(command: Any) -> bool:
    words = [str(word) for word in command] if isinstance(command, list | tuple) else []
    return words[1:2] == ["-m"] and words[2].partition(".")[0] == "espalier"


def _is_installed(module: Any) -> bool:
    file = getattr(module, "__file__", None)
    return file is None or str(file).startswith(_INSTALLED)


def _caller() -> str:
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return frame.f_code.co_filename
