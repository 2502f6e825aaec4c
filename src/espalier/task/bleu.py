"""BLEU and chrF as sums over rows: what each row counts, by sacreBLEU, and the scores that the sums make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.helpers import extract_all_char_ngrams

from espalier.core.counted import Floats, divided

_WORDS, _CHARACTERS, _BETA = 4, 6, 2.0
BLEU_COUNTS = 2 * _WORDS + 2


def bleu(sums: Floats) -> Floats:
    """Corpus BLEU (Papineni et al. 2002, https://aclanthology.org/P02-1040), 0 to 100, as sacreBLEU has it (Post 2018,
    arXiv:1804.08771): with c and r words in all translations and references,

        BLEU = 100 min(1, exp(1 - r / c)) (p_1 p_2 p_3 p_4)^(1/4)

    p_n: the share of the translations' n-grams that their references have. The k-th p_n without a match is
    1 / (2^k n-grams) (Chen & Cherry 2014, method 3); where no word matches, or there are no 4-grams, BLEU is 0.

    Args:
        sums: (…, 10): matches of 1 to 4 words, n-grams of 1 to 4 words, c, r.
    """
    matched, all_, (ours, theirs) = sums[..., :_WORDS], sums[..., _WORDS:-2], np.moveaxis(sums[..., -2:], -1, 0)
    misses = np.cumsum((matched == 0) & (all_ > 0), -1)
    precision = divided(np.where(matched > 0, matched, 0.5**misses), all_)
    told = (precision > 0).all(-1) & (matched > 0).any(-1)
    mean = np.exp(np.log(np.where(precision > 0, precision, 1.0)).mean(-1))
    brevity = np.exp(np.minimum(0.0, 1 - divided(theirs, ours)))
    found: Floats = np.where(told, 100 * brevity * mean, 0.0)
    return found


def chrf(sums: Floats) -> Floats:
    """chrF2 (Popović 2015, https://aclanthology.org/W15-3049), 0 to 100: with P and R the means, over n-grams of 1 to 6
    characters without blanks, of the share of them that are right, and of the references' that were found,

        chrF = 100 (1 + 4) P R / (4 P + R)

    Args:
        sums: (…, 18): n-grams of the translations, of the references, matches, 6 each.
    """
    ours, theirs, matched = np.moveaxis(sums.reshape(*sums.shape[:-1], 3, _CHARACTERS), -2, 0)
    counts = (ours > 0) & (theirs > 0)
    orders = counts.sum(-1).astype(np.float64)
    precision, recall = (divided(np.where(counts, divided(matched, of), 0.0).sum(-1), orders) for of in (ours, theirs))
    weight = _BETA**2
    return 100 * divided((1 + weight) * precision * recall, weight * precision + recall)


class Judge:
    """Counts what translations have in common with their references.

    Args:
        tokenizer: sacreBLEU's, of BLEU's words.

    Attributes:
        signature: says how BLEU was counted, for papers.
    """

    def __init__(self, tokenizer: str) -> None:
        self._bleu = BLEU(tokenize=tokenizer, effective_order=True)  # of single rows; changes no counts
        whole = BLEU(tokenize=tokenizer)
        whole.corpus_score(["a"], [["a"]])  # which tells it that there is one reference
        self.signature = str(whole.get_signature())

    def bleu(self, translations: Sequence[str], references: Sequence[str]) -> Floats:
        """What ``bleu`` sums, (N, 10)."""
        rows = []
        for pair in zip(translations, references, strict=True):
            found = self._bleu.sentence_score(pair[0], [pair[1]])
            rows.append([*found.counts, *found.totals, found.sys_len, found.ref_len])
        return np.array(rows, np.float64).reshape(-1, BLEU_COUNTS)

    def chrf(self, translations: Sequence[str], references: Sequence[str]) -> Floats:
        """What ``chrf`` sums, (N, 18)."""
        rows = [_characters(*pair) for pair in zip(translations, references, strict=True)]
        return np.array(rows, np.float64).reshape(-1, 3 * _CHARACTERS)


def _characters(translation: str, reference: str) -> list[int]:
    ours, theirs = (extract_all_char_ngrams(text, _CHARACTERS) for text in (translation, reference))
    # An order that the reference has none of counts for nothing, in sacreBLEU too.
    own = [sum(a.values()) if b else 0 for a, b in zip(ours, theirs, strict=True)]
    return [*own, *(sum(b.values()) for b in theirs), *((a & b).total() for a, b in zip(ours, theirs, strict=True))]
