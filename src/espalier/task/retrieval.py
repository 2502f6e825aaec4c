"""``task=retrieval``: the best answer for a message, by one encoder for both (a bi-encoder)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from annotated_types import Ge, Gt
from safetensors.torch import save_model
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.columns import Ragged
from espalier.core.counted import COUNTS, Counted, intervals, mean, values
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Baseline, OptimizerFactory
from espalier.task.base import Batch, width_of
from espalier.task.card import BARE_CARD, answers_card
from espalier.task.counted import AbstractCountedTask
from espalier.task.exact import exact
from espalier.task.lexical import similarities

_AT_ONCE = 512  # answers that are encoded together


class Retrieval(AbstractCountedTask):
    """Message and answer -> one vector each, by the same encoder; the answer with the highest cosine is the best.

    ``espalier train data=support_answers task=retrieval``. The data's labels are the answers; of names such as
    ``card_arrival`` the words are read. The loss is the cross-entropy of the right answer among the batch's distinct
    ones (in-batch negatives; Henderson et al. 2017, arXiv:1705.00652):

        loss(q, a) = -log( exp(cos(q, a) / T) / sum over the batch's answers a' of exp(cos(q, a') / T) )

    A micro-batch sees its own negatives alone, so accumulation and ranks make the task easier. Validation and test
    rank all answers.

    Args:
        objective: the validation metric that chooses the best checkpoint.
        temperature: T.
        projection: features of a trained linear layer behind the encoder; None: the encoder's own.
        shown: answers that ``espalier predict`` tells of each message.
        bootstrap: resamples behind each 95% interval on test.

    Shapes: the learner gives (B, width); ``batch["label"]`` is (B,) int64, the number of the right answer.

    Raises:
        ConfigError: the data has not one label for each text, or nothing learns.
    """

    learns: ClassVar[str] = "label"
    counted: ClassVar[Mapping[str, Counted]] = {
        "recall@1": Counted(mean), "recall@5": Counted(mean), "mrr": Counted(mean), "loss": Counted(mean, "min"),
    }  # fmt: skip

    def __init__(
        self,
        learner: nn.Module,
        facts: DataFacts,
        optimizers: OptimizerFactory,
        /,
        *,
        objective: Literal["recall@1", "recall@5", "mrr", "loss"],
        temperature: Annotated[float, Gt(0)],
        projection: Annotated[int, Ge(1)] | None,
        shown: Annotated[int, Ge(1)],
        bootstrap: Annotated[int, Ge(0)],
    ) -> None:
        super().__init__(learner, facts, optimizers, objective=objective, bootstrap=bootstrap)
        self.temperature, self.shown = temperature, shown
        self.role = _role(facts, learner)
        self.labels = facts.label_names
        width = width_of(learner)
        self.projection = nn.Linear(width, projection, bias=False) if projection else nn.Identity()
        if not any(parameter.requires_grad for parameter in self.parameters()):
            truth = "leaves nothing to learn: the encoder is frozen, and nothing stands behind it."
            raise ConfigError(Fault("task.projection=null", truth, "Set task.projection=384, or another adapter."))
        ids, mask = _read(learner, self.role, [words_of(name) for name in self.labels], facts.pad[self.role])
        self.ids: Tensor
        self.mask: Tensor
        self.register_buffer("ids", ids, persistent=False)
        self.register_buffer("mask", mask, persistent=False)
        self._answers: Tensor | None = None  # their vectors, while the model stays as it is

    def forward(self, batch: Batch) -> Tensor:
        """Vectors of length 1, fp32."""
        return functional.normalize(self.projection(self.learner(batch)).float(), dim=-1)

    def encoded(self, answers: Tensor) -> Tensor:
        """Vectors of some answers by number, (N,) -> (N, width)."""
        mask = self.mask[answers]
        longest = int(mask.sum(1).max())
        return self({self.role: self.ids[answers, :longest], f"{self.role}_mask": mask[:, :longest]})  # type: ignore[no-any-return]

    def train(self, mode: bool = True) -> Self:
        """As torch's; what is known of the answers holds no longer."""
        self._answers = None
        return super().train(mode)

    def logits(self, batch: Batch) -> Tensor:
        """Of every answer, (B, answers): cosine / temperature."""
        if self._answers is None:
            every = torch.arange(len(self.labels), device=self.ids.device)
            self._answers = torch.cat([self.encoded(some) for some in torch.split(every, _AT_ONCE)])
        return self._cosines(self(batch), self._answers)

    def _cosines(self, rows: Tensor, answers: Tensor) -> Tensor:
        # Vectors are fp32: of 16 bits, whose steps are of 1/256 there, many cosines would be equal.
        with torch.autocast(rows.device.type, enabled=False):
            return rows @ answers.T / self.temperature

    def training_step(self, batch: Batch) -> Tensor:
        """The mean loss of the batch's rows, scaled to its share of the global batch."""
        answers, target = batch["label"].unique(return_inverse=True)
        logits = self._cosines(self(batch), self.encoded(answers))
        return self.share(functional.cross_entropy(logits, target), batch)

    def evaluation_step(self, batch: Batch, /) -> Mapping[str, Tensor]:
        """Counts, the right answer and the scores of all."""
        logits, target = self.logits(batch), batch["label"]
        return {"target": target, "scores": logits.softmax(-1), **_counts(logits, target)}

    def columns(self, kept: Mapping[str, Any], /) -> Mapping[str, Any]:
        """``target``, ``prediction`` (numbers of answers) and ``scores``."""
        return {"target": kept["target"], "prediction": kept["scores"].argmax(1), "scores": list(kept["scores"])}

    def predict_step(self, batch: Batch) -> Mapping[str, Tensor]:
        """``row`` (B,) and ``scores`` (B, answers)."""
        return {"row": batch["row"], "scores": self.logits(batch).softmax(-1)}

    def answer_schema(self, *, with_scores: bool) -> pa.Schema:
        """``prediction`` (the best answer), ``score``, ``ranked`` (the best ones) and, if wanted, their scores."""
        more = [("ranked_scores", pa.list_(pa.float64()))] if with_scores else []
        first = [("prediction", pa.string()), ("score", pa.float64()), ("ranked", pa.list_(pa.string()))]
        return pa.schema([*first, *more])

    def answer(self, found: Mapping[str, Any], /, *, with_scores: bool) -> Mapping[str, Sequence[Any]]:
        """The columns of ``answer_schema``."""
        scores = found["scores"]
        order = np.argsort(-scores, axis=1, kind="stable")[:, : self.shown]
        ranked = [[self.labels[i] for i in row] for row in order]
        told = np.take_along_axis(scores, order, axis=1)
        more = {"ranked_scores": told.tolist()} if with_scores else {}
        return {"prediction": [row[0] for row in ranked], "score": told[:, 0], "ranked": ranked, **more}

    def baseline(self, raw: Raw, split: str, /) -> Baseline:
        """Words in common, weighed by tf-idf; nothing is trained."""
        table = raw.splits[split]
        answers = [words_of(name) for name in self.labels]
        found = similarities(table[self.role].to_pylist(), answers, raw.splits["train"][self.role].to_pylist())
        logits, target = torch.from_numpy(found) / self.temperature, torch.from_numpy(table["label"].to_numpy().copy())
        counts = {name.removeprefix(COUNTS): exact(c).numpy() for name, c in _counts(logits, target).items()}
        kept = {"target": target.numpy(), "scores": logits.softmax(-1).numpy()}
        return Baseline(
            "words in common (tf-idf)",
            values(self.counted, counts),
            intervals(self.counted, counts, self.resamples),
            {"row": table["row"].to_numpy(), **self.columns(kept)},
        )

    def save(self, folder: Path, /) -> None:
        """The encoder's own files, ``projection.safetensors``, ``answers.json`` and a README that loads them."""
        recipe, projected = self.save_learner(folder), not isinstance(self.projection, nn.Identity)
        if projected:
            save_model(self.projection, str(folder / "projection.safetensors"))
        names = json.dumps(list(self.labels), ensure_ascii=False)
        (folder / "answers.json").write_text(names + "\n", encoding="utf-8")
        card = answers_card(recipe, projected=projected) if recipe else BARE_CARD
        (folder / "README.md").write_text(card, encoding="utf-8")


def words_of(name: str) -> str:
    """A label as a text: ``card_arrival`` has no blanks, and is two words."""
    return name if " " in name else name.replace("_", " ")


def _counts(logits: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Of each row: whether the right answer is the first, among the first five, 1 / rank; the cross-entropy.

    Of answers with the same score, those of lower numbers stand before, as in what is predicted; a score that is no
    number is behind none.
    """
    logits = exact(logits)
    target = target.to(logits.device)[:, None]
    right = logits.gather(1, target)
    later = torch.arange(logits.shape[1], device=logits.device) > target
    behind = (logits < right) | ((logits == right) & later)
    rank = logits.shape[1] - behind.sum(1)
    amounts = {
        "recall@1": rank <= 1,
        "recall@5": rank <= 5,
        "mrr": 1 / rank,
        "loss": functional.cross_entropy(logits, target[:, 0], reduction="none"),
    }
    return {f"{COUNTS}{name}": torch.stack([exact(a), torch.ones_like(exact(a))], 1) for name, a in amounts.items()}


def _role(facts: DataFacts, learner: nn.Module) -> str:
    """The column of texts.

    Raises:
        ConfigError: there is not one, or its labels are not one a row, or the model reads no other texts than its own.
    """
    kinds = [facts.kinds[role] for role in facts.inputs]
    if kinds != ["text"] or facts.kinds.get("label") != "label" or len(facts.labels) != 1:
        truth = f"needs one text and its answer in each row; this data has {', '.join(facts.kinds.values())}."
        raise ConfigError(Fault("task=retrieval", truth, "Name the answers' column:  data.columns.label=…"))
    if not hasattr(learner, "encoding"):
        truth = f"reads the answers by the model's encoding, and {type(learner).__name__} keeps none."
        raise ConfigError(Fault("task=retrieval", truth, "Let the model keep it as  self.encoding"))
    return facts.inputs[0]


def _read(learner: Any, role: str, texts: Sequence[str], pad: int) -> tuple[Tensor, Tensor]:
    """Ids and mask of texts, (N, L), as the model reads them."""
    encoded = learner.encoding.apply(pa.table({role: texts}))[role]
    rows: list[npt.NDArray[Any]] = [encoded[i] for i in range(len(encoded))] if isinstance(encoded, Ragged) else []
    ids = torch.full((len(rows), max(map(len, rows))), pad)
    mask = torch.zeros(ids.shape, dtype=torch.bool)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.from_numpy(np.asarray(row, np.int64))
        mask[i, : len(row)] = True
    return ids, mask
