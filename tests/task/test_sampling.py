from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from espalier.task.sampling import Sampling, continuations, side_by_side


@pytest.mark.parametrize(("temperature", "top_k", "top_p"), [(1, 0, 1), (0.7, 5, 1), (1.3, 0, 0.6), (0.9, 7, 0.5)])
def test_probabilities_are_those_of_transformers(temperature: float, top_k: int, top_p: float) -> None:
    logits = torch.randn(50, 20, generator=torch.Generator().manual_seed(0)) * 2
    expected = TemperatureLogitsWarper(float(temperature))(None, logits)
    expected = TopKLogitsWarper(top_k)(None, expected) if top_k else expected
    expected = TopPLogitsWarper(top_p)(None, expected) if top_p < 1 else expected
    torch.testing.assert_close(Sampling(temperature, top_k, top_p).probabilities(logits), expected.softmax(-1))


def test_a_temperature_of_zero_takes_the_likeliest() -> None:
    logits = torch.tensor([[0.0, 3.0, 1.0], [2.0, 1.0, 0.0]])
    for where in (0.0, 0.5, 0.999999):
        drawn = Sampling(0).draw(logits, torch.full((2,), where, dtype=torch.float64))
        assert drawn.tolist() == [1, 0]


def test_draws_have_the_probabilities() -> None:
    logits, rows = torch.randn(1, 9, generator=torch.Generator().manual_seed(1)), 40_000
    sampling = Sampling(0.8, top_k=6, top_p=0.95)
    numbers = torch.from_numpy(np.random.default_rng(0).random(rows))
    drawn = sampling.draw(logits.expand(rows, -1), numbers).bincount(minlength=9) / rows
    torch.testing.assert_close(drawn, sampling.probabilities(logits)[0], atol=0.01, rtol=0)
    assert not drawn[sampling.probabilities(logits)[0] == 0].any()


def test_what_is_cut_off_is_never_drawn() -> None:
    logits = torch.tensor([[5.0, 4.0, 1.0, 0.0]])
    ends = torch.tensor([1 - 2**-53], dtype=torch.float64)
    assert Sampling(1.0, top_k=2).draw(logits, ends).tolist() == [1]


class Counting:
    """Foretells the last token plus one, or the sum of all that it read, modulo 50; says how much it read at once."""

    def __init__(self, *, all_of_it: bool = False) -> None:
        self.all_of_it, self.longest, self.calls = all_of_it, 0, 0

    def __call__(self, ids: Tensor, past: Any) -> tuple[Tensor, Any]:
        read = ids if past is None else torch.cat([past, ids], 1)
        self.longest, self.calls = max(self.longest, read.shape[1]), self.calls + ids.shape[1]
        told = read.sum(1) if self.all_of_it else read[:, -1] + 1
        return torch.nn.functional.one_hot(told % 50, 50).float() * 100, read


def go_on(model: Any, prompts: list[list[int]], length: int = 6, **given: Any) -> list[list[int]]:
    given = {"context": None, "seeds": [(0, i) for i in range(len(prompts))], **given}
    return continuations(model, prompts, Sampling(0), length=length, **given)


def test_prompts_of_any_length_are_gone_on_with() -> None:
    model = Counting()
    assert go_on(model, [[3], [7, 8, 9], [20]]) == [list(range(n, n + 6)) for n in (4, 10, 21)]
    assert model.calls == 1 + 7  # side by side: what is read at first, and seven tokens more


def test_prompts_that_are_much_longer_than_others_are_gone_on_with_by_themselves() -> None:
    assert side_by_side([9, 2, 30, 5, 8, 31], 6) == [[1, 3, 4], [0], [2, 5]]
    model = Counting()
    assert go_on(model, [[3], [*range(1, 20)]], length=6) == [[*range(4, 10)], [*range(20, 26)]]
    assert model.calls == (1 + 5) + (19 + 5)
    assert side_by_side([], 6) == []


@pytest.mark.parametrize("context", [None, 1, 2, 5, 8])
def test_what_stands_beside_a_prompt_changes_nothing(context: int | None) -> None:
    rng = np.random.default_rng(3)
    prompts = [rng.integers(1, 50, size).tolist() for size in (1, 4, 13, 2, 9, 7, 21)]
    given: dict[str, Any] = {"length": 12, "context": context, "ends": range(0, 50, 7)}
    together = go_on(Counting(all_of_it=True), prompts, **given)
    assert together == [go_on(Counting(all_of_it=True), [prompt], **given)[0] for prompt in prompts]
    assert context == 1 or len({len(found) for found in together}) > 1  # with one, a model repeats it


def test_a_text_is_at_its_end_behind_an_ending_token() -> None:
    assert go_on(Counting(), [[3], [6]], ends=(8,)) == [[4, 5, 6, 7], [7]]
    assert go_on(Counting(), [[7]], ends=(8,)) == [[]]


def test_where_all_others_are_at_an_end_longer_prompts_are_read_at_once() -> None:
    model = Counting()
    told = go_on(model, [[6], [*range(30, 40)], [7, 7, 7], [1] * 11], ends=(8, 41), length=20)
    assert told == [[7], [40], [], [*range(2, 8)]]
    assert model.calls == (1 + 1) + 3 + (10 + 7)


def test_no_more_is_read_than_the_context() -> None:
    model = Counting(all_of_it=True)
    (found,) = go_on(model, [[1]], length=40, context=8)
    assert model.longest == 8 and len(found) == 40
    # A model of 8 begins anew with the last 4 tokens at the 9th, 14th and 19th: of 20 it reads those from the 16th on.
    (long,) = go_on(Counting(all_of_it=True), [[*range(1, 21)]], length=1, context=8)
    assert long == [sum(range(16, 21)) % 50]


class Even:
    """All tokens are as likely."""

    def __call__(self, ids: Tensor, past: Any) -> tuple[Tensor, Any]:
        return torch.zeros(len(ids), 50), True


def test_a_row_s_text_is_that_of_its_seed_whatever_stands_beside_it() -> None:
    def drawn(prompts: list[list[int]], seeds: list[tuple[int, int]]) -> list[list[int]]:
        return continuations(Even(), prompts, Sampling(1.0), length=9, seeds=seeds, context=None)

    both = drawn([[1], [2, 3]], [(0, 0), (0, 1)])
    assert both == [*drawn([[1]], [(0, 0)]), *drawn([[2, 3]], [(0, 1)])]
    assert both[0] != both[1] and drawn([[1]], [(1, 0)]) != drawn([[1]], [(0, 0)])
