from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl

from espalier.callback.early_stopping import EarlyStopping
from espalier.core.errors import ConfigError
from state.harness import Net, SaveAt, difference, fit, run_info, traces


def scored(*scores: float) -> type[Net]:
    class Scored(Net):
        def validation_step(self, *_: Any) -> None: ...

        def on_validation_epoch_end(self) -> None:
            self.validations += 1
            self.log("score", scores[self.current_epoch])

    return Scored


def stopping(directory: Path, direction: str = "max", patience: int = 2, min_delta: float = 0.0) -> EarlyStopping:
    return EarlyStopping(run_info(directory, direction=direction), patience=patience, min_delta=min_delta)


@pytest.mark.parametrize(
    ("scores", "settings", "epochs"),
    [
        ((0.1, 0.2, 0.3, 0.4, 0.5), {}, 5),
        ((0.3, 0.2, 0.25, 0.4, 0.5), {}, 3),
        ((0.3, 0.2, 0.4, 0.3, 0.3), {}, 5),
        ((0.3, 0.3, 0.3, 0.3, 0.3), {}, 3),
        ((0.3, 0.2, 0.2, 0.3, 0.1), {"direction": "min"}, 4),
        ((0.1, 0.2, 0.3, 0.4, 0.5), {"direction": "min", "patience": 1}, 2),
        ((0.1, 0.15, 0.19, 0.4, 0.5), {"min_delta": 0.1}, 3),
        ((0.25, 0.5, 0.75, 1.0, 1.25), {"min_delta": 0.25}, 5),
        ((float("nan"), float("nan"), 0.3, 0.4, 0.5), {}, 2),
        ((0.2, float("nan"), 0.3, float("nan"), 0.1), {}, 5),
    ],
    ids=str,
)
def test_when_it_stops(tmp_path: Path, scores: tuple[float, ...], settings: Any, epochs: int) -> None:
    callback = stopping(tmp_path, **settings)
    trainer = fit(tmp_path, callback, module=scored(*scores), max_epochs=5)
    assert trainer.current_epoch == epochs
    assert callback.stopped is (epochs < 5 or callback.waited >= callback.patience)


def test_it_says_why_a_run_ended(tmp_path: Path) -> None:
    callback = stopping(tmp_path)
    assert callback.ended == ""
    fit(tmp_path, callback, module=scored(0.3, 0.2, 0.1), max_epochs=3)
    assert callback.ended == "no better score in 2 validations"


def test_a_stopped_run_trains_no_further_when_it_is_resumed(tmp_path: Path) -> None:
    module = scored(0.3, 0.2, 0.1, 0.9, 0.9)
    want = traces(fit(tmp_path / "whole", stopping(tmp_path), module=module, max_epochs=5), tmp_path / "whole")
    with pytest.raises(SaveAt.Killed):
        fit(tmp_path / "run", stopping(tmp_path), SaveAt(tmp_path / "saved", 14), module=module, max_epochs=5)
    again = stopping(tmp_path)
    trainer = fit(tmp_path / "run", again, resume=tmp_path / "saved", seed=4, module=module, max_epochs=5)
    assert again.stopped and trainer.lightning_module.seen == []
    assert difference(want, traces(trainer, tmp_path / "run")) == ""


def test_a_resumed_run_stops_where_it_would_have(tmp_path: Path) -> None:
    module = scored(0.3, 0.2, 0.1, 0.9, 0.9)
    for number in range(14):
        run = tmp_path / str(number)
        with pytest.raises(SaveAt.Killed):
            fit(run, stopping(run), SaveAt(run / "saved", number), module=module, max_epochs=5)
        trainer = fit(run, stopping(run), resume=run / "saved", module=module, max_epochs=5)
        assert trainer.global_step == 15


def test_a_task_that_does_not_log_its_objective_is_told(tmp_path: Path) -> None:
    class Silent(Net):
        def validation_step(self, *_: Any) -> None:
            self.log("other", 1.0)

    with pytest.raises(ConfigError, match=r"didn't log score after a validation\. +It logged: .*other"):
        fit(tmp_path, stopping(tmp_path), module=Silent)


def test_a_validation_outside_of_a_fit_does_not_count(tmp_path: Path) -> None:
    callback = stopping(tmp_path)
    trainer = fit(tmp_path, callback, max_epochs=1)
    before = callback.state_dict()
    pl.Trainer.validate(trainer, trainer.lightning_module, trainer.val_dataloaders, verbose=False)
    assert callback.state_dict() == before
