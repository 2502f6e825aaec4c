"""``task=reading``: the span of a text that answers a question, or that it does not answer it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import torch
from annotated_types import Ge, Lt
from safetensors.torch import save_model
from torch import Tensor, nn

from espalier.core.columns import BESIDE
from espalier.core.counted import COUNTS, Counted, Floats, intervals, mean, values
from espalier.core.errors import ConfigError, Fault
from espalier.core.exhibits import Exhibit
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Baseline, OptimizerFactory
from espalier.task.base import Batch, width_of
from espalier.task.counted import AbstractCountedTask
from espalier.task.exact import bits_of, exact, value_of
from espalier.task.reading_baselines import BASELINES
from espalier.task.reading_card import BARE_CARD, reading_card
from espalier.task.reading_exhibits import by_kind, by_slice, worst_answers
from espalier.task.reading_rows import counts_of, joined, losses_of, surplus_of
from espalier.task.spans import Best, best_spans, log_shares, span_loss
from espalier.task.squad import best_threshold, f1


class Reading(AbstractCountedTask):
    """State of each token -> scores of being the answer's first and its last token (Devlin et al. 2019, section 4.3).

    ``espalier train data=squad data.path=train.json data.validation_path=dev.json model=minilm``

    With S and E learned, a span i..j scores S h_i + E h_j, "no answer" S h_0 + E h_0 at the place of ``[CLS]``. Of a
    context that was cut into windows the best span of all windows is meant, and the least score of "no answer". There
    is no answer where its score exceeds the span's by more than the threshold, which each validation chooses for its
    best F1, and the checkpoint keeps: so validation's own figures flatter a little, the test's do not.

    Metrics are SQuAD 2.0's (see ``task.squad``): ``exact`` and ``f1`` are means over rows, ``f1_has_answer`` and
    ``f1_no_answer`` over those that have an answer, and have none, where there are such. ``loss`` is the mean over
    windows.

    Args:
        objective: the validation metric that chooses the best checkpoint.
        longest: tokens of an answer at most, when answers are told.
        threshold: of the surplus of "no answer"; None: chosen on validation.
        head_dropout: on the states that the head sees.
        bootstrap: resamples of rows behind each 95% interval on test.

    Shapes: of B windows of L tokens, ``batch[context]`` (B, L) ids; ``batch["<context>:begin"]`` and ``":end"`` (B, L)
    int64, the characters that each token stands for, -1 for those outside of the context; ``batch["null"]`` (B,);
    ``batch["<context>:answer_first"]`` and ``":answer_last"`` (B, A), -1 behind a row's own. The learner's ``states``
    are (B, L, width).

    Raises:
        ConfigError: the data has no answers that are spans, or the model no windows of such data.
    """

    learns: ClassVar[str] = "spans"
    asks: ClassVar[tuple[str, ...]] = ("states",)
    suits: ClassVar[str] = "Set  model=minilm, or another of the hub's."
    counted: ClassVar[Mapping[str, Counted]] = {
        "f1": Counted(mean), "exact": Counted(mean), "f1_has_answer": Counted(mean, partial=True),
        "f1_no_answer": Counted(mean, partial=True), "loss": Counted(mean, "min"),
    }  # fmt: skip

    def __init__(
        self,
        learner: nn.Module,
        facts: DataFacts,
        optimizers: OptimizerFactory,
        /,
        *,
        objective: Literal["f1", "exact", "f1_has_answer", "loss"],
        longest: Annotated[int, Ge(1)],
        threshold: float | None,
        head_dropout: Annotated[float, Ge(0), Lt(1)],
        bootstrap: Annotated[int, Ge(0)],
    ) -> None:
        super().__init__(learner, facts, optimizers, objective=objective, bootstrap=bootstrap)
        chosen = replace(self.counted[objective], partial=False)  # an objective is told whatever rows there are
        self.counted = {**self.counted, objective: chosen}  # type: ignore[misc]
        self.context, self.question, self.answers = _roles(facts)
        _require(learner, facts, self.context)
        width = width_of(learner)
        self.head, self.dropout = nn.Linear(width, 2), nn.Dropout(head_dropout)
        self.longest, self.threshold_of = longest, threshold
        self.bits: Tensor
        self.register_buffer("bits", bits_of(0.0))
        self._split, self._choosing = "validation", False

    @property
    def threshold(self) -> float:
        """The surplus of "no answer" above which there is none: what is set, or else what validation rows chose."""
        return value_of(self.bits) if self.threshold_of is None else self.threshold_of

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """As all tasks'; an earlier version kept the threshold as a number."""
        if (earlier := state_dict.get("threshold")) is not None:
            others = {name: value for name, value in state_dict.items() if name != "threshold"}
            state_dict = {**others, "bits": bits_of(float(earlier))}
        return super().load_state_dict(state_dict, strict, assign)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Scores of each token as an answer's first and as its last one, (B, L) both, fp32."""
        learner: Any = self.learner
        states = self.dropout(learner.states(batch, self.context))
        with torch.autocast(states.device.type, enabled=False):
            scores: Tensor = self.head(states.to(self.head.weight.dtype))
        start, end = scores.float().unbind(-1)
        return start, end

    def training_step(self, batch: Batch) -> Tensor:
        """The mean loss of the batch's windows, scaled to their share of the global batch."""
        start, end = self(batch)
        return self.share(self._losses(start, end, batch).mean(), batch)

    def evaluation_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """Of each window its loss, and its best span; rows are made of them in ``whole``."""
        start, end = self(batch)
        losses = exact(self._losses(start, end, batch))
        return {"losses": losses, **self._told(self._best(start, end, batch), batch)}

    def on_validation_epoch_start(self) -> None:
        """Rows are validation's; they choose the threshold, also where another one is set in its place."""
        self._split, self._choosing = "validation", True

    def on_test_epoch_start(self) -> None:
        """Rows are the test's, or else validation's, or the only ones there are."""
        self._split, self._choosing = (
            next((s for s in ("test", "validation", *self.rows) if s in self.rows), "test"),
            False,
        )

    def whole(self, kept: Mapping[str, Any], /) -> Mapping[str, Any]:
        """The best span of each row, and what it counts; on validation the threshold is chosen before."""
        table = self._table()
        rows, best = joined(kept)
        place = {row: position for position, row in enumerate(table["row"].to_pylist())}
        positions = [place[row] for row in rows.tolist()]
        contexts = table[self.context].to_pylist()
        targets = [[one["text"] for one in found or ()] for found in table[self.answers].to_pylist()]
        targets = [targets[position] for position in positions]
        texts = [contexts[p][b:e] for p, b, e in zip(positions, best["begin"], best["end"], strict=True)]
        surplus = surplus_of(best)
        if self._choosing:
            silent = np.array([f1("", target) for target in targets])
            reached = np.array([f1(text, target) for text, target in zip(texts, targets, strict=True)])
            self.bits.copy_(bits_of(best_threshold(surplus, reached, silent)))
        given = surplus <= self.threshold
        answers = [text if known else "" for text, known in zip(texts, given, strict=True)]
        counts = {**counts_of(answers, targets), "loss": losses_of(kept, len(rows))}
        return {
            "row": rows, "target": targets, "answer": answers, "surplus": surplus, **best,
            **{f"{COUNTS}{name}": column for name, column in counts.items()},
        }  # fmt: skip

    def columns(self, kept: Mapping[str, Any], /) -> Mapping[str, Any]:
        """``target``, texts; ``answer``, ``""`` for none; ``begin`` and ``end`` of the best span, its ``score``, and
        ``null_probability``, as ``answer`` tells them.
        """
        named = {"target": kept["target"], "answer": kept["answer"], "begin": kept["begin"], "end": kept["end"]}
        return {**named, "score": kept["probability"], "null_probability": self._doubt(kept["surplus"])}

    def predict_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """Of each window its ``row`` and its best span."""
        start, end = self(batch)
        return {"row": batch["row"], **self._told(self._best(start, end, batch), batch)}

    def answer_schema(self, *, with_scores: bool) -> pa.Schema:
        """``answer``, with its place in characters; all null where there is none. ``score``: the probability of the
        best span in its window. ``null_probability``: above 0.5 where there is no answer. With scores also
        ``candidate``: the best span, told or not.
        """
        fields = [("answer", pa.string()), ("begin", pa.int64()), ("end", pa.int64()), ("score", pa.float64())]
        more = [("candidate", pa.string())] if with_scores else []
        return pa.schema([*fields, ("null_probability", pa.float64()), *more])

    def answer(self, found: Mapping[str, Any], /, *, with_scores: bool) -> Mapping[str, Sequence[Any]]:
        """Of all windows of a row the best; null_probability is 1 / (1 + exp(threshold - surplus of "no answer"))."""
        _, best = joined(found)
        contexts = found["rows"][self.context].to_pylist()
        surplus = surplus_of(best)
        given = (surplus <= self.threshold).tolist()
        begins, ends = best["begin"].tolist(), best["end"].tolist()
        texts = [context[begin:end] for context, begin, end in zip(contexts, begins, ends, strict=True)]
        told = {"answer": texts, "begin": begins, "end": ends}
        return {
            **{n: [v if known else None for v, known in zip(column, given, strict=True)] for n, column in told.items()},
            "score": best["probability"].tolist(), "null_probability": self._doubt(surplus).tolist(),
            **({"candidate": texts} if with_scores else {}),
        }  # fmt: skip

    def exhibits(self, split: str, /) -> Sequence[Exhibit]:
        """After the test: rows with and without an answer, slices, and the worst answers with their surroundings."""
        if not self.test_metrics or split not in self.rows:
            return []
        f1s, exacts = (self._kept[f"{COUNTS}{name}"][:, 0] for name in ("f1", "exact"))
        table, rows = self.rows[split], self._kept["row"]
        shown: list[Exhibit] = [by_kind(self._kept["target"], self._kept["answer"], f1s, exacts, self.threshold)]
        shown += by_slice(table, rows, f1s, exacts)
        told = {name: self._kept[name] for name in ("target", "answer", "begin", "end")}
        sure = np.abs(self._kept["surplus"] - self.threshold)
        return [*shown, *worst_answers(table, self.question, self.context, rows, f1s, sure, told)]

    def baseline(self, raw: Raw, split: str, /) -> Baseline:
        """The better on validation of: no answer at all, and the sentence with most words of the question."""
        reached = {name: self._of_simple(raw, "validation", name) for name in BASELINES}
        best = max(reached, key=lambda name: reached[name][1]["f1"].mean(0)[0])
        row, counts, answers, targets = reached[best] if split == "validation" else self._of_simple(raw, split, best)
        metrics = {name: self.counted[name] for name in counts}
        told = {"row": row, "target": targets, "answer": answers}
        return Baseline(
            best, values(metrics, counts), intervals(metrics, counts, self.resamples),
            {**told, **{f"{COUNTS}{name}": list(column) for name, column in counts.items()}},
        )  # fmt: skip

    def save(self, folder: Path, /) -> None:
        """The backbone's own files, ``head.safetensors``, ``reading.json`` and a README that loads them."""
        recipe = self.save_learner(folder)
        save_model(self.head, str(folder / "head.safetensors"))
        known = {"threshold": self.threshold, "longest": self.longest}
        (folder / "reading.json").write_text(json.dumps(known) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(reading_card(recipe) if recipe else BARE_CARD, encoding="utf-8")

    def _within(self, batch: Batch) -> Tensor:
        return (batch[f"{self.context}{BESIDE}begin"] >= 0) & batch[f"{self.context}_mask"]  # type: ignore[no-any-return]

    def _best(self, start: Tensor, end: Tensor, batch: Batch) -> Best:
        return best_spans(start, end, self._within(batch), batch["null"], self.longest)

    def _losses(self, start: Tensor, end: Tensor, batch: Batch) -> Tensor:
        within, null = self._within(batch), batch["null"]
        first, last = (batch[f"{self.context}{BESIDE}answer_{name}"] for name in ("first", "last"))
        return span_loss(log_shares(start, within, null), log_shares(end, within, null), first, last)

    def _told(self, best: Best, batch: Batch) -> dict[str, Tensor]:
        """Places in characters in place of those of tokens."""
        begin, end = (batch[f"{self.context}{BESIDE}{name}"] for name in ("begin", "end"))
        places = {"begin": begin.gather(1, best.first[:, None])[:, 0], "end": end.gather(1, best.last[:, None])[:, 0]}
        nothing = best.score.isneginf()
        places = {name: place.masked_fill(nothing, 0) for name, place in places.items()}
        scores = {"score": best.score, "probability": best.probability, "null": best.null}
        return {**places, **{name: exact(value) for name, value in scores.items()}}

    def _doubt(self, surplus: Floats) -> Floats:
        doubt: Floats = 1 / (1 + np.exp(np.clip(self.threshold - surplus, -700, 700)))
        return doubt

    def _table(self) -> pa.Table:
        if self._split not in self.rows:
            raise RuntimeError(f"the task was given no {self._split} rows: set task.rows before it is evaluated")
        return self.rows[self._split]

    def _of_simple(self, raw: Raw, split: str, name: str) -> tuple[Any, dict[str, Floats], list[str], list[list[str]]]:
        table = raw.splits[split]
        pairs = zip(table[self.question].to_pylist(), table[self.context].to_pylist(), strict=True)
        answers = [BASELINES[name](question, context) for question, context in pairs]
        targets = [[one["text"] for one in found or ()] for found in table[self.answers].to_pylist()]
        return table["row"].to_numpy(), counts_of(answers, targets), answers, targets


def _roles(facts: DataFacts) -> tuple[str, str, str]:
    """The roles of context, question and answers. Raises ``ConfigError``."""
    texts = [role for role, kind in facts.kinds.items() if kind == "text"]
    spans = [role for role, kind in facts.kinds.items() if kind == "spans"]
    if len(texts) != 2 or len(spans) != 1:  # a pair
        truth = "looks for answers in a text, and the data has " + (", ".join(facts.kinds.values()) or "nothing") + "."
        raise ConfigError(Fault("task=reading", truth, "Choose such data:  data=subjqa, data=squad"))
    return texts[0], texts[1], spans[0]


def _require(learner: nn.Module, facts: DataFacts, context: str) -> None:
    if not callable(getattr(learner, "states", None)) or f"{context}{BESIDE}begin" not in facts.pad:
        truth = f"needs a pretrained encoder, which sees question and text together; {type(learner).__name__} is none."
        raise ConfigError(Fault("task=reading", truth, Reading.suits))
