from __future__ import annotations

import pytest
import yaml

from conf.defaults import CONF
from espalier.config.signature import signature_of
from espalier.optimizer.common import Common

OPTIMIZERS = sorted(file.stem for file in (CONF / "optimizer").glob("[!_]*.yaml"))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_has_the_common_settings_besides_a_rate_and_a_decay(name: str) -> None:
    target = yaml.safe_load((CONF / f"optimizer/{name}.yaml").read_text())["_target_"]
    assert {*Common.__annotations__, "lr", "weight_decay"} <= signature_of(target).parameters.keys()


def test_their_defaults_are_those_of_the_common_file() -> None:
    assert yaml.safe_load((CONF / "optimizer/_common.yaml").read_text()).keys() == Common.__annotations__.keys()
