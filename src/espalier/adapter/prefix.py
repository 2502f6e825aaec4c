"""``adapter=prefix``: trained keys and values before each text, in every layer."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge
from peft import PrefixTuningConfig, TaskType
from torch import nn

from espalier.adapter.virtual_tokens import put_before
from espalier.core.facts import DataFacts


def prefix(backbone: nn.Module, facts: DataFacts, /, *, tokens: Annotated[int, Ge(1)]) -> nn.Module:
    """Prefix tuning (Li & Liang 2021, arXiv:2101.00190), by PEFT: each layer attends to [P_k; K], [P_v; V], P trained.

    ``espalier train adapter=prefix optimizer.lr=1e-2``; without the network that may make P while training.

    Args:
        tokens: keys and values in each layer.

    Raises:
        ConfigError: the model's attention takes no earlier keys and values, or it has no positions left for these.
    """
    config = PrefixTuningConfig(task_type=TaskType.FEATURE_EXTRACTION, num_virtual_tokens=tokens)
    return put_before(backbone, config, facts, "prefix")
