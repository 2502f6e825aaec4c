from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.batch.batches import Batches
from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts
from espalier.core.parts import Batching, Judged
from espalier.model.encoding.pixels import Pixels
from espalier.model.gan import Gan as Networks
from espalier.task.distances import entropy, frechet
from espalier.task.gan import Gan, hinge, non_saturating
from state.harness import SaveAt, difference, traces, trainer_in
from task.toy import lstm, trainer

SHAPE = (1, 8, 8)
FACTS = DataFacts({"image": "image", "label": "label"}, {"": ("left", "right")}, {"train": 48}, SHAPE)
RATES = {"generator": 0.002, "discriminator": 0.001}


def adam(learned: Any, /, part: str = "") -> dict[str, Any]:
    optimizer = torch.optim.Adam(learned.parameters(), lr=RATES[part], betas=(0.5, 0.999))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step / 100))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def gan(**values: Any) -> Gan:
    torch.manual_seed(0)
    networks = Networks(FACTS, encoding=Pixels(FACTS), **defaults_of("model/gan", noise=4, channels=[16, 8]))
    return Gan(networks, FACTS, adam, **defaults_of("task/gan", **{"projections": 64, **values}))


def images(rows: int = 48) -> np.ndarray[Any, Any]:
    """Dark, with a bright half: the left or the right one."""
    made = np.random.default_rng(0).integers(0, 40, (rows, *SHAPE)).astype(np.uint8)
    made[::2, ..., :4] += 200
    made[1::2, ..., 4:] += 200
    return made


def batches(rows: int = 48, size: int = 16) -> Batches:
    columns = {"row": np.arange(rows), "image": images(rows)}
    return Batches(dict.fromkeys(("train", "validation", "test"), columns), Batching(size, 32, 0, False), {}, seed=0)


class Judge(nn.Module):
    """Tells left from right by the brightness of the halves; two features."""

    def __init__(self, shape: tuple[int, ...] = SHAPE, labels: tuple[str, ...] = ("left", "right")) -> None:
        super().__init__()
        self.facts, self.labels = FACTS.learn(shape=shape), labels
        self.learner = Halves()

    def forward(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        halves: torch.Tensor = self.learner(batch)
        return halves


class Halves(nn.Module):
    def forward(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return batch["image"].float().reshape(-1, 8, 2, 4).mean((1, 3))


def test_losses_are_their_formulas() -> None:
    real, fake, told = torch.randn(3, 7, 1)
    one, other = torch.sigmoid(real), torch.sigmoid(fake)
    losses = non_saturating(real, fake, told)
    torch.testing.assert_close(losses[0], -one.log().mean() - (1 - other).log().mean())
    torch.testing.assert_close(losses[1], -torch.sigmoid(told).log().mean())
    losses = hinge(real, fake, told)
    wanted = torch.stack([(1 - real).clamp(min=0), (1 + fake).clamp(min=0)]).mean() * 2
    torch.testing.assert_close(losses[0], wanted)
    torch.testing.assert_close(losses[1], -told.mean())


@pytest.mark.parametrize("loss", [non_saturating, hinge])
def test_each_network_gets_the_gradient_of_its_own_loss(loss: Any, tmp_path: Path) -> None:
    task, noise = gan(loss=loss.__name__), torch.randn(16, 4)
    seen: list[dict[str, torch.Tensor]] = []

    class Look(torch.optim.SGD):
        def step(self, closure: Any = None) -> None:  # type: ignore[override]
            seen.append({name: p.grad.clone() for name, p in task.learner.named_parameters() if p.grad is not None})

    task.optimizer_factory = lambda module, part="": {"optimizer": Look(module.parameters(), lr=0.0)}
    task._noise = lambda _: noise  # type: ignore[method-assign]
    state = {name: value.clone() for name, value in task.learner.state_dict().items()}
    trainer(tmp_path, max_steps=1, limit_val_batches=0).fit(task, datamodule=batches(16))
    assert len(seen) == 2  # a step of each, after one backward pass

    task.learner.load_state_dict(state)
    networks: Any = task.learner
    real = networks.discriminator(networks.scaled(torch.from_numpy(images(16))))
    made = networks.generator(noise)
    fake, told = networks.discriminator(made.detach()), networks.discriminator(made)
    losses = loss(real, fake, told)
    own = torch.autograd.grad(losses[1], list(networks.generator.parameters()), retain_graph=True)
    other = torch.autograd.grad(losses[0], list(networks.discriminator.parameters()))
    names = [name for name, _ in networks.named_parameters()]
    assert seen[0].keys() == set(names)
    for name, gradient in zip(names, (*own, *other), strict=True):
        torch.testing.assert_close(seen[0][name], gradient, rtol=1e-3, atol=1e-6, msg=name)


@pytest.mark.slow
def test_it_learns_and_a_batch_is_one_step(tmp_path: Path) -> None:
    task = gan()
    task.appoint(Judge())
    untrained = trainer(tmp_path)
    untrained.test(task, datamodule=batches(), verbose=False)
    before = task.test_metrics
    loop = trainer(tmp_path, max_epochs=60)
    loop.fit(task, datamodule=batches())
    assert loop.global_step == 60 * 3
    for part, optimizer in zip(RATES, loop.optimizers, strict=True):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(RATES[part] / 2.8)
    logged = loop.callback_metrics
    assert {"train/loss_generator", "train/loss_discriminator"} < logged.keys()
    loop.test(task, datamodule=batches(), verbose=False)
    after = task.test_metrics
    for name, value in after.items():
        assert float(logged[f"validation/{name}"]) == pytest.approx(value, rel=1e-4)
    assert after["sliced_wasserstein"] < before["sliced_wasserstein"] / 2
    assert after["frechet"] < before["frechet"] / 4
    assert after["classes"] == 2 and after["class_entropy"] > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("stopped", [1, 3])  # within the first epoch of three steps, and at its end
def test_a_resumed_run_ends_as_one_never_stopped(stopped: int, tmp_path: Path) -> None:
    want = traces(fitted(tmp_path / "whole"), tmp_path / "whole")
    with pytest.raises(SaveAt.Killed):
        fitted(tmp_path / "run", SaveAt(tmp_path / "saved", stopped))
    resumed = fitted(tmp_path / "run", resume=tmp_path / "saved", seed=7)
    assert difference(want, traces(resumed, tmp_path / "run")) == ""


def fitted(folder: Path, *callbacks: pl.Callback, resume: Path | None = None, seed: int = 0) -> pl.Trainer:
    task = gan()
    pl.seed_everything(seed, verbose=False)
    loop = trainer_in(folder, *callbacks, max_epochs=2)
    loop.fit(task, datamodule=batches(), ckpt_path=resume)
    return loop


def test_what_is_measured_is_that_of_the_samples(tmp_path: Path) -> None:
    task, judge = gan().eval(), Judge()
    assert isinstance(task, Judged)
    task.appoint(judge)
    trainer(tmp_path).test(task, datamodule=batches(), verbose=False)
    noise = torch.randn(48, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        samples = task.learner.pixels(task.learner.generator(noise))  # type: ignore[union-attr, operator]
    told = judge({"image": samples})
    assert task.test_metrics["frechet"] == pytest.approx(frechet(judge({"image": torch.from_numpy(images())}), told))
    assert task.test_metrics["class_entropy"] == pytest.approx(entropy(told.argmax(1), 2))
    assert not [name for name in task.state_dict() if "judge" in name]  # it is no part of what is saved
    (made,) = task.exhibits("validation")
    made_too, rows = task.exhibits("test")
    assert made == made_too and (made.title, made.texts, rows.texts) == ("Samples", False, True)
    assert task.predictions() == {}


def test_a_seed_makes_one_image_whatever_stands_beside_it(tmp_path: Path) -> None:
    task = gan().eval()
    found = task.predict_step({"row": torch.arange(3), "seed": torch.tensor([7, 8, 7])})
    column = task.answer({"image": found["image"].numpy()}, with_scores=False)["image"]
    assert [list(column[0]) == list(column[i]) for i in range(3)] == [True, False, True]
    schema = task.answer_schema(with_scores=False)
    assert schema.field("image").type.list_size == len(column[0]) == 64
    alone = task.predict_step({"row": torch.arange(1), "seed": torch.tensor([8])})
    torch.testing.assert_close(alone["image"][0].int(), found["image"][1].int(), atol=1, rtol=0)


def test_the_folders_readme_makes_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = gan().eval()
    task.save(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec((tmp_path / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0], names)
    noise = torch.randn(5, 4)
    with torch.no_grad():
        made = task.learner.pixels(task.learner.generator(noise))  # type: ignore[union-attr, operator]
    assert torch.equal(names["samples"](noise), made)


@pytest.mark.parametrize("judge", [Judge(labels=()), Judge(shape=(1, 9, 9))])
def test_a_judge_of_something_else_is_refused(judge: Judge) -> None:
    with pytest.raises(ConfigError, match=r"task.judge=outputs/x  is no classifier of images of 1 x 8 x 8"):
        gan(judge="outputs/x").appoint(judge)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"task.objective=frechet  .* Set task.judge=RUN"):
        gan(objective="frechet")
    assert gan(objective="frechet", judge="outputs/x").objective == "validation/frechet"
    with pytest.raises(
        ConfigError, match=r"task=gan  needs a model of two networks.* Lstm has them not.*Set model=gan"
    ):
        Gan(lstm(), FACTS, adam, **defaults_of("task/gan"))
    frozen = gan().learner
    frozen.discriminator.requires_grad_(False)  # type: ignore[union-attr, operator]
    with pytest.raises(ConfigError, match=r"adapter  freezes parts .* Set adapter=full"):
        Gan(frozen, FACTS, adam, **defaults_of("task/gan"))
