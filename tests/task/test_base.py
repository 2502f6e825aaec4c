from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from espalier.adapter.lora import lora
from espalier.adapter.probe import probe
from espalier.batch.batches import Batches
from espalier.core.errors import ConfigError, RunFailedError
from espalier.core.parts import Batching
from espalier.task.base import AbstractTask, width_of
from task.toy import classification, facts_of, mlp, trainer


class Identity(nn.Module):
    """Features are the vector itself, after a layer that is frozen and one with statistics."""

    width = 4
    origin = "a folder"

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(4, 4).requires_grad_(False), nn.BatchNorm1d(4, affine=False))

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        return batch["vector"]


def test_a_task_says_what_it_predicts_and_saves() -> None:
    with pytest.raises(TypeError, match="predictions, save"):
        AbstractTask(Identity(), facts_of("text"), None)  # type: ignore[abstract,arg-type]


def test_a_learner_that_does_not_say_its_width_is_refused() -> None:
    assert width_of(Identity()) == 4
    with pytest.raises(ConfigError, match=r"Linear does not say self\.width.*Set it in __init__:  self\.width"):
        width_of(torch.nn.Linear(2, 3))


def test_rows_come_back_by_id_without_fillers_and_once() -> None:
    task = classification(Identity())
    task.keep(row=torch.tensor([4, 1]), value=torch.tensor([40.0, 10.0], requires_grad=True))
    task.keep(row=torch.tensor([-1]), value=torch.tensor([-10.0]))
    task.keep(row=torch.tensor([2]), value=torch.tensor([20.0]))
    kept = task.kept()
    assert kept["row"].tolist() == [1, 2, 4]
    assert kept["value"].tolist() == [10.0, 20.0, 40.0]
    assert not kept["value"].requires_grad
    task.keep(row=torch.tensor([9]), value=torch.tensor([90.0]))
    assert task.kept()["row"].tolist() == [9]


RANK = """
import sys, torch, torch.distributed as dist
from espalier.core.facts import DataFacts
from espalier.task.base import AbstractTask
rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method="file://" + sys.argv[2], rank=rank, world_size=2)
class Task(AbstractTask):
    def predictions(self): ...
    def save(self, folder): ...
task = Task(torch.nn.Linear(1, 1), DataFacts({}, {}, {}), None)
if rank == 0:
    task.keep(row=torch.tensor([3, 0]), value=torch.tensor([[3.0], [0.0]]))
print(task.kept()["value"].tolist())
task.keep(row=torch.tensor([1 - rank]), value=torch.tensor([rank]))
print(task.kept()["value"].tolist())
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_all_ranks_know_all_rows_also_one_without_any(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RANK]
    ranks = [
        subprocess.Popen([*command, str(rank), str(tmp_path / "store")], stdout=subprocess.PIPE, text=True)
        for rank in (0, 1)
    ]
    for process in ranks:
        assert process.communicate(timeout=120)[0].splitlines() == ["[[0.0], [3.0]]", "[1, 0]"]


def test_checkpoints_hold_what_learns_and_what_is_counted() -> None:
    task = classification(Identity())
    checkpoint: dict[str, Any] = {"state_dict": task.state_dict()}
    task.on_save_checkpoint(checkpoint)
    statistics = [f"learner.trunk.1.{name}" for name in ("running_mean", "running_var", "num_batches_tracked")]
    assert list(checkpoint["state_dict"]) == [*statistics, "head.weight", "head.bias"]


def test_frozen_weights_that_lie_nowhere_else_are_kept() -> None:
    learner = probe(mlp(), facts_of("image"))
    task, other = (classification(part, facts=facts_of("image")) for part in (learner, probe(mlp(), facts_of("image"))))
    checkpoint: dict[str, Any] = {"state_dict": task.state_dict()}
    task.on_save_checkpoint(checkpoint)
    assert checkpoint["state_dict"].keys() == task.state_dict().keys()
    batch = {"image": torch.randint(0, 255, (3, 1, 4, 4))}
    assert not torch.equal(task(batch), other(batch))
    other.load_state_dict(checkpoint["state_dict"], strict=False)
    assert torch.equal(task(batch), other(batch))
    del checkpoint["state_dict"]["learner.trunk.0.weight"]
    with pytest.raises(RunFailedError, match="of an earlier version, without frozen weights"):
        other.load_state_dict(checkpoint["state_dict"], strict=False)
    del checkpoint["state_dict"]["head.bias"]
    with pytest.raises(RunFailedError, match=r"lacks 2 parameters \(learner\.trunk"):
        other.load_state_dict(checkpoint["state_dict"], strict=False)


def test_a_checkpoint_gives_back_what_learned() -> None:
    torch.manual_seed(0)
    facts = facts_of("image")
    learners = [lora(mlp(), facts, target="mlp", rank=2, alpha=2, dropout=0.0, variant="plain") for _ in range(2)]
    first, second = (classification(learner, facts=facts) for learner in learners)
    second.learner.trunk.base_model.load_state_dict(first.learner.trunk.base_model.state_dict())
    for name, parameter in first.named_parameters():
        if "lora_" in name or "head" in name:
            nn.init.normal_(parameter)
    checkpoint: dict[str, Any] = {"state_dict": first.state_dict()}
    first.on_save_checkpoint(checkpoint)
    second.load_state_dict(checkpoint["state_dict"], strict=False)
    batch = {"image": torch.randint(0, 255, (3, 1, 4, 4))}
    assert torch.equal(first(batch), second(batch))


def test_a_checkpoint_of_another_model_is_refused() -> None:
    task = classification(Identity())
    state = task.state_dict()
    with pytest.raises(RunFailedError, match=r"lacks 1 parameters \(head\.bias"):
        task.load_state_dict({name: value for name, value in state.items() if name != "head.bias"}, strict=False)
    with pytest.raises(RunFailedError, match=r"has 1 that this model does not have \(learner\.old"):
        task.load_state_dict({**state, "learner.old": torch.ones(1)}, strict=False)


class Losses(pl.Callback):
    """The training loss of each optimizer step, as the logs have it."""

    def __init__(self) -> None:
        self.values: list[float] = [0.0]

    def on_train_batch_end(self, trainer: pl.Trainer, task: pl.LightningModule, outputs: Any, *_: Any) -> None:
        self.values[-1] += float(outputs["loss"])
        if trainer.global_step == len(self.values):
            self.values.append(0.0)


@pytest.mark.parametrize("accumulate", [1, 2, 3, 5])
def test_accumulation_changes_neither_the_loss_nor_the_step(tmp_path: Path, accumulate: int) -> None:
    generator = np.random.default_rng(0)
    vector, label = generator.normal(size=(18, 4)).astype(np.float32), generator.integers(0, 3, 18)
    columns = {"row": np.arange(18), "vector": vector, "label": label}  # steps of 8, 8 and 2 rows
    batches = Batches({"train": columns}, Batching(8, 8, 0, False), {}, seed=0, accumulate=accumulate)
    torch.manual_seed(0)
    task = classification(Identity())
    weight, bias = (p.detach().clone().requires_grad_() for p in (task.head.weight, task.head.bias))
    losses = Losses()
    fit = trainer(tmp_path, max_epochs=1, accumulate_grad_batches=accumulate, limit_val_batches=0, callbacks=[losses])
    fit.fit(task, datamodule=batches)

    wanted = []
    plain = torch.optim.SGD([weight, bias], lr=0.1)
    for batch in Batches({"train": columns}, Batching(8, 8, 0, False), {}, seed=0).train_dataloader():
        plain.zero_grad()
        loss = functional.cross_entropy(batch["vector"] @ weight.T + bias, batch["label"])
        loss.backward()
        plain.step()
        wanted.append(loss.item())
    assert losses.values[:-1] == pytest.approx(wanted, abs=1e-6)
    torch.testing.assert_close(task.head.weight, weight, atol=1e-6, rtol=0)


class Counts(Identity):
    """Hears of each step."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[int] = []

    def after_step(self, step: int, /) -> None:
        self.heard.append(step)


def test_parts_hear_of_optimizer_steps_the_first_being_1(tmp_path: Path) -> None:
    columns = {"row": np.arange(18), "vector": np.ones((18, 4), np.float32), "label": np.arange(18) % 3}
    batches = Batches({"train": columns}, Batching(8, 8, 0, False), {}, seed=0, accumulate=2)
    learner = Counts()
    task = classification(learner)
    trainer(tmp_path, max_epochs=2, accumulate_grad_batches=2, limit_val_batches=0).fit(task, datamodule=batches)
    assert learner.heard == [1, 2, 3, 4, 5, 6]
