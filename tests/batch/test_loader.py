from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from data.examples import texts
from espalier.batch.gather import Batch, Gather
from espalier.batch.loader import Loader
from espalier.batch.order import Sampler, Share, shuffled


def make(rows: int = 21, size: int = 4, share: Share = Share(), workers: int = 0) -> Loader:  # noqa: B008
    sampler = Sampler(rows, size, share, lambda epoch: shuffled(rows, size, 0, epoch))
    return Loader(Gather(texts(rows), {"text": 0}), sampler, workers)


def rows_of(loader: Loader) -> list[list[int]]:
    return [batch["row"].tolist() for batch in loader]


def equal(one: Batch, other: Batch) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(torch.as_tensor(v), torch.as_tensor(other[k])) for k, v in one.items()
    )


def test_epoch_set_after_iter_counts() -> None:
    """Lightning makes the iterator before it sets the epoch."""
    loader, other = make(), make()
    iterator = iter(loader)
    loader.sampler.set_epoch(5)
    other.sampler.set_epoch(5)
    assert [batch["row"].tolist() for batch in iterator] == rows_of(other)


@pytest.mark.parametrize("stop", range(7))
def test_goes_on_behind_any_position(stop: int) -> None:
    killed, again = make(), make()
    for loader in (killed, again):
        loader.sampler.set_epoch(2)
    whole, iterator = rows_of(again), iter(killed)
    for _ in range(stop):
        next(iterator)
    iter(again)
    again.load_state_dict(killed.state_dict())
    iterator = iter(again)
    assert again.state_dict() == killed.state_dict()
    assert [batch["row"].tolist() for batch in iterator] == whole[stop:]
    assert rows_of(again) == whole, "only one pass is cut"


def test_a_position_is_the_same_place_in_smaller_micro_batches() -> None:
    loader, halved = make(), make(share=Share(accumulate=2))
    iterator = iter(loader)
    next(iterator), next(iterator)
    halved.load_state_dict(loader.state_dict())
    assert halved.state_dict() == {"epoch": 0, "position": 4, "accumulate": 2}
    rest = [row for batch in iterator for row in batch["row"].tolist()]
    assert sorted(row for rows in rows_of(halved) for row in rows if row >= 0) == sorted(rest)  # -1: a filler's
    halved.load_state_dict({"epoch": 0, "position": 2})  # of a version that did not say
    assert halved.state_dict()["position"] == 2


def test_batches_before_the_position_are_not_read() -> None:
    loader = make()
    taken: list[int] = []
    gather = loader._gather.__class__.__getitem__

    class Counting(Gather):
        def __getitem__(self, request: Any) -> Batch:
            taken.append(len(request[0]))
            return gather(self, request)

    loader._gather = Counting(texts(21), {"text": 0})
    loader.load_state_dict({"epoch": 0, "position": 5})
    list(loader)
    assert len(taken) == 1


def test_state_of_an_epochs_end_leaves_nothing_of_it_and_all_of_the_next() -> None:
    loader = make()
    list(loader)
    assert loader.state_dict() == {"epoch": 0, "position": 6, "accumulate": 1}
    same, following = make(), make()
    for again in (same, following):
        again.load_state_dict(loader.state_dict())
    assert rows_of(same) == []
    following.sampler.set_epoch(1)
    assert len(rows_of(following)) == 6


def test_state_counts_what_was_handed_out_not_what_workers_prepared() -> None:
    loader = make(workers=2)
    iterator = iter(loader)
    next(iterator), next(iterator)
    assert loader.state_dict() == {"epoch": 0, "position": 2, "accumulate": 1}


def test_workers_change_nothing() -> None:
    plain, busy = make(rows=50), make(rows=50, workers=2)
    for epoch, first in ((0, 0), (1, 0), (2, 4)):
        for loader in (plain, busy):
            loader.sampler.set_epoch(epoch)
            if first:
                loader.load_state_dict({"epoch": epoch, "position": first})
        pairs = list(zip(plain, busy, strict=True))
        assert len(pairs) == 13 - first
        assert all(equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("workers", [0, 1])
def test_pass_given_up_half_way_does_not_leak_into_the_next(workers: int) -> None:
    loader = make(workers=workers)
    next(iter(loader))
    assert rows_of(loader) == rows_of(make())


@pytest.mark.parametrize("workers", [0, 1])
def test_global_random_generators_are_not_drawn_from(workers: int) -> None:
    def states() -> tuple[Any, ...]:
        return torch.random.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index,union-attr]

    before = states()
    list(make(workers=workers))
    assert states() == before


class Recorder(pl.LightningModule):
    """Notes the rows that it sees in training."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: list[tuple[int, list[int]]] = []

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        self.seen.append((self.current_epoch, batch["row"].tolist()))
        return self.weight.sum()

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class SaveAt(pl.Callback):
    def __init__(self, step: int, path: str) -> None:
        self.step, self.path = step, path

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            trainer.save_checkpoint(self.path)


def fit(loader: Loader, *callbacks: pl.Callback, resume: str | None = None) -> list[tuple[int, list[int]]]:
    task = Recorder()
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=3, callbacks=list(callbacks), logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False,
    )  # fmt: skip
    trainer.fit(task, loader, ckpt_path=resume)
    return task.seen


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("step", [2, 6, 8])
def test_lightning_resumes_at_the_very_batch(step: int, tmp_path: Any) -> None:
    """Within the first epoch, at its last batch, within the second."""
    path = str(tmp_path / "saved.ckpt")
    whole = fit(make(), SaveAt(step, path))
    assert [epoch for epoch, _ in whole] == [0] * 6 + [1] * 6 + [2] * 6
    assert len({tuple(rows) for _, rows in whole}) == 18
    assert fit(make(), resume=path) == whole[step:]


def test_the_largest_batch_is_made_beside_the_pass() -> None:
    loader, other = make(), make()
    passes = iter(loader)
    first = next(passes)["row"].tolist()
    batch, share = loader.largest()
    sizes = [len(given["row"]) * given["text"].shape[1] for given in other] if "text" in batch else None
    assert 0 < share <= 1
    if sizes:
        assert len(batch["row"]) * batch["text"].shape[1] == max(sizes)
        assert share == sum(sizes) / len(sizes) / max(sizes)
    rest = [given["row"].tolist() for given in passes]
    assert [first, *rest] == [given["row"].tolist() for given in make()]
