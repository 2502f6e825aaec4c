"""Rotary position embeddings whose frequencies stay exact, whatever precision the weights are brought to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

_NAME = "inv_freq"  # what such buffers of transformers end with


def keep_frequencies(trunk: nn.Module) -> None:
    """Let them follow the trunk to other devices, and not to other precisions.

    Rounded to bf16 a frequency is off by up to 0.4 %, and the angle of the 2,048th token by radians. (transformers
    leaves them in fp32 where it loads weights in half precision, and multiplies in fp32.)
    """
    for part in trunk.modules():
        if any(name.endswith(_NAME) for name in part._buffers):
            part._apply = partial(_apply, part)  # type: ignore[method-assign]


def _apply(part: nn.Module, change: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
    before = {name: buffer for name, buffer in part._buffers.items() if name.endswith(_NAME) and buffer is not None}
    own: Any = type(part)
    own._apply(part, change, recurse)
    for name, buffer in before.items():
        changed = part._buffers[name]
        if changed is not None and changed.dtype != buffer.dtype:
            part._buffers[name] = buffer.to(changed.device)
    return part
