from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from espalier.core.columns import Ragged
from espalier.core.errors import ConfigError
from espalier.model.encoding.ngrams import Ngrams
from model.examples import pairs, run_recipe, sentences, vectors

GIVEN: dict[str, Any] = {"buckets": 1000, "longest": 2, "lowercase": True}


def encoding(*, max_length: int | None = None, **changed: Any) -> Ngrams:
    return Ngrams(sentences(max_length=max_length)[1], **{**GIVEN, **changed})


def ids(made: Ngrams, *texts: str) -> list[list[int]]:
    column = made.apply(sentences(texts=list(texts))[0].splits["train"])["text"]
    assert isinstance(column, Ragged)
    return [column[row].tolist() for row in range(len(column))]


def hashes(*grams: str) -> list[int]:
    return [1 + crc32(gram.encode()) % 1000 for gram in grams]


def test_words_and_then_pairs_of_them() -> None:
    assert ids(encoding(), "A dog's?", "b") == [
        hashes("a", "dog", "'", "s", "?", "a dog", "dog '", "' s", "s ?"), hashes("b")
    ]  # fmt: skip
    assert ids(encoding(longest=1, lowercase=False), "A dog", "b")[0] == hashes("A", "dog")
    assert ids(encoding(longest=3), "a b c", "b")[0] == hashes("a", "b", "c", "a b", "b c", "a b c")


def test_hash_is_known_and_within_its_buckets() -> None:
    assert ids(encoding(), "dog", "x")[0] == [1 + 0x812C397D % 1000]
    many = ids(encoding(buckets=7), " ".join(map(str, range(200))), "x")[0]
    assert set(many) == set(range(1, 8)), "0 is what pads"
    assert encoding(buckets=7).facts() == {"vocab_size": 8, "pad": {"text": 0}}


def test_signs_of_languages_without_spaces_are_words() -> None:
    assert ids(encoding(longest=1), "很好abc，ひらがな", "x")[0] == hashes(*"很好", "abc", "，", *"ひらがな")


def test_long_texts_are_cut_by_words_and_told() -> None:
    raw, _ = sentences(texts=["a b c d", "a b"])
    columns = encoding(max_length=3).apply(raw.splits["train"])
    text = columns["text"]
    assert isinstance(text, Ragged)
    assert text[0].tolist() == hashes("a", "b", "c", "a b", "b c")
    assert np.asarray(columns["length"]).tolist() == [4, 2]
    assert np.asarray(columns["truncated"]).tolist() == [True, False]


def test_a_text_without_words_is_padding() -> None:
    assert ids(encoding(), " ", "a") == [[0], hashes("a")]


def test_pairs_follow_each_other() -> None:
    raw, facts = pairs(["a b"], ["c"])
    columns = Ngrams(facts, **GIVEN).apply(raw.splits["train"])
    text = columns["text"]
    assert isinstance(text, Ragged)
    assert text[0].tolist() == hashes("a", "b", "[SEP]", "c", "a b", "b [SEP]", "[SEP] c")
    assert "text_pair" not in columns and Ngrams(facts, **GIVEN).facts()["pad"] == {"text": 0}


def test_fingerprint_is_of_what_apply_depends_on() -> None:
    others = [
        encoding(), encoding(max_length=3), encoding(buckets=7), encoding(longest=1), encoding(lowercase=False)
    ]  # fmt: skip
    assert len({other.fingerprint() for other in others}) == 5
    assert encoding().fingerprint() == encoding().fingerprint()


def test_loaded_is_as_it_was_saved(tmp_path: Path) -> None:
    saved, loaded = encoding(max_length=3, buckets=7, longest=3, lowercase=False), encoding(max_length=3)
    saved.save(tmp_path)
    loaded.load(tmp_path)
    assert loaded.fingerprint() == saved.fingerprint()
    assert ids(loaded, "A b C d", "x") == ids(saved, "A b C d", "x")


@pytest.mark.parametrize("changed", [{}, {"longest": 3, "lowercase": False, "max_length": 3}])
def test_recipe_encodes_alike(changed: dict[str, Any], tmp_path: Path) -> None:
    made = encoding(**changed)
    texts = ["The bird's 2 eggs, naïve", "", "很好 DOGS"]
    assert run_recipe(made.recipe(), tmp_path)["encode"](texts) == ids(made, *texts, "x")[:3]


def test_recipe_encodes_pairs_alike(tmp_path: Path) -> None:
    raw, facts = pairs(["is it here", "a"], ["it is", "a b"], max_length=5)
    made = Ngrams(facts, **GIVEN)
    text = made.apply(raw.splits["train"])["text"]
    assert isinstance(text, Ragged)
    names = run_recipe(made.recipe(), tmp_path)
    assert names["encode"]([("is it here", "it is"), ("a", "a b")]) == [text[0].tolist(), text[1].tolist()]
    assert len(names["encode"](names["rows"])) == 2


def test_images_are_refused() -> None:
    with pytest.raises(ConfigError, match="model/encoding=ngrams  needs texts"):
        Ngrams(vectors(np.zeros((1, 4), np.uint8), "image", (1, 2, 2))[1], **GIVEN)


def test_of_a_pair_the_longer_text_is_cut_first(tmp_path: Path) -> None:
    def encoded(texts: list[str], others: list[str]) -> tuple[Ngrams, list[list[int]], list[bool]]:
        raw, facts = pairs(texts, others)
        made = Ngrams(dataclasses.replace(facts, max_length=5), **GIVEN)
        found = made.apply(raw.splits["train"])
        column = found["text"]
        assert isinstance(column, Ragged)
        return made, [column[row].tolist() for row in range(len(column))], found["truncated"].tolist()  # type: ignore[union-attr]

    texts, others = ["a b c d e f", "a", ""], ["x y", "u v w x y z", "u v w x y z"]
    made, found, cut = encoded(texts, others)
    assert found == encoded(["a b", "a", ""], ["x y", "u v w", "u v w x"])[1] and cut == [True] * 3
    assert run_recipe(made.recipe(), tmp_path)["encode"](list(zip(texts, others, strict=True))) == found


def test_how_long_texts_may_be_is_said_by_the_data_at_hand(tmp_path: Path) -> None:
    encoding(max_length=3).save(tmp_path)
    longer = encoding(max_length=5)
    longer.load(tmp_path)
    assert longer.max_length == 5
