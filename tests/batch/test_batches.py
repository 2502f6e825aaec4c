from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import pytorch_lightning as pl
import torch
from torch.nn import functional

from data.examples import batching, images, texts
from espalier.batch.batches import Batches, batches_of
from espalier.batch.loader import Loader
from espalier.core.errors import ConfigError
from espalier.core.facts import Counts, DataFacts, Raw
from espalier.core.parts import Batching
from espalier.data.base import AbstractData


def on_rank(rank: int, world: int, accumulate: int = 1, *, rows: int = 23, size: int = 8) -> Batches:
    splits = {"train": images(rows), "validation": images(11), "test": texts(9)}
    made = Batches(splits, batching(size), {"text": 0}, seed=0, world_size=world, accumulate=accumulate)
    made.trainer = SimpleNamespace(global_rank=rank, world_size=world)  # type: ignore[assignment]
    made.setup("fit")
    return made


def loss(weight: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    logits = batch["image"].flatten(1).float() / 255 @ weight
    return functional.cross_entropy(logits, batch["label"]) * batch["scale"]


def gradients(world: int, accumulate: int) -> list[torch.Tensor]:
    """Of each step: summed over micro-batches as Lightning does, averaged over ranks as DDP does."""
    weight = torch.zeros(16, 3, requires_grad=True)
    ranks = [on_rank(rank, world, accumulate).train_dataloader() for rank in range(world)]
    steps: list[torch.Tensor] = []
    for position, batches in enumerate(zip(*ranks, strict=True)):
        total = sum(loss(weight, batch) / accumulate for batch in batches) / world
        (gradient,) = torch.autograd.grad(total, weight)  # type: ignore[arg-type]
        if position % accumulate == 0:
            steps.append(torch.zeros_like(weight))
        steps[-1] = steps[-1] + gradient
    return steps


@pytest.mark.parametrize(("world", "accumulate"), [(2, 1), (1, 2), (2, 2), (3, 1), (1, 5), (4, 4)])
def test_gradient_is_that_of_one_process(world: int, accumulate: int) -> None:
    """23 rows in batches of 8: the last one has 7, which no even cut has; 16 parts leave some without rows."""
    alone, together = gradients(1, 1), gradients(world, accumulate)
    assert len(alone) == len(together) == 3
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


class Linear(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(16, 3))

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> torch.Tensor:
        return loss(self.weight, batch)

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.5)


@pytest.mark.filterwarnings("ignore")
def test_accumulation_under_lightning_trains_the_same_weights() -> None:
    trained = []
    for accumulate in (1, 3):
        task = Linear()
        batches = Batches({"train": images(23)}, batching(8), {}, seed=0, accumulate=accumulate)
        trainer = pl.Trainer(
            accelerator="cpu", max_epochs=2, accumulate_grad_batches=accumulate, logger=False, barebones=True,
            use_distributed_sampler=False,
        )  # fmt: skip
        trainer.fit(task, datamodule=batches)
        assert trainer.global_step == 2 * batches.steps_per_epoch == 6
        trained.append(task.weight.detach())
    torch.testing.assert_close(trained[0], trained[1], atol=1e-6, rtol=0)


@pytest.mark.parametrize("world", [1, 2, 4])
@pytest.mark.parametrize("split", ["val", "test"])
def test_evaluation_sees_every_row_once_in_equally_many_steps(world: int, split: str) -> None:
    loaders = [getattr(on_rank(rank, world), f"{split}_dataloader")() for rank in range(world)]
    rows = [row for loader in loaders for batch in loader for row in batch["row"].tolist() if row >= 0]
    assert sorted(rows) == list(range(11 if split == "val" else 9))
    assert len({len(list(loader)) for loader in loaders}) == 1


def test_texts_of_like_length_are_evaluated_together() -> None:
    batches = Batches({"test": texts(400)}, batching(16), {"text": 0}, seed=0)
    loader = batches.test_dataloader()
    assert isinstance(loader, Loader)
    padded = sum(batch["text"].numel() for batch in loader)
    assert padded < 1.1 * sum(batch["tokens"] for batch in loader)


@pytest.mark.parametrize("bucket", [True, False])
def test_bucket_is_about_padding_in_training(bucket: bool) -> None:
    loader = Batches({"train": texts(400)}, batching(16, bucket=bucket), {"text": 0}, seed=0).train_dataloader()
    padded, tokens = (sum(batch["text"].numel() for batch in loader), sum(batch["tokens"] for batch in loader))
    assert (padded < 1.1 * tokens) is bucket


def test_training_order_is_of_the_seed() -> None:
    first, same, other = (
        [
            b["row"].tolist()
            for b in Batches({"train": texts(40)}, batching(8), {"text": 0}, seed=seed).train_dataloader()
        ]
        for seed in (0, 0, 1)
    )
    assert first == same != other


def test_split_that_is_missing_or_empty_has_no_loader() -> None:
    batches = Batches({"train": images(4), "test": images(0)}, batching(2), {}, seed=0)
    assert batches.val_dataloader() == []
    assert batches.test_dataloader() == []


def test_steps_per_epoch_count_the_short_batch() -> None:
    assert on_rank(0, 2, 3).steps_per_epoch == 3
    assert len(on_rank(0, 2, 3).train_dataloader()) == 9


def test_another_number_of_ranks_is_refused() -> None:
    batches = Batches({"train": images(4)}, batching(2), {}, seed=0, world_size=2)
    batches.trainer = SimpleNamespace(global_rank=0, world_size=1)  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="makes 2 ranks, but 1 are running"):
        batches.setup("fit")


def test_columns_are_not_copied() -> None:
    columns = images(50)
    loader = Batches({"train": columns}, batching(8), {}, seed=0).train_dataloader()
    assert np.shares_memory(loader._gather._dense["image"], columns["image"])  # type: ignore[arg-type]


class Pairs(AbstractData):
    """A user's data that is no table with one label column: rows of two sources."""

    @property
    def batching(self) -> Batching:
        return batching(4)

    def read(self) -> Raw:
        table = pa.table({"row": np.arange(10), "source": np.arange(10) % 2, "text": ["a"] * 10})
        labels = {"first": ("x", "y"), "second": ("p", "q", "r")}
        return Raw({"train": table}, {"text": "text"}, labels, {"train": Counts(10, 10)}, "0", "here")


class Backwards(Pairs):
    """One that makes its batches itself."""

    def batches(self, splits: Any, facts: DataFacts, /, **settings: Any) -> Batches:
        turned = {split: {name: column[::-1] for name, column in columns.items()} for split, columns in splits.items()}
        return Batches(turned, self.batching, facts.pad, **settings)


def test_batches_of_a_source_are_as_its_batching_says() -> None:
    source = Pairs()
    facts = DataFacts.of(source.read()).learn(pad={"text": 7})
    columns = {**texts(10), "source": np.arange(10) % 2}
    made = batches_of(source, {"train": columns}, facts, accumulate=2)
    assert made.steps_per_epoch == 3
    batch = next(iter(made.train_dataloader()))
    assert len(batch["row"]) == 2 and (batch["source"] == batch["row"] % 2).all()
    assert (batch["text"][~batch["text_mask"]] == 7).all()


def test_a_source_may_make_batches_of_its_own() -> None:
    source = Backwards()
    facts = DataFacts.of(source.read())
    made = batches_of(source, {"test": {"row": np.arange(10)}}, facts, seed=3, accumulate=2)
    assert (made.seed, made.accumulate, made.world_size) == (3, 2, 1)
    assert next(iter(made.test_dataloader()))["row"].tolist() == [9, 8, 7, 6]
