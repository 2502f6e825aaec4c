from __future__ import annotations

import inspect
from datetime import timedelta
from typing import Any

import pytest
import pytorch_lightning as pl

from conf.defaults import defaults_of
from espalier.core.errors import ConfigError
from espalier.trainer.default import default


def test_the_options_values_are_arguments_of_lightnings_trainer() -> None:
    values = defaults_of("trainer/default")
    made = default(**values)
    assert made == values
    assert made.keys() <= inspect.signature(pl.Trainer.__init__).parameters.keys()
    trainer = pl.Trainer(**made, accelerator="cpu", logger=False)
    kept = made.keys() - {"max_time"}
    assert {key: getattr(trainer, key) for key in kept} == {key: made[key] for key in kept}


def test_its_keys_are_not_hardwares() -> None:
    hardware = {key for option in ("auto", "cpu", "gpu", "ddp_cpu") for key in defaults_of(f"hardware/{option}")}
    assert not hardware & defaults_of("trainer/default").keys()


@pytest.mark.parametrize(
    ("given", "time"),
    [(None, None), (1.5, timedelta(seconds=90)), (30, timedelta(minutes=30)),
     ("00:01:30:00", timedelta(minutes=90)), ("02:00:00:05", timedelta(days=2, seconds=5))],
    ids=str,
)  # fmt: skip
def test_a_time_is_minutes_or_written_out(given: Any, time: timedelta | None) -> None:
    assert default(**defaults_of("trainer/default", max_time=given))["max_time"] == time


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"max_time": "1:30"}, r"is no time.*trainer\.max_time=90"),
        ({"max_time": "00:00:00:00"}, "is no time"),
        ({"val_check_interval": 5, "check_val_every_n_epoch": 2}, r"beside trainer\.val_check_interval=5"),
    ],
    ids=["hours and minutes", "none at all", "steps and epochs"],
)
def test_what_cannot_be_is_answered(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        default(**defaults_of("trainer/default", **changed))
