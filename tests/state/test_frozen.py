from __future__ import annotations

from typing import Any

from torch import nn

from espalier.state.frozen import SCRATCH, left_out


def task(origin: str | None) -> Any:
    learner: Any = nn.ModuleDict({"frozen": nn.Linear(2, 2).requires_grad_(False), "trained": nn.Linear(2, 2)})
    if origin is not None:
        learner.origin = origin
    return nn.ModuleDict({"learner": learner, "head": nn.Linear(2, 2)})


def test_what_is_frozen_is_left_out_where_its_origin_is_known() -> None:
    assert left_out(task("hub model (sha256 …)")) == {"learner.frozen.weight", "learner.frozen.bias"}
    assert left_out(task(SCRATCH)) == left_out(task(None)) == left_out(nn.Linear(1, 1).requires_grad_(False)) == set()


def test_each_name_of_a_tied_weight_is_left_out() -> None:
    tied = task("a folder")
    tied["learner"]["twin"] = tied["learner"]["frozen"]
    assert "learner.twin.weight" in left_out(tied)
