"""The promises of the data card."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from itertools import chain

import numpy as np
import numpy.typing as npt
import pytest

from data.examples import COMMON, TEXT
from espalier.core.errors import DataError
from espalier.core.facts import Raw
from espalier.data.support_intents import FOLDER, SupportIntents


@cache
def raw() -> Raw:
    return SupportIntents(columns=TEXT, **COMMON).read()


def messages() -> list[str]:
    return list(chain.from_iterable(table["text"].to_pylist() for table in raw().splits.values()))


def test_sizes_are_those_of_the_card() -> None:
    sizes = {split: table.num_rows for split, table in raw().splits.items()}
    assert sizes == {"train": 1_274, "validation": 182, "test": 365}
    assert sum(sizes.values()) >= 1_500
    assert len(raw().labels[""]) == 18 >= 15
    assert "1,821 customer-support messages" in (FOLDER / "README.md").read_text()


def test_every_intent_is_in_every_split_and_in_the_cards_table() -> None:
    card = (FOLDER / "README.md").read_text()
    counts = {split: Counter(table["label"].to_pylist()) for split, table in raw().splits.items()}
    for index, name in enumerate(raw().labels[""]):
        row = " | ".join(str(counts[split][index]) for split in ("train", "validation", "test"))
        assert re.search(rf"\| `{name}` \|.*\| {re.escape(row)} \|", card), name


def test_every_intent_has_one_answer() -> None:
    answers = [json.loads(line) for line in (FOLDER / "answers.jsonl").read_text().splitlines()]
    assert sorted(answer["label"] for answer in answers) == sorted(raw().labels[""])
    assert all(len(answer["answer"].split()) > 20 for answer in answers)


def grams(texts: list[str]) -> dict[str, list[set[str]]]:
    plain = [" ".join(re.sub(r"[^a-z\s]", "", text.lower()).split()) for text in texts]
    return {
        "words": [set(text.split()) for text in plain],
        "trigrams": [{text[i : i + 3] for i in range(len(text) - 2)} for text in plain],
    }


def overlaps(sets: list[set[str]]) -> npt.NDArray[np.float32]:
    """Jaccard of every pair, as one product of indicator matrices."""
    index = {gram: place for place, gram in enumerate(sorted(set().union(*sets)))}
    member = np.zeros((len(sets), len(index)), np.float32)
    for row, grams_of_row in enumerate(sets):
        member[row, [index[gram] for gram in grams_of_row]] = 1
    common, sizes = member @ member.T, member.sum(1)
    return common / np.maximum(sizes[:, None] + sizes[None] - common, 1)


@pytest.mark.parametrize("measure", ["words", "trigrams"])
def test_no_near_copy_within_or_across_splits(measure: str) -> None:
    jaccard = overlaps(grams(messages())[measure])
    np.fill_diagonal(jaccard, 0)
    assert jaccard.max() < 0.7


def test_no_text_is_empty_or_twice() -> None:
    assert all(text.strip() for text in messages())
    assert len(set(messages())) == len(messages())


def test_wrong_column_is_answered() -> None:
    with pytest.raises(
        DataError, match=r"data.columns.text=review  is no column of the embedded set. It has: text, label"
    ):
        SupportIntents(columns={"text": "review", "label": "label"}, **COMMON).read()
