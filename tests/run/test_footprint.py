from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.core.facts import DataFacts
from espalier.optimizer.adafactor import adafactor
from espalier.optimizer.adamw_8bit import adamw_8bit
from espalier.optimizer.muon import muon
from espalier.run.footprint import (
    checkpoint_bytes,
    disk_bytes,
    guessed_bytes,
    held_bytes,
    parameter_bytes,
    state_bytes,
    tensor_bytes,
    written_bytes,
)


def layer() -> nn.Linear:
    return nn.Linear(10, 100)  # 1,100 parameters, 4,400 bytes


def of_muon(parameters) -> torch.optim.Optimizer:
    groups = [{"params": [parameter], "matrix": parameter.ndim == 2} for parameter in parameters]
    return muon(groups, **defaults_of("optimizer/muon"))


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.AdamW(p), lambda p: torch.optim.AdamW(p, fused=True, amsgrad=True),
        lambda p: torch.optim.SGD(p, 0.1), lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
        lambda p: torch.optim.RMSprop(p),
        lambda p: adafactor(p, **defaults_of("optimizer/adafactor")), of_muon,
        lambda p: adamw_8bit(p, **defaults_of("optimizer/adamw_8bit")),
    ],
    ids=["adamw", "amsgrad", "sgd", "momentum", "rmsprop", "adafactor", "muon", "adamw_8bit"],
)  # fmt: skip
def test_state_is_foretold(make, request: pytest.FixtureRequest) -> None:
    if request.node.callspec.id == "adamw_8bit":
        pytest.importorskip("bitsandbytes", reason="needs the extra espalier[gpu]")
    module = nn.Linear(10, 1000)  # a matrix of more than 4,096 values
    optimizer = make(module.parameters())
    foretold, before = state_bytes(optimizer), [p.clone() for p in module.parameters()]
    assert held_bytes(optimizer) == 0
    assert all(torch.equal(p, b) for p, b in zip(module.parameters(), before, strict=True))
    module(torch.randn(2, 10)).sum().backward()
    optimizer.step()
    assert foretold == pytest.approx(held_bytes(optimizer), abs=16)  # step counters


def test_an_optimizer_that_needs_content_is_taken_for_adam() -> None:
    optimizer = torch.optim.LBFGS(layer().parameters())
    assert state_bytes(optimizer) is None
    assert guessed_bytes(optimizer) == 2 * 4400


def test_parameters_and_a_checkpoint() -> None:
    module = nn.Sequential(layer(), nn.BatchNorm1d(100))
    module[0].requires_grad_(False)
    assert (parameter_bytes(module, trained=False), parameter_bytes(module, trained=True)) == (5200, 800)
    buffers = 100 * 4 * 2 + 8
    task = nn.ModuleDict({"learner": module})
    assert checkpoint_bytes(task, 50) == 5200 + buffers + 50
    module.origin = "a folder"  # type: ignore[assignment]
    assert checkpoint_bytes(task, 50) == 800 + buffers + 50


@pytest.mark.parametrize(("epochs", "checkpoints"), [(1, 1), (2, 2), (3, 4), (math.inf, 4)])
def test_disk_holds_the_last_two_the_best_and_one_in_the_making(epochs: float, checkpoints: int) -> None:
    facts = DataFacts({}, {"": ("no", "yes")}, {"train": 100, "test": 7})
    assert disk_bytes(layer(), facts, 1000, epochs) == checkpoints * 1000 + 4400 + 7 * 8 * 5


def test_what_a_run_has_written_is_counted_once(tmp_path: Path) -> None:
    assert written_bytes(tmp_path) == 0
    for part in ("checkpoints/step-1", "model", "predictions"):
        (tmp_path / part).mkdir(parents=True)
        (tmp_path / part / "a").write_bytes(b"x" * 100)
    (tmp_path / "checkpoints" / "best-1").mkdir()
    os.link(tmp_path / "checkpoints" / "step-1" / "a", tmp_path / "checkpoints" / "best-1" / "a")
    assert written_bytes(tmp_path) == 200


def test_tensors_are_found_in_anything() -> None:
    assert tensor_bytes({"a": [torch.zeros(2)], "b": (torch.zeros(3, dtype=torch.uint8), 5)}) == 11
