"""``espalier`` with any words: an answer and exit code 0 or 2, never a traceback; what would train is handed over."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from espalier.cli import multirun
from espalier.cli.dispatch import main
from espalier.cli.help import COMMANDS
from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.core.facts import DataFacts
from espalier.core.rundir import create, write_facts
from espalier.sweep import conduct
from fuzz.effort import ANY, GRAMMAR, effort
from fuzz.experiments import BASE, mistyped, words

OUTSIDE = re.compile(r"(^|[=:,\[ '\"])\s*[/~]|\.\.")  # nothing is written beyond the working folder
FLAGS = st.sampled_from(
    [
        "--help",
        "-h",
        "help",
        "-m",
        "--multirun",
        "--cfg",
        "job",
        "hydra",
        "all",
        "-c",
        "--resolve",
        "--package",
        "--info",
        "-i",
        "defaults",
        "searchpath",
        "--config-dir",
        "-cd",
        "--resume",
        "--rerun",
        "--json",
        "--where",
        "--sort",
        "--limit",
        "--output",
        "--html",
        "--against",
        "--remove",
        "--trials",
        "--rows",
        "--quick",
        "--strict",
        "--",
        "-",
        "-x",
        "--no-such",
        "--version",
        "-V",
        "outputs",
        "outputs/latest",
        "outputs/mine/run",
        "run.csv",
        "plan",
        "status",
        "best",
        "resume",
        "retry",
        "--failed",
        "stop",
        "report",
        "wandb",
        "optuna",
        "show",
        "check",
        "bash",
        "zsh",
        "fish",
        "0",
        "-1",
        "1e9",
        "data.path",
        "optimizer.lr",
        "own",
    ]
)
KEYS = (
    "run input output format column scores on_empty encoding split slice hardware data data.path column.text index rows"
)
VALUES = ["", *["outputs/mine/run", "run.csv", "new.csv", "out.csv", "-", "csv", "true", "error", "utf-8", "folder"]]
SETTINGS = st.builds("{}={}".format, st.sampled_from(KEYS.split()), st.sampled_from(VALUES) | ANY | GRAMMAR)
COMMAND = st.sampled_from([*COMMANDS, *COMMANDS, "complete"])
LINES = st.builds(
    lambda command, rest: [*command, *rest],
    st.lists(COMMAND | mistyped(COMMAND) | FLAGS | ANY, max_size=1) | COMMAND.map(lambda name: [name]),
    st.lists(FLAGS | mistyped(FLAGS) | SETTINGS | words() | ANY | COMMAND, max_size=6),
).filter(lambda line: not any(OUTSIDE.search(word) for word in line))


class Handed(BaseException):
    """Everything was right: another process would take over."""


def hand_over(*_: Any, **__: Any) -> Any:
    raise Handed


@pytest.fixture(autouse=True, scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A working folder with a table and a run that is done; processes of ours are not started."""
    place = tmp_path_factory.mktemp("argv")
    popen = subprocess.Popen

    def start(command: Any, *given: Any, **more: Any) -> Any:
        if any(str(word).startswith("espalier.") for word in ([command] if isinstance(command, str) else command)):
            raise Handed
        return popen(command, *given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("ESPALIER_HOME", str(place / "home"))
        patch.setattr(os, "execve", hand_over)
        patch.setattr(subprocess, "Popen", start)
        patch.setattr(multirun, "conduct", hand_over)
        patch.setattr(conduct, "conduct", hand_over)
        Path("run.csv").write_text("text,label\n" + "a,x\nb,y\n" * 20)
        Path("new.csv").write_text("review,n\na,1\n")
        Path("folder").mkdir()
        directory = create(Path("outputs"), "mine")
        write(compose(BASE), directory)
        write_facts(directory, DataFacts({"text": "text", "label": "label"}, {"": ("a", "b")}, {"train": 2}))
        record = {
            "status": "done",
            "name": "mine",
            "seed": 0,
            "started": "2026-11-30T14:02:11+00:00",
            "pid": 1,
            "host": "x",
        }
        (directory / "outcome.json").write_text(json.dumps(record))
        directory.rename(directory.parent / "run")
        yield


def run(line: list[str]) -> tuple[int | None, str, str]:
    """Exit code (None: handed over), and what stands on both streams, which take what a terminal's do."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main(line)
    except Handed:
        code = None
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    for stream in (out, err):
        stream.flush()
    return code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode()  # type: ignore[attr-defined]


@effort(60, 5_000)
@given(LINES)
@example(["train", *BASE, "data.path=run.csv", "name=\udcff"])
@example(["train", "--cfg", "job", "name=\udcff"])
@example(["predict", "run=outputs/mine/run", "input=run.csv", "output=out.csv", "column=\udcff"])
@example(["explain", "name", "name=\udcff"])
@example(["train", "-m", *BASE, "data.path=run.csv", "name=\udcff", "seed=0,1"])
def test_any_line_is_answered(line: list[str]) -> None:
    code, out, err = run(line)
    assert code in (None, 0, 2) or (code == 1 and line[0] in ("sweep", "doctor", "compare", "data"))
    assert "Traceback" not in out + err
    assert (code == 2) == ("to mend before this can run" in err)


@effort(40, 3_000)
@given(st.lists(SETTINGS, max_size=5), st.booleans())
def test_any_words_to_predict_are_answered(settings: list[str], rightly: bool) -> None:
    begun = ["run=outputs/mine/run", "input=run.csv", "output=out.csv"] if rightly else []
    line = ["predict", *begun, *(word for word in settings if not OUTSIDE.search(word))]
    code, out, err = run(line)
    assert code in (None, 0, 2) and "Traceback" not in out + err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("before", [["seed=1"], ["--no-such"], ["-x", "é"], ["outputs/latest", "--json"]], ids=str)
def test_help_in_the_middle_is_help_or_a_mistake(command: str, before: list[str]) -> None:
    code, out, err = run([command, *before, "--help", "more"])
    assert (code == 0 and out.startswith("espalier")) or (code == 2 and "to mend" in err)


@pytest.mark.e2e
@pytest.mark.parametrize("word", [b"name=\xff", b"data.path=\xc3", b"\xff"])
def test_bytes_that_are_no_utf8_are_answered(word: bytes, tmp_path: Path) -> None:
    """As a shell hands them over, to the console script."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("espalier")), "train", "--cfg", "job", word],
        capture_output=True,
        cwd=tmp_path,
    )
    assert done.returncode == 2 and b"no UTF-8" in done.stderr and b"Traceback" not in done.stderr
