"""One forward and backward pass that leaves no trace: how much memory and time a step takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.signature_utils import is_param_in_hook_signature
from torch import Tensor, nn

from espalier.run.footprint import parameter_bytes, tensor_bytes
from espalier.state import rng

_QUICK = 0.25  # seconds: a pass so short is repeated, since the first one also warms up


@dataclass(frozen=True)
class Probed:
    """What a pass over the largest batch took.

    Attributes:
        before_bytes: resident (or, on a GPU, allocated) before it.
        peak_bytes: the same at its peak: weights, gradients, activations.
        widest_bytes: the largest output of a layer; 0 where the model is compiled and does not tell.
        cells: values in the batch.
        seconds: of a batch of average size.
        cost_seconds: of the whole probe.
    """

    before_bytes: int
    peak_bytes: int
    widest_bytes: int
    cells: int
    seconds: float
    cost_seconds: float


def probe(trainer: pl.Trainer, *, compiled: bool) -> Probed | None:
    """Try the largest batch of the epoch; None where it cannot be tried without taking part in training.

    Parameters, gradients, buffers, random states, the optimizer and the order of the data are afterwards what they
    were. Gradients are computed beside ``.grad``, so that DDP has nothing to average: each rank tries for itself.
    """
    task: Any = trainer.lightning_module
    if not _can_be_tried(trainer) or not _is_whole(trainer):
        return None
    began = perf_counter()
    batch, share = _largest(trainer)
    with _traceless(task):
        meter = _Meter(task.device)
        with _widest(None if compiled else task) as widest:
            seconds = _pass(trainer, task, batch, meter)
        peak = meter.peak(parameter_bytes(task, trained=True))
        if compiled or seconds < _QUICK:
            seconds = _pass(trainer, task, batch, meter)
    return Probed(meter.before, peak, max(widest), cells_of(batch), seconds * share, perf_counter() - began)


def unused(trainer: pl.Trainer) -> list[str]:
    """Names of the parameters that learn and get no gradient from a batch, tried as ``probe`` does.

    No names where it cannot be tried; what another batch would not use is not seen.
    """
    if not _can_be_tried(trainer):
        return []
    task: Any = trainer.lightning_module
    learning = {name: parameter for name, parameter in task.named_parameters() if parameter.requires_grad}
    batch, _ = _largest(trainer)
    with _traceless(task):
        loss = _loss(trainer, task, batch)
        if not isinstance(loss, Tensor):
            return []
        gradients = torch.autograd.grad(loss, list(learning.values()), allow_unused=True)
    return [name for name, gradient in zip(learning, gradients, strict=True) if gradient is None]


def cells_of(batch: Mapping[str, Any]) -> int:
    """Values in a batch's tensors."""
    return sum(value.numel() for value in batch.values() if isinstance(value, Tensor))


def _can_be_tried(trainer: pl.Trainer) -> bool:
    return trainer.lightning_module.automatic_optimization and hasattr(trainer.train_dataloader, "largest")


def _largest(trainer: pl.Trainer) -> tuple[Any, float]:
    loader: Any = trainer.train_dataloader
    batch, share = loader.largest()
    return trainer.strategy.batch_to_device(trainer.precision_plugin.convert_input(batch)), share


def _is_whole(trainer: pl.Trainer) -> bool:
    """Whether each rank has all parameters."""
    return type(trainer.strategy).__name__ in ("SingleDeviceStrategy", "DDPStrategy")


def _pass(trainer: pl.Trainer, task: Any, batch: Mapping[str, Any], meter: _Meter) -> float:
    learning = [parameter for parameter in task.parameters() if parameter.requires_grad]
    began = meter.now()
    loss = _loss(trainer, task, batch)
    meter.look()
    if isinstance(loss, Tensor):
        torch.autograd.grad(loss, learning, allow_unused=True)
    return meter.now() - began


def _loss(trainer: pl.Trainer, task: Any, batch: Mapping[str, Any]) -> Any:
    with trainer.precision_plugin.train_step_context():
        loss = task.training_step(batch, *([0] if is_param_in_hook_signature(task.training_step, "batch_idx") else []))
    return loss["loss"] if isinstance(loss, dict) else loss


@contextmanager
def _traceless(task: pl.LightningModule) -> Iterator[None]:
    """Random states and buffers come back; nothing is logged."""
    state, buffers = rng.capture(), [(buffer, buffer.clone()) for buffer in task.buffers()]
    silent: dict[str, Any] = {"log": _nothing, "log_dict": _nothing}
    task.__dict__.update(silent)
    try:
        yield
    finally:
        for name in silent:
            del task.__dict__[name]
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        rng.restore(state)


@contextmanager
def _widest(module: nn.Module | None) -> Iterator[list[int]]:
    """Bytes of the outputs of layers, as they compute."""
    sizes = [0]

    def look(_: nn.Module, __: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            sizes.append(tensor_bytes(output))

    layers = [layer for layer in module.modules() if not list(layer.children())] if module else []
    hooks = [layer.register_forward_hook(look) for layer in layers]
    try:
        yield sizes
    finally:
        for hook in hooks:
            hook.remove()


def _nothing(*_: Any, **__: Any) -> None:
    """In place of ``log``."""


class _Meter:
    """Clock and memory of a device."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._highest, self._forward = device, resident("VmHWM"), 0
        self.before = torch.cuda.memory_allocated(device) if device.type == "cuda" else resident("VmRSS")

    def now(self) -> float:
        """Seconds, when everything launched is done."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return perf_counter()

    def look(self) -> None:
        """After the forward pass: activations are alive."""
        self._forward = resident("VmRSS")

    def peak(self, gradients: int) -> int:
        """Bytes. The kernel tells a process' highest peak alone; below an earlier one, the parts are added up."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        highest = resident("VmHWM")
        return highest if highest > self._highest else self._forward + gradients


def resident(field: str) -> int:
    """Bytes of this process in main memory: ``VmRSS`` now, ``VmHWM`` at the peak. 0 where Linux' /proc is not there."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), 0)
