"""What is learned by them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from espalier.task.base import AbstractTask


class Saved(AbstractTask):
    """Weights by name are all that is saved."""

    def predictions(self) -> Mapping[str, Any]:
        return {}

    def save(self, folder: Path, /) -> None:
        save_file({name: value.contiguous() for name, value in self.state_dict().items()}, folder / "model.safetensors")


class Gan(Saved):
    """Two optimizers, each over its own part (Goodfellow et al. 2014, arXiv:1406.2661)."""

    objective, direction = "validation/distance", "min"

    def __init__(self, learner: Any, facts: Any, optimizers: Any, /) -> None:
        super().__init__(learner, facts, optimizers)
        self.automatic_optimization = False

    def configure_optimizers(self) -> Any:
        return [self.optimizer_factory(getattr(self.learner, part), part) for part in ("generator", "discriminator")]

    def training_step(self, batch: Any, batch_idx: int) -> None:
        real = batch["vector"]
        one, zero = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        generator, discriminator = self.optimizers()
        judge = self.learner.discriminator
        fake = self.learner.generator(torch.randn(len(real), self.learner.noise))
        told = functional.binary_cross_entropy_with_logits
        self._step(discriminator, told(judge(real), one) + told(judge(fake.detach()), zero))
        self._step(generator, told(judge(fake), one))

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        fake = self.learner.generator(torch.randn(len(batch["vector"]), self.learner.noise))
        self.log(self.objective, (fake.norm(dim=1) - 1).abs().mean(), batch_size=len(fake))

    def test_step(self, batch: Any, batch_idx: int) -> None:
        fake = self.learner.generator(torch.randn(len(batch["vector"]), self.learner.noise))
        self.test_metrics = {"distance": float((fake.norm(dim=1) - 1).abs().mean())}

    def _step(self, optimizer: Any, loss: Tensor) -> None:
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()


class TwoHeads(Saved):
    """One encoder; each row goes to the head of its source."""

    objective, direction = "validation/accuracy", "max"

    def __init__(self, learner: Any, facts: Any, optimizers: Any, /) -> None:
        super().__init__(learner, facts, optimizers)
        self.heads = nn.ModuleList(nn.Linear(learner.width, len(names)) for names in facts.labels.values())

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        features = self.learner(batch)
        losses = [functional.cross_entropy(head(features[mine]), batch["label"][mine])
                  for head, mine in zip(self.heads, self._rows(batch), strict=True) if mine.any()]  # fmt: skip
        return torch.stack(losses).sum() * batch["scale"]

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        features, right = self.learner(batch), torch.zeros(len(batch["label"]))
        for head, mine in zip(self.heads, self._rows(batch), strict=True):
            right[mine] = (head(features[mine]).argmax(1) == batch["label"][mine]).float()
        self.keep(row=batch["row"], right=right)

    test_step = validation_step

    def on_validation_epoch_end(self) -> None:
        self.log(self.objective, self.kept()["right"].mean())

    def on_test_epoch_end(self) -> None:
        self.test_metrics = {"accuracy": float(self.kept()["right"].mean())}

    def _rows(self, batch: Any) -> list[Tensor]:
        return [batch["source"] == source for source in range(len(self.heads))]


class Translation(Saved):
    """Each target token from the source and the tokens before it."""

    objective, direction = "validation/token_accuracy", "max"

    def __init__(self, learner: Any, facts: Any, optimizers: Any, /) -> None:
        super().__init__(learner, facts, optimizers)
        self.head = nn.Linear(learner.width, facts.vocab_size)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        scores, mask = self.head(self.learner(batch)), batch["target_mask"]
        return functional.cross_entropy(scores[mask], batch["target"][mask]) * batch["scale"]

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        right = (self.head(self.learner(batch)).argmax(-1) == batch["target"]) | ~batch["target_mask"]
        self.keep(row=batch["row"], right=right.all(1).float())

    test_step = validation_step

    def on_validation_epoch_end(self) -> None:
        self.log(self.objective, self.kept()["right"].mean())

    def on_test_epoch_end(self) -> None:
        self.test_metrics = {"token_accuracy": float(self.kept()["right"].mean())}

    def save(self, folder: Path, /) -> None:
        super().save(folder)
        self.learner.encoding.save(folder)
