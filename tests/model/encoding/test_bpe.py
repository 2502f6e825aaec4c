from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from transformers import AutoTokenizer

from espalier.core.columns import Ragged
from espalier.model.encoding.bpe import Bpe
from model.examples import pairs, sentences

TEXTS = ["the cat sat on the mat\n", "the cat, the hat", " the  naïve cat", "the cat"] * 5


def fitted(vocab_size: int) -> Bpe:
    raw, facts = sentences(texts=TEXTS)
    encoding = Bpe(facts, vocab_size=vocab_size, min_frequency=2, keep="start")
    encoding.fit(raw)
    return encoding


def rows(encoding: Bpe, texts: list[str]) -> list[list[int]]:
    column = encoding.apply(pa.table({"text": texts}))["text"]
    assert isinstance(column, Ragged)
    return [column[i].tolist() for i in range(len(column))]


def test_frequent_pairs_are_merged() -> None:
    few, many = fitted(257), fitted(270)
    assert few.facts()["vocab_size"] == 257 and many.facts()["vocab_size"] == 270
    assert [len(row) for row in rows(few, ["the cat"])] == [7]
    assert len(rows(many, ["the cat"])[0]) <= 3
    assert rows(many, TEXTS) == rows(fitted(270), TEXTS)


def test_no_text_is_unknown() -> None:
    strange = ["猫 zebra\x00\t", "  ", "the"]
    encoding = fitted(270)
    assert [encoding.decode(row) for row in rows(encoding, strange)] == strange


def test_two_texts_are_one_sequence() -> None:
    raw, facts = pairs(["the cat", "the cat"], ["the hat", "a cat"])
    encoding = Bpe(facts, vocab_size=270, min_frequency=2, keep="start")
    encoding.fit(raw)
    column: Any = encoding.apply(raw.splits["train"])["text"]
    found = [column[i].tolist() for i in range(2)]
    assert found[0] != found[1] and all(row.count(encoding.tokenizer.token_to_id("[SEP]")) == 1 for row in found)
    assert [encoding.decode(row) for row in found] == ["the catthe hat", "the cata cat"]


def test_it_is_saved_for_ours_and_for_transformers(tmp_path: Path) -> None:
    encoding = fitted(270)
    encoding.save(tmp_path)
    again = Bpe(sentences()[1], vocab_size=270, min_frequency=2, keep="start")
    again.load(tmp_path)
    assert again.fingerprint() == encoding.fingerprint()
    plain = AutoTokenizer.from_pretrained(tmp_path)
    assert plain(TEXTS[:3])["input_ids"] == rows(encoding, TEXTS[:3])
