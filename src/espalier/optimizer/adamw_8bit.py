"""``optimizer=adamw_8bit``."""

from __future__ import annotations

import importlib
from typing import Annotated, Any, Unpack

from annotated_types import Ge, Gt, Len, Lt
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT

from espalier.core.errors import ConfigError, Fault
from espalier.optimizer.common import Common

_WHOLE, _BLOCK = 4096, 256  # bitsandbytes': values from which on moments are divided, and a block of them


def adamw_8bit(
    groups: ParamsT,
    /,
    *,
    lr: Annotated[float, Gt(0)],
    betas: Annotated[list[Annotated[float, Ge(0), Lt(1)]], Len(2, 2)],
    eps: Annotated[float, Gt(0)],
    weight_decay: Annotated[float, Ge(0)],
    **_common: Unpack[Common],
) -> Optimizer:
    """AdamW whose moments take a byte each instead of four (Dettmers et al. 2022, arXiv:2110.02861), bitsandbytes'.

    ``espalier train optimizer=adamw_8bit``

    bitsandbytes is the extra ``espalier[gpu]``; it runs on NVIDIA GPUs and, slowly, on CPUs.
    Moments of fewer than 4,096 values stay whole. It saves 6 bytes for each trained parameter: much for a model that is
    trained whole, nothing to speak of for an adapter.

    Raises:
        ConfigError: bitsandbytes is not installed, or does not load here.
    """
    try:
        library: Any = importlib.import_module("bitsandbytes")
    except Exception as error:  # a library of the wrong CUDA version raises whatever it likes
        truth = f"needs bitsandbytes, which cannot be imported ({type(error).__name__})."
        raise ConfigError(
            Fault("optimizer=adamw_8bit", truth, "pip install 'espalier[gpu]', or set optimizer=adamw")
        ) from error
    made: Any = library.optim.AdamW8bit(groups, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay)
    parameters = [parameter for group in made.param_groups for parameter in group["params"]]
    made.state_bytes = lambda: sum(moment_bytes(parameter.numel()) for parameter in parameters)
    told: Optimizer = made
    return told


def moment_bytes(values: int, /) -> int:
    """Of both moments of a parameter: a byte a value, a scale for each block, the 256 values that a byte stands for."""
    if values < _WHOLE:
        return 2 * 4 * values
    return 2 * (values + 4 * -(-values // _BLOCK) + 4 * 256)
