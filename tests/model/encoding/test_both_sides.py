from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from transformers import AutoTokenizer

from espalier.core.columns import Ragged
from espalier.core.errors import ConfigError
from espalier.model.encoding.both_sides import BothSides
from model import checkpoints
from model.examples import sentences
from model.translated import sides

PLAIN: dict[str, Any] = {"revision": "main", "prefix": "", "source_language": None, "target_language": None}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(checkpoints.write(tmp_path_factory.mktemp("models"), "t5"))


def made(source: str, **changed: Any) -> BothSides:
    max_length = changed.pop("max_length", None)
    return BothSides(sides(max_length=max_length)[1], **{**PLAIN, "source": source, **changed})


def rows(encoding: BothSides, **texts: list[str]) -> dict[str, list[list[int]]]:
    columns = encoding.apply(pa.table(texts))
    found = {role: columns[role] for role in texts}
    return {role: [c[i].tolist() for i in range(len(c))] for role, c in found.items() if isinstance(c, Ragged)}


def test_both_sides_end_and_the_source_has_its_prefix(source: str) -> None:
    encoding = made(source, prefix="dog: ")
    found = rows(encoding, source=["a cat", ""], target=["dog: a cat", ""])
    assert found["source"][0] == found["target"][0] and found["source"][0][-1] == encoding.end == 1
    assert found["target"][1] == [1] and encoding.decode(found["source"][0]) == "dog: a cat"
    assert made(source).fingerprint() != encoding.fingerprint()


def test_a_source_alone_and_a_text_that_is_cut(source: str) -> None:
    found = rows(made(source, max_length=4), source=["The cat sat, quietly; a dog barked."])
    assert len(found["source"][0]) == 4 and found["source"][0][-1] == 1


def test_what_writes_nothing_is_refused(source: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"puts no token behind a text"):
        made(str(checkpoints.write(tmp_path, "gpt2")))
    with pytest.raises(ConfigError, match=r"this data has text, label"):
        BothSides(sentences()[1], source=source, **PLAIN)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One of many languages."""
    folder = tmp_path_factory.mktemp("nllb")
    checkpoints.nllb(folder)
    return str(folder)


def test_either_side_begins_with_its_own_language(many: str, tmp_path: Path) -> None:
    encoding = made(many, source_language="eng_Latn", target_language="deu_Latn", max_length=6)
    english, german = (encoding.tokenizer.convert_tokens_to_ids(code) for code in ("eng_Latn", "deu_Latn"))
    for _ in range(2):
        found = rows(encoding, source=["a cat", "a cat sat"], target=["a cat", "a"])
        assert [ids[0] for ids in found["source"]] == [english] * 2 and encoding.first == german
        assert [ids[0] for ids in found["target"]] == [german] * 2
        assert found["source"][0][1:5] == found["target"][0][1:5] and found["target"][0][-1] == encoding.end
    columns = encoding.apply(pa.table({"source": ["a", "a cat sat"], "target": ["a cat", "a"]}))
    assert columns["length"].tolist() == [8, 12] and columns["truncated"].tolist() == [True, True]  # type: ignore[union-attr]
    assert encoding.decode(found["target"][1]) == "a"
    other = made(many, source_language="eng_Latn", target_language="zul_Latn", max_length=6)
    assert other.fingerprint() != encoding.fingerprint()
    encoding.save(tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path)("a cat")["input_ids"][0] == english


def test_languages_that_are_not_said_or_not_there_are_answered(many: str, source: str) -> None:
    with pytest.raises(ConfigError, match=r"source_language=null .* has 3 \(deu_Latn, eng_Latn, zul_Latn\)"):
        made(many)
    with pytest.raises(ConfigError, match=r"target_language=null  leaves open in which language the target is"):
        made(many, source_language="eng_Latn")
    with pytest.raises(ConfigError, match=r"none of the 3 languages .*Set model\.encoding\.target_language=deu_Latn"):
        made(many, source_language="eng_Latn", target_language="de_Latn")
    with pytest.raises(ConfigError, match=r"tells none from another\. Set model\.encoding\.source_language=null"):
        made(source, source_language="eng_Latn")
