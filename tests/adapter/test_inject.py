from __future__ import annotations

import pytest
from peft import IA3Config
from torch import nn
from transformers.pytorch_utils import Conv1D

from espalier.adapter.inject import inject, target_modules, transposed
from espalier.core.errors import ConfigError
from task.toy import lstm, mlp


def test_a_models_targets_are_asked() -> None:
    assert target_modules(mlp(), "mlp") == "all-linear"
    with pytest.raises(ConfigError, match=r"Lstm offers no layers to adapt\. Try adapter=full"):
        target_modules(lstm(), "attention")


@pytest.mark.parametrize(("layer", "told"), [(nn.Linear(2, 2), False), (Conv1D(2, 2), True)])
def test_transposed_weights_are_found(layer: nn.Module, told: bool) -> None:
    assert transposed(nn.Sequential(layer)) is told


def test_what_peft_cannot_adapt_is_answered_with_other_targets() -> None:
    with pytest.raises(ConfigError, match=r"PEFT cannot adapt this Mlp: .*adapter\.target=all_linear"):
        inject(mlp(), IA3Config(target_modules=r".*1", feedforward_modules=[]), "mlp")
