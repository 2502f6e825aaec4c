from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from espalier.core.exhibits import Texts, read_exhibits
from espalier.run.exhibition import Exhibition


class Trainer:
    is_global_zero, global_step = True, 7


class Shows:
    def exhibits(self, split: str) -> list[Any]:
        return [Texts("drawn", (("", f"{split} {torch.rand(()).item()}"),))]


def test_what_a_task_shows_is_written_and_random_states_stay(tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    Exhibition(tmp_path).on_validation_end(Trainer(), Shows())  # type: ignore[arg-type]
    assert torch.equal(before, torch.random.get_rng_state())
    (shown,) = read_exhibits(tmp_path / "exhibits" / "validation-00000007.jsonl")
    assert isinstance(shown, Texts) and shown.items[0][1].startswith("validation 0.")


class Layer(nn.Module):
    exhibits = Shows.exhibits


class Task:
    def __init__(self) -> None:
        self.learner = nn.Sequential(nn.Linear(1, 1), Layer())


def test_modules_of_its_learner_are_asked_too(tmp_path: Path) -> None:
    Exhibition(tmp_path).on_validation_end(Trainer(), Task())  # type: ignore[arg-type]
    assert len(read_exhibits(tmp_path / "exhibits" / "validation-00000007.jsonl")) == 1


def test_a_task_that_shows_nothing_leaves_nothing(tmp_path: Path) -> None:
    Exhibition(tmp_path).on_validation_end(Trainer(), object())  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
