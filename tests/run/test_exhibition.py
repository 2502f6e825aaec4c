from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from core.disk import full_disk
from espalier.core.exhibits import Texts, read_exhibits
from espalier.run.exhibition import Exhibition, on_device


def trainer(precision: Any = "32-true") -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu", devices=1, precision=precision, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip


class Shows(pl.LightningModule):
    def exhibits(self, split: str) -> list[Any]:
        quick = torch.is_autocast_enabled("cpu")
        return [Texts("drawn", (("", f"{split} {torch.rand(()).item()} {quick}"),))]


@pytest.mark.parametrize(("precision", "quick"), [("32-true", "False"), ("bf16-mixed", "True")])
def test_what_a_task_shows_is_written_and_random_states_stay(tmp_path: Path, precision: str, quick: str) -> None:
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    Exhibition(tmp_path).on_validation_end(trainer(precision), Shows())
    assert torch.equal(before, torch.random.get_rng_state())
    (shown,) = read_exhibits(tmp_path / "exhibits" / "validation-00000000.jsonl")
    assert isinstance(shown, Texts) and shown.items[0][1].startswith("validation 0.")
    assert shown.items[0][1].endswith(quick)  # in the precision in which the task is evaluated


class Layer(nn.Module):
    exhibits = Shows.exhibits


class Task(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.learner = nn.Sequential(nn.Linear(1, 1), Layer())


def test_modules_of_its_learner_are_asked_too(tmp_path: Path) -> None:
    Exhibition(tmp_path).on_validation_end(trainer(), Task())
    assert len(read_exhibits(tmp_path / "exhibits" / "validation-00000000.jsonl")) == 1


def test_a_task_that_shows_nothing_leaves_nothing(tmp_path: Path) -> None:
    Exhibition(tmp_path).on_validation_end(trainer(), pl.LightningModule())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("quantize", [None, "4bit"])
def test_a_task_goes_where_it_was_trained_and_back(quantize: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    task, made = Task(), trainer()
    task.learner.quantize = quantize  # type: ignore[assignment]
    monkeypatch.setattr(type(made.strategy), "root_device", torch.device("meta"))
    with on_device(task, made):
        assert task.device.type == task.learner[0].weight.device.type == "meta"  # type: ignore[union-attr]
        monkeypatch.setattr(
            task, "cpu", lambda: setattr(task, "came_back", True)
        )  # a meta tensor holds nothing to copy
    assert task.came_back is True


def test_a_full_disk_ends_no_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with full_disk(0):
        Exhibition(tmp_path).on_validation_end(trainer(), Shows())
    assert "what validation 0 shows was not written" in capsys.readouterr().err
