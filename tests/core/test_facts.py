from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from espalier.core.facts import Counts, DataFacts, Raw


def raw(labels: dict[str, tuple[str, ...]]) -> Raw:
    splits = {"train": pa.table({"row": [0, 1, 2]}), "test": pa.table({"row": [3]})}
    return Raw(splits, {"text": "text"}, labels, {"train": Counts(3, 3), "test": Counts(1, 1)}, "f", "here", (2,))


def test_reading_tells_sizes_kinds_and_shape() -> None:
    facts = DataFacts.of(raw({"": ("a", "b")}), max_length=9)
    assert (facts.sizes, facts.shape, facts.max_length) == ({"train": 3, "test": 1}, (2,), 9)
    assert (facts.label_names, facts.total_steps) == (("a", "b"), -1)


def test_learning_leaves_the_old_facts_alone() -> None:
    facts = DataFacts.of(raw({"": ("a", "b")}))
    more = facts.learn(vocab_size=7, pad={"text": 1})
    assert (more.vocab_size, more.pad, facts.vocab_size) == (7, {"text": 1}, 0)
    with pytest.raises(TypeError):
        facts.learn(colour="red")


def test_label_names_of_several_sources_are_ambiguous() -> None:
    with pytest.raises(ValueError):
        _ = DataFacts.of(raw({"one": ("a",), "two": ("b",)})).label_names


def test_they_are_what_they_were_after_json() -> None:
    facts = DataFacts.of(raw({"": ("a", "b")}), max_length=9).learn(vocab_size=7, pad={"text": 1}, label_counts=(2, 1))
    record = json.loads(json.dumps(facts.as_dict()))
    assert DataFacts.from_dict(record) == facts
    assert DataFacts.from_dict({**record, "of_a_later_version": 1}) == facts


def test_inputs_are_what_a_model_reads() -> None:
    kinds: Any = {"row": "id", "text": "text", "text_pair": "text", "label": "label", "tags": "labels"}
    assert DataFacts(kinds, {}, {}).inputs == ("text", "text_pair")
