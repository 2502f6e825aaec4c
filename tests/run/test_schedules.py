from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from espalier.run.schedules import Validated
from espalier.scheduler.plateau import Plateau
from state.harness import Net, SaveAt, difference, fit, run_info, traces


class Cut(Net):
    """A rate that every validation without a better score cuts."""

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), 0.5)
        schedule = Plateau(optimizer, -1, warmup=2, factor=0.5, patience=0, min_delta=0.0, min_ratio=0.0)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def validation_step(self, *_: Any) -> None: ...

    def on_validation_epoch_end(self) -> None:
        self.log("score", 1.0)


class Rates(SaveAt):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.rates: list[float] = []

    def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])


@pytest.mark.parametrize(
    ("settings", "rates"),
    [
        ({}, [0.25] + [0.5] * 9 + [0.25] * 5),
        ({"val_check_interval": 2}, [0.25, *[0.5] * 3, 0.25, 0.25, 0.25, 0.125, 0.125, 0.0625]),
    ],
    ids=["after epochs", "within epochs"],
)
def test_the_step_after_a_validation_has_the_new_rate(tmp_path: Path, settings: Any, rates: list[float]) -> None:
    fit(tmp_path, watch := Rates(tmp_path), Validated(run_info(tmp_path, "max")), module=Cut, **settings)
    assert watch.rates[: len(rates)] == rates


@pytest.mark.parametrize("number", [1, 4, 6, 9])
def test_a_resumed_run_cuts_as_the_undisturbed_one(tmp_path: Path, number: int) -> None:
    told = {"module": Cut, "val_check_interval": 2}
    whole = traces(fit(tmp_path / "whole", Validated(run_info(tmp_path)), **told), tmp_path / "whole")
    run, saved = tmp_path / "run", tmp_path / "saved"
    with pytest.raises(SaveAt.Killed):
        fit(run, Validated(run_info(tmp_path)), SaveAt(saved, number), **told)
    resumed = fit(run, Validated(run_info(tmp_path)), resume=saved, seed=3, **told)
    assert difference(whole, traces(resumed, run)) == ""
