"""Which tokens of a text are hidden from a model that is to tell them, and what stands in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_MASKED, _OTHER = (
    0.8,
    0.9,
)  # of the chosen: up to here they are masked, up to here another token's, the rest as they are


@dataclass(frozen=True)
class Masking:
    """BERT's (Devlin et al. 2019, arXiv:1810.04805, section 3.1), drawn anew for each key (Liu et al. 2019,
    arXiv:1907.11692, section 4.1: dynamic masking).

    Of a row's n tokens, special ones left out, round(share n) are chosen, one at least. Of these 80 % become the mask,
    10 % a token drawn from all but the special ones, 10 % stay as they are.

    Attributes:
        share: of a text's tokens.
        mask: the id that hides a token.
        vocabulary: how many ids there are.
        special: ids that are never chosen, nor drawn.
    """

    share: float
    mask: int
    vocabulary: int
    special: frozenset[int]

    def of(self, ids: Ids, seen: Bools, keys: Sequence[tuple[int, ...]]) -> tuple[Ids, Bools]:
        """What a model is given, and which tokens it is asked for; (B, L) both.

        A row's draws depend on its key and its own tokens alone, not on the padding or its neighbours.

        Args:
            ids: (B, L); seen: which are no padding.
            keys: of each row, whole numbers, none below 0.
        """
        given, chosen = ids.copy(), np.zeros(ids.shape, bool)
        allowed = seen & ~np.isin(ids, list(self.special))
        others = np.setdiff1d(np.arange(self.vocabulary), list(self.special))
        for row, key in enumerate(keys):
            places = np.flatnonzero(allowed[row])
            if not len(places):
                continue
            generator = np.random.default_rng(key)
            asked = generator.permutation(places)[: max(1, round(self.share * len(places)))]
            fate, drawn = generator.random(len(asked)), generator.integers(len(others), size=len(asked))
            given[row, asked] = np.where(
                fate < _MASKED, self.mask, np.where(fate < _OTHER, others[drawn], ids[row, asked])
            )
            chosen[row, asked] = True
        return given, chosen
