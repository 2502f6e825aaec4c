"""Bytes that training will hold and write, told from its parts before the first step."""

from __future__ import annotations

import stat
from collections import defaultdict
from collections.abc import Iterable
from copy import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from espalier.build.restore import BASE
from espalier.core.facts import DataFacts
from espalier.state.frozen import left_out

_KEPT = 4  # checkpoints at most: the last two, the best, and one that is being written
_PLAIN = {"fused": False, "foreach": False, "capturable": False}  # loops that need no device


def parameter_bytes(module: nn.Module, *, trained: bool) -> int:
    """Of all parameters, or of those that learn."""
    return _bytes(parameter for parameter in module.parameters() if parameter.requires_grad or not trained)


def state_bytes(optimizer: Optimizer) -> int | None:
    """Of the optimizer's state once it has stepped: as its own ``state_bytes`` tells, where it has one, or else as a
    step of a copy shows whose tensors have shapes and no content.

    None for an optimizer that cannot step without content.
    """
    if tells := getattr(optimizer, "state_bytes", None):
        return int(tells())
    groups = [
        {**group, "params": [_hollow(parameter) for parameter in group["params"]]} | _known(group)
        for group in optimizer.param_groups
    ]
    trial = copy(optimizer)
    trial.param_groups, trial.state = groups, defaultdict(dict)
    try:
        with torch.no_grad():
            type(optimizer).step(trial)
    except Exception:  # of any kind: it is somebody's arithmetic, on tensors that hold nothing
        return None
    return tensor_bytes(list(trial.state.values()))


def guessed_bytes(optimizer: Optimizer) -> int:
    """Of the state of an optimizer that does not tell: two values a parameter, as Adam has."""
    return 2 * _bytes(parameter for group in optimizer.param_groups for parameter in group["params"])


def held_bytes(optimizer: Optimizer) -> int:
    """Of the state that the optimizer has now: none before the first step, all of it after a resume."""
    return tensor_bytes(list(optimizer.state.values()))


def tensor_bytes(value: Any) -> int:
    """Of the tensors in nested dicts, lists and tuples."""
    return _bytes(_tensors(value))


def checkpoint_bytes(task: nn.Module, state: int) -> int:
    """Of one checkpoint: parameters that it does not leave out, buffers, the optimizer's state."""
    elsewhere = left_out(task)
    kept = (parameter for name, parameter in task.named_parameters() if name not in elsewhere)
    return _bytes([*kept, *task.buffers()]) + state


def written_bytes(directory: Path) -> int:
    """Of a run directory's checkpoints and model, that new ones will take the place of; a file of two names once."""
    files = (file.stat() for part in ("checkpoints", "model") for file in (directory / part).rglob("*"))
    return sum({status.st_ino: status.st_size for status in files if stat.S_ISREG(status.st_mode)}.values())


def disk_bytes(task: nn.Module, facts: DataFacts, checkpoint: int, epochs: float) -> int:
    """Of a run directory at its fullest: checkpoints (the last two and the best are kept), model, predictions."""
    adapted = any(hasattr(module, "peft_config") for module in task.modules())
    begun = getattr(getattr(task, "learner", None), "base", "") == BASE  # an adapter's base lies beside it
    model = parameter_bytes(task, trained=adapted and not begun)
    rows = facts.sizes.get("test", facts.sizes.get("validation", 0))
    classes = max((len(names) for names in facts.labels.values()), default=1)
    saved = min(epochs, _KEPT) if epochs < 3 else _KEPT  # of two epochs the best is one of the last two
    return round(saved * checkpoint) + model + rows * 8 * (3 + classes)


def _hollow(parameter: Tensor) -> nn.Parameter:
    hollow = nn.Parameter(torch.empty_like(parameter, device="meta"))
    hollow.grad = torch.empty_like(hollow)
    return hollow


def _known(group: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in _PLAIN.items() if key in group}


def _tensors(value: Any) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
