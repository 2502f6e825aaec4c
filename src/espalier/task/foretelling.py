"""``AbstractForetelling``: what tasks share that learn to tell each token from those before it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypedDict, Unpack

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn
from torch.nn import functional

from espalier.batch.batches import Batches
from espalier.core.counted import COUNTS, Counted, Floats, intervals, mean, values
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Baseline, Batching, OptimizerFactory
from espalier.task.base import Batch
from espalier.task.counted import AbstractCountedTask
from espalier.task.exact import exact
from espalier.task.language_card import language_card
from espalier.task.sampling import Sampling, continuations

IGNORED = -100
_AT_ONCE = 2**25  # scores that are held at once in an evaluation
_ROWS = 16  # in a batch of the model as it came


def perplexity(sums: Floats) -> Floats:
    """exp(loss) of counts (sum of losses, tokens)."""
    value: Floats = np.exp(mean(sums))
    return value


class Settings(TypedDict):
    """Keys of such a task; what a subclass says of them stands in its own docstring."""

    objective: Literal["loss", "perplexity", "accuracy"]
    max_new_tokens: Annotated[int, Ge(1)]
    temperature: Annotated[float, Ge(0)]
    top_k: Annotated[int, Ge(0)]
    top_p: Annotated[float, Gt(0), Le(1)]
    sampling_seed: Annotated[int, Ge(0)]
    samples: Annotated[int, Ge(0)]
    bootstrap: Annotated[int, Ge(0)]


@dataclass(frozen=True)
class Told:
    """Settings of what a model is let to tell; see ``task.sampling.Sampling``.

    Attributes:
        length: tokens, at most.
        seed: of the draws, with a row's number.
        samples: texts that are told after each validation, for the report.
    """

    sampling: Sampling
    length: int
    seed: int
    samples: int


class AbstractForetelling(AbstractCountedTask):
    """Cross-entropy of tokens, given those before them; texts that go on. A subclass says in ``cut`` which tokens.

    The learner says the ``role`` that it reads and how many tokens at once (``context``, or None), and has
    ``states(batch, role)``, ``logits(states)`` and ``next_logits(ids, past)``, as ``model.gpt.Gpt`` has them. Its
    ``encoding`` has ``decode(ids)``, and may say ``ends``, ids behind which a text is at its end. It may have
    ``require_causal()``, and ``untuned()``, the same model as it came.

    Raises:
        ConfigError: the learner foretells no tokens: it lacks ``states``, ``logits`` or ``next_logits``, or is not
            causal.
    """

    counted: ClassVar[Mapping[str, Counted]] = {
        "loss": Counted(mean, "min"), "perplexity": Counted(perplexity, "min"), "accuracy": Counted(mean),
    }  # fmt: skip
    asks: ClassVar[tuple[str, ...]] = ("states", "logits", "next_logits")
    suits: ClassVar[str]
    option: ClassVar[str]
    replies: ClassVar[bool] = False  # whether it answers messages; else it goes on with texts

    def __init__(
        self, learner: nn.Module, facts: DataFacts, optimizers: OptimizerFactory, /, **settings: Unpack[Settings]
    ) -> None:
        super().__init__(learner, facts, optimizers, objective=settings["objective"], bootstrap=settings["bootstrap"])
        if missing := [name for name in self.asks if not callable(getattr(learner, name, None))]:
            truth = f"asks a model what comes next, and {type(learner).__name__} has no {missing[0]}."
            raise ConfigError(Fault(f"task={self.option}", truth, self.suits))
        model: Any = learner
        self.model, self.role = (model,), model.role  # in a tuple: the learner is a module already
        sampling = Sampling(settings["temperature"], settings["top_k"], settings["top_p"])
        self.told = Told(sampling, settings["max_new_tokens"], settings["sampling_seed"], settings["samples"])
        if hasattr(model, "require_causal"):
            model.require_causal()

    @abstractmethod
    def cut(self, batch: Batch, /) -> tuple[dict[str, Tensor], Tensor]:
        """What the model sees, as a batch of (B, L - 1); and what is to be told of each place, or ``IGNORED``.

        L is two at least: see ``of_two_places``.
        """

    def evaluation_step(self, batch: Batch, /) -> Mapping[str, Tensor]:
        """Of each row the sum of its tokens' losses, how many were foretold, and how many there are."""
        return self.counts(self.model[0], batch)

    def counts(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """``evaluation_step`` of another model that reads such batches."""
        before, target = self.cut(batch)
        states = model.states(before, self.role)
        rows = max(1, _AT_ONCE // (states.shape[1] * max(1, self.facts.vocab_size)))
        slices = zip(torch.split(states, rows), torch.split(target, rows), strict=True)
        parts = [_counts(model.logits(some), told) for some, told in slices]
        lost, right, tokens = (torch.cat(column) for column in zip(*parts, strict=True))
        losses = torch.stack([lost, tokens], 1)
        counts = {"loss": losses, "perplexity": losses, "accuracy": torch.stack([right, tokens], 1)}
        return {f"{COUNTS}{name}": value for name, value in counts.items()}

    def save(self, folder: Path, /) -> None:
        """The model's own files, and a README that loads them with transformers."""
        (model,) = self.model
        model.save(folder)
        loading = model.loading() if hasattr(model, "loading") else None
        card = language_card(
            self.told.sampling, self.told.length, ends=list(getattr(self.encoding, "ends", ())), context=model.context,
            answers=self.replies, max_length=self.facts.max_length,
            keep="end" if self.replies else getattr(self.encoding, "keep", "start"), loading=loading,
        )  # fmt: skip
        (folder / "README.md").write_text(card, encoding="utf-8")

    @property
    def baseline_needs(self) -> str:
        """Besides the data: the tokens that are counted, and the model as it came, where it is what is counted."""
        (model,) = self.model
        return " ".join([self.encoding.fingerprint(), *([model.origin] if hasattr(model, "untuned") else [])])

    def untuned(self, raw: Raw, split: str) -> Baseline | None:
        """What the learner's model reached as it came, on the same rows; None where it came with nothing."""
        (model,) = self.model
        if not hasattr(model, "untuned"):
            return None
        other = model.untuned().to(self.device)
        columns = dict(self.encoding.apply(raw.splits[split]))
        taken: Any = columns.pop("taken", None)
        columns["row"] = raw.splits[split]["row"].to_numpy()[slice(None) if taken is None else taken]
        batching = Batching(_ROWS, _ROWS, 0, bucket=True)
        found: dict[str, list[Tensor]] = {}
        with torch.inference_mode():
            loader: Any = Batches({"test": columns}, batching, self.facts.pad, seed=0).test_dataloader()
            for some in loader:
                batch = {name: v.to(self.device) if isinstance(v, Tensor) else v for name, v in some.items()}
                for name, column in {"row": batch["row"], **self.counts(other, batch)}.items():
                    found.setdefault(name, []).append(column.cpu())
        whole = {name: torch.cat(parts).numpy() for name, parts in found.items()}
        order = np.argsort(whole["row"], kind="stable")
        counts: dict[str, Floats] = {name: whole[f"{COUNTS}{name}"][order] for name in self.counted}
        told = {"row": whole["row"][order], **{f"{COUNTS}{name}": list(of) for name, of in counts.items()}}
        name = f"untuned {str(model.source).rstrip('/').rpartition('/')[2]}"
        return Baseline(name, values(self.counted, counts), intervals(self.counted, counts, self.resamples), told)

    @property
    def encoding(self) -> Any:
        """What makes ids of texts, and texts of ids."""
        return self.model[0].encoding

    def go_on(self, prompts: Sequence[Sequence[int]], rows: Sequence[int], ends: Sequence[int]) -> list[list[int]]:
        """What follows each prompt, as ids; without dropout."""
        (model,), told = self.model, self.told
        with _evaluating(self):
            return continuations(
                model.next_logits, prompts, told.sampling, length=told.length,
                seeds=[(told.seed, max(0, row)) for row in rows], context=model.context, ends=ends,
                device=self.device,
            )  # fmt: skip

    def text(self, ids: Sequence[int], behind: Sequence[int] = ()) -> str:
        """The text of some ids; ``behind``: those that stand before them, where they may share a character or blank."""
        before, whole = self.encoding.decode(behind), self.encoding.decode([*behind, *ids])
        return str(whole[len(before) :] if behind and whole.startswith(before) else self.encoding.decode(ids))


def of_two_places(batch: Batch, role: str) -> Batch:
    """The batch, or, where no row of it has more than one token, the same with a place of padding behind each.

    Of such a batch nothing is told; the model is asked all the same, of the one token, as of any other batch.
    """
    if batch[role].shape[1] > 1:
        return batch
    named = {name for name in batch if name == role or name.startswith((f"{role}_", f"{role}:"))}
    beside = {name for name in named if isinstance(batch[name], Tensor)}
    return {name: functional.pad(value, (0, 1)) if name in beside else value for name, value in batch.items()}


def _counts(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each row: the sum of its losses, the tokens that were foretold, all tokens; (B,) each, fp64."""
    lost = functional.cross_entropy(logits.float().transpose(1, 2), target, reduction="none", ignore_index=IGNORED)
    there = target != IGNORED
    right = (logits.argmax(-1) == target) & there
    return exact(lost).sum(1), exact(right).sum(1), exact(there).sum(1)


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
