from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from espalier.task.spans import best_spans, log_shares, span_loss

INF = float("inf")


@pytest.fixture
def scores() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    within = torch.rand(12, 9) < 0.7
    within[:, 0] = False
    within[-1] = False
    return torch.randn(12, 9), torch.randn(12, 9), within, torch.zeros(12, dtype=torch.long)


@pytest.mark.parametrize("longest", [1, 3, 99])
def test_the_best_span_is_that_of_all(scores: tuple[torch.Tensor, ...], longest: int) -> None:
    start, end, within, null = scores
    best = best_spans(start, end, within, null, longest)
    for row in range(len(start) - 1):
        tokens = [i for i in range(9) if within[row, i]]
        spans = {(i, j): float(start[row, i] + end[row, j]) for i in tokens for j in tokens if i <= j < i + longest}
        found = int(best.first[row]), int(best.last[row])
        assert found == max(spans, key=lambda span: spans[span])
        assert float(best.score[row]) == pytest.approx(spans[found])
        assert float(best.null[row]) == pytest.approx(float(start[row, 0] + end[row, 0]))
        choice = [0, *tokens]
        shares = [values[row][choice].softmax(0) for values in (start, end)]
        told = shares[0][choice.index(found[0])] * shares[1][choice.index(found[1])]
        assert float(best.probability[row]) == pytest.approx(float(told), rel=1e-5)


def test_without_a_token_to_choose_there_is_no_span(scores: tuple[torch.Tensor, ...]) -> None:
    best = best_spans(*scores, 5)  # type: ignore[arg-type]
    assert best.score[-1] == -INF and best.null[-1] > -INF and best.probability[-1] == 0


def test_loss_of_one_span_is_the_mean_of_two_cross_entropies(scores: tuple[torch.Tensor, ...]) -> None:
    start, end = scores[:2]
    everywhere = torch.ones(12, 9, dtype=torch.bool)
    null, first, last = scores[3], torch.arange(12)[:, None] % 8, torch.arange(12)[:, None] % 8 + 1
    logs = [log_shares(values, everywhere, null) for values in (start, end)]
    wanted = sum(
        functional.cross_entropy(values, place[:, 0], reduction="none")
        for values, place in ((start, first), (end, last))
    )
    torch.testing.assert_close(span_loss(*logs, first, last), wanted / 2)  # type: ignore[arg-type, operator]
    padded = torch.cat([first, torch.full_like(first, -1)], 1), torch.cat([last, torch.full_like(last, -1)], 1)
    torch.testing.assert_close(span_loss(*logs, *padded), wanted / 2)  # type: ignore[arg-type, operator]


def test_of_several_spans_it_is_their_probability_together(scores: tuple[torch.Tensor, ...]) -> None:
    start, end, _, null = scores
    logs = [log_shares(values, torch.ones(12, 9, dtype=torch.bool), null) for values in (start, end)]
    first, last = torch.tensor([[1, 3]] * 12), torch.tensor([[2, 3]] * 12)
    together = logs[0][:, 1].exp() * logs[1][:, 2].exp() + logs[0][:, 3].exp() * logs[1][:, 3].exp()
    torch.testing.assert_close(span_loss(*logs, first, last), -together.log() / 2)  # type: ignore[arg-type]


def test_tokens_that_cannot_be_chosen_get_no_gradient(scores: tuple[torch.Tensor, ...]) -> None:
    start, end, within, null = scores
    start, end = start.requires_grad_(), end.requires_grad_()
    first = last = torch.zeros(12, 1, dtype=torch.long)
    span_loss(log_shares(start, within, null), log_shares(end, within, null), first, last).sum().backward()
    assert start.grad is not None and torch.isfinite(start.grad).all()
    chosen = within.clone()
    chosen[:, 0] = True
    assert (start.grad[~chosen] == 0).all() and (start.grad[:-1, 0] != 0).all()
