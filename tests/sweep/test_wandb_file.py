"""A native W&B sweep of the same space: what W&B's own agent makes of it is a run of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from espalier.config.multirun import read_command
from espalier.core.errors import ConfigError
from espalier.sweep.plan import Planner
from espalier.sweep.wandb_file import wandb_sweep

DIGITS = (
    "data=digits", "model=mlp", "adapter=full", "task=classification", "hardware=cpu", "data.limit=64",
    "trainer.max_epochs=1",
)  # fmt: skip


def sweep_of(*words: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(wandb_sweep(Planner(read_command([*DIGITS, *words]))))
    return content


def test_a_grid() -> None:
    told = sweep_of("optimizer.lr=0.001,0.01", "scheduler=linear,cosine", "seed=0,1", "tracking.wandb.project=mine")
    assert told["method"] == "grid"
    assert told["metric"] == {"name": "validation/accuracy", "goal": "maximize"}
    assert told["parameters"] == {
        "optimizer.lr": {"values": [0.001, 0.01]},
        "scheduler": {"values": ["linear", "cosine"]},
        "seed": {"values": [0, 1]},
    }
    assert told["project"] == "mine" and "early_terminate" not in told
    fixed = [*DIGITS, "tracking.wandb.project=mine"]
    assert told["command"] == ["${env}", "espalier", "train", *fixed, "${args_no_hyphens}"]


def test_intervals_have_distributions() -> None:
    told = sweep_of(
        "search=tpe", "pruning=asha", "sweep.objectives=[loss:min]", "optimizer.lr=interval(1e-5,1e-1)",
        "optimizer.weight_decay=interval(0.0,0.1)", "data.batch_size=int(interval(8,64))", "model.dropout=0.0,0.1",
    )  # fmt: skip
    assert told["method"] == "bayes"
    assert told["metric"] == {"name": "validation/loss", "goal": "minimize"}
    assert told["early_terminate"] == {"type": "hyperband", "min_iter": 1, "eta": 3}
    assert told["parameters"] == {
        "optimizer.lr": {"distribution": "log_uniform_values", "min": 1e-5, "max": 0.1},
        "optimizer.weight_decay": {"distribution": "uniform", "min": 0.0, "max": 0.1},
        "data.batch_size": {"distribution": "int_uniform", "min": 8, "max": 64},
        "model.dropout": {"values": [0.0, 0.1]},
    }


def test_whole_numbers_stay_whole_in_the_logarithm() -> None:
    told = sweep_of("search=random", "data.batch_size=int(tag(log,interval(4,512)))")
    values = told["parameters"]["data.batch_size"]["values"]
    assert told["method"] == "random" and values[0] == 4 and values[-1] == 512 and values == sorted(set(values))
    assert all(type(value) is int for value in values)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["optimizer.lr=interval(1e-5,1e-1)"], "is an interval"),
        (["search=tpe", "optimizer.lr=1e-3,1e-2", "seed=0,1"], "are repeats of the best"),
        (["optimizer.lr=1e-3,1e-2", "sweep.objectives=[accuracy,loss:min]"], "are several"),
        (["optimizer=sgd,adamw", "optimizer.momentum=0.0,0.9", "search=random"], "no such keys"),
    ],
)
def test_what_wandb_cannot_say_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        sweep_of(*words)


@pytest.mark.slow
def test_an_agents_command_line_trains(tmp_path: Path) -> None:
    from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

    told = sweep_of("optimizer.lr=0.001,0.01", "data.bucket=true,false")
    chosen = {name: {"value": parameter["values"][0]} for name, parameter in told["parameters"].items()}
    made = create_sweep_command_args({"args": chosen})
    command = []
    for word in create_sweep_command(told["command"]):  # as the agent does
        name = word.removeprefix("${").removesuffix("}")
        command += made.get(name, ["/usr/bin/env"] if name == "env" else [word])
    told_by_agent = {"WANDB_RUN_ID": "ab12cd34", "WANDB_SWEEP_ID": "x1y2z3", "WANDB_PROJECT": "agents"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **told_by_agent, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (outcome,) = tmp_path.glob("outputs/*/*/outcome.json")
    assert json.loads(outcome.read_text())["status"] == "done"
    assert "optimizer.lr=0.001" in json.loads(outcome.read_text())["summary"]["overrides"]
    assert len(list(tmp_path.glob("outputs/*/*/wandb/offline-run-*-ab12cd34/run-ab12cd34.wandb"))) == 1
