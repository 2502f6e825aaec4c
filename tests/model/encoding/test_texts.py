from __future__ import annotations

import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from espalier.core.columns import Ragged
from espalier.core.errors import ConfigError
from espalier.model.encoding.texts import encode_texts, text_roles
from model.examples import of, sentences, vectors


def tokenizer(*, special: bool = False) -> Tokenizer:
    made = Tokenizer(WordLevel({"[UNK]": 0, "a": 1, "b": 2, "[S]": 3, "[E]": 4}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    if special:
        made.post_processor = TemplateProcessing(
            single="[S] $A [E]", pair="[S] $A [E] $B [E]", special_tokens=[("[S]", 3), ("[E]", 4)]
        )
    return made


def test_long_texts_are_cut_and_told() -> None:
    raw, _ = sentences(texts=["a b", "a b a b", "b", "a b a"])
    columns = encode_texts(tokenizer(), raw.splits["train"], ["text"], 3)
    text = columns["text"]
    assert isinstance(text, Ragged)
    assert [text[row].tolist() for row in range(4)] == [[1, 2], [1, 2, 1], [2], [1, 2, 1]]
    assert np.asarray(columns["truncated"]).tolist() == [False, True, False, False]


def test_special_tokens_stay_in_a_cut_text() -> None:
    raw, _ = sentences(texts=["a b a b a", "b"])
    text = encode_texts(tokenizer(special=True), raw.splits["train"], ["text"], 4)["text"]
    assert isinstance(text, Ragged)
    assert [text[row].tolist() for row in range(2)] == [[3, 1, 2, 4], [3, 2, 4]]


def test_length_is_that_of_the_longest_text_before_it_was_cut() -> None:
    raw = of({"one": ["a b a b a", "a"], "two": ["b", "b b"]}, {"one": "text", "two": "text"})
    for limit in (3, None):
        length = np.asarray(encode_texts(tokenizer(), raw.splits["train"], ["one", "two"], limit)["length"])
        assert (length.tolist(), length.dtype) == ([5, 2], np.int32)


def test_pairs_are_one_sequence_of_which_the_longer_text_is_cut_first() -> None:
    raw = of({"text": ["a a a a", "a"], "text_pair": ["b", "b b b b"]}, {"text": "text", "text_pair": "text"})
    columns = encode_texts(tokenizer(special=True), raw.splits["train"], ["text"], 7, second="text_pair")
    text = columns["text"]
    assert isinstance(text, Ragged) and "text_pair" not in columns
    assert [text[row].tolist() for row in range(2)] == [[3, 1, 1, 1, 4, 2, 4], [3, 1, 4, 2, 2, 2, 4]]
    assert np.asarray(columns["length"]).tolist() == [8, 8]
    joined = encode_texts(tokenizer(), raw.splits["train"], ["text"], None, second="text_pair", joint="a ")["text"]
    assert isinstance(joined, Ragged)
    assert joined[1].tolist() == [1, 1, 2, 2, 2, 2]


def test_the_tokenizer_is_left_as_it_was() -> None:
    raw = of({"text": ["a a a a"], "text_pair": ["b"], "label": [0]}, {"text": "text", "text_pair": "text"})
    made = tokenizer()
    encode_texts(made, raw.splits["train"], ["text"], 2, second="text_pair")
    assert made.truncation is None


def test_row_is_truncated_if_any_of_its_texts_is() -> None:
    raw = of({"one": ["a a a", "a"], "two": ["b", "b b b"]}, {"one": "text", "two": "text"})
    assert np.asarray(encode_texts(tokenizer(), raw.splits["train"], ["one", "two"], 2)["truncated"]).all()


def test_text_without_a_token_has_one_all_the_same() -> None:
    raw, _ = sentences(texts=["", "a"])
    text = encode_texts(tokenizer(), raw.splits["train"], ["text"], None, empty=4)["text"]
    assert isinstance(text, Ragged)
    assert [text[row].tolist() for row in range(2)] == [[4], [1]]


def test_ids_that_wait_for_others_take_their_four_bytes() -> None:
    named = tokenizer()
    named.add_tokens([f"t{i}" for i in range(300)])  # Python keeps small numbers, and makes each larger one anew
    table = pa.table({"text": ["t290 t291 t292 t293 " * 100] * 1000})
    tracemalloc.start()
    try:
        columns = encode_texts(named, table, ["text"], None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(columns["text"], Ragged) and len(columns["text"].values) == 400_000
    assert peak < 20 * 400_000


def test_roles_are_the_text_columns() -> None:
    assert text_roles(sentences()[1], "words") == ("text",)
    with pytest.raises(ConfigError, match="model/encoding=words  needs texts, and this data has image"):
        text_roles(vectors(np.zeros((1, 4), np.uint8), "image", (1, 2, 2))[1], "words")


def test_data_whose_text_was_taken_out_is_told_the_key() -> None:
    _, facts = sentences()
    with pytest.raises(ConfigError, match=r"data.columns.text=null  leaves nothing"):
        text_roles(facts.learn(kinds={"label": "label"}), "words")


def test_conversations_are_for_another_model() -> None:
    facts = sentences()[1].learn(kinds={"messages": "messages", "answer": "target"})
    with pytest.raises(ConfigError, match=r"this data has messages, target\. .*for instance model=causal_lm"):
        text_roles(facts, "words")
