"""Training metrics in the middle of an epoch: what ``self.log(…, on_epoch=True)`` has summed up so far.

Lightning forgets it with the process: an epoch's mean would be that of the batches after the resume.
"""

from __future__ import annotations

from typing import Any, cast

import pytorch_lightning as pl
import torch
from torchmetrics import Metric

State = dict[str, Any]


def capture(trainer: pl.Trainer) -> State:
    """Sums of logged numbers by key, states of the module's torchmetrics by name, the last value of each metric.

    On the CPU: other ranks are told them, and would wake this one's GPU to take them up.
    """
    found: State = {
        "sums": {key: _sum_of(metric) for key, metric in _results(trainer).items() if _is_sum(metric)},
        "metrics": {name: _state_of(metric) for name, metric in _metrics(trainer)},
        "latest": {name: value.detach() for name, value in trainer.callback_metrics.items()},
    }
    return cast(State, _on(torch.device("cpu"), found))


def restore(trainer: pl.Trainer, state: State) -> None:
    """All but the sums: they are added by ``merge`` when their keys are logged again."""
    for name, metric in _metrics(trainer):
        if saved := state["metrics"].get(name):
            for key, value in saved["states"].items():
                setattr(metric, key, _on(_device(trainer), value))
            metric._update_count, metric._computed = saved["updates"], None
    trainer._logger_connector._callback_metrics.update(_on(_device(trainer), state["latest"]))


def merge(trainer: pl.Trainer, sums: State) -> None:
    """Put sums under what the first batch after the resume has logged; those that were taken are removed from ``sums``.

    Exact: (a + b) + c is computed as c + (a + b).
    """
    results = _results(trainer)
    for key in sums.keys() & results.keys():
        metric, saved = results[key], _on(_device(trainer), sums.pop(key))
        meta = metric.meta
        if meta.is_max_reduction or meta.is_min_reduction:
            metric.value = meta.reduce_fx(metric.value, saved["value"])
        else:
            metric.value = metric.value + saved["value"]
        if meta.is_mean_reduction:
            metric.cumulated_batch_size = metric.cumulated_batch_size + saved["samples"]


def _results(trainer: pl.Trainer) -> dict[str, Any]:
    return trainer.fit_loop.epoch_loop._results


def _is_sum(metric: Any) -> bool:
    return metric.is_tensor and metric.meta.on_epoch and not metric.has_reset


def _sum_of(metric: Any) -> State:
    return {"value": metric.value, "samples": getattr(metric, "cumulated_batch_size", None)}


def _state_of(metric: Metric) -> State:
    return {"states": dict(metric.metric_state), "updates": metric._update_count}


def _metrics(trainer: pl.Trainer) -> list[tuple[str, Metric]]:
    return [(name, module) for name, module in trainer.lightning_module.named_modules() if isinstance(module, Metric)]


def _device(trainer: pl.Trainer) -> torch.device:
    device: torch.device = trainer.strategy.root_device
    return device


def _on(device: torch.device, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _on(device, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_on(device, item) for item in value]
    return value.to(device) if isinstance(value, torch.Tensor) else value
