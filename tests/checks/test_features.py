from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from checks.examples import texts, vectors
from espalier.build.instantiate import instantiate
from espalier.checks.features import Features, features
from espalier.config.compose import compose
from espalier.core.facts import Raw

ROWS = [(f"{('my parcel is late', 'please cancel my order')[i % 2]} {i}", i % 2) for i in range(12)]


def seen(raw: Raw, *words: str) -> Features:
    experiment = compose([*words, "hardware=cpu"])
    return features(experiment, instantiate(experiment.config.data), raw)


def test_texts_are_seen_by_words_where_the_model_knows_nothing_yet() -> None:
    raw = texts(train=ROWS[:8], test=ROWS[8:])
    words = seen(raw, "model=lstm", "adapter=full")
    assert (words.name, words.values.shape[0]) == ("words", 12)
    assert words.values.multiply(words.values).sum() == pytest.approx(12, rel=1e-4)


def test_a_model_that_is_not_at_hand_is_done_without() -> None:
    assert seen(texts(train=ROWS), "model=hub", "model.source=nobody/nothing").name == "words"


def test_vectors_are_seen_as_they_are_though_the_model_reads_texts() -> None:
    values = np.random.default_rng(0).normal(3, 2, (20, 5)).astype(np.float32)
    view = seen(vectors(values, [0, 1] * 10), "model=minilm")
    assert (view.name, view.values.shape) == ("raw values", (20, 5))
    assert np.square(view.values).sum(1).mean() == pytest.approx(1, rel=1e-4)


@pytest.mark.slow
def test_a_pretrained_model_says_what_texts_mean() -> None:
    both = seen(texts(train=ROWS[:8], test=ROWS[8:]), "model=minilm")
    assert both.name == "states of minilm and words"
    near = states_of(both) @ states_of(both).T
    assert near[0, [2, 4, 6, 8, 10]].min() > near[0, [1, 3, 5, 7, 9, 11]].max()  # rows stand in the order of the splits


@pytest.mark.slow
def test_rows_do_not_depend_on_how_they_were_batched() -> None:
    one = seen(texts(train=ROWS), "model=minilm", "data.eval_batch_size=1")
    many = seen(texts(train=ROWS), "model=minilm")
    np.testing.assert_allclose(states_of(one), states_of(many), atol=1e-4)


def states_of(found: Features) -> npt.NDArray[np.float32]:
    """(rows, 4 layers of 384)."""
    dense: npt.NDArray[np.float32] = found.values[:, : 4 * 384].toarray()
    return dense
