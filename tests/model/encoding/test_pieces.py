from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.decoders import Metaspace as MetaspaceDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Metaspace
from tokenizers.processors import ByteLevel as ByteLevelProcessor
from tokenizers.trainers import BpeTrainer
from transformers import AutoTokenizer

from espalier.core.columns import Ragged
from espalier.core.facts import DataFacts
from espalier.model.encoding.pieces import first_pieces, pieces_of_words
from espalier.model.encoding.pretrained import Pretrained
from espalier.model.encoding.words import Words
from espalier.model.source import locate
from model.examples import of, run_recipe

SENTENCES = [["Empire", "State", "Building", "="], ["'m", "in", "Kraków"], ["\u200b", "x"], ["a"], ["unbelievably"] * 9]
TAGS = [[1, 2, 2, 0], [0, 0, 1], [0, 0], [1], [0] * 9]
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
LIMIT = 12


def tagged(max_length: int | None = LIMIT) -> tuple[Any, DataFacts]:
    raw = of({"words": SENTENCES, "tags": TAGS}, {"words": "words", "tags": "tags"})
    return raw, DataFacts.of(raw, max_length=max_length)


def rows(column: Any) -> list[list[int]]:
    assert isinstance(column, Ragged)
    return [column[i].tolist() for i in range(len(column))]


def pretrained(facts: DataFacts) -> Pretrained:
    return Pretrained(facts, source=MINILM, revision="main")


def test_pieces_are_those_of_transformers_for_split_words() -> None:
    raw, facts = tagged()
    columns = pretrained(facts).apply(raw.splits["train"])
    plain = AutoTokenizer.from_pretrained(locate(MINILM, "main").folder)
    batch = plain(SENTENCES, is_split_into_words=True, truncation=True, max_length=LIMIT)
    assert rows(columns["words"]) == batch["input_ids"]
    for i, words in enumerate(SENTENCES):
        owners = batch.word_ids(i)
        wanted = [owners.index(word) if word in owners else -1 for word in range(len(words))]
        assert columns["words:first"][i].tolist() == wanted  # type: ignore[index]


def test_words_beyond_the_limit_are_counted_and_keep_their_tags() -> None:
    raw, facts = tagged()
    encoding = pretrained(facts)
    columns: Any = encoding.apply(raw.splits["train"])
    assert columns["truncated"].tolist() == [False, False, False, False, True]
    assert columns["length"][4] > LIMIT == len(columns["words"][4])
    assert columns["words:first"][4].tolist()[-1] == -1 and rows(columns["words:tags"]) == TAGS
    assert columns["words:first"][2].tolist() == [-1, 1]  # a word that the tokenizer takes for nothing
    assert encoding.facts()["pad"] == {"words": 0, "words:first": -1, "words:tags": -1}
    assert "words:tags" not in encoding.apply(raw.splits["train"].drop_columns("tags"))


def test_byte_level_pieces_begin_with_the_blank_before_their_word() -> None:
    offsets = [(0, 2), (2, 5), (5, 6), (6, 7), (7, 8)]  # "ab", " cd", " ", "e", "f"
    assert first_pieces(["ab", "cd", "ef"], offsets) == [0, 1, 3]
    assert first_pieces(["ab", "cd", "ef"], offsets[:2]) == [0, 1, -1]
    assert first_pieces([], [(0, 0)]) == []


@pytest.mark.parametrize("limit", [None, 3])
def test_of_a_vocabulary_of_words_each_is_one_token(limit: int | None, tmp_path: Any) -> None:
    raw, facts = tagged(limit)
    encoding = Words(facts, vocab_size=50, min_frequency=1, lowercase=True)
    encoding.fit(raw)
    assert {"'m", "building", "unbelievably", "="} <= set(encoding.tokenizer.get_vocab())
    columns: Any = encoding.apply(raw.splits["train"])
    wanted = [[i if limit is None or i < limit else -1 for i in range(len(words))] for words in SENTENCES]
    assert rows(columns["words:first"]) == wanted
    assert [len(row) for row in rows(columns["words"])] == [min(len(words), limit or 99) for words in SENTENCES]
    assert columns["truncated"].tolist() == [len(words) > (limit or 99) for words in SENTENCES]
    unseen: Any = encoding.apply(pa.table({"words": [["EMPIRE", "", "zebra"], []]}))
    assert rows(unseen["words"]) == [[encoding.tokenizer.token_to_id("empire"), 1, 1], [0]]
    assert rows(unseen["words:first"]) == [[0, 1, 2], []]
    encoding.save(tmp_path)
    assert run_recipe(encoding.recipe(), tmp_path)["encode"](SENTENCES) == rows(columns["words"])


def test_an_encoding_that_was_loaded_makes_the_same(tmp_path: Any) -> None:
    raw, facts = tagged()
    encoding = Words(facts, vocab_size=50, min_frequency=1, lowercase=True)
    encoding.fit(raw)
    encoding.save(tmp_path)
    other = Words(facts, vocab_size=50, min_frequency=1, lowercase=True)
    other.load(tmp_path)
    assert other.fingerprint() == encoding.fingerprint()
    same = [encoding.apply(raw.splits["train"])["words"], other.apply(raw.splits["train"])["words"]]
    assert np.array_equal(same[0].values, same[1].values)  # type: ignore[union-attr]


@pytest.mark.parametrize("apart", [ByteLevel(add_prefix_space=False), Metaspace()], ids=["byte-level", "metaspace"])
@pytest.mark.parametrize("trims", [True, False])
def test_the_first_piece_of_a_word_is_found_where_blanks_belong_to_pieces(apart: Any, trims: bool) -> None:
    tokenizer = Tokenizer(BPE(unk_token="?"))
    tokenizer.pre_tokenizer = apart
    if trims and isinstance(apart, ByteLevel):
        tokenizer.post_processor = ByteLevelProcessor(trim_offsets=True)
    words = [["Empire", "State", "😂", "in", "Kraków", "'m", "Empire"], ["State"]]
    trainer = BpeTrainer(
        vocab_size=400, special_tokens=["?"], initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([" ".join(row) for row in words] * 3, trainer)
    ids, places, _ = pieces_of_words(tokenizer, None, empty=0)(words)
    for row, encoded, firsts in zip(words, ids, places, strict=True):
        told = [encoded[begin:end] for begin, end in zip(firsts, [*firsts[1:], len(encoded)], strict=True)]
        assert min(firsts) >= 0 and list(firsts) == sorted(firsts)
        assert [decoder_of(apart).decode([tokenizer.id_to_token(i) for i in ids_]).strip() for ids_ in told] == row


def decoder_of(apart: Any) -> Any:
    return ByteLevelDecoder() if isinstance(apart, ByteLevel) else MetaspaceDecoder()
