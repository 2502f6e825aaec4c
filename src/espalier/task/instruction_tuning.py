"""``task=instruction_tuning``: answers to instructions, told token by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Unpack

import pyarrow as pa
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.columns import BESIDE, PLACE
from espalier.core.errors import ConfigError, Fault
from espalier.core.exhibits import Exhibit, Texts
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Baseline, OptimizerFactory
from espalier.state.ranks import gather_objects
from espalier.task.base import Batch
from espalier.task.foretelling import IGNORED, AbstractForetelling, Settings, of_two_places


class InstructionTuning(AbstractForetelling):
    """The cross-entropy of an answer's tokens, given what was asked and the tokens before: what was asked is only read.

        L = -(1 / N) sum_t m_t log p(x_t | x_<t),  m_t = 1 for the N tokens of answers, else 0

    (Ouyang et al. 2022, arXiv:2203.02155, section 3.5, calls it supervised fine-tuning.)

    ``espalier train data=instructions data.path=my.jsonl model=causal_lm model.source=Qwen/Qwen2.5-0.5B adapter=lora``

    Measured are, over all tokens of answers, what ends them included: ``loss`` in nats, ``perplexity`` exp(loss), and
    ``accuracy``, the share that was foretold as the likeliest. The report holds the model against itself as it came.

    Args:
        objective: the validation metric that chooses the best checkpoint.
        max_new_tokens: of an answer, of samples and of ``espalier predict``.
        temperature, top_k, top_p: how tokens are drawn; see ``task.sampling.Sampling``.
        sampling_seed: of the draws, with the row's number.
        samples: validation rows that are answered after each validation; 0: none.
        bootstrap: resamples of rows behind each 95% interval on test.

    What a learner must have is told by ``task.foretelling.AbstractForetelling``. Where several texts stand in a row
    (``data.packing``), the learner has ``require_apart()``, which refuses what lets one see another.

    Shapes: ``batch[role]`` (B, L) ids, ``batch[<role>_mask]`` (B, L) bool, ``batch[<role>:answer]`` (B, L), 1 where a
    token is of an answer; ``batch["expected"]`` (rows,) how many such tokens a row has on the mean.

    Raises:
        ConfigError: the data has no answers to learn; the learner foretells no tokens, or lets packed texts see each
            other.
    """

    learns: ClassVar[str] = "messages"
    option: ClassVar[str] = "instruction_tuning"
    suits: ClassVar[str] = "Set model=causal_lm."
    replies: ClassVar[bool] = True

    def __init__(
        self, learner: nn.Module, facts: DataFacts, optimizers: OptimizerFactory, /, **settings: Unpack[Settings]
    ) -> None:
        super().__init__(learner, facts, optimizers, **settings)
        self.answers = f"{self.role}{BESIDE}answer"
        if self.answers not in facts.pad or "target" not in facts.kinds.values():
            roles = ", ".join(facts.inputs) or "nothing to read"
            truth = f"learns answers that are to be written, and this data has {roles} without any."
            remedy = "Set  data=instructions, or  task=language_modelling  for running text"
            raise ConfigError(Fault("task=instruction_tuning", truth, remedy))
        self._samples: list[tuple[list[int], list[int]]] = []
        if facts.packing:
            _require_apart(learner)

    def training_step(self, batch: Batch) -> Tensor:
        """The summed loss of the answers' tokens, over how many as many rows have on the mean of the data."""
        (model,) = self.model
        before, target = self.cut(batch)
        told = target != IGNORED
        logits = model.logits(model.states(before, self.role)[told])  # of other places no scores are needed
        lost = functional.cross_entropy(logits.float(), target[told], reduction="sum")
        return self.share_of_sum(lost, batch["expected"].sum(), batch)

    def evaluation_step(self, batch: Batch, /) -> Mapping[str, Tensor]:
        """Of each row the sum of its answer's losses, the tokens that were foretold, and all of its tokens."""
        if len(self._samples) < self.told.samples:
            self._samples += self._asked(batch)
        return super().evaluation_step(batch)

    def on_validation_epoch_start(self) -> None:
        """Samples are those of this evaluation."""
        self._samples = []

    def on_test_epoch_start(self) -> None:
        """As for validation."""
        self._samples = []

    def exhibits(self, split: str, /) -> Sequence[Exhibit]:  # noqa: ARG002  # the same of each
        """What it answers the first rows that it was evaluated on, and what the data does."""
        shown = gather_objects(self._samples[: self.told.samples])[0]  # all ranks answer alike, equally long
        if not shown:
            return []
        told = self.go_on([asked for asked, _ in shown], range(len(shown)), ends=self.encoding.ends)
        items = tuple(
            (f"The data answers: {self.text(answer)}", f"{self.text(asked)}{self.text(ids)}")
            for (asked, answer), ids in zip(shown, told, strict=True)
        )
        return [Texts("Samples", items, "What is asked stands as the model reads it, then what it answers.")]

    def predict_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """``row`` (B,) and ``prediction``, an answer for each row."""
        mask = batch[f"{self.role}_mask"]
        asked = [ids[seen].tolist() for ids, seen in zip(batch[self.role], mask, strict=True)]
        told = self.go_on(asked, batch["row"].tolist(), ends=self.encoding.ends)
        return {"row": batch["row"], "prediction": [self.text(ids) for ids in told]}

    def answer(self, found: Mapping[str, Any], /, *, with_scores: bool) -> Mapping[str, Sequence[Any]]:  # noqa: ARG002
        """The answers; a text has no score."""
        return {"prediction": found["prediction"]}

    def answer_schema(self, *, with_scores: bool) -> pa.Schema:  # noqa: ARG002  # there are none
        """``prediction``."""
        return pa.schema([("prediction", pa.string())])

    def baseline(self, raw: Raw, split: str, /) -> Baseline | None:
        """The model as it came."""
        return self.untuned(raw, split)

    def cut(self, batch: Batch, /) -> tuple[dict[str, Tensor], Tensor]:
        """What is told are tokens of answers; never from the text that stands before theirs in a row of several."""
        batch = of_two_places(batch, self.role)
        ids, mask = batch[self.role], batch[f"{self.role}_mask"]
        seen = {self.role: ids[:, :-1], f"{self.role}_mask": mask[:, :-1]}
        told = mask[:, 1:] & (batch[self.answers][:, 1:] == 1)
        if (place := batch.get(f"{self.role}{PLACE}")) is not None:
            seen[f"{self.role}{PLACE}"] = place[:, :-1]
            told = told & (place[:, 1:] > 0)
        return seen, ids[:, 1:].masked_fill(~told, IGNORED)

    def _asked(self, batch: Batch) -> list[tuple[list[int], list[int]]]:
        """Of each row that has an answer: ids before its last one's first token, and that one's."""
        found = []
        for ids, mask, marks in zip(batch[self.role], batch[f"{self.role}_mask"], batch[self.answers], strict=True):
            row, of = ids[mask].tolist(), marks[mask].tolist()
            end = next((i + 1 for i in reversed(range(len(of))) if of[i]), 0)
            begin = next((i + 1 for i in reversed(range(end)) if not of[i]), 0)
            if begin and end:
                found.append((row[:begin], row[begin:end]))
        return found


def _require_apart(learner: Any) -> None:
    if not hasattr(learner, "require_apart"):
        truth = f"puts several texts into a row, and {type(learner).__name__} does not say that it keeps them apart."
        raise ConfigError(Fault("data.packing=true", truth, "Set  data.packing=false"))
    learner.require_apart()
