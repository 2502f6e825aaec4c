"""A causal model's way from states to scores, as its class goes it: its head, and what some do behind that."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutputWithPastAndCrossAttentions


def scoring(whole: Any) -> Callable[[Tensor], Tensor]:
    """States (…, width) -> scores (…, vocabulary): the forward of ``whole``, over states that are there already.

    It shares all parameters with ``whole``. So caps and scales of scores (Gemma 2, Cohere …) are the class's own.
    """
    shell = copy.copy(whole)
    for patched in ("forward", "_old_forward", "_hf_hook"):  # what accelerate bound to the model itself
        shell.__dict__.pop(patched, None)
    shell.__dict__["_modules"] = {**whole._modules, whole.base_model_prefix: _There()}

    def score(states: Tensor) -> Tensor:
        flat = states if states.ndim == 3 else states.reshape(1, -1, states.shape[-1])
        scores: Tensor = shell.forward(inputs_embeds=flat, use_cache=False, return_dict=True).logits
        return scores if states.ndim == 3 else scores.reshape(*states.shape[:-1], scores.shape[-1])

    return score


class _There(nn.Module):
    """In the decoder's place: what it is given is its last state."""

    @property
    def decoder(self) -> _There:
        """OPT asks its decoder's decoder."""
        return self

    def forward(self, *_: Any, inputs_embeds: Tensor, **__: Any) -> BaseModelOutputWithPastAndCrossAttentions:
        return BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=inputs_embeds)
