from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from espalier.callback.gradient_norm import GradientNorm
from espalier.core.metrics_file import read_metrics
from state.harness import Net, fit, run_info


class Steep(Net):
    """Gradients of norm 5."""

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        loss: torch.Tensor = 3 * self.net[3].bias.sum() + 4 * self.net[0].bias[0]
        return loss


@pytest.mark.parametrize("clip", [None, 1.0])
def test_the_norm_of_a_step_before_it_is_clipped(tmp_path: Path, clip: Any) -> None:
    fit(tmp_path, GradientNorm(run_info(tmp_path), every_n_steps=2), module=Steep, gradient_clip_val=clip, max_epochs=1)
    found = [line for line in read_metrics(tmp_path / "metrics.jsonl") if "gradient_norm" in line]
    assert [(line["step"], line["gradient_norm"]) for line in found] == [(1, 5.0), (2, 5.0), (4, 5.0)]


def test_it_is_that_of_all_micro_batches(tmp_path: Path) -> None:
    callback = GradientNorm(run_info(tmp_path), every_n_steps=1)
    fit(tmp_path, callback, module=Steep, accumulate_grad_batches=5, max_epochs=1)
    found = [line for line in read_metrics(tmp_path / "metrics.jsonl") if "gradient_norm" in line]
    assert [(line["step"], line["gradient_norm"]) for line in found] == [(1, pytest.approx(5.0))]
