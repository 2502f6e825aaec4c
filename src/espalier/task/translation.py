"""``task=translation``: a text from another one, token by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.counted import COUNTS, Counted, intervals, mean, values
from espalier.core.errors import ConfigError, Fault
from espalier.core.exhibits import Exhibit
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Baseline, OptimizerFactory
from espalier.task.base import Batch, mean_of
from espalier.task.beam import Search, Text, beam_search
from espalier.task.bleu import Judge, bleu, chrf
from espalier.task.counted import AbstractCountedTask
from espalier.task.exact import exact
from espalier.task.translation_card import translation_card
from espalier.task.translation_exhibits import Rows, bleu_table, examples, weakest

_AT_ONCE = 2**25  # scores that are held at once in an evaluation
_OF_TEXTS = {"bleu": bleu, "chrf": chrf}


class Translation(AbstractCountedTask):
    """The cross-entropy of each target token, given the source and the tokens before it, with label smoothing (Szegedy
    et al. 2016, arXiv:1512.00567, section 7): of N tokens y_t, a vocabulary of V and e = ``label_smoothing``

        loss = -(1 / N) sum_t ( (1 - e) log p(y_t | y_<t, x) + (e / V) sum_v log p(v | y_<t, x) )

    ``espalier train data=multi30k model=encoder_decoder adapter=full``

    Measured are ``bleu`` and ``chrf`` (see ``task.bleu``), 0 to 100, of the translations that a beam search finds, and
    ``loss``, nats a token without smoothing. Validations are quick: they translate some rows, greedily.

    Args:
        objective: the validation metric that chooses the best checkpoint.
        label_smoothing: e.
        beams, length_penalty: see ``task.beam.Search``.
        max_new_tokens: of a translation, which also has no more than twice its source's tokens, and ten.
        tokenizer: sacreBLEU's, of BLEU's words: ``zh`` or ``char`` for languages without blanks between them.
        validation_rows: of the validation rows, about so many are translated: those whose number a step divides.
        shown: translations in the report.
        bootstrap: resamples behind each 95% interval on test.

    The learner says its roles ``source`` and ``target``, the ids ``start`` and ``end`` and its ``context``, and has
    ``forward(batch)``, ``logits(states)``, ``begin(batch)`` and ``next_logits(tokens, written)``, as
    ``model.encoder_decoder.EncoderDecoder`` has them. Its ``encoding`` has ``decode(ids)``.

    Shapes: ``batch["source"]`` (B, S) and ``batch["target"]`` (B, T) ids with masks beside them, bool; the learner's
    states are (B, T, width).

    Raises:
        ConfigError: the data has no target, or the learner writes none.
    """

    divides: ClassVar[bool] = False  # a process writes as long as its own texts are
    learns: ClassVar[str] = "target"
    asks: ClassVar[tuple[str, ...]] = ("logits", "begin", "next_logits")
    suits: ClassVar[str] = "Set model=encoder_decoder, with adapter=full, or model=seq2seq."
    counted: ClassVar[Mapping[str, Counted]] = {
        "bleu": Counted(bleu), "chrf": Counted(chrf), "loss": Counted(mean, "min"),
    }  # fmt: skip

    def __init__(
        self,
        learner: nn.Module,
        facts: DataFacts,
        optimizers: OptimizerFactory,
        /,
        *,
        objective: Literal["loss", "bleu", "chrf"],
        label_smoothing: Annotated[float, Ge(0), Lt(1)],
        beams: Annotated[int, Ge(1)],
        length_penalty: Annotated[float, Ge(0)],
        max_new_tokens: Annotated[int, Ge(1)],
        tokenizer: Literal["13a", "intl", "zh", "char", "none"],
        validation_rows: Annotated[int, Ge(1)],
        shown: Annotated[int, Ge(0)],
        bootstrap: Annotated[int, Ge(0)],
    ) -> None:
        super().__init__(learner, facts, optimizers, objective=objective, bootstrap=bootstrap)
        _require(learner, facts)
        model: Any = learner
        self.model, self.source, self.target = (model,), model.source, model.target  # its place is ``learner``
        self.label_smoothing, self.shown = label_smoothing, shown
        self.search, self.greedy = Search(beams, length_penalty), Search(1, length_penalty)
        self.max_new_tokens = min(max_new_tokens, model.context)
        self.step = max(1, facts.sizes.get("validation", 0) // validation_rows)
        self.judge = Judge(tokenizer)
        self._texts: Rows | None = None

    def training_step(self, batch: Batch) -> Tensor:
        """The summed loss of the target tokens, over how many as many rows have on the mean of the global batch."""
        (model,) = self.model
        there = batch[f"{self.target}_mask"]
        logits = model.logits(model(batch)[there]).float()  # of no padding
        lost = functional.cross_entropy(
            logits, batch[self.target][there], label_smoothing=self.label_smoothing, reduction="sum"
        )
        return self.share_of_sum(lost, len(there) * mean_of(batch, self.target), batch)

    def evaluation_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """Of each row what BLEU, chrF and the loss count; its translation, or None."""
        testing = bool(self.trainer.testing)
        asked = torch.ones_like(batch["row"]).bool() if testing else batch["row"] % self.step == 0
        roles = (self.source, f"{self.source}_mask")
        texts = self._translated({role: batch[role][asked] for role in roles}, self.search if testing else self.greedy)
        told = iter([self._text(text.ids) for text in texts])
        prediction = [next(told) if one else None for one in asked.tolist()]
        references = [
            self._reference(row, ids) for row, ids in zip(batch["row"].tolist(), batch[self.target], strict=True)
        ]
        score = iter([text.log_probability for text in texts])
        return {
            **self._counts(prediction, references),
            f"{COUNTS}loss": self._losses(batch),
            "target": references,
            "prediction": prediction,
            "score": [next(score) if one else None for one in asked.tolist()],
        }

    def columns(self, kept: Mapping[str, Any], /) -> Mapping[str, Any]:
        """``target`` and ``prediction``, texts, and ``score``, the log-probability of the latter."""
        return {name: kept[name] for name in ("target", "prediction", "score")}

    def on_validation_epoch_start(self) -> None:
        """References are those of the validation rows."""
        self._texts = self._rows_of("validation")

    def on_test_epoch_start(self) -> None:
        """References are those of the test rows, or of the split that there is in their place."""
        there = [split for split in ("test", "validation", *self.rows) if split in self.rows]
        self._texts = self._rows_of(there[0]) if there else None

    def exhibits(self, split: str, /) -> Sequence[Exhibit]:  # noqa: ARG002  # the same of each
        """Some translations; of the test also the weakest ones, and what BLEU is made of."""
        if self._texts is None or "prediction" not in self._kept:
            return []
        rows = self._texts.answered(self._kept)
        shown: list[Exhibit] = [*examples(rows, self.shown)]
        if not self.test_metrics:
            return shown
        return [bleu_table(self._kept[f"{COUNTS}bleu"], self.judge.signature), *shown, *weakest(rows, self.shown)]

    def predict_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """``row`` (B,), ``translation`` and ``score``, lists."""
        texts = self._translated(batch, self.search)
        told = [self._text(text.ids) for text in texts]
        return {"row": batch["row"], "translation": told, "score": [text.log_probability for text in texts]}

    def answer(self, found: Mapping[str, Any], /, *, with_scores: bool) -> Mapping[str, Sequence[Any]]:
        """The columns of ``answer_schema``."""
        return {name: found[name] for name in self.answer_schema(with_scores=with_scores).names}

    def answer_schema(self, *, with_scores: bool) -> pa.Schema:
        """``translation``, and, if wanted, ``score``: its log-probability in nats."""
        more = [("score", pa.float64())] if with_scores else []
        return pa.schema([("translation", pa.string()), *more])

    def baseline(self, raw: Raw, split: str, /) -> Baseline:
        """The source as it is: names and numbers are often the same."""
        table = raw.splits[split]
        texts, target = table[self.source].to_pylist(), table[self.target].to_pylist()
        counts = {name.removeprefix(COUNTS): np.asarray(of) for name, of in self._counts(texts, target).items()}
        metrics = {name: self.counted[name] for name in counts}
        columns = {"row": table["row"].to_numpy(), "target": target, "prediction": texts}
        return Baseline(
            "the source, untranslated", values(metrics, counts), intervals(metrics, counts, self.resamples),
            {**columns, **{f"{COUNTS}{name}": list(of) for name, of in counts.items()}},
        )  # fmt: skip

    def save(self, folder: Path, /) -> None:
        """The model's own files, and a README that loads them with transformers."""
        (model,) = self.model
        model.save(folder)
        prefix = str(getattr(model.encoding, "prefix", ""))
        ids = {"start": model.start, "end": model.end, "pad": self.facts.pad[self.target]}
        ids |= {"first": getattr(model, "first", None)}
        card = translation_card(self.search, self.max_new_tokens, model.context, prefix, **ids)
        (folder / "README.md").write_text(card, encoding="utf-8")

    def _translated(self, batch: Batch, search: Search) -> list[Text]:
        """What is found for each row."""
        (model,) = self.model
        mask = batch[f"{self.source}_mask"]
        if not len(mask):
            return []
        limits = (2 * mask.sum(1) + 10).clamp(max=self.max_new_tokens)
        with torch.inference_mode():
            written = model.begin(batch)
        return beam_search(model.next_logits, written, search, start=model.start, end=model.end, limits=limits)

    def _losses(self, batch: Batch) -> Tensor:
        """Of each row the sum of its tokens' losses, and their number, (B, 2) fp64."""
        (model,) = self.model
        there = batch[f"{self.target}_mask"]
        states, target = model(batch)[there], batch[self.target][there]
        size = max(1, _AT_ONCE // max(1, self.facts.vocab_size))
        parts = zip(states.split(size), target.split(size), strict=True)
        lost = [functional.cross_entropy(model.logits(some).float(), told, reduction="none") for some, told in parts]
        tokens, losses = exact(there), exact(torch.cat(lost))
        sums = torch.zeros_like(tokens).masked_scatter(there.to(tokens.device), losses)
        return torch.stack([sums.sum(1), tokens.sum(1)], 1)

    def _counts(self, translations: Sequence[str | None], references: Sequence[str]) -> dict[str, Tensor]:
        """Of each row what the scores of texts count; nothing of one that was not translated."""
        there = [place for place, text in enumerate(translations) if text is not None]
        given = [translations[i] or "" for i in there], [references[i] for i in there]
        found = {}
        for name in _OF_TEXTS:
            counts = torch.from_numpy(getattr(self.judge, name)(*given))
            found[f"{COUNTS}{name}"] = counts.new_zeros(len(translations), counts.shape[1])
            found[f"{COUNTS}{name}"][there] = counts
        return found

    def _rows_of(self, split: str) -> Rows | None:
        return Rows.of(self.rows[split], self.source, self.target) if split in self.rows else None

    def _reference(self, row: int, ids: Tensor) -> str:
        """As it was read; without those rows, what the encoding left of it."""
        text = self._texts.target(row) if self._texts else None
        return self._text(ids.tolist()) if text is None else text

    def _text(self, ids: Sequence[int]) -> str:
        return str(self.model[0].encoding.decode(ids))


def _require(learner: nn.Module, facts: DataFacts) -> None:
    if "target" not in facts.kinds.values():
        truth = f"writes a text, and this data has none to learn from: it has {', '.join(facts.kinds.values())}."
        raise ConfigError(Fault("task=translation", truth, "Choose such data:  data=multi30k, data=pairs"))
    missing = [name for name in Translation.asks if not callable(getattr(learner, name, None))]
    if missing:
        truth = f"asks for a model that writes, and this one only reads: {type(learner).__name__} has no {missing[0]}."
        raise ConfigError(Fault("task=translation", truth, Translation.suits))
