"""``task=gan``: a generator of images learns against a discriminator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import torch
from annotated_types import Ge
from pytorch_lightning.core.optimizer import do_nothing_closure
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.bounds import RunOrWeights
from espalier.core.errors import ConfigError, Fault
from espalier.core.exhibits import Exhibit
from espalier.core.facts import DataFacts, Kind
from espalier.core.parts import OptimizerFactory
from espalier.core.picture_grid import grid
from espalier.state.ranks import own_part
from espalier.task.base import AbstractTask, Batch
from espalier.task.distances import directions, entropy, frechet, sliced_wasserstein

_AT_ONCE = 500  # images that are made, or judged, together
_JUDGED = 1000  # samples whose classes are counted
_SHOWN = 64  # samples in the report, a square of them
_CARD = """# A generator trained with Espalier

It loads without Espalier. In this folder:

```python
{recipe}

print(samples(torch.randn(4, {noise})).shape)
```

`model.safetensors` holds the discriminator beside it.
"""


def non_saturating(real: Tensor, fake: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
    """Losses of discriminator and generator; D is the sigmoid of what the discriminator says (Goodfellow et al. 2014).

    L_D = -E log D(x) - E log(1 - D(G(z))),  L_G = -E log D(G(z))  (arXiv:1406.2661, section 3).

    Args:
        real, fake: what the discriminator says of real images and of made ones, (B, 1).
        told: of made ones, with a gradient for the generator alone.
    """
    return functional.softplus(-real).mean() + functional.softplus(fake).mean(), functional.softplus(-told).mean()


def hinge(real: Tensor, fake: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
    """As ``non_saturating``; D is what the discriminator says itself (Lim & Ye 2017, Miyato et al. 2018).

    L_D = E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))),  L_G = -E D(G(z))  (arXiv:1705.02894, arXiv:1802.05957).
    """
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean(), -told.mean()


_LOSSES = {"non_saturating": non_saturating, "hinge": hinge}


class Gan(AbstractTask):
    """Two networks, two losses, two optimizers; both gradients are taken at the same weights, in one backward pass.

    ``espalier train experiment=mnist_gan``. The discriminator's optimizer may have values of its own:
    ``optimizer.parts.discriminator.lr=4e-4``. A batch is one optimizer step, of both.

    Measured on as many samples as there are rows, from the same noise each time:
        sliced_wasserstein: distance from the rows, over pixels from 0 to 1 (``task.distances``); fixed directions.
        frechet: with a judge, of its features (ibid.).
        classes, class_entropy: with a judge, how many classes it sees among the first 1,000 samples, and how evenly.

    Args:
        loss: ``non_saturating`` or ``hinge``.
        objective: which distance chooses the best checkpoint; the smaller the better.
        projections: directions on which pixels are projected.
        judge: the directory of a run that learned to tell labels of such images.

    Shapes: see ``model.gan.Gan``.

    Raises:
        ConfigError: the model has not the two networks, or parts of them are frozen; ``frechet`` without a judge.
    """

    asks: ClassVar[tuple[str, ...]] = ("generator", "discriminator")
    suits: ClassVar[str] = "Set model=gan."
    divides: ClassVar[bool] = False  # samples are made outside of steps
    asked: ClassVar[Mapping[str, Kind]] = {"seed": "id"}  # what ``espalier predict`` reads

    def __init__(
        self,
        learner: nn.Module,
        facts: DataFacts,
        optimizers: OptimizerFactory,
        /,
        *,
        loss: Literal["non_saturating", "hinge"],
        objective: Literal["sliced_wasserstein", "frechet"],
        projections: Annotated[int, Ge(1)],
        judge: Annotated[str, RunOrWeights()] | None,
    ) -> None:
        super().__init__(learner, facts, optimizers)
        _require_two(learner)
        if objective == "frechet" and judge is None:
            truth = "is a distance between features of a judge, and there is none."
            remedy = "Set task.judge=RUN, a classifier's run, or task.objective=sliced_wasserstein."
            raise ConfigError(Fault("task.objective=frechet", truth, remedy))
        self.automatic_optimization = False
        self.objective, self.direction = f"validation/{objective}", "min"
        self.losses, self.projections, self.judge = _LOSSES[loss], projections, judge
        self._judge: tuple[Any, ...] = ()  # in a tuple, it is no part of what is trained and saved
        self._samples = self._rows = torch.zeros(0, *facts.shape, dtype=torch.uint8)

    def appoint(self, judge: Any, /) -> None:
        """Take the task of the run that ``judge`` names, frozen.

        Raises:
            ConfigError: it tells no labels of images like these.
        """
        shape = judge.facts.shape
        if not getattr(judge, "labels", ()) or "image" not in judge.facts.kinds.values() or shape != self.facts.shape:
            size = " x ".join(map(str, self.facts.shape))
            truth = f"is no classifier of images of {size}, which are those that are made here."
            raise ConfigError(Fault(f"task.judge={self.judge}", truth, "Name one that was trained on this data."))
        self._judge = (judge,)

    def configure_optimizers(self) -> Any:
        """One for each network, with its schedule; the generator's counts the steps."""
        return [self.optimizer_factory(getattr(self.learner, part), part) for part in self.asks]

    def training_step(self, batch: Batch) -> None:
        """A step of both; logs ``train/loss_generator`` and ``train/loss_discriminator``."""
        learner: Any = self.learner
        discriminator = learner.discriminator
        images = learner.scaled(batch[learner.role])
        made = learner.generator(self._noise(len(images)))
        real, fake = discriminator(images), discriminator(made.detach())
        discriminator.requires_grad_(False)
        told = discriminator(made)
        discriminator.requires_grad_(True)
        losses = self.losses(real.float(), fake.float(), told.float())
        optimizers: Any = self.optimizers()
        for optimizer in optimizers:
            optimizer.zero_grad()
        self.manual_backward(self.share(losses[0] + losses[1], batch))
        # Lightning would count a step for each of the two.
        optimizers[1]._on_before_step = optimizers[1]._on_after_step = do_nothing_closure
        schedules: Any = self.lr_schedulers()
        for optimizer in optimizers:
            optimizer.step()
        for schedule in schedules or ():
            schedule.step()
        for part, loss in zip(reversed(self.asks), losses, strict=True):
            self.log(f"train/loss_{part}", loss.detach(), batch_size=len(images))

    def validation_step(self, batch: Batch) -> None:
        """Keep the images."""
        role: Any = self.learner.role
        self.keep(row=batch["row"], image=batch[role])

    def test_step(self, batch: Batch) -> None:
        """Keep the images."""
        self.validation_step(batch)

    def on_validation_epoch_end(self) -> None:
        """Log the distances as ``validation/…``."""
        self.log_dict({f"validation/{name}": value for name, value in self._measured().items()}, sync_dist=True)

    def on_test_epoch_end(self) -> None:
        """The distances."""
        self.test_metrics = self._measured()

    def exhibits(self, split: str, /) -> Sequence[Exhibit]:
        """Samples, of the same noise each time; after the test also rows, which are the data's own."""
        made = grid("Samples", self._samples.numpy(), note="The same noise each time.")
        if split == "validation":
            return [made]
        return [made, grid("Images of the data", self._rows.numpy(), note=f"Rows of {split}.", texts=True)]

    def predictions(self) -> Mapping[str, Any]:
        """None: samples are of no row."""
        return {}

    def save(self, folder: Path, /) -> None:
        """The model's own files, and a README that makes images by them."""
        learner: Any = self.learner
        learner.save(folder)
        card = _CARD.format(recipe=learner.sampling().strip(), noise=learner.noise)
        (folder / "README.md").write_text(card, encoding="utf-8")

    def predict_step(self, batch: Batch) -> dict[str, Tensor]:
        """``row`` (B,) and ``image`` (B, C · H · W), a sample for each ``seed`` (B,)."""
        seeds = batch["seed"].tolist()
        noise = torch.stack([_drawn(1, self._width, seed)[0] for seed in seeds])
        return {"row": batch["row"], "image": self._made(noise).flatten(1)}

    def answer_schema(self, *, with_scores: bool) -> pa.Schema:  # noqa: ARG002  # there are none
        """``image``: the pixels of a sample, 0 to 255, channel by channel, row by row."""
        return pa.schema([("image", pa.list_(pa.uint8(), int(np.prod(self.facts.shape))))])

    def answer(self, found: Mapping[str, Any], /, *, with_scores: bool) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002
        """The column of ``answer_schema``."""
        return {"image": list(found["image"])}

    @property
    def _width(self) -> int:
        width: Any = self.learner.noise
        return int(width)

    def _noise(self, rows: int) -> Tensor:
        """For a training batch."""
        return own_part(lambda count: torch.randn(count, self._width, device=self.device), rows)

    @torch.no_grad()
    def _made(self, noise: Tensor) -> Tensor:
        """Samples of (N, noise), bytes, on the CPU; in fp32, so that a seed's sample hardly depends on the others."""
        learner: Any = self.learner
        like = next(learner.generator.parameters())
        with torch.autocast(self.device.type, enabled=False):
            parts = [learner.pixels(learner.generator(part.to(like))) for part in _parts(noise)]
        return torch.cat(parts).cpu()

    def _measured(self) -> dict[str, float]:
        rows = self.kept()["image"]
        samples = self._made(_drawn(len(rows), self._width, 0))
        self._samples, self._rows = samples[:_SHOWN], rows[:_SHOWN]
        lines = directions(int(np.prod(self.facts.shape)), self.projections)
        distance = sliced_wasserstein(rows.flatten(1) / 255, samples.flatten(1) / 255, lines)
        return {"sliced_wasserstein": distance, **self._judged(rows, samples)}

    @torch.no_grad()
    def _judged(self, rows: Tensor, samples: Tensor) -> dict[str, float]:
        if not self._judge:
            return {}
        judge = self._judge[0].to(self.device)
        role = next(role for role, kind in judge.facts.kinds.items() if kind == "image")

        def told(by: nn.Module, images: Tensor) -> Tensor:
            return torch.cat([by({role: part.to(self.device)}).float().cpu() for part in _parts(images)])

        classes = told(judge, samples[:_JUDGED]).argmax(1)
        return {
            "frechet": frechet(told(judge.learner, rows), told(judge.learner, samples)),
            "classes": float(len(set(classes.tolist()))),
            "class_entropy": entropy(classes, len(judge.labels)),
        }


def _drawn(rows: int, width: int, seed: int) -> Tensor:
    """Noise that depends on the seed alone, (rows, width)."""
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))


def _parts(rows: Tensor) -> list[Tensor]:
    return [rows[first : first + _AT_ONCE] for first in range(0, len(rows), _AT_ONCE)]


def _require_two(learner: nn.Module) -> None:
    if not all(isinstance(getattr(learner, part, None), nn.Module) for part in Gan.asks):
        truth = f"needs a model of two networks, {' and '.join(Gan.asks)}, and {type(learner).__name__} has them not."
        raise ConfigError(Fault("task=gan", truth, Gan.suits))
    if not all(parameter.requires_grad for parameter in learner.parameters()):
        truth = "freezes parts of networks that have learned nothing yet: both begin at random."
        raise ConfigError(Fault("adapter", truth, "Set adapter=full."))
