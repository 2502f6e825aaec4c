"""Text that goes on: tokens drawn one after the other from what a model foretells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from espalier.task.exact import exact

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
        shares = exact(self.probabilities(logits)).cumsum(-1)
        found = torch.searchsorted(shares, (where.to(shares) * shares[:, -1]).unsqueeze(1), right=True).squeeze(1)
        # What rounding leaves behind the last token that has a share.
        last = (shares < shares[:, -1:]).sum(-1)
        return torch.minimum(found, last).to(logits.device)


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

    What a row becomes depends on its prompt and its seed, and, but for rounding, not on the rows beside it. Where a
    text fills the context, the model goes on from its last half, and so on: what it reads is never longer.

    Args:
        next_logits: of a model in evaluation mode.
        prompts: ids, one or more each.
        length: tokens of a continuation, at most.
        seeds: of each row, for ``numpy.random.default_rng``.
        context: tokens that the model reads at once; None: any number.
        ends: tokens behind which a text is at its end; they are not part of it.
    """
    found: list[list[int]] = [[] for _ in prompts]
    groups = side_by_side([len(prompt) for prompt in prompts], length)
    while groups:
        rows = groups.pop()
        numbers = np.stack([np.random.default_rng(seeds[i]).random(length) for i in rows])
        drawn = _go_on(next_logits, [prompts[i] for i in rows], sampling, numbers, context, [*ends], device)
        for i, row in zip(rows, drawn, strict=False):
            found[i] = row[: next((place for place, token in enumerate(row) if token in ends), len(row))]
        if len(drawn) < len(rows):
            groups.append(rows[len(drawn) :])
    return found


def side_by_side(sizes: Sequence[int], length: int) -> list[list[int]]:
    """Prompts that are gone on with at once, by their places; the shortest first.

    The longest of some is at most ``length`` tokens longer than the shortest, and read token by token from there on.
    """
    groups: list[list[int]] = []
    for i in sorted(range(len(sizes)), key=lambda i: sizes[i]):
        if not groups or sizes[i] - sizes[groups[-1][0]] > length:
            groups.append([])
        groups[-1].append(i)
    return groups


@torch.inference_mode()
def _go_on(
    next_logits: NextLogits,
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    numbers: npt.NDArray[np.float64],
    context: int | None,
    ends: Sequence[int],
    device: torch.device | str,
) -> list[list[int]]:
    """What follows prompts, the shortest first, tokens behind an end included.

    All stand at the same place. While that is within a prompt, its next token is its own, whatever was drawn. When all
    others are at an end, such prompts are left for another time, when they are read at once.

    Args:
        numbers: (B, length), one for each draw.

    Returns:
        Of the first prompts, one at least.
    """
    length, sizes = numbers.shape[1], np.array([len(prompt) for prompt in prompts])
    ids = np.zeros((len(prompts), sizes.max() + length), np.int64)
    for row, prompt in zip(ids, prompts, strict=True):
        row[: len(prompt)] = prompt
    over = np.zeros(len(prompts), bool)
    past, begin, held = None, 0, 0  # the past has seen the tokens from ``begin`` up to ``held``
    for place in range(sizes.min(), ids.shape[1]):
        if (later := _begin(place, context)) > begin:
            past, begin, held = None, later, later
        logits, past = next_logits(torch.tensor(ids[:, held:place], device=device), past)
        held, turn = place, place - sizes  # of each row, which of its draws; below 0 within a prompt
        where = numbers[np.arange(len(ids)), turn.clip(0, length - 1)]
        drawn = sampling.draw(logits, torch.from_numpy(where)).cpu().numpy()
        ids[:, place] = np.where(turn < 0, ids[:, place], drawn)
        over |= (turn >= length - 1) | ((turn >= 0) & np.isin(drawn, ends))
        if over[turn >= 0].all():
            break
    done = zip(ids[turn >= 0], sizes[turn >= 0], strict=True)
    return [row[size : size + length].tolist() for row, size in done]


def _begin(place: int, context: int | None) -> int:
    """Where a model that reads ``context`` tokens begins to read the first ``place`` ones of a text: it is as late as
    the text is long, whatever stands beside it."""
    if not context or place <= context:
        return 0
    step = context + 1 - max(1, context // 2)
    return -(-(place - context) // step) * step
