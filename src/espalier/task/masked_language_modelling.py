"""``task=masked_language_modelling``: hidden tokens from all others, to go on with an encoder's pretraining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.columns import BLOCK
from espalier.core.counted import COUNTS, Counted, Floats, intervals, mean, values
from espalier.core.errors import ConfigError, Fault
from espalier.core.exhibits import Exhibit, Texts
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Baseline, OptimizerFactory
from espalier.task.base import Batch, mean_of
from espalier.task.counted import AbstractCountedTask
from espalier.task.exact import exact
from espalier.task.foretelling import perplexity
from espalier.task.masks import Masking

_AT_ONCE = 2**25  # scores that are held at once in an evaluation
_FIXED = 0x4D4C4D  # the key of an evaluation's masks, in place of a seed and an epoch
_CARD = """# An encoder that went on learning masked tokens, with Espalier

It loads without Espalier. In this folder:

```python
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

model = AutoModelForMaskedLM.from_pretrained(".").eval()
tokenizer = AutoTokenizer.from_pretrained(".")


def fill(text):  # the likeliest token of each mask
    batch = tokenizer(text, return_tensors="pt")
    with torch.inference_mode():
        scores = model(**batch).logits[0]
    return tokenizer.convert_ids_to_tokens(scores[batch["input_ids"][0] == tokenizer.mask_token_id].argmax(-1))


print(fill(f"The capital of France is {tokenizer.mask_token}."))  # yours
```

As an encoder, `AutoModel.from_pretrained(".")` loads it, or `model=hub model.source=./this/folder` of Espalier.
"""


class MaskedLanguageModelling(AbstractCountedTask):
    """-(1 / |M|) sum over the hidden tokens t in M of log p(x_t | the text with M hidden); see ``task.masks.Masking``.

    ``espalier train data=text_file data.path=notes.txt task=masked_language_modelling model=minilm adapter=full``; a
    run on other data begins with what it learned by ``weights=RUN``.

    In training the masks of a row are a function of (seed, epoch, row), so a run that was cut off goes on with the same
    ones; those of an evaluation are fixed, whatever the seed. Texts are the data's rows, running text in blocks of
    ``data.max_length`` tokens. Measured over the hidden tokens are ``loss``, ``perplexity`` exp(loss) and ``accuracy``.

    Args:
        objective: the validation metric that chooses the best checkpoint.
        share: of a text's tokens that are hidden.
        seed: of the masks in training.
        shown: likeliest tokens that ``espalier predict`` tells of each mask.
        samples: texts that are shown after each validation; 0: none.
        bootstrap: resamples of texts behind each 95% interval on test.

    The learner says the ``role`` that it reads, has ``states(batch, role)`` and ``masked_head()``, states -> scores of
    all tokens, as ``model.hub.Transformer`` has them. Its ``encoding`` says ``mask``, the id that hides a token, and
    ``special``, ids that are never hidden, and has ``decode(ids)``; it may say ``added``, special ones of each text.

    Shapes: ``batch[role]`` (B, L) ids, ``batch["<role>_mask"]`` (B, L) bool; ``states`` are (B, L, width).

    Raises:
        ConfigError: the learner is no encoder with such a head, its tokenizer has no mask, or nothing learns.
    """

    divides: ClassVar[bool] = False  # the head keeps the embeddings' weights
    asks: ClassVar[tuple[str, ...]] = ("masked_head", "states")
    suits: ClassVar[str] = "Set  model=minilm, or another of the hub's."
    counted: ClassVar[Mapping[str, Counted]] = {
        "loss": Counted(mean, "min"), "perplexity": Counted(perplexity, "min"), "accuracy": Counted(mean),
    }  # fmt: skip

    def __init__(
        self,
        learner: nn.Module,
        facts: DataFacts,
        optimizers: OptimizerFactory,
        /,
        *,
        objective: Literal["loss", "perplexity", "accuracy"],
        share: Annotated[float, Gt(0), Le(1)],
        seed: Annotated[int, Ge(0)],
        shown: Annotated[int, Ge(1)],
        samples: Annotated[int, Ge(0)],
        bootstrap: Annotated[int, Ge(0)],
    ) -> None:
        super().__init__(learner, facts, optimizers, objective=objective, bootstrap=bootstrap)
        _require(learner)
        model: Any = learner
        self.model, self.role, self.encoding = (model,), model.role, model.encoding
        self.head: nn.Module = model.masked_head()
        self.masking = Masking(share, self.encoding.mask, facts.vocab_size, frozenset(self.encoding.special))
        self._added = int(getattr(self.encoding, "added", 0))
        self.seed, self.shown, self.samples = seed, shown, samples
        self._samples: list[tuple[list[int], list[int], list[bool]]] = []

    def training_step(self, batch: Batch) -> Tensor:
        """The summed loss of the hidden tokens, over how many as many rows of the global batch have on the mean: of the
        tokens that are not the encoding's own, ``share``, and one of each row at least.
        """
        given, chosen = self._hidden(batch, (self.seed, self.current_epoch))
        states = self._states(given, batch)[chosen]
        target = batch[self.role][chosen]
        lost = functional.cross_entropy(self.head(states).float(), target, reduction="sum")
        of_row = max(1.0, self.masking.share * (mean_of(batch, self.role) - self._added))
        return self.share_of_sum(lost, len(chosen) * of_row, batch)

    def evaluation_step(self, batch: Batch, /) -> Mapping[str, Tensor]:
        """Of each row the sum of its hidden tokens' losses, how many were told, and how many there are."""
        given, chosen = self._hidden(batch, (_FIXED,))
        states, target = self._states(given, batch)[chosen], batch[self.role][chosen]
        parts = [self._judged(some, told) for some, told in _slices(states, target, self.facts.vocab_size)]
        lost, called = (torch.cat(column) for column in zip(*parts, strict=True)) if parts else (target, target)
        row = torch.arange(len(chosen), device=chosen.device).unsqueeze(1).expand_as(chosen)[chosen]
        tokens = exact(chosen.sum(1))
        sums = [
            torch.zeros_like(tokens).index_add(0, row.to(tokens.device), exact(column))
            for column in (lost, called == target)
        ]
        counts = [torch.stack([column, tokens], 1) for column in sums]
        self._remember(batch, chosen, called)
        return {f"{COUNTS}{n}": counts[i] for n, i in (("loss", 0), ("perplexity", 0), ("accuracy", 1))}

    def on_validation_epoch_start(self) -> None:
        """Samples are those of this evaluation."""
        self._samples = []

    def on_test_epoch_start(self) -> None:
        """As for validation."""
        self._samples = []

    def exhibits(self, split: str, /) -> Sequence[Exhibit]:  # noqa: ARG002  # the same of each
        """Some texts with what was told of their hidden tokens."""
        items = []
        for ids, called, chosen in self._samples[: self.samples]:
            told = [a == b for a, b, hidden in zip(ids, called, chosen, strict=True) if hidden]
            items.append((f"{sum(told)} of {len(told)} hidden tokens told", self._written(ids, called, chosen)))
        note = "[what the model told of a hidden token]; [told ≠ what was there], where that is another one."
        return [Texts("Hidden tokens", tuple(items), note)] if items else []

    def predict_step(self, batch: Batch, /) -> Mapping[str, Any]:
        """``row`` (B,); of each row's masks the likeliest tokens, and their probabilities."""
        ids, mask = batch[self.role], batch[f"{self.role}_mask"]
        asked = (ids == self.masking.mask) & mask
        scores = self.head(self._states(ids, batch)[asked]).float().softmax(-1)
        shares, tokens = scores.topk(min(self.shown, scores.shape[-1]), -1)
        counts = asked.sum(1).tolist()
        named = [[self.encoding.decode([token]).strip() for token in row] for row in tokens.tolist()]
        return {"row": batch["row"], "tokens": _cut(named, counts), "scores": _cut(shares.tolist(), counts)}

    def answer_schema(self, *, with_scores: bool) -> pa.Schema:
        """``prediction``: the text with its masks filled; ``tokens``: the likeliest ones of each mask, best first."""
        lists = pa.list_(pa.list_(pa.string()))
        more = [("scores", pa.list_(pa.list_(pa.float64())))] if with_scores else []
        return pa.schema([("prediction", pa.string()), ("tokens", lists), *more])

    def answer(self, found: Mapping[str, Any], /, *, with_scores: bool) -> Mapping[str, Sequence[Any]]:
        """Masks are written as the tokenizer's own; those that were cut off stay as they are."""
        texts = found["rows"][self.role].to_pylist()
        filled = [_filled(text, self.encoding.mask_text, of) for text, of in zip(texts, found["tokens"], strict=True)]
        scores = [[[round(one, 6) for one in of] for of in row] for row in found["scores"]]
        return {"prediction": filled, "tokens": found["tokens"], **({"scores": scores} if with_scores else {})}

    @property
    def baseline_needs(self) -> str:
        """Besides the data: the tokens that it counts."""
        return str(self.encoding.fingerprint())

    def baseline(self, raw: Raw, split: str, /) -> Baseline:
        """Each hidden token by how often it stands in training, one added to each of the vocabulary."""
        train, asked = (self.encoding.apply(raw.splits[name]) for name in ("train", split))
        tokens = train[self.role].values
        tokens = tokens[~np.isin(tokens, list(self.masking.special))]
        shares = np.bincount(tokens, minlength=self.facts.vocab_size) + 1.0
        losses, likeliest = -np.log(shares / shares.sum()), int(shares.argmax())
        column = asked[self.role]
        taken = np.asarray(asked.get("taken", np.arange(len(column))))
        row = raw.splits[split]["row"].to_numpy()[taken]
        block = np.asarray(asked.get(BLOCK, np.zeros(len(column), np.int64)))
        counts = np.zeros((len(column), 3))
        for i in range(len(column)):
            ids = np.asarray(column[i], np.int64)[None]
            _, chosen = self.masking.of(ids, np.ones(ids.shape, bool), [_key((_FIXED,), row[i], block[i])])
            counts[i] = losses[ids[chosen]].sum(), (ids[chosen] == likeliest).sum(), chosen.sum()
        found: dict[str, Floats] = {n: counts[:, [0, 2]] for n in ("loss", "perplexity")} | {"accuracy": counts[:, 1:]}
        return Baseline(
            "tokens by frequency", values(self.counted, found), intervals(self.counted, found, self.resamples),
            {"row": row, **{f"{COUNTS}{name}": list(column) for name, column in found.items()}},
        )  # fmt: skip

    def save(self, folder: Path, /) -> None:
        """The whole model, as ``AutoModelForMaskedLM`` loads it, and a README."""
        head: Any = self.head
        head.save(self.model[0].trunk, folder)
        (folder / "README.md").write_text(_CARD, encoding="utf-8")

    def _states(self, ids: Tensor, batch: Batch) -> Tensor:
        mask = f"{self.role}_mask"
        states: Tensor = self.model[0].states({self.role: ids, mask: batch[mask]}, self.role)
        return states

    def _hidden(self, batch: Batch, key: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """What the model is given, and which tokens it is asked for."""
        ids, mask = batch[self.role], batch[f"{self.role}_mask"]
        rows = batch["row"].tolist()
        blocks = batch[BLOCK].tolist() if BLOCK in batch else [0] * len(rows)
        keys = [_key(key, row, block) for row, block in zip(rows, blocks, strict=True)]
        given, chosen = self.masking.of(ids.cpu().numpy(), mask.cpu().numpy(), keys)
        return torch.from_numpy(given).to(ids.device), torch.from_numpy(chosen).to(ids.device)

    def _judged(self, states: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.head(states).float()
        return functional.cross_entropy(scores, target, reduction="none"), scores.argmax(-1)

    def _remember(self, batch: Batch, chosen: Tensor, called: Tensor) -> None:
        if len(self._samples) >= self.samples:
            return
        told = batch[self.role].clone()
        told[chosen] = called
        rows = zip(batch[self.role], told, chosen, batch[f"{self.role}_mask"], strict=True)
        whole = [(ids[seen].tolist(), said[seen].tolist(), of[seen].tolist()) for ids, said, of, seen in rows]
        self._samples += [sample for sample in whole if any(sample[2])][: self.samples]

    def _written(self, ids: Sequence[int], called: Sequence[int], chosen: Sequence[bool]) -> str:
        parts: list[str] = []
        shown: list[int] = []
        for token, said, hidden in zip(ids, called, chosen, strict=True):
            if not hidden:
                shown.append(token)
                continue
            was, told = self.encoding.decode([token]).strip(), self.encoding.decode([said]).strip()
            parts += [self.encoding.decode(shown), f"[{told}]" if said == token else f"[{told} ≠ {was}]"]
            shown = []
        return " ".join(part for part in (*parts, self.encoding.decode(shown)) if part)


def _key(begin: tuple[int, ...], row: int, block: int) -> tuple[int, ...]:
    return (*begin, max(0, int(row)), int(block))  # a filler's row is -1


def _slices(states: Tensor, target: Tensor, vocabulary: int) -> list[tuple[Tensor, Tensor]]:
    size = max(1, _AT_ONCE // max(1, vocabulary))
    pairs = zip(torch.split(states, size), torch.split(target, size), strict=True)
    return [(some, told) for some, told in pairs if len(told)]


def _cut(values_: Sequence[Any], counts: Sequence[int]) -> list[list[Any]]:
    ends = np.cumsum([0, *counts]).tolist()
    return [list(values_[begin:end]) for begin, end in pairwise(ends)]


def _filled(text: str, mask: str, tokens: Sequence[Sequence[str]]) -> str:
    """A text with its masks replaced, in their order; a piece of a word is written onto what stands before it."""
    filled, *rest = text.split(mask)
    for place, part in enumerate(rest):
        filled += (tokens[place][0].removeprefix("##") if place < len(tokens) else mask) + part
    return filled


def _require(learner: nn.Module) -> None:
    if not all(callable(getattr(learner, name, None)) for name in MaskedLanguageModelling.asks):
        truth = f"asks a pretrained encoder for hidden tokens, and {type(learner).__name__} is none."
        raise ConfigError(Fault("task=masked_language_modelling", truth, MaskedLanguageModelling.suits))
    if getattr(getattr(learner, "encoding", None), "mask", None) is None:
        truth = "needs a token that hides others, and this model's tokenizer has none: it reads from left to right."
        raise ConfigError(Fault("task=masked_language_modelling", truth, "Choose an encoder: model=minilm, bert …"))
