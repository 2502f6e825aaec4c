"""Hardware options as their yaml gives them, in a process that nobody but the test started."""

from __future__ import annotations

from typing import Any

import pytest

from conf.defaults import defaults_of

_LAUNCHERS = ("TORCHELASTIC_RUN_ID", "RANK", "SLURM_STEP_ID", "OMP_NUM_THREADS")


def values(option: str, **others: Any) -> dict[str, Any]:
    return defaults_of("hardware/_common") | defaults_of(f"hardware/{option}") | others


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _LAUNCHERS:
        monkeypatch.delenv(name, raising=False)


def under_srun(monkeypatch: pytest.MonkeyPatch, size: int, nodes: int = 1) -> None:
    alone(monkeypatch)
    told = {"SLURM_STEP_ID": 0, "SLURM_PROCID": 0, "SLURM_STEP_NUM_TASKS": size, "SLURM_STEP_NUM_NODES": nodes}
    for name, value in told.items():
        monkeypatch.setenv(name, str(value))


def under_torchrun(monkeypatch: pytest.MonkeyPatch, size: int, per_node: int | None = None) -> None:
    alone(monkeypatch)
    told = {"TORCHELASTIC_RUN_ID": "x", "RANK": 0, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": per_node or size}
    for name, value in told.items():
        monkeypatch.setenv(name, str(value))
