from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from espalier.state.idle_hooks import HOOKS, without_idle_hooks
from state.harness import fit


@without_idle_hooks
class Counts(pl.Callback):
    def __init__(self) -> None:
        self.batches = 0

    def on_train_batch_end(self, *_: Any) -> None:
        self.batches += 1


@without_idle_hooks
class CountsTwice(Counts):
    def on_after_backward(self, *_: Any) -> None:
        self.batches += 1


def test_only_what_is_defined_is_called(tmp_path: Path) -> None:
    once, twice = Counts(), CountsTwice()
    fit(tmp_path, once, twice)
    assert (once.batches, twice.batches) == (15, 30)


def test_lightning_still_has_these_hooks() -> None:
    assert all(callable(getattr(pl.Callback, hook)) for hook in HOOKS)
    assert [hook for hook in HOOKS if callable(getattr(Counts, hook))] == ["on_train_batch_end"]
