"""``task.reject``: a classifier that says of a row that it is of none of its classes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from espalier.core.counted import divided
from espalier.core.errors import ConfigError, Fault
from espalier.core.exhibits import Table
from espalier.task.exact import bits_of, exact, value_of
from espalier.task.metrics import Array, Labels, Scores, area, metrics_of, weighted_metrics

Kind = Literal["max_probability", "energy"]
_KINDS: tuple[Kind, ...] = get_args(Kind)
_RECALLS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # of which the report tells what they cost
_FARTHEST = 50.0  # of an exponent: its power is a number also in fp32


class Rejection(nn.Module):
    """A row is rejected whose familiarity is below a threshold, which validation rows chose.

    Familiarity s(z) of logits z, (B, C):
        ``max_probability``: max softmax(z) (Hendrycks & Gimpel 2017, arXiv:1610.02136).
        ``energy``: log sum exp(z), the negative free energy at temperature 1 (Liu et al. 2020, arXiv:2010.03759).

    Rejecting is one class more, the last one, which is no output of the network. With p = softmax(z) and a threshold t,
    its score is r max(p), and all are divided by 1 + r max(p); so it is the highest exactly where s < t, where r > 1:
        ``max_probability``: r = (1 - s) / s : (1 - t) / t, a ratio of odds.
        ``energy``: r = exp(t - s).

    Args:
        kind: which familiarity.
        weight: how much of the choice of t is the share of rows of no class that are rejected; the rest is the share of
            the other rows that get their class.

    Attributes:
        threshold: t; until it was chosen, nothing is rejected. The checkpoint has it.
    """

    def __init__(self, kind: Kind, weight: float) -> None:
        super().__init__()
        self.kind, self.weight = kind, weight
        self.bits: Tensor
        self.register_buffer("bits", bits_of(-float("inf")))
        self.of_kind: Tensor
        self.register_buffer("of_kind", torch.tensor(_KINDS.index(kind)))
        told: Any = self
        told.register_load_state_dict_post_hook(lambda part, _: part.require_own())

    @property
    def threshold(self) -> float:
        """The familiarity below which a row is rejected."""
        return value_of(self.bits)

    def require_own(self) -> None:
        """Refuse a threshold that was chosen for another familiarity. Raises ``ConfigError``."""
        if (chosen := _KINDS[int(self.of_kind)]) != self.kind:
            truth = f"needs a threshold of its own, and the one that was learned is for {chosen}."
            raise ConfigError(Fault(f"task.reject={self.kind}", truth, f"Leave it out, or set  task.reject={chosen}"))

    def scores(self, logits: Tensor) -> Tensor:
        """Logits (B, C) -> scores of the classes and of their being none, (B, C + 1), that sum to 1."""
        probabilities = logits.softmax(-1)
        # In fp64: the threshold may lie among confident rows, which differ in their last digits.
        familiarity = self._scale(self.familiarity(exact(logits)))
        strange = (self._limit().to(familiarity.device) - familiarity).clamp(max=_FARTHEST)
        added = probabilities.amax(-1) * strange.exp().to(logits)
        whole = torch.cat([probabilities, added.unsqueeze(-1)], -1)
        return whole / whole.sum(-1, keepdim=True)

    def familiarity(self, logits: Tensor) -> Tensor:
        """s, (B,)."""
        return logits.softmax(-1).amax(-1) if self.kind == "max_probability" else logits.logsumexp(-1)

    def as_code(self) -> str:
        """Plain torch: log r of ``logits`` and ``known``, their softmax."""
        limit = float(self._limit())
        said = repr(limit) if math.isfinite(limit) else f'float("{limit}")'
        if self.kind == "energy":
            return f"{said} - logits.logsumexp(-1)"
        return f"{said} - torch.special.logit(known.amax(-1))"

    def _limit(self) -> Tensor:
        return self._scale(torch.tensor(self.threshold, dtype=torch.float64))

    def _scale(self, familiarity: Tensor) -> Tensor:
        """s, or its log-odds: on which r is the exponential of a difference."""
        if self.kind == "energy":
            return familiarity
        return torch.special.logit(familiarity.clamp(0.0, 1.0))  # type: ignore[no-any-return]

    def choose(self, logits: Tensor, target: Tensor) -> None:
        """Set the threshold where weight x rejected rows of no class + (1 - weight) x right other rows is highest.

        It lies half-way between two rows. Of several that are as good, the lowest: the one that rejects least.

        Args:
            logits: (N, C).
            target: (N,), C of rows of no class.
        """
        familiarity = self.familiarity(exact(logits))
        outside = target == logits.shape[1]
        inside = logits.argmax(1) == target
        if not outside.any() or not torch.isfinite(familiarity).all():
            return
        order = torch.argsort(familiarity)
        ranked = familiarity[order]
        rejected = exact(outside[order]).cumsum(0) / outside.sum()
        lost = exact(inside[order]).cumsum(0) / (~outside).sum().clamp(min=1)
        gained = self.weight * rejected - (1 - self.weight) * lost
        gained[:-1][ranked[1:] == ranked[:-1]] = -float("inf")  # rows that tie stand on one side
        best = int(gained.argmax())
        found = float(ranked[best : best + 2].mean()) if gained[best] > 0 else -float("inf")
        self.bits.copy_(bits_of(found))


def rejection_metrics(scores: Scores, target: Labels) -> dict[str, float]:
    """Those of ``task.metrics`` over all rows, rejecting being one class more; of the kinds of rows there are:

    accuracy_in_scope: the share of rows of a class that get it; a rejected one is an error.
    recall_out_of_scope, precision_out_of_scope: of rejecting rows of no class.
    auroc_out_of_scope: how well familiarity tells the two kinds of rows apart, whatever the threshold.

    Args:
        scores: (N, C + 1), see ``Rejection``.
        target: (N,), C of rows of no class.
    """
    told = _told(scores, target, np.ones((len(target), 1)))
    whole = np.isfinite(scores).all()
    return metrics_of(scores, target) | {name: float(v[0]) if whole else math.nan for name, v in told.items()}


def trade_off(scores: Scores, target: Labels) -> Table | None:
    """What rejecting more or less would cost, on the same rows; None where all are of a class, or none is.

    Args:
        scores, target: as those of ``rejection_metrics``.
    """
    last = scores.shape[1] - 1
    outside = target == last
    if outside.all() or not outside.any() or not np.isfinite(scores).all():
        return None
    strange, right = _strangeness(scores), scores[:, :last].argmax(1) == target
    rows = [_at(recall, strange, right, outside) for recall in _RECALLS]
    header = ("recall out of scope", "accuracy in scope", "rows rejected")
    without = right[~outside].mean()
    note = f"What other thresholds would give on these rows; without one, accuracy in scope is {without:.3f}."
    return Table("Rejecting more or less", header, tuple(rows), note)


def _at(recall: float, strange: npt.NDArray[Any], right: npt.NDArray[np.bool_], outside: npt.NDArray[np.bool_]) -> Any:
    wanted = math.ceil(recall * outside.sum())
    limit = np.sort(strange[outside])[::-1][wanted - 1]
    rejected = strange >= limit
    kept = (right & ~rejected)[~outside].mean()
    return f"{rejected[outside].mean():.3f}", f"{kept:.3f}", f"{rejected.sum():,}"


def _strangeness(scores: Scores) -> npt.NDArray[np.float64]:
    """r, above 1 where a row is rejected, (N,)."""
    return divided(scores[:, -1].astype(np.float64), scores[:, :-1].max(1).astype(np.float64))


def weighted_rejection(scores: Scores, target: Labels, weights: Array) -> Mapping[str, Array]:
    """The metrics of ``rejection_metrics`` for each column of ``weights`` (N, R), how often each row counts."""
    return {**weighted_metrics(scores, target, weights), **_told(scores, target, weights)}


def _told(scores: Scores, target: Labels, weights: Array) -> dict[str, Array]:
    last = scores.shape[1] - 1
    outside, called = target == last, scores.argmax(1)
    right: npt.NDArray[np.bool_] = called == target
    told: dict[str, Array] = {}
    if not outside.all():
        told["accuracy_in_scope"] = divided((right & ~outside) @ weights, ~outside @ weights)
    if outside.any():
        told["recall_out_of_scope"] = divided((right & outside) @ weights, outside @ weights)
        told["precision_out_of_scope"] = divided((right & outside) @ weights, (called == last) @ weights)
    if len(told) > 2:  # NaN of a resample of one kind alone
        told["auroc_out_of_scope"] = area(_strangeness(scores), outside, weights)
    return told
