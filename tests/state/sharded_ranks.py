"""One of two processes that shard a model: trains, stops, resumes, tests; says how it compares with DDP."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.data import DataLoader

from espalier.callback.ema import Ema
from espalier.callback.gradient_norm import GradientNorm
from espalier.state import folder
from espalier.state.codec import encode
from espalier.state.sharded import whole
from state.harness import Net, SaveAt, difference, fit, run_info, torch_rank

SHARDED: dict[str, Any] = {"strategy": "sharded", "devices": 2}
DDP: dict[str, Any] = {"strategy": "ddp", "devices": 2}
ADAMW = torch.optim.AdamW


class Deep(Net):
    """Frozen embeddings, two layers and batch norm; which optimizer is the class's."""

    optimizer: Any = staticmethod(lambda parameters: ADAMW(parameters, 0.05, fused=True))

    def __init__(self) -> None:
        super().__init__()
        block = [nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.ReLU()) for _ in range(2)]
        self.net = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), *block, nn.Linear(8, 1))
        self.net[0].requires_grad_(False)

    def configure_optimizers(self) -> Any:
        optimizer = self.optimizer([p for p in self.parameters() if p.requires_grad])
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.9**step)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def test_step(self, batch: Tensor, batch_idx: int) -> None:
        self.log("tested", self.net(batch).square().mean(), sync_dist=True)


class Momentum(Deep):
    optimizer = staticmethod(lambda parameters: torch.optim.SGD(parameters, 0.01, momentum=0.9, fused=True))


class Tied(Deep):
    """Two names for one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.again = nn.Linear(4, 4), nn.Linear(4, 4)
        self.again.weight = self.first.weight


def end(trainer: pl.Trainer, place: Path) -> dict[str, Any]:
    """The checkpoint of the step where a run ended, as both ranks read it, without what differs in any case."""
    trainer.save_checkpoint(place)
    dist.barrier()
    saved = folder.read(place)
    return {key: saved[key] for key in ("state_dict", "optimizer_states", "lr_schedulers", "callbacks", "espalier")}


def close(one: Any, other: Any) -> bool:
    """Whether two checkpoints hold the same up to rounding."""
    if isinstance(one, Tensor):
        return one.shape == other.shape and torch.allclose(one.double(), other.double(), atol=1e-5)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(close(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def as_ddp(root: Path, module: type[Net], **more: Any) -> list[bool]:
    """Whether weights, and what the optimizer knows, are those of DDP."""
    one, other = (
        end(fit(root / how["strategy"], module=module, **how, **more), root / how["strategy"] / "end")
        for how in (DDP, SHARDED)
    )
    return close_ends(one, other)


def close_ends(one: dict[str, Any], other: dict[str, Any]) -> list[bool]:
    """Weights, averages. (Groups say whether the step is fused, which differs.)"""
    averages = ([states["state"] for states in ended["optimizer_states"]] for ended in (one, other))
    return [close(one["state_dict"], other["state_dict"]), close(*averages)]


def exact(root: Path, module: type[Net], **more: Any) -> list[str]:
    """Boundaries after which a resume differs in a bit."""
    given = {**SHARDED, "module": module, "accumulate_grad_batches": 2, "gradient_clip_val": 0.5, **more}
    want = end(fit(root / "whole", *watchers(), **given), root / "whole" / "end")
    wrong = []
    for number in (1, 3, 4):
        run, saved = root / f"run{number}", root / f"saved{number}"
        try:
            fit(run, *watchers(), SaveAt(saved, number), **given)
        except SaveAt.Killed:
            dist.barrier()
            trainer = fit(run, *watchers(), resume=saved, seed=7 + number + torch_rank(), **given)
            wrong += [found] if (found := difference(encode(want), encode(end(trainer, run / "end")))) else []
    return wrong


def watchers() -> list[pl.Callback]:
    """What else looks at weights and gradients."""
    info = run_info(Path())
    return [Ema(info, decay=0.9), GradientNorm(info, every_n_steps=1)]


def moved(root: Path) -> list[bool]:
    """Whether a run that sharded goes on by DDP, and the reverse, as one that did neither."""
    want = end(fit(root / "whole", module=Deep, **DDP), root / "whole" / "end")
    answers = []
    for first, then in ((SHARDED, DDP), (DDP, SHARDED)):
        run = root / first["strategy"]
        try:
            fit(run, SaveAt(run / "saved", 3), module=Deep, **first)
        except SaveAt.Killed:
            dist.barrier()
            answers += close_ends(want, end(fit(run, resume=run / "saved", module=Deep, **then), run / "end"))
    return answers


def tested(root: Path, module: type[Deep]) -> list[bool]:
    """Whether a test after training has the weights that are loaded then, and what is left is the plain model."""
    trainer = fit(root, module=module, **SHARDED)
    task: Any = trainer.lightning_module
    loaded = {name: torch.full_like(value, 0.5) for name, value in module().state_dict().items()}
    task.load_state_dict(loaded)
    trainer.test(task, DataLoader(torch.eye(3), batch_size=2), verbose=False)
    plain = module()
    plain.load_state_dict(loaded)
    with torch.no_grad():
        want = plain.eval().net(torch.eye(3)).square().mean()
    same = torch.isclose(trainer.callback_metrics["tested"], want)
    whole(task)
    kinds = {type(part) for part in task.modules()} == {type(part) for part in plain.modules()}
    if torch_rank():
        return [bool(same), kinds, True]
    left = list(task.parameters())
    tied = len(left) == len(list(plain.parameters()))
    alone = all(one.untyped_storage().nbytes() == one.nbytes for one in left)  # as safetensors wants them
    return [bool(same), kinds, tied and alone and difference(dict(plain.state_dict()), dict(task.state_dict())) == ""]


if __name__ == "__main__":
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    place = Path(sys.argv[1])
    answers = {
        "as DDP": as_ddp(place / "as", Deep),
        "as DDP, clipped": as_ddp(place / "clipped", Momentum, gradient_clip_val=0.05),
        "as DDP, bf16": as_ddp(place / "bf16", Deep, precision="bf16-mixed"),
        "exact": exact(place / "exact", Deep),
        "exact, another optimizer": exact(place / "other", Momentum),
        "moved": moved(place / "moved"),
        "tested": tested(place / "tested", Deep),
        "tested, tied": tested(place / "tied", Tied),
    }
    print(json.dumps(answers))
