"""What a simple model reaches on the same rows, in seconds: a regression on words, else the most frequent class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline

from espalier.core.facts import Raw

_ROWS = 20_000  # training rows that are looked at
_FEW = 16  # classes, up to which more features cost little
_PASSES = 6


@dataclass(frozen=True)
class Guesses:
    """A simple model's answers.

    Attributes:
        name: what it is, for people.
        scores: a probability for each class, (rows, classes).
    """

    name: str
    scores: npt.NDArray[np.float64]


def guesses(raw: Raw, split: str, classes: int) -> Guesses:
    """Train on the training split, answer another one; see ``guesser``."""
    said, told = guesser(raw, classes)
    return Guesses(said, told(raw.splits[split]))


def guesser(raw: Raw, classes: int) -> tuple[str, Callable[[pa.Table], npt.NDArray[np.float64]]]:
    """A model trained on the training split: its name, and what gives each class of some rows a probability.

    Texts: words and pairs of words, hashed, weighed by tf-idf, and a logistic regression for each class, by
    scikit-learn (after Wang & Manning 2012, ACL P12-2018). It looks at 20,000 training rows at most, and takes some two
    seconds for 10,000 short texts. Images and vectors: each class' share of training.
    """
    train = raw.splits["train"]
    labels = train["label"].to_numpy()
    roles = [role for role, kind in raw.kinds.items() if kind == "text"]
    if not roles:
        shares = np.bincount(labels, minlength=classes) / len(labels)
        return "most frequent class", lambda asked: np.tile(shares, (asked.num_rows, 1))
    chosen = np.arange(len(labels))
    said = "logistic regression on words"
    if len(labels) > _ROWS:
        chosen = np.sort(np.random.default_rng(0).permutation(len(labels))[:_ROWS])
        said += f" (of {_ROWS:,} training rows)"
    words = HashingVectorizer(
        ngram_range=(1, 2), token_pattern=r"\w+", n_features=2**18 if classes <= _FEW else 2**16,
        alternate_sign=False, norm=None, dtype=np.float32,
    )  # fmt: skip
    linear = SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=_PASSES, tol=None, random_state=0)
    model = make_pipeline(words, TfidfTransformer(sublinear_tf=True), linear)
    model.fit(_texts(train.take(pa.array(chosen)), roles), labels[chosen])

    def told(asked: pa.Table) -> npt.NDArray[np.float64]:
        scores = np.zeros((asked.num_rows, classes))
        scores[:, linear.classes_] = model.predict_proba(_texts(asked, roles))
        return scores

    return said, told


def _texts(table: pa.Table, roles: Sequence[str]) -> list[str]:
    return ["\n".join(row) for row in zip(*(table[role].to_pylist() for role in roles), strict=True)]
