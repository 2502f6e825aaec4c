from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities

from espalier.task.entities import Dictionary, Entity, counted, entities
from espalier.task.tagging import f1_macro, precision, recall

TYPES = ("group", "person", "place")
TAGS = ("O", *(f"{begin}-{kind}" for kind in TYPES for begin in "BI"))


def drawn(rows: int, seed: int) -> list[list[str]]:
    """Sentences of 0 to 12 tags in any order, also such as no annotator writes."""
    generator = np.random.default_rng(seed)
    return [[TAGS[i] for i in generator.integers(0, len(TAGS), generator.integers(0, 13))] for _ in range(rows)]


def test_entities_are_those_of_seqeval() -> None:
    for tags in drawn(500, 0):
        assert [(e.type, e.start, e.end - 1) for e in entities(tags)] == get_entities(tags)


def test_an_inner_tag_without_a_beginning_begins_one() -> None:
    assert entities(["I-place", "I-person", "O", "B-place", "B-place", "I-place"]) == [
        Entity(0, 1, "place"), Entity(1, 2, "person"), Entity(3, 4, "place"), Entity(4, 6, "place"),
    ]  # fmt: skip


def test_counts_make_the_figures_of_seqeval() -> None:
    target = drawn(300, 1)
    called = [[*reversed(row)] for row in target]
    called[:200] = [[*row] for row in target[:200]]  # so that there is something to find
    counts = sum(counted(entities(a), entities(b), TYPES) for a, b in zip(target, called, strict=True)).astype(float)
    total: Any = counts.sum(0)
    assert 2 * total[0] / (2 * total[0] + total[1] + total[2]) == pytest.approx(f1_score(target, called))
    assert float(precision(total)) == pytest.approx(precision_score(target, called))
    assert float(recall(total)) == pytest.approx(recall_score(target, called))
    assert float(f1_macro(counts.ravel())) == pytest.approx(f1_score(target, called, average="macro"))
    report = classification_report(target, called, output_dict=True)
    for (tp, fp, fn), kind in zip(counts, TYPES, strict=True):
        assert report[kind]["support"] == tp + fn
        assert report[kind]["precision"] == pytest.approx(tp / (tp + fp))


def test_macro_f1_is_over_the_types_that_are_there() -> None:
    target, called = [["B-place", "O"]], [["B-place", "B-person"]]
    counts = counted(entities(target[0]), entities(called[0]), TYPES)
    assert float(f1_macro(counts.ravel().astype(float))) == f1_score(target, called, average="macro") == 0.5


def test_a_dictionary_takes_the_longest_phrase_of_one_type() -> None:
    seen = [
        (["New", "York", "Times"], ["B-group", "I-group", "I-group"]),
        (["New", "York", "and", "Paris"], ["B-place", "I-place", "O", "B-person"]),
        (["Paris"], ["B-place"]),
    ]
    dictionary = Dictionary(seen)
    assert dictionary.types == {("new", "york", "times"): "group", ("new", "york"): "place"}
    found = dictionary.tags(["the", "New", "York", "Times", "of", "new", "YORK", "in", "Paris", "New"])
    assert found == ["O", "B-group", "I-group", "I-group", "O", "B-place", "I-place", "O", "O", "O"]
    assert Dictionary([]).tags(["a"]) == ["O"]
