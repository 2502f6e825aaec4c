from __future__ import annotations

import json

from espalier.core.findings import Findings

CLASSES = {"train": {"a": 40, "b": 4, "c": 1, "d": 0}, "test": {"a": 5, "b": 0, "c": 1, "d": 0}}


def test_what_is_remarkable_of_the_classes() -> None:
    found = Findings("texts", {"train": 45, "test": 6}, classes=CLASSES)
    assert (found.imbalance, found.single, found.absent) == (40.0, ["c"], {"test": ["b"]})


def test_no_classes_are_balanced() -> None:
    found = Findings("texts", {"train": 45})
    assert (found.imbalance, found.single, found.absent) == (1.0, [], {})


def test_what_a_run_keeps_is_plain() -> None:
    kept = Findings("texts", {"train": 45, "test": 6}, {"train": 2}, classes=CLASSES).summary()
    assert json.loads(json.dumps(kept)) == kept
    assert kept["repeated"] == {"train": 2} and "classes" not in kept
