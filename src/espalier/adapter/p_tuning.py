"""``adapter=p_tuning``: vectors before each text that a small network makes while training."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge
from peft import PromptEncoderConfig, TaskType
from torch import nn

from espalier.adapter.virtual_tokens import put_before
from espalier.core.facts import DataFacts


def p_tuning(
    backbone: nn.Module, facts: DataFacts, /, *, tokens: Annotated[int, Ge(1)], hidden: Annotated[int, Ge(1)]
) -> nn.Module:
    """P-tuning (Liu et al. 2021, arXiv:2103.10385), by PEFT: input [f(p_1) … f(p_n); e(x)], p and f are trained.

    ``espalier train adapter=p_tuning``. What is saved are the vectors f(p): the network is only there to train well.

    Args:
        tokens: n, vectors before each text.
        hidden: features of the network f, three dense layers.

    Raises:
        ConfigError: the model reads no tokens, or has no positions left for these.
    """
    config = PromptEncoderConfig(
        task_type=TaskType.FEATURE_EXTRACTION, num_virtual_tokens=tokens, encoder_hidden_size=hidden
    )
    return put_before(backbone, config, facts, "p_tuning")
