from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from peft import IA3Config, LoraConfig
from torch import nn
from transformers import AutoModelForSeq2SeqLM
from transformers.pytorch_utils import Conv1D

from espalier.adapter.inject import inject, target_modules, transposed
from espalier.core.errors import ConfigError
from model import checkpoints
from model.test_gpt import make as gpt
from task.toy import lstm, minilm, mlp


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


def test_a_list_names_modules_by_their_end_or_in_the_models_own_words() -> None:
    encoder = minilm()
    found = target_modules(encoder, ["query", "encoder.layer.0.output.dense"]).split("|")
    assert len(found) == 7 and all(
        re.fullmatch(r"encoder\\.layer\\.\d\\.(attention.*query|output\\.dense)", n) for n in found
    )
    both = target_modules(encoder, ["mlp", "query"]).split("|")
    assert len(both) == 2 * 6 + 6
    assert target_modules(mlp(), ["all_linear"]) == target_modules(mlp(), ["0", "2"]) == "0|2"
    assert target_modules(lstm(), ["embedding"]) == "embedding"


def test_names_that_the_model_has_not_are_answered_with_those_it_has() -> None:
    with pytest.raises(ConfigError, match=r"adapter\.target=\[querry\]  names no layer 'querry'.*query, key, value"):
        target_modules(minilm(), ["querry"])
    with pytest.raises(ConfigError, match="names there are: embedding, lstm"):
        target_modules(lstm(), ["linear"])


def test_a_recurrent_layer_is_nothing_that_peft_adapts() -> None:
    with pytest.raises(ConfigError, match=r"adapter\.target=\[lstm\]  PEFT cannot adapt this Lstm"):
        inject(lstm(), LoraConfig(target_modules=target_modules(lstm(), ["lstm"])), ["lstm"])


def test_a_matrix_that_reads_and_tells_tokens_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"adapter\.target=\[wte\]  names wte, by whose weights Gpt tells tokens too"):
        target_modules(gpt(tied=True)[0], ["wte"])
    assert target_modules(gpt(tied=False)[0], ["wte"]) == "wte"
    trunk = AutoModelForSeq2SeqLM.from_pretrained(checkpoints.write(tmp_path, "t5"))
    whole = SimpleNamespace(trunk=trunk, targets={"all_linear": "all-linear"}, named_parameters=trunk.named_parameters)
    assert "lm_head" not in target_modules(cast(Any, whole), ["all_linear"]).split("|")
