from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch

from espalier.callback.ema import Ema
from espalier.state import folder
from state.harness import Net, SaveAt, difference, fit, run_info, traces


class Watched(Net):
    """Remembers its weights after each optimizer step, and those that it was validated with."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = torch.nn.Parameter(torch.ones(2), requires_grad=False)
        self.trained: list[torch.Tensor] = []
        self.validated: list[torch.Tensor] = []

    def on_train_batch_start(self, *_: Any) -> None:
        self.trained.append(self.net[0].weight.detach().clone())

    def on_validation_epoch_end(self) -> None:
        super().on_validation_epoch_end()
        self.validated.append(self.net[0].weight.detach().clone())


def ema(folder: Path, decay: float = 0.9) -> Ema:
    return Ema(run_info(folder), decay=decay)


def test_what_is_validated_and_left_is_the_average_and_training_goes_on_with_the_weights(tmp_path: Path) -> None:
    plain: Any = fit(tmp_path / "plain", module=Watched, max_epochs=2).lightning_module
    averaged: Any = fit(tmp_path / "averaged", ema(tmp_path), module=Watched, max_epochs=2).lightning_module
    assert difference(plain.trained, averaged.trained) == ""
    weights = [*plain.trained[1:], plain.net[0].weight.detach()]
    average = plain.trained[0]
    for step, weight in enumerate(weights, 1):
        average = torch.lerp(average, weight, 1 - min(0.9, (1 + step) / (10 + step)))
        if step == 5:
            torch.testing.assert_close(averaged.validated[0], average)
    torch.testing.assert_close(averaged.net[0].weight.detach(), average)
    assert not torch.equal(averaged.net[0].weight, plain.net[0].weight)


def test_a_checkpoint_has_the_average_where_weights_are_looked_for(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    watched: Any = Watched
    with pytest.raises(SaveAt.Killed):
        fit(tmp_path / "run", ema(tmp_path), SaveAt(saved, 3), module=watched)
    content = folder.read(saved)
    (state,) = (state for key, state in content["callbacks"].items() if "Ema" in key)
    assert state["steps"] == 4
    assert not torch.equal(content["state_dict"]["net.0.weight"], state["weights"]["net.0.weight"])
    assert "frozen" not in state["weights"]


@pytest.mark.parametrize("precision", ["32-true", "bf16-true"])
@pytest.mark.parametrize("number", [1, 4, 7])
def test_a_resumed_run_ends_with_the_same_average(tmp_path: Path, number: int, precision: str) -> None:
    whole = traces(fit(tmp_path / "whole", ema(tmp_path), precision=precision), tmp_path / "whole")
    run, saved = tmp_path / "run", tmp_path / "saved"
    with pytest.raises(SaveAt.Killed):
        fit(run, ema(tmp_path), SaveAt(saved, number), precision=precision)
    resumed = fit(run, ema(tmp_path), resume=saved, seed=5, precision=precision)
    assert difference(whole, traces(resumed, run)) == ""


def test_micro_batches_are_no_steps(tmp_path: Path) -> None:
    callback = ema(tmp_path)
    fit(tmp_path, callback, accumulate_grad_batches=2, max_epochs=1)
    assert callback.state_dict()["steps"] == 3


def test_the_average_of_weights_in_16_bits_is_taken_in_32(tmp_path: Path) -> None:
    callback = ema(tmp_path)
    settings: dict[str, Any] = {"module": Watched, "max_epochs": 1, "precision": "bf16-true"}
    plain: Any = fit(tmp_path / "plain", **settings).lightning_module
    averaged: Any = fit(tmp_path / "averaged", callback, **settings).lightning_module
    average = plain.trained[0].float()
    for step, weight in enumerate([*plain.trained[1:], plain.net[0].weight.detach()], 1):
        average = torch.lerp(average, weight.float(), 1 - min(0.9, (1 + step) / (10 + step)))
    torch.testing.assert_close(callback.state_dict()["average"]["net.0.weight"], average)
    assert torch.equal(averaged.net[0].weight, average.bfloat16())


class Pruned(Net):
    """Its first layer has no third input from the second step on."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("pruned", torch.tensor(False))
        self.validated: list[float] = []

    def settle(self) -> None:
        if self.pruned:
            with torch.no_grad():
                self.net[0].weight[:, 2] = 0.0

    def on_train_batch_end(self, *_: Any) -> None:
        self.pruned.fill_(True)
        self.settle()

    def on_validation_epoch_end(self) -> None:
        super().on_validation_epoch_end()
        self.validated.append(float(self.net[0].weight[:, 2].detach().abs().sum()))


def test_what_a_part_takes_away_the_average_has_not(tmp_path: Path) -> None:
    trainer = fit(tmp_path / "whole", ema(tmp_path), module=Pruned)
    whole, left = traces(trainer, tmp_path / "whole"), cast("Any", trainer.lightning_module)
    assert left.validated == [0.0, 0.0, 0.0] and not left.net[0].weight[:, 2].any() and left.net[0].weight.any()
    run, saved = tmp_path / "run", tmp_path / "saved"
    with pytest.raises(SaveAt.Killed):
        fit(run, ema(tmp_path), SaveAt(saved, 4), module=Pruned)
    resumed = fit(run, ema(tmp_path), resume=saved, seed=5, module=Pruned)
    assert difference(whole, traces(resumed, run)) == ""


class Tied(Net):
    """Its embedding has a second name, that of the layer which tells by it."""

    def __init__(self) -> None:
        super().__init__()
        self.told = torch.nn.Linear(3, 8)
        self.told.weight = self.net[0].weight


def test_a_tied_weight_is_averaged_under_each_of_its_names(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    with pytest.raises(SaveAt.Killed):
        fit(tmp_path / "run", ema(tmp_path), SaveAt(saved, 3), module=Tied)
    content = folder.read(saved)
    (state,) = (state for key, state in content["callbacks"].items() if "Ema" in key)
    one, other = (content["state_dict"][name] for name in ("net.0.weight", "told.weight"))
    assert torch.equal(one, other) and not torch.equal(one, state["weights"]["net.0.weight"])
