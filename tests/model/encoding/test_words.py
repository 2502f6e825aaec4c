from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from espalier.core.columns import Ragged
from espalier.model.encoding.words import Words
from model.examples import pairs, run_recipe, sentences

GIVEN: dict[str, Any] = {"vocab_size": 100, "min_frequency": 1, "lowercase": True}


def fitted(*, max_length: int | None = None, **changed: Any) -> Words:
    raw, facts = sentences(max_length=max_length)
    encoding = Words(facts, **{**GIVEN, **changed})
    encoding.fit(raw)
    return encoding


def ids(encoding: Words, *texts: str) -> list[list[int]]:
    column = encoding.apply(sentences(texts=list(texts))[0].splits["train"])["text"]
    assert isinstance(column, Ragged)
    return [column[row].tolist() for row in range(len(column))]


def test_words_of_training_are_known_and_others_are_not() -> None:
    encoding = fitted()
    (known,), (unknown,) = ids(encoding, "CAT", "zebra")
    assert (known > 1, unknown) == (True, 1)
    assert ids(encoding, "the cat.", "the cat .")[0] == ids(encoding, "the cat .", "x")[0]


def test_case_counts_if_it_is_kept() -> None:
    assert ids(fitted(lowercase=False), "cats", "dogs")[1] == [1]


def test_vocabulary_is_bounded_by_size_and_frequency() -> None:
    assert fitted(vocab_size=5).facts()["vocab_size"] == 5
    assert set(fitted(min_frequency=2).tokenizer.get_vocab()) == {"[PAD]", "[UNK]", "the", "cat", "sat", "and"}
    assert fitted().facts()["pad"] == {"text": 0}


def test_fingerprint_is_of_what_apply_depends_on() -> None:
    same = {fitted().fingerprint(), fitted().fingerprint()}
    others = {
        fitted(max_length=3).fingerprint(),
        fitted(vocab_size=5).fingerprint(),
        fitted(lowercase=False).fingerprint(),
    }
    assert (len(same), len(same | others)) == (1, 4)


def test_vocabulary_is_the_same_in_every_process(root: Path) -> None:
    """Python's and Rust's hash seeds differ from process to process; words of equal frequency are many."""
    program = "from encoding.test_words import fitted; print(fitted().fingerprint())"
    folders = [str(root / "tests"), str(root / "tests" / "model")]
    result = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {folders!r}; {program}"], capture_output=True, text=True
    )
    assert result.stdout.strip() == fitted().fingerprint(), result.stderr


def test_saved_file_encodes_alike(tmp_path: Path) -> None:
    encoding = fitted()
    encoding.save(tmp_path)
    loaded = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert loaded.encode("The bird sat.").ids == ids(encoding, "The bird sat.", "x")[0]


def test_loaded_is_as_it_was_fitted(tmp_path: Path) -> None:
    fitted(max_length=4).save(tmp_path)
    loaded = Words(sentences(max_length=4)[1], **GIVEN)
    assert loaded.fingerprint() != fitted(max_length=4).fingerprint()
    loaded.load(tmp_path)
    assert loaded.fingerprint() == fitted(max_length=4).fingerprint()
    assert loaded.facts() == fitted(max_length=4).facts()


def paired(max_length: int | None = None) -> Words:
    raw, facts = pairs(["is it here", "a"], ["it is", "a b"], max_length=max_length)
    encoding = Words(facts, **GIVEN)
    encoding.fit(raw)
    return encoding


def test_pairs_are_one_sequence() -> None:
    raw, _ = pairs(["is it", "a a a a"], ["it", "b"])
    columns = paired(max_length=4).apply(raw.splits["train"])
    text = columns["text"]
    assert isinstance(text, Ragged)
    vocabulary = paired().tokenizer.get_vocab()
    assert (vocabulary["[PAD]"], vocabulary["[UNK]"], vocabulary["[SEP]"]) == (0, 1, 2)
    assert text[0].tolist() == [vocabulary["is"], vocabulary["it"], 2, vocabulary["it"]]
    assert text[1].tolist() == [vocabulary["a"]] * 2 + [2, vocabulary["b"]], "the longer one is cut"
    assert "text_pair" not in columns and paired().facts()["pad"] == {"text": 0}


def test_chinese_characters_are_words() -> None:
    raw, facts = sentences(texts=["很好", "好，不好"])
    encoding = Words(facts, **GIVEN)
    encoding.fit(raw)
    assert set(encoding.tokenizer.get_vocab()) == {"[PAD]", "[UNK]", "很", "好", ",", "不"}


def test_recipe_encodes_alike(tmp_path: Path) -> None:
    encoding = fitted(max_length=3)
    encoding.save(tmp_path)
    texts = ["The bird sat on it.", "", "dogs"]
    assert run_recipe(encoding.recipe(), tmp_path)["encode"](texts) == ids(encoding, *texts, "x")[:3]


def test_recipe_encodes_pairs_alike(tmp_path: Path) -> None:
    encoding = paired(max_length=4)
    encoding.save(tmp_path)
    names = run_recipe(encoding.recipe(), tmp_path)
    raw, _ = pairs(["is it here now", "a"], ["it", "b"])
    text = encoding.apply(raw.splits["train"])["text"]
    assert isinstance(text, Ragged)
    assert names["encode"]([("is it here now", "it"), ("a", "b")]) == [text[0].tolist(), text[1].tolist()]
    assert len(names["encode"](names["rows"])) == 2
