"""How alike texts are by their words: what a search without a model finds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer


def similarities(asked: Sequence[str], answers: Sequence[str], known: Sequence[str]) -> npt.NDArray[np.float64]:
    """Cosines of tf-idf vectors over words and pairs of words, (asked, answers), by scikit-learn.

    Args:
        known: texts by which words are weighed too, beside the answers.
    """
    weigher = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\w+", sublinear_tf=True)
    weigher.fit([*known, *answers])
    found: npt.NDArray[np.float64] = (weigher.transform(asked) @ weigher.transform(answers).T).toarray()
    return found
