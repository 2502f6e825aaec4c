from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from peft import PrefixTuningConfig, PromptLearningConfig, PromptTuningConfig, get_peft_model
from torch import nn
from transformers import BertConfig, BertModel

from espalier.build.placed import placed, require_dividing, require_divisible
from espalier.core.errors import ConfigError
from espalier.core.machine import compiler
from espalier.core.parts import Placement


class Encoder(nn.Module):
    """A small BERT within a backbone, as models here are made."""

    def __init__(self) -> None:
        super().__init__()
        shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
        self.trunk = BertModel(BertConfig(vocab_size=50, **shape), add_pooling_layer=False).train()

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.trunk(input_ids=ids).last_hidden_state[:, 0]


def how(strategy: str = "auto", **values: Any) -> Placement:
    return Placement("cpu", 1, "32-true", strategy, 1, "", **values)


def gradients(learner: nn.Module) -> list[torch.Tensor]:
    torch.manual_seed(0)  # dropout is on
    loss = learner(torch.arange(24).view(4, 6)).square().sum()
    return [loss.detach(), *torch.autograd.grad(loss, list(learner.parameters()), allow_unused=True)]


def equal(some: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    return all(
        (a is None) == (b is None) and (a is None or torch.allclose(a, b, atol=1e-6))
        for a, b in zip(some, others, strict=True)
    )


def test_nothing_asked_nothing_done() -> None:
    learner = nn.Linear(2, 2)
    assert placed(learner, how()) is learner
    assert learner._compiled_call_impl is None


def test_recomputed_activations_give_the_same_gradients() -> None:
    plain = Encoder()
    other = placed(copy.deepcopy(plain), how(gradient_checkpointing=True))
    assert other.trunk.is_gradient_checkpointing
    assert equal(gradients(plain), gradients(other))


def test_another_attention_gives_the_same_features() -> None:
    plain = Encoder().eval()
    other = placed(copy.deepcopy(plain), how(attention="eager"))
    assert (plain.trunk.config._attn_implementation, other.trunk.config._attn_implementation) == ("sdpa", "eager")
    ids = torch.arange(24).view(4, 6)
    assert torch.allclose(plain(ids), other(ids), atol=1e-5)


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [({"gradient_checkpointing": True}, "gradient_checkpointing=false"), ({"attention": "eager"}, "attention=null")],
)
def test_a_model_that_cannot_is_named(asked: dict[str, Any], remedy: str) -> None:
    with pytest.raises(ConfigError, match=f"Linear .*{remedy}"):
        placed(nn.Linear(2, 2), how(**asked))


@pytest.mark.parametrize("kind", [PromptTuningConfig, PrefixTuningConfig])
def test_behind_virtual_tokens_nothing_is_recomputed(kind: type[PromptLearningConfig]) -> None:
    learner = Encoder()
    learner.trunk = get_peft_model(learner.trunk, kind(task_type="FEATURE_EXTRACTION", num_virtual_tokens=2))
    assert placed(learner, how()) is learner
    with pytest.raises(ConfigError, match=r"evaluation mode.*adapter=lora"):
        placed(learner, how(gradient_checkpointing=True))


def test_an_attention_that_is_not_installed_is_answered() -> None:
    with pytest.raises(ConfigError, match=r"BertModel cannot.*sdpa or eager"):
        placed(Encoder(), how(attention="flash_attention_2"))


@pytest.mark.slow
@pytest.mark.skipif(compiler() is None, reason="there is no C++ compiler")
def test_compiled_it_keeps_its_names_and_its_results() -> None:
    plain = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 2))
    names, rows = list(plain.state_dict()), torch.randn(3, 4)
    before = plain(rows)
    made = placed(plain, how(compile=True))
    assert made is plain
    assert list(made.state_dict()) == names
    assert torch.allclose(made(rows), before, atol=1e-6)
    # Tasks that call other methods of a learner than itself find its parts compiled.
    assert all(part._compiled_call_impl is not None for part in (made, *made.children()))


def test_an_optimizer_of_whole_matrices_is_refused_where_each_process_has_a_part() -> None:
    weights = [nn.Parameter(torch.zeros(2, 2))]
    divisible, whole = torch.optim.AdamW(weights), torch.optim.Adafactor(weights)
    require_divisible([{"optimizer": divisible, "lr_scheduler": {"interval": "step"}}], how("sharded"))
    require_divisible({"optimizer": whole}, how("ddp"))
    for made in (whole, {"optimizer": whole}, [divisible, whole], ([{"optimizer": whole}], [])):
        with pytest.raises(ConfigError, match=r"hardware=fsdp_cpu .*Adafactor .*hardware=ddp_cpu"):
            require_divisible(made, how("sharded"))


def test_a_task_that_needs_whole_weights_is_refused_where_each_process_has_a_part() -> None:
    class Whole:
        divides = False

    require_dividing(Whole(), how("ddp"))
    require_dividing(object(), how("sharded"))
    with pytest.raises(ConfigError, match=r"hardware=fsdp_cpu .*Whole needs whole ones. Set hardware=ddp_cpu"):
        require_dividing(Whole(), how("sharded"))


def test_quantised_weights_are_not_sharded() -> None:
    learner = nn.Linear(2, 2)
    learner.quantize = "8bit"  # type: ignore[assignment]
    assert placed(learner, how("ddp")) is learner
    with pytest.raises(ConfigError, match=r"model.quantize=8bit .*fsdp_cpu.*hardware=ddp_cpu"):
        placed(learner, how("sharded"))
