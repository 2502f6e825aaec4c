"""``task=language_modelling``: each token from those before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Unpack

import pyarrow as pa
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.errors import ConfigError, Fault
from espalier.core.exhibits import Exhibit, Texts
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Baseline, OptimizerFactory
from espalier.state.ranks import gather_objects
from espalier.task.base import Batch, mean_of
from espalier.task.bigrams import bigram_baseline
from espalier.task.foretelling import IGNORED, AbstractForetelling, Settings, of_two_places

_OPENING = 64  # tokens of a validation text that a sample goes on with


class LanguageModelling(AbstractForetelling):
    """The cross-entropy of each token, given those before it: -(1 / N) sum_t log p(x_t | x_<t), in nats a token.

    ``espalier train data=text_file data.path=book.txt model=gpt adapter=full``, or, to go on with what a pretrained
    one has learned, ``model=causal_lm model.source=ORG/NAME``

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

    What a learner must have is told by ``task.foretelling.AbstractForetelling``.

    Shapes: ``batch[role]`` (B, L) ids and ``batch[<role>_mask]`` (B, L) bool, of the role that the learner reads; the
    learner's ``states`` are (B, L - 1, width), its ``logits`` (B, L - 1, vocabulary).

    Raises:
        ConfigError: the learner foretells no tokens, or not from those before them alone; the data has answers.
    """

    option: ClassVar[str] = "language_modelling"
    suits: ClassVar[str] = "Set model=gpt, with adapter=full, or model=causal_lm."

    def __init__(
        self, learner: nn.Module, facts: DataFacts, optimizers: OptimizerFactory, /, **settings: Unpack[Settings]
    ) -> None:
        super().__init__(learner, facts, optimizers, **settings)
        if "target" in facts.kinds.values():
            truth = "goes on with running text, and this data has answers that are to be written."
            raise ConfigError(Fault("task=language_modelling", truth, "Set  task=instruction_tuning"))
        self._openings: list[list[int]] = []

    def training_step(self, batch: Batch) -> Tensor:
        """The summed loss of the batch's tokens, over how many as many rows have on the mean of the global batch."""
        before, target = self.cut(batch)
        (model,) = self.model
        logits = model.logits(model.states(before, self.role))
        lost = functional.cross_entropy(
            logits.flatten(0, 1).float(), target.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        of_row = mean_of(batch, self.role) - 1  # a row's first token is not told
        return self.share_of_sum(lost, max(1.0, len(target) * of_row), batch)

    def evaluation_step(self, batch: Batch, /) -> Mapping[str, Tensor]:
        """Of each row the sum of its tokens' losses, how many were foretold, and how many there are."""
        if len(self._openings) < self.told.samples:
            self._openings += _openings(batch[self.role], batch[f"{self.role}_mask"])
        return super().evaluation_step(batch)

    def on_validation_epoch_start(self) -> None:
        """Openings of texts are those of this evaluation."""
        self._openings = []

    def on_test_epoch_start(self) -> None:
        """As for validation."""
        self._openings = []

    def exhibits(self, split: str, /) -> Sequence[Exhibit]:  # noqa: ARG002  # the same of each
        """How it goes on with the openings of the first rows that it was evaluated on."""
        prompts = gather_objects(self._openings[: self.told.samples])[0]  # all ranks go on alike, equally long
        if not prompts:
            return []
        told = self.go_on(prompts, range(len(prompts)), ends=())
        pairs = zip(prompts, told, strict=True)
        items = tuple((f"goes on with: {self.text(p)}", self.text(t, behind=p)) for p, t in pairs)
        return [Texts("Samples", items, "The opening is the data's own; what goes on with it, the model's.")]

    def predict_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """``row`` (B,) and ``continuation``, a text of each row."""
        mask = batch[f"{self.role}_mask"]
        prompts = [ids[seen].tolist() for ids, seen in zip(batch[self.role], mask, strict=True)]
        told = self.go_on(prompts, batch["row"].tolist(), ends=getattr(self.encoding, "ends", ()))
        texts = [self.text(ids, behind=prompt) for ids, prompt in zip(told, prompts, strict=True)]
        return {"row": batch["row"], "continuation": texts}

    def answer(self, found: Mapping[str, Any], /, *, with_scores: bool) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002
        """The continuations; a text has no score."""
        return {"continuation": found["continuation"]}

    def answer_schema(self, *, with_scores: bool) -> pa.Schema:  # noqa: ARG002  # there are none
        """``continuation``."""
        return pa.schema([("continuation", pa.string())])

    def baseline(self, raw: Raw, split: str, /) -> Baseline | None:
        """The model as it came, where it came with something; else each token from the one before it alone."""
        return self.untuned(raw, split) or bigram_baseline(
            raw, split, self.encoding, self.role, self.counted, self.resamples
        )

    def cut(self, batch: Batch, /) -> tuple[dict[str, Tensor], Tensor]:
        """All tokens but a row's first are told."""
        batch = of_two_places(batch, self.role)
        ids, mask = batch[self.role], batch[f"{self.role}_mask"]
        seen = {self.role: ids[:, :-1], f"{self.role}_mask": mask[:, :-1]}
        return seen, ids[:, 1:].masked_fill(~mask[:, 1:], IGNORED)


def _openings(ids: Tensor, mask: Tensor) -> list[list[int]]:
    return [row[seen].tolist()[:_OPENING] for row, seen in zip(ids, mask, strict=True) if bool(seen.any())]
