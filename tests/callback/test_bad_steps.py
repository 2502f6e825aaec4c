from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from callback.tiny import run_info, trainer
from espalier.callback.bad_steps import BadSteps, _looked_at
from espalier.core.errors import RunFailedError
from espalier.state import folder


class Rows:
    """Four rows a micro-batch, numbered through."""

    def __len__(self) -> int:
        return 24

    def __iter__(self) -> Iterator[dict[str, Any]]:
        yield from ({"x": torch.ones(4, 3), "row": torch.arange(4 * i, 4 * i + 4)} for i in range(24))


class Bad(pl.LightningModule):
    """Its loss is multiplied by a number for some micro-batches; remembers its weights before each."""

    def __init__(self, factors: dict[int, float], *, bad_gradient: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.factors, self.bad_gradient = torch.nn.Linear(3, 1), factors, bad_gradient
        self.weights: list[torch.Tensor] = []

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> torch.Tensor:
        self.weights.append(self.layer.weight.detach().clone())
        factor = self.factors.get(batch_idx, 1.0)
        output = self.layer(batch["x"]).square().mean()
        if self.bad_gradient and batch_idx in self.factors:
            return (output * 0).sqrt() + 1  # a loss of 1, whose gradient is not a number
        return (output * 0.01 + 1) * factor

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=0.1, fused=True)


def bad_steps(folder: Path, **changed: Any) -> BadSteps:
    return BadSteps(run_info(folder), **{"factor": 5.0, "window": 16, "most": 3, **changed})


def moved(module: Bad) -> list[int]:
    """Micro-batches after which the weights were others than before."""
    return [i for i in range(len(module.weights) - 1) if not torch.equal(module.weights[i], module.weights[i + 1])]


@pytest.mark.parametrize(
    ("factors", "bad_gradient", "said"),
    [
        ({2: math.nan}, False, "step 3: the loss is nan; rows 8, 9, 10, 11"),
        ({2: math.inf}, False, "step 3: the loss is inf; rows 8, 9, 10, 11"),
        ({2: 1.0}, True, "step 3: the gradient of layer.weight is not finite; rows 8, 9, 10, 11"),
        ({12: 7.0}, False, "times the usual 1.0"),
    ],
    ids=["nan", "inf", "gradient", "spike"],
)
def test_a_bad_step_changes_nothing_and_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], factors: Any, bad_gradient: bool, said: str
) -> None:
    callback, module = bad_steps(tmp_path), Bad(factors, bad_gradient=bad_gradient)
    made = trainer(callback, tmp_path, gradient_clip_val=1.0)
    made.fit(module, Rows())
    assert callback.skipped == 1
    assert moved(module) == [i for i in range(23) if i not in factors]
    assert made.global_step == 24
    assert said in capsys.readouterr().out


def test_early_losses_and_switched_off_spikes_are_no_spikes(tmp_path: Path) -> None:
    for changed, factors in (({}, {2: 7.0}), ({"factor": None}, {12: 7.0})):
        callback = bad_steps(tmp_path, **changed)
        trainer(callback, tmp_path).fit(Bad(factors), Rows())
        assert callback.skipped == 0


def test_rows_are_those_of_all_micro_batches_of_the_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trainer(bad_steps(tmp_path), tmp_path, accumulate_grad_batches=4).fit(Bad({5: math.nan}), Rows())
    assert "rows 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27 and 4 more" in capsys.readouterr().out


def test_fillers_are_no_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"x": torch.ones(4, 3), "row": torch.tensor([-1, 4, -1, 7])}] * 3
    trainer(bad_steps(tmp_path), tmp_path).fit(Bad({1: math.nan}), DataLoader(rows, batch_size=None))  # type: ignore[arg-type]
    assert "step 2: the loss is nan; rows 4, 7\n" in capsys.readouterr().out


def test_too_many_end_the_run(tmp_path: Path) -> None:
    factors = dict.fromkeys((3, 5, 7), math.nan)
    with pytest.raises(
        RunFailedError, match=r"3 bad steps, the last of them step 8: the loss is nan; rows 28.*optimizer\.lr"
    ):
        trainer(bad_steps(tmp_path, most=2), tmp_path).fit(Bad(factors), Rows())


def test_it_goes_on_counting_after_a_resume(tmp_path: Path) -> None:
    callback, resumed = bad_steps(tmp_path), bad_steps(tmp_path)
    trainer(callback, tmp_path).fit(Bad({3: math.nan}), Rows())
    resumed.load_state_dict(callback.state_dict())
    assert resumed.state_dict() == callback.state_dict() == {"skipped": 1, "losses": pytest.approx([1.0] * 16, abs=0.1)}


def test_the_end_names_the_last_good_checkpoint(tmp_path: Path) -> None:
    folder.write(tmp_path / "checkpoints" / "step-00000003", {"global_step": 3}, step=3)
    with pytest.raises(RunFailedError, match=r"The last good checkpoint: \S*checkpoints/step-00000003\."):
        trainer(bad_steps(tmp_path, most=0), tmp_path).fit(Bad({5: math.nan}), Rows())


def test_batches_of_any_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Tensors(Bad):
        def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:  # type: ignore[override]
            return super().training_step({"x": batch}, batch_idx)

    callback = bad_steps(tmp_path)
    trainer(callback, tmp_path).fit(Tensors({2: math.nan}), DataLoader(torch.ones(16, 3), batch_size=4))  # type: ignore[arg-type]
    assert callback.skipped == 1
    assert "skipped step 3: the loss is nan\n" in capsys.readouterr().out


def test_a_task_that_optimizes_by_hand_and_tells_no_loss(tmp_path: Path) -> None:
    class ByHand(Bad):
        def __init__(self) -> None:
            super().__init__({2: math.nan})
            self.automatic_optimization = False

        def training_step(self, batch: dict[str, Any], batch_idx: int) -> None:  # type: ignore[override]
            loss = super().training_step(batch, batch_idx)
            optimizer: Any = self.optimizers()
            optimizer.zero_grad()
            loss.backward()  # past Lightning, so that no hook sees it
            optimizer.step()

    callback, module = bad_steps(tmp_path), ByHand()
    trainer(callback, tmp_path).fit(module, Rows())
    assert callback.skipped == 1 and 2 not in moved(module) and len(moved(module)) == 22


@pytest.mark.parametrize("bad", [False, True])
@pytest.mark.parametrize("kind", ["dense", "sparse", "complex", "mixed"])
def test_gradients_of_any_kind_are_looked_at_and_left_as_they_are(kind: str, bad: bool) -> None:
    value = math.inf if bad else 1e30
    made = {
        "dense": [torch.tensor([1.5, value])],
        "sparse": [torch.sparse_coo_tensor([[1]], [value], (4,))],
        "complex": [torch.tensor([complex(1, value)])],
        "mixed": [torch.tensor([1.5, value], dtype=dtype) for dtype in (torch.float32, torch.bfloat16, torch.float64)],
    }[kind]
    before = [gradient.clone() for gradient in made]
    assert _looked_at(made, torch.tensor(0.25)) == (bad, 0.25)
    assert all(torch.equal(a.to_dense(), b.to_dense()) for a, b in zip(made, before, strict=True))


def test_no_gradients_and_no_loss() -> None:
    assert _looked_at([], None) == (False, 0.0)
    assert _looked_at([], torch.tensor(3.0)) == (False, 3.0)
