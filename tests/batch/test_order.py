from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from espalier.batch.order import Rows, Sampler, Share, shuffled

few = st.integers(1, 70)
sizes = st.integers(1, 20)
ranks = st.integers(1, 4)
fast = settings(max_examples=60, deadline=None)


@fast
@given(rows=few, size=sizes, seed=st.integers(0, 3), epoch=st.integers(0, 3), bucket=st.booleans())
def test_each_row_once_and_the_same_again(rows: int, size: int, seed: int, epoch: int, bucket: bool) -> None:
    lengths = np.arange(rows) % 7 if bucket else None
    order = shuffled(rows, size, seed, epoch, lengths)
    assert sorted(order) == list(range(rows))
    assert (order == shuffled(rows, size, seed, epoch, lengths)).all()


@pytest.mark.parametrize("lengths", [None, np.arange(100) % 9])
def test_order_depends_on_seed_and_epoch(lengths: Rows | None) -> None:
    orders = [tuple(shuffled(100, 8, seed, epoch, lengths)) for seed in (0, 1) for epoch in (0, 1)]
    assert len(set(orders)) == 4


def test_bucketed_batches_hold_like_lengths_and_stay_shuffled() -> None:
    lengths = np.random.default_rng(0).integers(1, 60, 6403)
    order = shuffled(6403, 32, 0, 0, lengths)
    batches = lengths[order[:6400]].reshape(-1, 32)
    assert (batches.max(1) - batches.min(1)).mean() < 3
    means = batches.mean(1)
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.25  # short batches don't come first
    assert lengths[order[6400:]].max() - lengths[order[6400:]].min() > 3  # what is left over is no choice by length


def test_global_random_generator_is_not_drawn_from() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[union-attr,index]
    shuffled(50, 4, 0, 0, np.arange(50))
    assert (np.random.get_state()[1] == before).all()  # type: ignore[index]


@fast
@given(rows=st.integers(1, 40), world=ranks, accumulate=ranks)
def test_share_deals_each_row_once_and_scales_to_the_mean(rows: int, world: int, accumulate: int) -> None:
    values = np.random.default_rng(rows).normal(size=rows)
    batch = np.random.default_rng(1).permutation(rows)
    seen: list[int] = []
    mean = 0.0
    for rank in range(world):
        share = Share(rank, world, accumulate)
        for micro in range(accumulate):
            part, scale = share.of(batch, micro)
            seen += list(part) if scale else []
            # DDP divides by the ranks, Lightning by the micro-batches.
            mean += values[part].mean() * scale / world / accumulate
    assert sorted(seen) == list(range(rows))
    assert math.isclose(mean, values.mean(), abs_tol=1e-12)


def test_even_parts_have_scale_one_exactly() -> None:
    assert {Share(rank, 2, 3).of(np.arange(24), micro)[1] for rank in (0, 1) for micro in (0, 1, 2)} == {1.0}


def test_part_without_rows_is_a_filler() -> None:
    rows, scale = Share(1, 2).of(np.array([7]), 0)
    assert (list(rows), scale) == ([7], 0.0)


@fast
@given(rows=few, size=sizes, world=ranks, accumulate=ranks)
def test_every_rank_has_the_same_steps(rows: int, size: int, world: int, accumulate: int) -> None:
    samplers = [Sampler(rows, size, Share(rank, world, accumulate), lambda _: np.arange(rows)) for rank in range(world)]
    requests = [list(sampler) for sampler in samplers]
    assert {len(r) for r in requests} == {len(samplers[0])} == {math.ceil(rows / size) * accumulate}
    assert all(len(part) for rank in requests for part, *_ in rank)


@fast
@given(rows=few, size=sizes, world=ranks, accumulate=ranks)
def test_rows_of_a_step_do_not_depend_on_ranks_and_accumulation(
    rows: int, size: int, world: int, accumulate: int
) -> None:
    order = shuffled(rows, size, 0, 0)
    steps: list[set[int]] = [set() for _ in range(math.ceil(rows / size))]
    for rank in range(world):
        for position, (part, *_) in enumerate(Sampler(rows, size, Share(rank, world, accumulate), lambda _: order)):
            steps[position // accumulate].update(part.tolist())
    assert steps == [set(order[k * size : (k + 1) * size].tolist()) for k in range(len(steps))]


def test_sampler_begins_where_it_is_told_and_takes_the_epoch_it_was_set() -> None:
    sampler = Sampler(10, 2, Share(), lambda epoch: shuffled(10, 2, 0, epoch))
    whole = [part.tolist() for part, *_ in sampler]
    sampler.first = 3
    assert [part.tolist() for part, *_ in sampler] == whole[3:]
    sampler.first = 0
    sampler.set_epoch(1)
    assert [part.tolist() for part, *_ in sampler] != whole
