"""Spans of a text by scores of their first and their last token."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_NEVER = float("-inf")


@dataclass(frozen=True)
class Best:
    """Of each row.

    Attributes:
        first, last: places of the best span's tokens, (B,).
        score: start and end together, (B,); -inf where there is no token to choose.
        probability: of it among all starts and ends, "no answer" included, (B,).
        null: the score of "no answer", (B,).
    """

    first: Tensor
    last: Tensor
    score: Tensor
    probability: Tensor
    null: Tensor


def best_spans(start: Tensor, end: Tensor, within: Tensor, null: Tensor, longest: int) -> Best:
    """The best span of each row: the greatest start_i + end_j with i <= j < i + longest; all of them are looked at.

    Args:
        start, end: scores of each token, (B, L).
        within: tokens that a span may have, (B, L) bool.
        null: the place that stands for "no answer", (B,).
        longest: tokens of a span at most.
    """
    size = start.shape[1]
    band = torch.ones(size, size, dtype=torch.bool, device=start.device).triu().tril(longest - 1)
    pairs = start.masked_fill(~within, _NEVER).unsqueeze(2) + end.masked_fill(~within, _NEVER).unsqueeze(1)
    score, place = pairs.masked_fill(~band, _NEVER).flatten(1).max(1)
    first, last = place // size, place % size
    starts, ends = (log_shares(scores, within, null) for scores in (start, end))
    chosen = (_at(starts, first) + _at(ends, last)).masked_fill(score.isneginf(), _NEVER)
    return Best(first, last, score, chosen.exp(), _at(start, null) + _at(end, null))


def log_shares(scores: Tensor, within: Tensor, null: Tensor) -> Tensor:
    """Log-softmax over the tokens that a span may have, and the place of "no answer"; -inf elsewhere, (B, L)."""
    chosen = within.scatter(1, null.unsqueeze(1), True)
    return scores.masked_fill(~chosen, _NEVER).log_softmax(1)


def span_loss(start: Tensor, end: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """-1/2 log sum_a P(start = first_a) P(end = last_a) over a row's right spans a, (B,).

    Of one span it is the mean of both cross-entropies (Devlin et al. 2019, arXiv:1810.04805, section 4.2); of several
    the marginal likelihood (Clark & Gardner 2018, arXiv:1710.10723).

    Args:
        start, end: see ``log_shares``.
        first, last: places, (B, A), -1 behind a row's own.
    """
    there = first >= 0
    told = start.gather(1, first.clamp(min=0)) + end.gather(1, last.clamp(min=0))
    return -torch.logsumexp(told.masked_fill(~there, _NEVER), 1) / 2


def _at(values: Tensor, place: Tensor) -> Tensor:
    return values.gather(1, place.unsqueeze(1)).squeeze(1)
