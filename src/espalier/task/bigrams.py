"""What a language model has to beat: each token from the one before it alone, by counting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from espalier.core.columns import Ragged
from espalier.core.counted import COUNTS, Counted, Floats, intervals, values
from espalier.core.facts import Raw
from espalier.core.parts import Baseline

Ids = npt.NDArray[np.int64]


def bigram_baseline(
    raw: Raw, split: str, encoding: Any, role: str, metrics: Mapping[str, Counted], resamples: int
) -> Baseline:
    """Count pairs of tokens in the training split, and foretell another one's, block by block.

    Args:
        encoding: the model's: its tokens are what is foretold.
        role: the column of its ids.
        metrics: ``loss``, ``perplexity`` and ``accuracy``, as the task counts them.
    """
    train, asked = (encoding.apply(raw.splits[name]) for name in ("train", split))
    counted = Bigrams(*_pairs(train[role])[:2], encoding.facts()["vocab_size"])
    before, token, block = _pairs(asked[role])
    lost, right = -np.log(counted.probability(before, token)), counted.likeliest(before) == token
    blocks = len(asked[role])
    tokens, lost, right = (np.bincount(block, w, blocks) for w in (np.ones(len(block)), lost, right))
    losses: Floats = np.stack([lost, tokens], 1)
    counts: dict[str, Floats] = {"loss": losses, "perplexity": losses, "accuracy": np.stack([right, tokens], 1)}
    row = raw.splits[split]["row"].to_numpy()
    columns = {"row": row[asked["taken"]] if "taken" in asked else row}
    columns |= {f"{COUNTS}{name}": list(of) for name, of in counts.items()}
    return Baseline("bigrams", values(metrics, counts), intervals(metrics, counts, resamples), columns)


class Bigrams:
    """p(x | y) = (c(y, x) + t(y) p(x)) / (c(y) + t(y)), t(y) the different tokens seen after y, p(x) the share of x
    with one more of each (Witten & Bell 1991, doi:10.1109/18.87000, method C, as an interpolation).

    Args:
        before, token: pairs that stood side by side, (N,) each.
        vocabulary: how many tokens there are.
    """

    def __init__(self, before: Ids, token: Ids, vocabulary: int) -> None:
        self._vocabulary = vocabulary
        self._pairs, self._counts = np.unique(before * vocabulary + token, return_counts=True)
        first, second = np.divmod(self._pairs, vocabulary)
        self._seen = np.bincount(before, minlength=vocabulary)
        self._kinds = np.bincount(first, minlength=vocabulary)
        alone = np.bincount(token, minlength=vocabulary) + 1.0
        self._alone = alone / alone.sum()
        order = np.lexsort((-second, self._counts))  # the last of each first is its most frequent, of equals the lowest
        self._likeliest = np.full(vocabulary, self._alone.argmax())
        self._likeliest[first[order]] = second[order]

    def probability(self, before: Ids, token: Ids) -> Floats:
        """Of each token behind the one before it, (N,)."""
        code = before * self._vocabulary + token
        place = np.searchsorted(self._pairs, code).clip(max=max(0, len(self._pairs) - 1))
        together = np.where(self._pairs[place] == code, self._counts[place], 0) if len(self._pairs) else 0
        kinds, seen = self._kinds[before], self._seen[before]
        kinds = np.where(seen == 0, 1, kinds)
        found: Floats = (together + kinds * self._alone[token]) / (seen + kinds)
        return found

    def likeliest(self, before: Ids) -> Ids:
        """What stood most often behind each token, (N,)."""
        found: Ids = self._likeliest[before]
        return found


def _pairs(blocks: Ragged) -> tuple[Ids, Ids, Ids]:
    """Tokens that stand side by side within a block, and which block."""
    flat = np.asarray(blocks.values, np.int64)
    within = np.ones(len(flat), bool)
    within[blocks.offsets[1:] - 1] = False  # a block's last has none behind it
    first = np.flatnonzero(within)
    block = np.repeat(np.arange(len(blocks)), blocks.lengths)
    return flat[first], flat[first + 1], block[first]
