from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from transformers import AutoTokenizer

from espalier.core.columns import Ragged
from espalier.model.encoding.characters import Characters
from model.examples import pairs, run_recipe, sentences

TEXTS = ["The cat\nsat.", "naïve  猫\t!", "A dog", "x"]


def fitted(max_length: int | None = None, keep: str = "start") -> Characters:
    raw, facts = sentences(texts=TEXTS, max_length=max_length)
    encoding = Characters(facts, keep=keep)  # type: ignore[arg-type]
    encoding.fit(raw)
    return encoding


def ids(encoding: Characters, texts: list[str]) -> list[list[int]]:
    column = encoding.apply(pa.table({"text": texts}))["text"]
    assert isinstance(column, Ragged)
    return [column[i].tolist() for i in range(len(column))]


def test_each_character_is_a_token_and_comes_back() -> None:
    encoding = fitted()
    assert encoding.facts() == {"vocab_size": 2 + len(set("".join(TEXTS))), "pad": {"text": 0}}
    found = ids(encoding, TEXTS)
    assert [len(row) for row in found] == [len(text) for text in TEXTS]
    assert [encoding.decode(row) for row in found] == TEXTS
    assert min(min(row) for row in found) == 2


def test_others_are_unknown() -> None:
    encoding = fitted()
    assert ids(encoding, ["zzA"]) == [[1, 1, *ids(encoding, ["A"])[0]]]
    assert ids(encoding, [""]) == [[0]]


@pytest.mark.parametrize(("keep", "left"), [("start", "The "), ("end", "sat.")])
def test_a_long_text_keeps_one_end(keep: str, left: str) -> None:
    encoding = fitted(4, keep)
    columns = encoding.apply(pa.table({"text": TEXTS}))
    assert encoding.decode(ids(encoding, TEXTS)[0]) == left
    assert columns["length"].tolist() == [12, 10, 5, 1]  # type: ignore[union-attr]
    assert columns["truncated"].tolist() == [True, True, True, False]  # type: ignore[union-attr]
    assert fitted(4, "end").fingerprint() != fitted(4, "start").fingerprint()


def test_running_text_becomes_blocks() -> None:
    encoding = fitted(4)
    columns = encoding.apply(pa.table({"row": [0, 1, 2], "text": ["The", " cat", "\nsat."], "document": [0, 0, 0]}))
    text = columns["text"]
    assert isinstance(text, Ragged)
    assert [encoding.decode(text[i].tolist()) for i in range(len(text))] == ["The c", "cat\ns", "sat."]
    assert columns["taken"].tolist() == [0, 1, 2]  # type: ignore[union-attr]


@pytest.mark.parametrize(("keep", "left"), [("start", ["The|A", "n!|do"]), ("end", ["at.|A", "n!|og"])])
def test_two_texts_are_one_sequence_of_which_the_longer_is_cut_first(
    keep: Any, left: list[str], tmp_path: Path
) -> None:
    raw, facts = pairs(["The cat\nsat.", "n!"], ["A", "dog"], max_length=5)
    encoding = Characters(facts, keep=keep)
    encoding.fit(raw)
    columns: Any = encoding.apply(raw.splits["train"])
    assert encoding.facts()["pad"] == {"text": 0} and "text_pair" not in columns
    between = encoding.tokenizer.token_to_id("[SEP]")
    found = [columns["text"][i].tolist() for i in range(2)]
    parts = [(row[: row.index(between)], row[row.index(between) + 1 :]) for row in found]
    assert ["|".join(map(encoding.decode, both)) for both in parts] == left
    assert columns["length"].tolist() == [14, 6] and columns["truncated"].tolist() == [True, True]
    encoding.save(tmp_path)
    names = run_recipe(encoding.recipe(), tmp_path)
    assert names["encode"]([("The cat\nsat.", "A"), ("n!", "dog")]) == found and len(names["rows"][0]) == 2
    plain = AutoTokenizer.from_pretrained(tmp_path)
    assert plain(["The cat\nsat.", "n!"], ["A", "dog"], truncation=True, max_length=5)["input_ids"] == found
    again = Characters(facts, keep=keep)
    again.load(tmp_path)
    assert again.fingerprint() == encoding.fingerprint()


def test_it_is_saved_for_ours_and_for_transformers(tmp_path: Path) -> None:
    encoding = fitted(4, "end")
    encoding.save(tmp_path)
    again = Characters(sentences(max_length=4)[1], keep="end")
    again.load(tmp_path)
    assert again.fingerprint() == encoding.fingerprint() and ids(again, TEXTS) == ids(encoding, TEXTS)
    plain = AutoTokenizer.from_pretrained(tmp_path)
    found = plain(TEXTS, truncation=True, max_length=4)["input_ids"]
    assert found == ids(encoding, TEXTS)
    assert plain.decode(found[0], skip_special_tokens=True) == "sat."
    assert run_recipe(encoding.recipe(), tmp_path)["encode"](TEXTS) == ids(encoding, TEXTS)
