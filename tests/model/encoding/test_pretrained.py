from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from transformers import AutoTokenizer

from espalier.core.columns import Ragged
from espalier.model.encoding.pretrained import Pretrained
from model.examples import sentences

CONF = yaml.safe_load((Path(__file__).parents[3] / "conf" / "model" / "minilm.yaml").read_text())


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
