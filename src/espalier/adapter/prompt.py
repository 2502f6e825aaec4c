"""``adapter=prompt``: trained vectors in place of words before each text."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge
from peft import PromptTuningConfig, TaskType
from torch import nn

from espalier.adapter.virtual_tokens import put_before
from espalier.core.facts import DataFacts


def prompt(backbone: nn.Module, facts: DataFacts, /, *, tokens: Annotated[int, Ge(1)]) -> nn.Module:
    """Prompt tuning (Lester et al. 2021, arXiv:2104.08691), by PEFT: input [p_1 … p_n; e(x)], only p is trained.

    ``espalier train adapter=prompt optimizer.lr=1e-2``; rates a hundred times those of full training are usual.

    Args:
        tokens: n, vectors before each text.

    Raises:
        ConfigError: the model reads no tokens, or has no positions left for these.
    """
    config = PromptTuningConfig(task_type=TaskType.FEATURE_EXTRACTION, num_virtual_tokens=tokens)
    return put_before(backbone, config, facts, "prompt")
