from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from conf.defaults import defaults_of
from espalier.core.columns import Ragged
from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts
from espalier.model.encoding.pretrained import Pretrained, read_tokenizer
from model import checkpoints
from model.examples import of, sentences

CONF = defaults_of("model/minilm")
PAIRS = {
    "text": ["A warm film", "The cat sat, quietly. " * 9],
    "text_pair": ["a dull one " * 9, "refund!"],
    "label": [0, 1],
}


@cache
def minilm(max_length: int | None = None) -> Pretrained:
    return Pretrained(sentences(max_length=max_length)[1], source=CONF["source"], revision=CONF["revision"])


def ids(encoding: Pretrained, *texts: str) -> list[list[int]]:
    column = encoding.apply(sentences(texts=list(texts))[0].splits["train"])["text"]
    assert isinstance(column, Ragged)
    return [column[row].tolist() for row in range(len(column))]


def test_ids_are_those_of_the_tokenizer() -> None:
    expected = minilm().tokenizer(["A dog barks!", "naïve"])["input_ids"]
    assert ids(minilm(), "A dog barks!", "naïve") == expected
    tokens = minilm().tokenizer.convert_ids_to_tokens(expected[0])
    assert (tokens[0], tokens[-2:]) == ("[CLS]", ["!", "[SEP]"])


def test_cut_texts_keep_the_closing_token_as_the_tokenizers_own_truncation_does() -> None:
    text = "one two three four five six seven"
    expected = AutoTokenizer.from_pretrained(minilm().tokenizer.name_or_path)(text, truncation=True, max_length=5)
    assert ids(minilm(5), text, "one") == [expected["input_ids"], ids(minilm(), "one", "two")[0]]


def test_files_own_limit_of_128_does_not_cut() -> None:
    assert len(ids(minilm(), "word " * 300, "x")[0]) == 302


def test_facts_and_fingerprint() -> None:
    assert minilm().facts() == {"vocab_size": 30522, "pad": {"text": 0}}
    assert minilm().fingerprint() != minilm(5).fingerprint()


def test_saved_folder_encodes_alike(tmp_path: Path) -> None:
    minilm().save(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded(["A dog barks!"])["input_ids"] == ids(minilm(), "A dog barks!", "x")[:1]


def paired(folder: Path, max_length: int | None = 24) -> tuple[Pretrained, list[list[int]]]:
    raw = of(PAIRS, {"text": "text", "text_pair": "text"})
    encoding = Pretrained(DataFacts.of(raw, max_length=max_length), source=str(folder), revision="main")
    column = encoding.apply(raw.splits["train"])["text"]
    assert isinstance(column, Ragged)
    return encoding, [column[row].tolist() for row in range(len(column))]


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "gpt2", "llama", "qwen", "t5"])
@pytest.mark.parametrize("max_length", [24, None])
def test_pairs_are_joined_and_cut_as_the_tokenizer_does(family: str, max_length: int | None, tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path, family)
    encoding, found = paired(folder, max_length)
    assert encoding.joint == ("\n" if family in ("gpt2", "qwen") else ""), "no token of its own between the texts"
    seconds = [encoding.joint + second for second in PAIRS["text_pair"]]
    cut = {"truncation": max_length is not None, "max_length": max_length}
    own = AutoTokenizer.from_pretrained(folder)(PAIRS["text"], seconds, **cut)["input_ids"]
    assert found == own
    assert encoding.facts()["pad"].keys() == {"text"}


def test_the_second_text_of_a_pair_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path, "bert")
    single = Pretrained(sentences(max_length=24)[1], source=str(folder), revision="main")
    assert paired(folder)[0].fingerprint() != single.fingerprint()


@pytest.mark.parametrize(
    ("family", "token"), [("gpt2", "<|endoftext|>"), ("llama", "<|end_of_text|>"), ("bert", "[PAD]")]
)
def test_what_pads_where_the_tokenizer_says_nothing_and_on_the_right(family: str, token: str, tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path, family)
    tokenizer = Pretrained(sentences()[1], source=str(folder), revision="main").tokenizer
    assert (tokenizer.pad_token, tokenizer.padding_side) == (token, "right")


def test_a_saved_tokenizer_pads_on_the_right_though_its_class_pads_on_the_left(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path, "llama")
    checkpoints.gemma(folder)
    assert AutoTokenizer.from_pretrained(folder).padding_side == "left"
    Pretrained(sentences()[1], source=str(folder), revision="main").save(tmp_path / "saved")
    saved = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert (type(saved).__name__, saved.padding_side, saved.truncation_side) == ("GemmaTokenizer", "right", "right")


def test_a_text_without_tokens_is_the_end_of_a_text(tmp_path: Path) -> None:
    encoding = Pretrained(sentences()[1], source=str(checkpoints.write(tmp_path, "gpt2")), revision="main")
    assert ids(encoding, "", "a")[0] == [encoding.tokenizer.eos_token_id]


def test_a_limit_without_room_for_a_text_is_refused(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path, "roberta")
    with pytest.raises(ConfigError, match=r"data.max_length=5  leaves no room for a text: the tokenizer adds 4 tokens"):
        paired(folder, 5)
    assert all(len(row) == 6 for row in paired(folder, 6)[1])


def test_a_tokenizer_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path, "bert")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match=r"has no tokenizer that can be read: .*Put its tokenizer.json"):
        Pretrained(sentences()[1], source=str(folder), revision="main")


def test_a_folder_without_a_vocabulary_is_refused(tmp_path: Path) -> None:
    """transformers makes a tokenizer all the same, to which every word is unknown."""
    folder = checkpoints.write(tmp_path, "bert")
    for file in folder.glob("*token*"):
        file.unlink()
    assert AutoTokenizer.from_pretrained(folder).tokenize("a film") == ["[UNK]", "[UNK]"]
    with pytest.raises(ConfigError, match=r"has no tokenizer that can be read: it has no tokenizer.json"):
        paired(folder)


def test_a_broken_config_is_not_the_tokenizers_fault(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path, "bert")
    (folder / "config.json").write_text("{")
    with pytest.raises(ConfigError, match=r"has a config.json that cannot be read: .* is not a valid JSON file"):
        paired(folder)


@pytest.mark.parametrize("content", ["[]", '{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "{"])
def test_a_tokenizer_that_is_none_is_refused(content: str, tmp_path: Path) -> None:
    checkpoints.bert(tmp_path)
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(ConfigError, match="no tokenizer that can be read"):
        read_tokenizer(tmp_path, "some/model")


def test_a_tokenizer_larger_than_any_is_refused_unread(tmp_path: Path) -> None:
    checkpoints.bert(tmp_path)
    with (tmp_path / "tokenizer.json").open("ab") as file:
        file.truncate(2**26 + 1)
    with pytest.raises(ConfigError, match="no vocabulary takes more than 67"):
        read_tokenizer(tmp_path, "some/model")
