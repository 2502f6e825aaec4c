"""``task=tagging``: a tag for each word, and the entities that tags make."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import torch
from annotated_types import Ge, Lt
from safetensors.torch import save_model
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.columns import BESIDE, FIRST
from espalier.core.counted import COUNTS, Counted, Floats, divided, f1, intervals, mean, values
from espalier.core.errors import ConfigError, Fault
from espalier.core.exhibits import Exhibit
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Baseline, OptimizerFactory
from espalier.task.base import Batch, width_of
from espalier.task.counted import AbstractCountedTask
from espalier.task.entities import OUTSIDE, Dictionary, Entity, counted, entities
from espalier.task.tagging_card import BARE_CARD, tagging_card
from espalier.task.tagging_exhibits import by_type, worst_sentences


def precision(sums: Floats) -> Floats:
    """Of counts (true positives, false positives, false negatives): tp / (tp + fp)."""
    return divided(sums[..., 0], sums[..., 0] + sums[..., 1])


def recall(sums: Floats) -> Floats:
    """Of the same: tp / (tp + fn)."""
    return divided(sums[..., 0], sums[..., 0] + sums[..., 2])


def f1_macro(sums: Floats) -> Floats:
    """Of the same for each type, one after the other: the mean F1 of the types that occur or are predicted."""
    each = sums.reshape(*sums.shape[:-1], -1, 3)
    return divided(f1(each).sum(-1), (each.sum(-1) > 0).sum(-1).astype(np.float64))


class Tagging(AbstractCountedTask):
    """State of each word's first token -> linear head -> softmax over the tags; cross-entropy.

    ``espalier train data=wnut17 task=tagging``

    Metrics are those of conlleval and seqeval: an entity counts as found if its type and all of its words are; ``f1``,
    ``precision`` and ``recall`` over all of them, ``f1_macro`` the mean over types; ``accuracy`` over words. A word
    that the encoding cut off, or has no token of, is called ``O``; ``loss`` is over the others.

    Args:
        objective: the validation metric that chooses the best checkpoint.
        head_dropout: on the states that the head sees.
        bootstrap: resamples behind each 95% interval on test.

    Shapes: of B sentences of at most W words, ``batch["words:first"]`` (B, W) int64 places among the tokens, -1 for
    none, ``batch["words:first_mask"]`` (B, W) bool, ``batch["words:tags"]`` (B, W) int64; the learner's ``states`` are
    (B, L, width).

    Raises:
        ConfigError: the data has no tags for words, or the model no state for each token.
    """

    learns: ClassVar[str] = "tags"
    asks: ClassVar[tuple[str, ...]] = ("states",)
    suits: ClassVar[str] = "Set  model=minilm, another of the hub's, or  model=lstm"
    counted: ClassVar[Mapping[str, Counted]] = {
        "f1": Counted(f1), "f1_macro": Counted(f1_macro), "precision": Counted(precision), "recall": Counted(recall),
        "accuracy": Counted(mean), "loss": Counted(mean, "min"),
    }  # fmt: skip

    def __init__(
        self,
        learner: nn.Module,
        facts: DataFacts,
        optimizers: OptimizerFactory,
        /,
        *,
        objective: Literal["f1", "f1_macro", "precision", "recall", "accuracy", "loss"],
        head_dropout: Annotated[float, Ge(0), Lt(1)],
        bootstrap: Annotated[int, Ge(0)],
    ) -> None:
        super().__init__(learner, facts, optimizers, objective=objective, bootstrap=bootstrap)
        self.words, self.tags = _role(facts, "words"), _role(facts, "tags")
        if not callable(getattr(learner, "states", None)):
            truth = f"needs a state of each word, and {type(learner).__name__} gives one vector for a whole text."
            raise ConfigError(Fault("task=tagging", truth, self.suits))
        self.target = f"{self.words}{BESIDE}{self.tags}"
        self.labels = facts.label_names
        self.types = tuple(dict.fromkeys(label[2:] for label in self.labels if label != OUTSIDE))
        width = width_of(learner)
        self.head = nn.Linear(width, len(self.labels))
        self.dropout = nn.Dropout(head_dropout)

    def forward(self, batch: Batch) -> Tensor:
        """Logits, (B, W, tags), fp32; those of words without a token say nothing."""
        learner: Any = self.learner
        states = learner.states(batch, self.words)
        first = batch[f"{self.words}{FIRST}"].clamp(min=0).unsqueeze(-1).expand(-1, -1, states.shape[-1])
        of_words = self.dropout(states.gather(1, first))
        with torch.autocast(states.device.type, enabled=False):
            logits: Tensor = self.head(of_words.to(self.head.weight.dtype))
        return logits.float()

    def training_step(self, batch: Batch) -> Tensor:
        """The mean over rows of the mean over a row's words, scaled to the rows' share of the global batch.

        So micro-batches of unlike lengths make the same step as the whole batch.
        """
        losses, seen = self._losses(self(batch), batch)
        return self.share((losses.sum(1) / seen.sum(1).clamp(min=1)).mean(), batch)

    def evaluation_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """What each sentence counts; tags as they are and as they are called, with the probability of the latter."""
        logits = self(batch)
        losses, seen = self._losses(logits, batch)
        called, score = self._called(logits, batch)
        words = batch[f"{self.words}{FIRST}_mask"].sum(1).tolist()
        target = _rows(batch[self.target], words)
        counts = {name: torch.from_numpy(column) for name, column in self._counts(target, called).items()}
        counts["loss"] = torch.stack([losses.sum(1), seen.sum(1)], 1)
        named = {f"{COUNTS}{name}": column for name, column in counts.items()}
        return {**named, "target": target, "prediction": called, "score": score}

    def columns(self, kept: Mapping[str, Any], /) -> Mapping[str, Any]:
        """``target`` and ``prediction``, lists of tags by number, and ``score``, their probabilities."""
        return {name: kept[name] for name in ("target", "prediction", "score")}

    def predict_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """``row`` (B,); tags of each word by number, and their probabilities."""
        called, score = self._called(self(batch), batch)
        return {"row": batch["row"], "tags": called, "score": score}

    def answer_schema(self, *, with_scores: bool) -> pa.Schema:
        """``prediction``: a tag for each word; ``entities``: text, type, place among the words, score."""
        fields = [("text", pa.string()), ("type", pa.string()), ("start", pa.int64()), ("end", pa.int64())]
        entity = pa.struct([*fields, ("score", pa.float64())])
        more = [("scores", pa.list_(pa.float64()))] if with_scores else []
        return pa.schema([("prediction", pa.list_(pa.string())), ("entities", pa.list_(entity)), *more])

    def answer(self, found: Mapping[str, Any], /, *, with_scores: bool) -> Mapping[str, Sequence[Any]]:
        """An entity's score is the mean of its words' probabilities."""
        named = [[self.labels[tag] for tag in tags] for tags in found["tags"]]
        texts = found["rows"][self.words].to_pylist()
        rows = zip(texts, named, found["score"], strict=True)
        listed = [
            [
                {
                    "text": " ".join(words[e.start : e.end]), "type": e.type, "start": e.start, "end": e.end,
                    "score": round(float(np.mean(score[e.start : e.end])), 6),
                }
                for e in entities(tags)
            ]
            for words, tags, score in rows
        ]  # fmt: skip
        more = {"scores": [[round(one, 6) for one in row] for row in found["score"]]} if with_scores else {}
        return {"prediction": named, "entities": listed, **more}

    def exhibits(self, split: str, /) -> Sequence[Exhibit]:
        """After the test: the entities of each type, and the sentences with most errors."""
        if not self.test_metrics:
            return []
        shown: list[Exhibit] = [by_type(self.types, self._kept[f"{COUNTS}f1_macro"])]
        if split in self.rows:
            table = self.rows[split]
            texts = dict(zip(table["row"].to_pylist(), table[self.words].to_pylist(), strict=True))
            words = [texts[row] for row in self._kept["row"].tolist()]
            tags = ([self._entities(row) for row in self._kept[name]] for name in ("target", "prediction"))
            shown += worst_sentences(self._kept["row"].tolist(), words, *tags)
        return shown

    def baseline(self, raw: Raw, split: str, /) -> Baseline:
        """The entities of training, found again; see ``task.entities.Dictionary``."""
        train, asked = raw.splits["train"], raw.splits[split]
        target = asked[self.tags].to_pylist()
        named = ([self.labels[tag] for tag in tags] for tags in train[self.tags].to_pylist())
        dictionary = Dictionary(zip(train[self.words].to_pylist(), named, strict=True))
        place = {label: index for index, label in enumerate(self.labels)}
        called = [[place[tag] for tag in dictionary.tags(words)] for words in asked[self.words].to_pylist()]
        counts = self._counts(target, called)
        metrics = {name: self.counted[name] for name in counts}
        rows = {"row": asked["row"].to_numpy(), "target": target, "prediction": called}
        return Baseline(
            "entities of training", values(metrics, counts), intervals(metrics, counts, self.resamples),
            {**rows, **{f"{COUNTS}{name}": list(column) for name, column in counts.items()}},
        )  # fmt: skip

    def save(self, folder: Path, /) -> None:
        """The backbone's own files, ``head.safetensors``, ``labels.json`` and a README that loads them."""
        recipe = self.save_learner(folder)
        save_model(self.head, str(folder / "head.safetensors"))
        (folder / "labels.json").write_text(json.dumps(self.labels, ensure_ascii=False) + "\n", encoding="utf-8")
        card = tagging_card(recipe) if recipe else BARE_CARD
        (folder / "README.md").write_text(card, encoding="utf-8")

    def _losses(self, logits: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Cross-entropy of each word, 0 for words without a token; and which have one; (B, W) both."""
        seen = batch[f"{self.words}{FIRST}"] >= 0
        target = batch[self.target].masked_fill(~seen, -1)
        return functional.cross_entropy(logits.transpose(1, 2), target, ignore_index=-1, reduction="none"), seen

    def _called(self, logits: Tensor, batch: Batch) -> tuple[list[list[int]], list[list[float]]]:
        """Tags by number and their probabilities (0 for a word without a token), of each sentence."""
        first, words = batch[f"{self.words}{FIRST}"], batch[f"{self.words}{FIRST}_mask"].sum(1).tolist()
        score, tags = logits.softmax(-1).max(-1)
        tags = tags.where(first >= 0, self.labels.index(OUTSIDE))
        return _rows(tags, words), _rows(score.masked_fill(first < 0, 0.0), words)

    def _entities(self, tags: Sequence[int]) -> list[Entity]:
        return entities([self.labels[tag] for tag in tags])

    def _counts(self, target: Sequence[Sequence[int]], called: Sequence[Sequence[int]]) -> dict[str, Floats]:
        """What each sentence counts for each metric but the loss, (N, K)."""
        pairs = list(zip(target, called, strict=True))
        by_type = np.stack([counted(self._entities(a), self._entities(b), self.types) for a, b in pairs]).astype(float)
        right = [(sum(x == y for x, y in zip(*pair, strict=True)), len(pair[0])) for pair in pairs]
        return {
            **dict.fromkeys(("f1", "precision", "recall"), by_type.sum(1)),
            "f1_macro": by_type.reshape(len(pairs), -1),
            "accuracy": np.array(right, float),
        }


def _rows(values_: Tensor, lengths: Sequence[int]) -> list[Any]:
    return [row[:length] for row, length in zip(values_.tolist(), lengths, strict=True)]


def _role(facts: DataFacts, kind: str) -> str:
    roles = [role for role, found in facts.kinds.items() if found == kind]
    if not roles or len(facts.labels) != 1:
        truth = "learns a tag for each word, and the data has " + (", ".join(facts.kinds.values()) or "nothing") + "."
        raise ConfigError(Fault("task=tagging", truth, "Choose such data:  data=wnut17, data=tokens"))
    return roles[0]
