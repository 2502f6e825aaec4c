from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.core.errors import RunFailedError
from espalier.core.outcome import Outcome
from espalier.core.rundir import create
from espalier.run import estimate as room
from espalier.run.fit import run
from espalier.run.probe import Probed
from espalier.run.stop import Stop

SMALL = (
    "model=lstm",
    "adapter=full",
    "hardware=cpu",
    "tracking=none",
    "data.limit=64",
    "trainer.max_epochs=1",
    "task.bootstrap=5",
)


def train(folder: Path, *words: str) -> Outcome:
    experiment = compose([*SMALL, *words])
    directory = create(folder, "estimated")
    write(experiment, directory)
    with Stop(directory) as stop:
        return run(experiment, directory, stop, resume=False)


@pytest.mark.slow
def test_it_is_said_before_training_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = train(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    (said,) = (number for number, line in enumerate(lines) if line.startswith("estimate  "))
    assert said < next(number for number, line in enumerate(lines) if line.startswith("epoch"))
    kept = outcome.summary["estimate"]
    assert kept["state_bytes"] == pytest.approx(8 * outcome.cost.trained_parameters, rel=0.01)
    assert kept["checkpoint_bytes"] == pytest.approx(12 * outcome.cost.trained_parameters, rel=0.01)
    assert kept["memory_bytes"] == pytest.approx(outcome.cost.peak_memory_bytes, rel=0.15)


@pytest.mark.slow
def test_a_run_that_is_given_less_time_is_said_to_take_that(tmp_path: Path) -> None:
    outcome = train(tmp_path, "trainer.max_epochs=100000", "trainer.max_time=0.01")
    assert outcome.summary["estimate"]["seconds"] == pytest.approx(0.6)


@pytest.mark.slow
def test_a_disk_without_room_ends_it_before_the_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    outcome = train(tmp_path)
    assert (outcome.status, outcome.steps) == ("failed", 0)
    assert RunFailedError.__name__ in outcome.error
    assert "output=/OTHER/outputs" in outcome.error


def test_the_memory_of_a_cpu_is_the_machines() -> None:
    found: Any = room._memory_of(torch.device("cpu"))
    assert found > 1e8


@pytest.mark.parametrize(("device", "buffers"), [("cuda", 0), ("cpu", 1100 * 4)])
def test_ddps_buffers_are_in_what_a_gpu_has_allocated_before(
    device: str, buffers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "resident", lambda _: 0)
    monkeypatch.setattr(room, "_HOLES", 1)
    batches = SimpleNamespace(val_dataloader=list)
    estimator = room.Estimator(SimpleNamespace(batches=batches), Path(), lambda _: None)  # type: ignore[arg-type]
    task: Any = torch.nn.Linear(10, 100)
    task.device = torch.device(device)
    trainer: Any = SimpleNamespace(lightning_module=task, world_size=2)
    assert estimator._peak(trainer, Probed(1000, 3000, 0, 1, 1.0, 1.0), 0) == 3000 + buffers


def test_a_guess_refuses_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RunFailedError, match="no room"):
        room._refuse("no room", certain=True)
    room._refuse("no room", certain=False)
    assert capsys.readouterr().err == "warning   no room\n"
