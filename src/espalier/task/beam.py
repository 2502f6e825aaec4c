"""Texts that are written token by token: a beam search over what a model tells of the next one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Written(Protocol):
    """What a model keeps of its sources and of what each beam wrote."""

    def choose(self, rows: Tensor, beams: Tensor) -> None:
        """Go on with some rows (R,), and in each of them from some of its beams (R, beams)."""


NextLogits = Callable[[Tensor, Written], Tensor]
"""(newest tokens (B, beams), written) -> scores of what comes behind them (B, beams, vocabulary)."""


@dataclass(frozen=True)
class Search:
    """How a text is looked for.

    Attributes:
        beams: beginnings that are followed side by side; 1: the likeliest token each time.
        length_penalty: a, in a text's score log p / n^a, of n tokens, its end among them (Murray & Chiang 2018,
            arXiv:1808.10006, section 3; there a is 1).
    """

    beams: int
    length_penalty: float

    def score(self, log_probability: float, tokens: int) -> float:
        """Of a whole text."""
        return log_probability / float(tokens**self.length_penalty)


@dataclass(frozen=True)
class Text:
    """A text that was found.

    Attributes:
        ids: without its end.
        log_probability: of its tokens, its end among them, in nats.
        score: by which it was chosen.
    """

    ids: Sequence[int]
    log_probability: float
    score: float


@torch.inference_mode()
def beam_search(
    next_logits: NextLogits, written: Written, search: Search, *, start: int, end: int, limits: Tensor
) -> list[Text]:
    """The text with the highest score that was found for each row.

    Beginnings are extended by every token, and the ``beams`` likeliest ones stay. One that ends among those is a text.
    A row is done when it has ``beams`` texts, and no beginning scores better than the least of them; or at its limit,
    where beginnings count as texts. What a row becomes does not depend on the rows beside it.

    Args:
        next_logits: of a model in evaluation mode.
        written: of B rows, nothing written yet.
        start, end: ids before the first and behind the last token.
        limits: of each row's tokens, (B,), 1 or more.
    """
    beams, rows = search.beams, torch.arange(len(limits), device=limits.device)
    found: list[list[Text]] = [[] for _ in range(len(limits))]
    ids = torch.full((len(rows), beams, 1), start, device=limits.device)
    running = torch.full((len(rows), beams), -torch.inf, device=limits.device)
    running[:, 0] = 0.0  # at first all beams are the same
    while len(rows):
        logits = next_logits(ids[..., -1], written)
        reached = logits.float().log_softmax(-1) + running.unsqueeze(-1)
        best, place = reached.flatten(1).topk(min(2 * beams, reached[0].numel()))
        origin, token = place // logits.shape[-1], place % logits.shape[-1]
        length = ids.shape[2]  # tokens of the new beginnings
        at_limit, ends = limits[rows] <= length, token == end
        closing = (ends | at_limit.unsqueeze(1))[:, :beams] & best[:, :beams].isfinite()
        for row, beam in closing.nonzero().tolist():
            told = ids[row, origin[row, beam], 1:].tolist()
            told += [] if ends[row, beam] else [int(token[row, beam])]
            value = float(best[row, beam])
            found[int(rows[row])].append(Text(told, value, search.score(value, length)))
        running, chosen = best.masked_fill(ends, -torch.inf).topk(beams)
        origin, token = origin.gather(1, chosen), token.gather(1, chosen)
        over = [
            bool(limit) or _is_over(found[row], float(top), length, search)
            for row, top, limit in zip(rows.tolist(), running[:, 0], at_limit, strict=True)
        ]
        left = torch.tensor([place for place, done in enumerate(over) if not done], device=limits.device).long()
        rows, running, origin, token = rows[left], running[left], origin[left], token[left]
        ids = torch.cat([ids[left.unsqueeze(1), origin], token.unsqueeze(-1)], -1)
        written.choose(left, origin)
    return [max(texts, key=lambda text: text.score) for texts in found]


def _is_over(texts: list[Text], running: float, length: int, search: Search) -> bool:
    """Whether a row needs no more steps; ``running``: the log-probability of its likeliest beginning."""
    if len(texts) < search.beams:
        return False
    least = sorted((text.score for text in texts), reverse=True)[search.beams - 1]
    return search.beams == 1 or search.score(running, length) <= least
