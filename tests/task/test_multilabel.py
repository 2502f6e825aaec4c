from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from espalier.adapter.full import full
from espalier.batch.batches import Batches
from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts
from espalier.core.parts import Batching
from task.toy import TEXTS, classification, facts_of, lstm, multilabel, trainer


class Features(nn.Module):
    """A backbone that passes a vector through."""

    width = 4

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Linear(4, 4)

    def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        features: torch.Tensor = self.trunk(batch["vector"])
        return features


def batches(rows: int = 60) -> Batches:
    """Three labels, each told by one number of the vector."""
    label = (np.random.default_rng(0).random((rows, 3)) < 0.4).astype(np.uint8)
    vector = np.hstack([label * 4.0 - 2.0, np.ones((rows, 1))]).astype(np.float32)
    columns = {"row": np.arange(rows)[::-1].copy(), "vector": vector, "label": label}
    return Batches(dict.fromkeys(("train", "validation", "test"), columns), Batching(8, 16, 0, False), {}, seed=0)


def counted(*counts: int) -> DataFacts:
    return facts_of("text").learn(label_counts=counts, sizes={"train": 10})


def test_it_learns_and_tells(tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = multilabel(Features(), bootstrap=20)
    loop = trainer(tmp_path, max_epochs=15)
    loop.fit(task, datamodule=batches())
    assert float(loop.callback_metrics[task.objective]) == 1.0
    logged = {name.removeprefix("validation/") for name in loop.callback_metrics}
    loop.test(task, datamodule=batches(), verbose=False)
    assert logged == set(task.test_metrics)
    assert task.test_metrics["subset_accuracy"] == 1.0 == task.test_metrics["mean_average_precision"]
    assert set(task.test_intervals) == {"subset_accuracy"}  # resamples tell nothing of the others
    columns = task.predictions()
    assert columns["row"].tolist() == list(range(60))
    wanted = batches().splits["test"]["label"][::-1].tolist()  # type: ignore[index, union-attr]
    assert np.stack(columns["target"]).tolist() == np.stack(columns["prediction"]).tolist() == wanted
    assert np.stack(columns["scores"]).shape == (60, 3)


@pytest.mark.parametrize(("objective", "direction"), [("f1_micro", "max"), ("loss", "min")])
def test_the_objective_says_which_way_is_better(objective: str, direction: str) -> None:
    task = multilabel(Features(), objective=objective)
    assert (task.objective, task.direction) == (f"validation/{objective}", direction)


def test_weights_are_for_training_only() -> None:
    task = multilabel(Features(), counted(2, 5, 0), pos_weight="balanced")
    assert task.pos_weight is not None and task.pos_weight.tolist() == [4.0, 1.0, 9.0]
    batch = {"vector": torch.randn(6, 4), "label": (torch.rand(6, 3) < 0.5).to(torch.uint8), "scale": 0.5}
    logits, target = task(batch), batch["label"].float()
    weighted = functional.binary_cross_entropy_with_logits(logits, target, pos_weight=torch.tensor([4.0, 1.0, 9.0]))
    assert torch.equal(task.training_step(batch), weighted * 0.5)
    assert torch.equal(task.loss(logits, batch["label"]), functional.binary_cross_entropy_with_logits(logits, target))
    assert "pos_weight" not in task.state_dict()  # it belongs to the data, not to what was learned


def test_threshold_decides_what_is_predicted(tmp_path: Path) -> None:
    task = multilabel(Features(), threshold=0.99)
    trainer(tmp_path).test(task, datamodule=batches(), verbose=False)
    assert not np.stack(task.predictions()["prediction"]).any()
    assert task.test_metrics["recall_micro"] == 0.0


def test_each_task_names_the_other_for_the_others_labels() -> None:
    many: Any = {"text": "text", "label": "labels"}
    with pytest.raises(
        ConfigError, match=r"task=classification  learns one label .* any number .*Set  task=multilabel"
    ):
        classification(Features(), facts=facts_of("text").learn(kinds=many))
    with pytest.raises(
        ConfigError, match=r"task=multilabel  learns any number .* one label .*Set  task=classification"
    ):
        type(multilabel(Features()))(Features(), facts_of("text"), lambda *_: {}, **VALUES)


VALUES: dict[str, Any] = {
    "objective": "loss", "pos_weight": "none", "threshold": 0.5, "head_dropout": 0.0, "bootstrap": 0,
}  # fmt: skip


def test_the_folders_readme_loads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = multilabel(full(lstm(), facts_of("text")), threshold=0.25).eval()
    task.learner.encoding.save(tmp_path)  # type: ignore[union-attr, operator]
    task.save(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec((tmp_path / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0], names)
    scores = names["scores"](TEXTS)
    assert scores.shape == (3, 3) and "row[i] >= 0.25" in (tmp_path / "README.md").read_text()
    with torch.inference_mode():
        logits = names["features"](TEXTS) @ task.head.weight.T + task.head.bias
    torch.testing.assert_close(scores, logits.sigmoid())
    assert json.loads((tmp_path / "labels.json").read_text(encoding="utf-8")) == list(task.labels)
