"""The order in which an experiment's parts come to life, on one page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pytorch_lightning as pl
from annotated_types import Ge
from omegaconf import DictConfig

from espalier.batch.batches import batches_of
from espalier.build.encode import encode
from espalier.build.instantiate import instantiate
from espalier.build.optimizers import Optimizers
from espalier.build.placed import placed, require_dividing, require_divisible
from espalier.build.restore import appoint, begin, fit
from espalier.build.steps import evaluating, in_micro_batches, require_whole, total_steps
from espalier.core.bounds import Asks, Learns, Reads, RunOrWeights
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Encoding, Placement

Node = DictConfig


@dataclass(frozen=True)
class Assembly:
    """An experiment's live parts.

    Attributes:
        raw: what was read.
        facts: what the parts knew of it.
        batches: a LightningDataModule over the encoded rows.
        task: a LightningModule that says its ``objective`` and ``direction``.
        placement: where it trains.
        trainer: Lightning Trainer arguments of the ``trainer`` group.
        truncated: split -> rows of which a text was cut.
        lengths: split -> tokens of each row before it was cut, in the order of ``raw``; of texts alone.
        encoding: what turned rows into numbers.
    """

    raw: Raw
    facts: DataFacts
    batches: pl.LightningDataModule
    task: pl.LightningModule
    placement: Placement
    trainer: dict[str, Any]
    truncated: dict[str, int]
    lengths: dict[str, npt.NDArray[np.int64]]
    encoding: Encoding


def assemble(
    *,
    seed: Annotated[int, Ge(0)],
    weights: Annotated[str, RunOrWeights()] | None,
    data: Node,
    model: Annotated[Node, Reads("data")],
    adapter: Node,
    task: Annotated[Node, Learns("data"), Asks("model")],
    optimizer: Node,
    scheduler: Node,
    hardware: Node,
    trainer: Node,
    callback: dict[str, Node],
    tracking: dict[str, Node],
    name: str | None,
    output: str,
    vars: dict[str, Any],
) -> Assembly:
    """Config -> live objects; callbacks and trackers are made by the run, which they serve.

    Raises:
        UserError: the data is not what the config says, or parts do not fit each other.
    """
    placement: Placement = instantiate(hardware)
    limits: dict[str, Any] = instantiate(trainer)

    source = instantiate(data)
    raw: Raw = source.read()
    how = source.batching
    facts = DataFacts.of(raw, max_length=how.max_length, overlap=how.overlap, packing=how.packing)

    encoding: Encoding = instantiate(model.encoding, facts)
    fit(encoding, raw, facts, weights)
    encoded = encode(raw, encoding)
    facts = facts.learn(**encoding.facts())

    accumulate = limits["accumulate_grad_batches"]
    ranks = placement.world_size
    batches = batches_of(source, encoded.splits, facts, seed=seed, world_size=ranks, accumulate=accumulate)
    facts = facts.learn(total_steps=total_steps(batches.steps_per_epoch, limits))
    limits = evaluating(in_micro_batches(batches.steps_per_epoch, limits), batches, raw.splits)

    pl.seed_everything(seed, verbose=False)
    backbone = instantiate(model, facts, encoding=encoding)
    begin(backbone, weights)
    learner = placed(instantiate(adapter, backbone, facts), placement)
    learned = instantiate(task, learner, facts, Optimizers(optimizer, scheduler, facts.total_steps))
    require_whole(learned, limits)
    require_dividing(learned, placement)
    appoint(learned)
    learned.rows = raw.splits
    # Made once for nothing: what they refuse is told before anything is trained.
    require_divisible(learned.configure_optimizers(), placement)
    return Assembly(raw, facts, batches, learned, placement, limits, encoded.truncated, encoded.lengths, encoding)
