"""Text that goes on: tokens drawn one after the other from what a model foretells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

NextLogits = Callable[[Tensor, Any], tuple[Tensor, Any]]
"""(ids (B, L), past) -> scores of what comes next (B, vocabulary), and the past with those ids."""


@dataclass(frozen=True)
class Sampling:
    """How a token is drawn.

    Attributes:
        temperature: divides the scores; 0: the likeliest token is taken.
        top_k: of the likeliest so many one is drawn (Fan et al. 2018, arXiv:1805.04833); 0: of all.
        top_p: of the fewest that have so much probability together, the likeliest ones (Holtzman et al. 2020,
            arXiv:1904.09751); 1: of all.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def probabilities(self, logits: Tensor) -> Tensor:
        """Scores (B, vocabulary) -> what is drawn from, (B, vocabulary), fp32: first top_k, then top_p."""
        logits = logits.float()
        if self.temperature == 0:
            return torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).float()
        logits = logits / self.temperature
        if 0 < self.top_k < logits.shape[-1]:
            least = logits.topk(self.top_k).values[:, -1:]
            logits = logits.masked_fill(logits < least, -torch.inf)
        if self.top_p < 1:
            ordered, order = logits.sort(descending=True)
            shares = ordered.softmax(-1)
            beyond = shares.cumsum(-1) - shares >= self.top_p  # what stands before has enough
            logits = logits.masked_fill(torch.zeros_like(beyond).scatter(1, order, beyond), -torch.inf)
        return logits.softmax(-1)

    def draw(self, logits: Tensor, where: Tensor) -> Tensor:
        """A token for each row, (B,): that in whose share of [0, 1) the row's number (B,) lies."""
        shares = self.probabilities(logits).double().cumsum(-1)
        found = torch.searchsorted(shares, (where.to(shares) * shares[:, -1]).unsqueeze(1), right=True).squeeze(1)
        # What rounding leaves behind the last token that has a share.
        last = (shares < shares[:, -1:]).sum(-1)
        return torch.minimum(found, last)


def continuations(
    next_logits: NextLogits,
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    *,
    length: int,
    seeds: Sequence[Sequence[int]],
    context: int | None,
    ends: Collection[int] = (),
    device: torch.device | str = "cpu",
) -> list[list[int]]:
    """Go on with each prompt.

    What a row becomes depends on its prompt and its seed, and not on the rows beside it. Where a text fills the
    context, the model goes on from its last half: what it reads is never longer.

    Args:
        next_logits: of a model in evaluation mode.
        prompts: ids, one or more each.
        length: tokens of a continuation, at most.
        seeds: of each row, for ``numpy.random.default_rng``.
        context: tokens that the model reads at once; None: any number.
        ends: tokens behind which a text is at its end; they are not part of it.
    """
    found: list[list[int]] = [[] for _ in prompts]
    for size in sorted({len(prompt) for prompt in prompts}):
        rows = [i for i, prompt in enumerate(prompts) if len(prompt) == size]
        numbers = np.stack([np.random.default_rng(seeds[i]).random(length) for i in rows])
        ids = torch.tensor([list(prompts[i]) for i in rows], device=device)
        drawn = _go_on(next_logits, ids, sampling, torch.from_numpy(numbers).to(device), context, set(ends))
        for i, row in zip(rows, drawn.tolist(), strict=True):
            stop = next((place for place, token in enumerate(row) if token in ends), len(row))
            found[i] = row[:stop]
    return found


@torch.inference_mode()
def _go_on(
    next_logits: NextLogits, ids: Tensor, sampling: Sampling, numbers: Tensor, context: int | None, ends: set[int]
) -> Tensor:
    """Prompts of one length (B, L) -> what follows them, (B, length), or as far as all are at an end."""
    begin, past, held = ids.shape[1], None, 0  # held: tokens that the past has seen
    over = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    for step in range(numbers.shape[1]):
        new = ids[:, -1:] if held else ids
        if context and held + new.shape[1] > context:
            past, held, new = None, 0, ids[:, -max(1, context // 2) :]
        logits, past = next_logits(new, past)
        held += new.shape[1]
        token = sampling.draw(logits, numbers[:, step])
        ids = torch.cat([ids, token.unsqueeze(1)], 1)
        if ends:
            over |= torch.isin(token, torch.tensor([*ends], device=ids.device))
            if bool(over.all()):
                break
    return ids[:, begin:]
