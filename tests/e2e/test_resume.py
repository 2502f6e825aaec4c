"""``espalier train --resume DIR`` by itself: while the run still trains, by other means, after a second Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from e2e.console import ESPALIER, espalier, outcome_of, run_directories, started
from run.small_runs import films, write_films

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

WORDS = (
    "model=lstm", "adapter=full", "model.embedding=8", "model.hidden=8", "hardware=cpu", "tracking=none",
    "data.batch_size=8", "trainer.max_epochs=2", "task.bootstrap=0", "callback=[checkpoint]",
    "callback.checkpoint.every_n_steps=1",
)  # fmt: skip
SLOW = '''
"""A step that takes long."""
import pathlib
import time

import pytorch_lightning as pl


class Sleeps(pl.Callback):
    def __init__(self, run, /):
        self.marker = pathlib.Path(run.directory) / "sleeps"

    def on_train_batch_start(self, trainer, *_):
        if trainer.global_step == 3 and not self.marker.exists():
            self.marker.touch()
            time.sleep(600)
'''


def test_while_it_trains_after_two_interrupts_and_by_other_threads(
    tmp_path: Path,
) -> None:
    write_films(tmp_path / "films.csv", 96)
    (tmp_path / "slow_parts.py").write_text(SLOW)
    (tmp_path / "conf" / "callback").mkdir(parents=True)
    (tmp_path / "conf" / "callback" / "sleeps.yaml").write_text("sleeps:\n  _target_: slow_parts.Sleeps\n")
    trusted = {"ESPALIER_TRUST": "slow_parts"}
    words = ["--config-dir", "conf", *WORDS[:-2], "callback=[checkpoint,sleeps]", WORDS[-1], *films(Path("films.csv"))]
    process = started(tmp_path, "train", *words, env=trusted | {"OMP_NUM_THREADS": "1"})
    wait_for(process, tmp_path, "sleeps")
    (directory,) = run_directories(tmp_path)
    for command in (
        [ESPALIER, "train", "--resume", directory],
        [sys.executable, "-m", "espalier.run", directory, "--resume"],
    ):
        second = subprocess.run(command, cwd=tmp_path, env={**os.environ, **trusted}, capture_output=True, text=True)
        assert second.returncode == 2 and f"process {process.pid} on" in second.stderr, second.stderr
        assert "Traceback" not in second.stderr
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    assert process.poll() is None, "the first waits for the step to end"
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT  # 130 to a shell
    assert "once more ends at once" in said
    done = espalier(tmp_path, "train", "--resume", "outputs/latest", env=trusted | {"OMP_NUM_THREADS": "2"})
    assert done.returncode == 0, done.stderr
    assert "going on from step 3" in done.stdout
    (line,) = (line for line in done.stderr.splitlines() if "bit for bit" in line)
    assert line.startswith("going on with threads 2 in place of 1: ")
    assert outcome_of(directory)["status"] == "done"


def wait_for(process: subprocess.Popen[str], place: Path, pattern: str) -> None:
    """Until a file is there, of the only run."""
    until = time.monotonic() + 300
    while not list(place.glob(f"outputs/*/*/{pattern}")):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)
