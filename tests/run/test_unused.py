from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
import torch.distributed as dist
from torch import Tensor, nn

from espalier.batch.batches import Batches
from espalier.core.parts import Batching
from espalier.run.unused import Unused


class Task(pl.LightningModule):
    """With a parameter that nothing is computed with, as a pretrained model's mask token is."""

    def __init__(self, *, spare: bool) -> None:
        super().__init__()
        self.net = nn.Linear(4, 2)
        self.spare = nn.Parameter(torch.ones(3)) if spare else None

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        return nn.functional.cross_entropy(self.net(batch["vector"]), batch["label"])

    def configure_optimizers(self) -> Any:
        return torch.optim.AdamW(self.parameters(), 0.1)


@pytest.fixture
def process_group(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of one process, which DDP treats as it does several."""
    for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.setenv(name, "")  # so that what is set here is gone afterwards
        monkeypatch.delenv(name)
    yield
    dist.destroy_process_group()


def fit(task: Task, folder: Path, *callbacks: pl.Callback, strategy: str) -> pl.Trainer:
    columns = {
        "row": torch.arange(24).numpy(),
        "vector": torch.randn(24, 4).numpy(),
        "label": torch.arange(24).numpy() % 2,
    }
    trainer = pl.Trainer(
        max_epochs=1, accelerator="cpu", devices=1, strategy=strategy, callbacks=list(callbacks), logger=False,
        default_root_dir=folder, enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False,
        enable_checkpointing=bool(callbacks),
    )  # fmt: skip
    trainer.fit(task, datamodule=Batches({"train": columns}, Batching(8, 8, 0, False), {}, seed=0))
    return trainer


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("process_group")
def test_ddp_trains_though_no_gradient_reaches_a_parameter(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="were not used in producing the loss"):
        fit(Task(spare=True), tmp_path, strategy="ddp")
    pl.seed_everything(0, verbose=False)
    plain, task = Task(spare=False), Task(spare=True)
    task.net.load_state_dict(plain.net.state_dict())
    trainers = []
    for each in (plain, task):
        torch.manual_seed(1)
        trainers.append(fit(each, tmp_path, Unused(), strategy="ddp"))
    assert [trainer.global_step for trainer in trainers] == [3, 3]
    assert torch.equal(task.net.weight, plain.net.weight)
    assert task.spare is not None and torch.equal(task.spare, torch.ones(3))
    assert "find_unused_parameters" not in trainers[0].strategy._ddp_kwargs  # type: ignore[attr-defined]
    assert "no gradient reaches spare: DDP looks" in capfd.readouterr().err
