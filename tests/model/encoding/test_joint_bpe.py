from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from transformers import AutoTokenizer

from espalier.core.columns import Ragged
from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts
from espalier.model.encoding.joint_bpe import JointBpe
from model.examples import pairs, sentences
from model.translated import GERMAN, sides


def fitted(*, max_length: int | None = None, vocab_size: int = 300) -> JointBpe:
    raw, facts = sides(max_length=max_length)
    encoding = JointBpe(facts, vocab_size=vocab_size, min_frequency=2)
    encoding.fit(raw)
    return encoding


def rows(encoding: JointBpe, role: str, texts: list[str]) -> list[list[int]]:
    column = encoding.apply(pa.table({role: texts}))[role]
    assert isinstance(column, Ragged)
    return [column[i].tolist() for i in range(len(column))]


def test_both_sides_share_a_vocabulary_and_end_alike() -> None:
    encoding = fitted()
    assert encoding.facts() == {"vocab_size": 300, "pad": {"source": 0, "target": 0}}
    same = "Hund cat"
    (read,), (written,) = rows(encoding, "source", [same]), rows(encoding, "target", [same])
    assert read == written and read[-1] == encoding.end == 2 and encoding.start == 1
    assert len(read) < 6  # words of either side were merged


def test_a_source_is_read_without_a_target() -> None:
    columns = fitted().apply(pa.table({"source": ["a cat", ""]}))
    assert set(columns) == {"source", "length", "truncated"}
    ids = columns["source"]
    assert isinstance(ids, Ragged) and ids[1].tolist() == [2]


def test_texts_come_back_as_they_were() -> None:
    encoding = fitted()
    for text in (*GERMAN, "Ein  Ünding, \t (»ja«) 猫", "lower UPPER."):
        (ids,) = rows(encoding, "target", [text])
        assert encoding.decode(ids) == text


def test_a_text_that_is_cut_still_ends() -> None:
    encoding = fitted(max_length=5)
    columns = encoding.apply(pa.table({"source": ["a cat", "a b c d e f g h"], "target": ["x", "y"]}))
    ids = columns["source"]
    assert isinstance(ids, Ragged) and len(ids[1]) == 5 and ids[1][-1] == encoding.end
    assert list(columns["truncated"]) == [False, True]


def test_it_is_saved_for_ours_and_for_transformers(tmp_path: Path) -> None:
    encoding = fitted()
    encoding.save(tmp_path)
    again = JointBpe(sides()[1], vocab_size=300, min_frequency=2)
    again.load(tmp_path)
    assert again.fingerprint() == encoding.fingerprint()
    plain = AutoTokenizer.from_pretrained(tmp_path)
    ids = rows(encoding, "target", GERMAN)
    assert plain(GERMAN)["input_ids"] == ids
    assert plain.batch_decode(ids, skip_special_tokens=True) == GERMAN
    assert (plain.pad_token_id, plain.bos_token_id, plain.eos_token_id) == (0, 1, 2)


def test_data_without_a_target_is_refused() -> None:
    facts: DataFacts = sentences()[1]
    with pytest.raises(ConfigError, match=r"reads one text and writes another; this data has text, label"):
        JointBpe(facts, vocab_size=300, min_frequency=2)


def test_two_texts_with_a_target_are_refused() -> None:
    facts = pairs(["a"], ["b"])[1].learn(kinds={"text": "text", "text_pair": "text", "target": "target"})
    with pytest.raises(ConfigError, match=r"reads one text and writes another; this data has text, text, target"):
        JointBpe(facts, vocab_size=300, min_frequency=2)
