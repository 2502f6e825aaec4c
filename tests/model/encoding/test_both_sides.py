from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from espalier.core.columns import Ragged
from espalier.core.errors import ConfigError
from espalier.model.encoding.both_sides import BothSides
from model import checkpoints
from model.examples import sentences
from model.translated import sides


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(checkpoints.write(tmp_path_factory.mktemp("models"), "t5"))


def made(source: str, **changed: Any) -> BothSides:
    max_length = changed.pop("max_length", None)
    return BothSides(sides(max_length=max_length)[1], **{"source": source, "revision": "main", "prefix": "", **changed})


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
        BothSides(sentences()[1], source=source, revision="main", prefix="")
