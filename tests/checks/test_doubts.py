from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cleanlab.rank import get_label_quality_scores

from checks.examples import texts, vectors
from espalier.build.instantiate import instantiate
from espalier.checks.doubts import doubts, likelihoods
from espalier.checks.features import Features, features
from espalier.config.compose import compose

SEEN = Features(np.zeros((4, 2), np.float32), "nothing")


def clouds(rows: int, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Points round corners far from each other, and their classes."""
    generator = np.random.default_rng(0)
    labels = np.arange(rows) % classes
    return (6 * np.eye(classes)[labels] + generator.normal(size=(rows, classes))).astype(np.float32), labels


def test_wrong_labels_are_found_with_the_right_ones() -> None:
    points, labels = clouds(150)
    given = labels.copy()
    given[:6] = (labels[:6] + 1) % 3
    found = doubts(vectors(points, given, ("a", "b", "c")), Features(points, "points"))
    assert found is not None
    assert len({s.row for s in found.suspects} & set(range(6))) >= 5
    assert len(found.suspects) < 15
    assert all(s.suggested == "abc"[labels[s.row]] for s in found.suspects if s.row < 6)
    scores = [s.score for s in found.suspects]
    assert scores == sorted(scores)
    assert (found.rows, found.features) == (150, "points")
    assert 0.9 < found.agreement < 1


def test_a_row_is_judged_by_others_alone() -> None:
    noise = np.random.default_rng(0).normal(size=(60, 50)).astype(np.float32)
    labels = np.arange(60) % 2
    agreement = (likelihoods(100 * noise, labels).argmax(1) == labels).mean()
    assert agreement < 0.7  # one that had seen them would give each its label


def test_a_class_of_one_row_is_no_obstacle() -> None:
    points, labels = clouds(60)
    labels[0] = 3
    assert likelihoods(points, labels).shape == (60, 4)


def test_too_few_rows_and_other_labels_are_not_judged() -> None:
    raw = vectors(np.zeros((4, 2), np.float32), [0, 1, 0, 1])
    assert doubts(raw, SEEN) is None
    assert doubts(replace(raw, labels={"one": ("a", "b"), "two": ("c", "d")}), SEEN) is None


def test_classes_that_have_no_row_do_not_count() -> None:
    points, labels = clouds(60, 2)
    found = doubts(vectors(points, labels * 2, ("a", "b", "c")), Features(points, "points"))
    assert found is not None
    assert {s.suggested for s in found.suspects} <= {"a", "c"}


def test_words_alone_tell_most() -> None:
    raw = texts(
        train=[(f"a {('dull', 'warm')[i % 2]} film number {i}", i % 2 if i > 2 else 1 - i % 2) for i in range(60)]
    )
    experiment = compose(["data=support_intents", "model=lstm"])
    found = doubts(raw, features(experiment, instantiate(experiment.config.data), raw))
    assert found is not None
    assert ({s.row for s in found.suspects}, found.features) == ({10, 11, 12}, "words")


@pytest.mark.data
@pytest.mark.slow
def test_flipped_labels_of_real_sentences_stand_first() -> None:
    experiment = compose(["data=sst2", "data.limit=300", "model=minilm", "hardware=cpu"])
    source = instantiate(experiment.config.data)
    raw = source.read()
    labels = np.concatenate([table["label"].to_numpy() for table in raw.splits.values()])
    train = raw.splits["train"].num_rows
    flipped = np.random.default_rng(0).permutation(train)[: round(0.05 * train)]
    labels[flipped] = 1 - labels[flipped]
    quality = get_label_quality_scores(
        labels, likelihoods(features(experiment, source, raw).values, labels), method="self_confidence"
    )
    worst = np.argsort(quality[:train], kind="stable")[: len(flipped)]
    assert np.isin(flipped, worst).mean() >= 0.3  # by chance: 0.05


def test_one_row_of_the_only_other_class_is_no_obstacle() -> None:
    points = np.random.default_rng(0).normal(size=(10, 2)).astype(np.float32)
    likely = likelihoods(points, np.array([0] * 9 + [1]))
    assert likely.shape == (10, 2) and likely[9, 0] > 0.99 and np.allclose(likely.sum(1), 1)
