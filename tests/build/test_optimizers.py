from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from torch import nn

from espalier.build.optimizers import Optimizers
from espalier.config.compose import compose

OWN = """
import torch


def halved(parameters, /, *, lr):
    return torch.optim.SGD([p for p in parameters if p.ndim], lr=lr / 2)
"""


def optimizers(*words: str) -> Optimizers:
    config = compose(words).config
    return Optimizers(config.optimizer, config.scheduler, 10)


def test_an_optimizer_with_its_schedule() -> None:
    made = optimizers("optimizer.lr=0.5", "scheduler.warmup=2")(nn.Linear(2, 2))
    assert [group["weight_decay"] for group in made["optimizer"].param_groups] == [0.01, 0.0]
    assert [group["lr"] for group in made["optimizer"].param_groups] == [0.25, 0.25]
    assert made["lr_scheduler"]["interval"] == "step"


def test_a_part_has_values_of_its_own() -> None:
    factory = optimizers("optimizer.parts={critic: {lr: 0.5, weight_decay: 0.0}}", "scheduler=constant")
    (critic,) = factory(nn.Linear(2, 2), "critic")["optimizer"].param_groups
    assert (critic["lr"], critic["weight_decay"]) == (0.5, 0.0)
    assert factory(nn.Linear(2, 2), "actor")["optimizer"].param_groups[0]["lr"] == 0.001


def test_an_optimizer_of_ones_own_gets_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_optimizers.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ESPALIER_TRUST", "own_optimizers")
    node: Any = OmegaConf.create({"_target_": "own_optimizers.halved", "lr": 0.5})
    (group,) = Optimizers(node, compose(["scheduler=constant"]).config.scheduler, 10)(nn.Linear(2, 2))[
        "optimizer"
    ].param_groups
    assert (group["lr"], len(group["params"])) == (0.25, 2)
