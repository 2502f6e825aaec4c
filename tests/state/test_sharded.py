from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from pytorch_lightning.strategies import StrategyRegistry
from torch import nn

from espalier.state.sharded import ShardedStrategy, gathered, like, local, strategy_of, whole


@pytest.mark.parametrize("offload", [False, True])
def test_lightning_knows_them_by_name(offload: bool) -> None:
    made = StrategyRegistry.get(strategy_of(offload=offload))
    assert isinstance(made, ShardedStrategy) and made.offload is offload


def test_what_is_whole_stays_what_it_is() -> None:
    layer = nn.Linear(2, 2)
    before = dict(layer.named_parameters())
    whole(layer)
    assert all(before[name] is parameter for name, parameter in layer.named_parameters())
    assert like(layer.weight, layer.bias) is layer.bias
    assert local([layer.weight])[0] is layer.weight
    tree = {"a": [layer.weight, (1, torch.ones(2))], "b": None}
    assert gathered(tree)["a"][0] is layer.weight and type(gathered(tree)["a"][1]) is tuple


@pytest.mark.slow
def test_two_ranks_train_as_ddp_does_and_resume_exactly(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = Path(__file__).parent
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "NODE_RANK": "0"}
    place["PYTHONPATH"] = str(here.parent)
    command = [sys.executable, str(here / "sharded_ranks.py"), str(tmp_path)]
    ranks = [
        subprocess.Popen(
            command, env={**os.environ, **place, "LOCAL_RANK": str(rank)}, stdout=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    try:
        answers = [json.loads(rank.communicate(timeout=240)[0].splitlines()[-1]) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    want = {
        "as DDP": [True, True],
        "as DDP, clipped": [True, True],
        "as DDP, bf16": [True, True],
        "exact": [],
        "exact, another optimizer": [],
        "moved": [True] * 4,
        "tested": [True] * 3,
        "tested, tied": [True] * 3,
    }
    assert answers == [want] * 2
