from __future__ import annotations

import inspect

import pytorch_lightning as pl

from conf.defaults import defaults_of
from espalier.trainer.default import default


def test_the_options_values_are_arguments_of_lightnings_trainer() -> None:
    values = defaults_of("trainer/default")
    made = default(**values)
    assert made == values
    assert made.keys() <= inspect.signature(pl.Trainer.__init__).parameters.keys()
    trainer = pl.Trainer(**made, accelerator="cpu", logger=False)
    assert {key: getattr(trainer, key) for key in made} == made


def test_its_keys_are_not_hardwares() -> None:
    hardware = {key for option in ("auto", "cpu", "gpu", "ddp_cpu") for key in defaults_of(f"hardware/{option}")}
    assert not hardware & defaults_of("trainer/default").keys()
