"""``task=language_modelling``: each token from those before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.counted import COUNTS, Counted, Floats, mean
from espalier.core.errors import ConfigError, Fault
from espalier.core.exhibits import Exhibit, Texts
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Baseline, OptimizerFactory
from espalier.task.base import Batch
from espalier.task.bigrams import bigram_baseline
from espalier.task.counted import AbstractCountedTask
from espalier.task.language_card import language_card
from espalier.task.sampling import Sampling, continuations

_ASKED = ("states", "logits", "next_logits")
_IGNORED = -100
_AT_ONCE = 2**25  # scores that are held at once in an evaluation
_OPENING = 64  # tokens of a validation text that a sample goes on with


def _perplexity(sums: Floats) -> Floats:
    value: Floats = np.exp(mean(sums))
    return value


class LanguageModelling(AbstractCountedTask):
    """The cross-entropy of each token, given those before it: -(1 / N) sum_t log p(x_t | x_<t), in nats a token.

    ``espalier train data=text_file data.path=book.txt model=gpt adapter=full``

    Measured are ``loss``, ``perplexity`` exp(loss), and ``accuracy``, the share of tokens that were foretold as the
    likeliest; each of a block's tokens but its first counts once. After each validation the model goes on with the
    beginnings of some validation texts.

    Args:
        objective: the validation metric that chooses the best checkpoint.
        max_new_tokens: of a sample, and of an answer of ``espalier predict``.
        temperature, top_k, top_p: how tokens are drawn; see ``task.sampling.Sampling``.
        sampling_seed: of the draws, with the row's number.
        samples: texts that it goes on with after each validation; 0: none.
        bootstrap: resamples of blocks behind each 95% interval on test.

    The learner says the ``role`` that it reads and how many tokens at once (``context``, or None), and has
    ``states(batch, role)``, ``logits(states)`` and ``next_logits(ids, past)``, as ``model.gpt.Gpt`` has them. Its
    ``encoding`` has ``decode(ids)``, and may say ``ends``, ids behind which a text is at its end.

    Shapes: ``batch[role]`` (B, L) ids and ``batch[<role>_mask]`` (B, L) bool, of the role that the learner reads; the
    learner's ``states`` are (B, L - 1, width), its ``logits`` (B, L - 1, vocabulary).

    Raises:
        ConfigError: the learner foretells no tokens: it lacks ``states``, ``logits`` or ``next_logits``.
    """

    counted: ClassVar[Mapping[str, Counted]] = {
        "loss": Counted(mean, "min"), "perplexity": Counted(_perplexity, "min"), "accuracy": Counted(mean),
    }  # fmt: skip

    def __init__(
        self,
        learner: nn.Module,
        facts: DataFacts,
        optimizers: OptimizerFactory,
        /,
        *,
        objective: Literal["loss", "perplexity", "accuracy"],
        max_new_tokens: Annotated[int, Ge(1)],
        temperature: Annotated[float, Ge(0)],
        top_k: Annotated[int, Ge(0)],
        top_p: Annotated[float, Gt(0), Le(1)],
        sampling_seed: Annotated[int, Ge(0)],
        samples: Annotated[int, Ge(0)],
        bootstrap: Annotated[int, Ge(0)],
    ) -> None:
        super().__init__(learner, facts, optimizers, objective=objective, bootstrap=bootstrap)
        _require(learner)
        model: Any = learner
        self.model, self.role = (model,), model.role  # in a tuple: it is the learner's place to be a module
        self.sampling = Sampling(temperature, top_k, top_p)
        self.max_new_tokens, self.sampling_seed, self.samples = max_new_tokens, sampling_seed, samples
        self._openings: list[list[int]] = []

    def training_step(self, batch: Batch) -> Tensor:
        """The mean loss of the batch's tokens, scaled to its rows' share of the global batch."""
        before, target = self._cut(batch)
        (model,) = self.model
        logits = model.logits(model.states(before, self.role))
        loss = functional.cross_entropy(logits.flatten(0, 1).float(), target.flatten(), ignore_index=_IGNORED)
        return self.share(loss, batch)

    def evaluation_step(self, batch: Batch, /) -> Mapping[str, Tensor]:
        """Of each row the sum of its tokens' losses, how many were foretold, and how many there are."""
        if len(self._openings) < self.samples:
            self._openings += _openings(batch[self.role], batch[f"{self.role}_mask"])
        before, target = self._cut(batch)
        (model,) = self.model
        states = model.states(before, self.role)
        rows = max(1, _AT_ONCE // (states.shape[1] * max(1, self.facts.vocab_size)))
        slices = zip(torch.split(states, rows), torch.split(target, rows), strict=True)
        parts = [_counts(model.logits(some), told) for some, told in slices]
        lost, right, tokens = (torch.cat(column) for column in zip(*parts, strict=True))
        losses = torch.stack([lost, tokens], 1)
        counts = {"loss": losses, "perplexity": losses, "accuracy": torch.stack([right, tokens], 1)}
        return {f"{COUNTS}{name}": value for name, value in counts.items()}

    def on_validation_epoch_start(self) -> None:
        """Openings of texts are those of this evaluation."""
        self._openings = []

    def on_test_epoch_start(self) -> None:
        """As for validation."""
        self._openings = []

    def exhibits(self, split: str, /) -> Sequence[Exhibit]:  # noqa: ARG002  # the same of each
        """How it goes on with the openings of the first rows that it was evaluated on."""
        openings = self._openings[: self.samples]
        if not openings:
            return []
        size = min(map(len, openings))
        prompts = [opening[:size] for opening in openings]
        with _evaluating(self):
            told = self._go_on(prompts, range(len(prompts)), ends=())
        items = tuple((f"goes on with: {self._text(p)}", self._text(t)) for p, t in zip(prompts, told, strict=True))
        return [Texts("Samples", items, "The opening is the data's own; what goes on with it, the model's.")]

    def predict_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """``row`` (B,) and ``continuation``, a text of each row."""
        mask = batch[f"{self.role}_mask"]
        prompts = [ids[seen].tolist() for ids, seen in zip(batch[self.role], mask, strict=True)]
        told = self._go_on(prompts, batch["row"].tolist(), ends=getattr(self._encoding, "ends", ()))
        return {"row": batch["row"], "continuation": [self._text(ids) for ids in told]}

    def answer(self, found: Mapping[str, Any], /, *, with_scores: bool) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002
        """The continuations; a text has no score."""
        return {"continuation": found["continuation"]}

    def answer_schema(self, *, with_scores: bool) -> pa.Schema:  # noqa: ARG002  # there are none
        """``continuation``."""
        return pa.schema([("continuation", pa.string())])

    @property
    def baseline_needs(self) -> str:
        """Besides the data: the tokens that it counts."""
        return str(self._encoding.fingerprint())

    def baseline(self, raw: Raw, split: str, /) -> Baseline | None:
        """Each token from the one before it alone; see ``task.bigrams``."""
        return bigram_baseline(raw, split, self._encoding, self.role, self.counted, self.resamples)

    def save(self, folder: Path, /) -> None:
        """The model's own files, and a README that loads them with transformers."""
        (model,) = self.model
        model.save(folder)
        (folder / "README.md").write_text(language_card(self.sampling, self.max_new_tokens), encoding="utf-8")

    @property
    def _encoding(self) -> Any:
        return self.model[0].encoding

    def _cut(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        """What is seen, (B, L - 1), as a batch; and what is to be told of each place."""
        ids, mask = batch[self.role], batch[f"{self.role}_mask"]
        seen = {self.role: ids[:, :-1], f"{self.role}_mask": mask[:, :-1]}
        return seen, ids[:, 1:].masked_fill(~mask[:, 1:], _IGNORED)

    def _go_on(self, prompts: Sequence[Sequence[int]], rows: Sequence[int], ends: Sequence[int]) -> list[list[int]]:
        (model,) = self.model
        return continuations(
            model.next_logits, prompts, self.sampling, length=self.max_new_tokens,
            seeds=[(self.sampling_seed, max(0, row)) for row in rows], context=model.context, ends=ends,
            device=self.device,
        )  # fmt: skip

    def _text(self, ids: Sequence[int]) -> str:
        return str(self._encoding.decode(ids))


def _counts(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each row: the sum of its losses, the tokens that were foretold, all tokens; (B,) each, fp64."""
    lost = functional.cross_entropy(logits.float().transpose(1, 2), target, reduction="none", ignore_index=_IGNORED)
    there = target != _IGNORED
    right = (logits.argmax(-1) == target) & there
    return lost.double().sum(1), right.double().sum(1), there.double().sum(1)


def _openings(ids: Tensor, mask: Tensor) -> list[list[int]]:
    return [row[seen].tolist()[:_OPENING] for row, seen in zip(ids, mask, strict=True) if bool(seen.any())]


def _require(learner: nn.Module) -> None:
    missing = [name for name in _ASKED if not callable(getattr(learner, name, None))]
    if missing:
        truth = f"asks a model what comes next, and {type(learner).__name__} has no {missing[0]}."
        raise ConfigError(Fault("task=language_modelling", truth, "Set model=gpt, with adapter=full."))


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """Without dropout; afterwards each part is in the mode that it was in."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
