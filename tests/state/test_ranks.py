from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from espalier.state.ranks import any_rank, gather_objects, highest, own_part


def test_one_process_answers_for_itself() -> None:
    assert gather_objects({"a": 1}) == [{"a": 1}]
    assert (any_rank(True), any_rank(False)) == (True, False)
    assert highest(15) == 15


def test_a_group_of_one_needs_no_collective(tmp_path) -> None:
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    try:
        assert gather_objects(3) == [3] and any_rank(True) and highest(-2) == -2
    finally:
        dist.destroy_process_group()


def _ask(rank: int, meeting: str, answers: mp.SimpleQueue) -> None:
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    answers.put((rank, gather_objects("ab"[rank]), any_rank(rank == 1), any_rank(False), highest(rank * 7)))
    dist.barrier()
    dist.destroy_process_group()


def test_two_ranks_get_the_same_answers(tmp_path) -> None:
    answers = mp.get_context("fork").SimpleQueue()
    mp.start_processes(_ask, (f"file://{tmp_path}/meet", answers), nprocs=2, start_method="fork")
    said = sorted(answers.get() for _ in range(2))
    assert said == [(rank, ["a", "b"], True, False, 7) for rank in range(2)]


def test_each_rank_draws_numbers_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn() -> torch.Tensor:
        torch.manual_seed(0)
        return own_part(lambda count: torch.rand(count, 2), 3)

    alone = drawn()
    monkeypatch.setattr("espalier.state.ranks._together", lambda: True)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 2)
    parts = []
    for rank in (0, 1):
        monkeypatch.setattr("torch.distributed.get_rank", lambda rank=rank: rank)
        parts.append(drawn())
    assert torch.equal(parts[0], alone) and parts[1].shape == (3, 2) and not (parts[0] == parts[1]).any()
