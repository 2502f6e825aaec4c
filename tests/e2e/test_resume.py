"""``espalier train --resume DIR`` by itself: from elsewhere, by other means, after a second Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from e2e.console import espalier, outcome_of, run_directories, started
from espalier.state import folder
from espalier.state.store import Store
from run.small_runs import films, write_films
from state.harness import difference

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

WORDS = (
    "model=lstm", "adapter=full", "model.embedding=8", "model.hidden=8", "hardware=cpu", "tracking=none",
    "data.batch_size=8", "trainer.max_epochs=12", "task.bootstrap=0", "callback=[checkpoint]",
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


def test_a_second_interrupt_ends_at_once_and_other_threads_are_told(tmp_path: Path) -> None:
    write_films(tmp_path / "films.csv", 96)
    (tmp_path / "slow_parts.py").write_text(SLOW)
    (tmp_path / "conf" / "callback").mkdir(parents=True)
    (tmp_path / "conf" / "callback" / "sleeps.yaml").write_text("sleeps:\n  _target_: slow_parts.Sleeps\n")
    trusted = {"ESPALIER_TRUST": "slow_parts"}
    words = ["--config-dir", "conf", *WORDS[:-2], "callback=[checkpoint,sleeps]", WORDS[-1], *films(Path("films.csv"))]
    process = started(tmp_path, "train", *words, env=one_thread() | trusted)
    wait_for(process, tmp_path, "sleeps")
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
    (directory,) = run_directories(tmp_path)
    assert outcome_of(directory)["status"] == "done"


def one_thread() -> dict[str, str]:
    return {"OMP_NUM_THREADS": "1"}


def wait_for(process: subprocess.Popen[str], place: Path, pattern: str) -> None:
    """Until a file is there, of the only run."""
    until = time.monotonic() + 300
    while not list(place.glob(f"outputs/*/*/{pattern}")):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)


def same(one: Path, other: Path) -> str:
    """Where two finished runs differ; "" where they don't."""
    whole, rest = (folder.read(newest.path) for d in (one, other) if (newest := Store(d / "checkpoints").newest()))
    for name in ("metrics.jsonl", "model/head.safetensors"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    assert outcome_of(one)["metrics"] == outcome_of(other)["metrics"]
    return difference(whole, rest)
