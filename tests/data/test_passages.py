from __future__ import annotations

import pytest

from data.examples import COMMON
from espalier.core.errors import DataError
from espalier.data.common import Source
from espalier.data.passages import PassageData, passages


class Given(PassageData):
    """Documents by split."""

    def __init__(self, documents: dict[str, list[str]], **common: object) -> None:
        super().__init__(columns={}, **{**COMMON, "split": {"validation": 0.2, "test": 0.0}, **common})  # type: ignore[arg-type]
        self.documents = documents

    def tables(self) -> Source:
        return self.source(self.documents, "given")


@pytest.mark.parametrize(
    "text", ["a\n\nb\nc\n \n\n d\n", "\n\nfirst\n\n", "  \n\n  a", "one line", "a\n\n\t\n\nb\n\n \n", "x\n\n y\n\nz"]
)
def test_passages_are_the_text(text: str) -> None:
    found = passages(text)
    assert "".join(found) == text
    assert found and all(piece.strip() for piece in found)


def test_a_passage_ends_behind_its_blank_lines() -> None:
    assert passages("a\nb\n\n  c\n \n\nd") == ["a\nb\n\n", "  c\n \n\n", "d"]
    assert passages("") == passages(" \n\n ") == []


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("123456789\n" * 20_000, [65_530] * 3 + [3_410]),
        ("x" * 70_000 + "\nend" + "\n" * 90_000, [70_001, 90_003]),
        ("\n" * 70_000 + "123456789\n" * 7_000, [135_530, 4_470]),
        ("x" * 65_536, [65_536]),
        ("x" * 140_000, [140_000]),
        ("x" * 65_535 + "\n" + "y" * 65_536 + "\nz", [65_536, 65_537, 1]),
        ("a\n\n" + "123456789\n" * 7_000 + "\n\nb", [3, 65_530, 4_472, 1]),
    ],
)
def test_a_very_long_passage_is_cut_where_lines_end(text: str, lengths: list[int]) -> None:
    found = passages(text)
    assert "".join(found) == text and [*map(len, found)] == lengths
    assert all(piece.strip() for piece in found)


def test_validation_is_the_text_s_end() -> None:
    text = "".join(f"{i}{'x' * i}\n\n" for i in range(20))
    raw = Given({"train": [text]}).read()
    train, validation = ("".join(raw.splits[split]["text"].to_pylist()) for split in ("train", "validation"))
    assert train + validation == text and len(train) == int(len(text) * 0.8)
    assert "test" not in raw.splits and raw.labels == {}
    raw = Given({"train": [text]}, split={"validation": 0.2, "test": 0.1}).read()
    assert "".join(raw.splits["test"]["text"].to_pylist()) == text[int(len(text) * 0.7) + int(len(text) * 0.2) :]


def test_documents_are_told_apart() -> None:
    raw = Given({"train": ["a\n\nb", "c" * 30], "validation": ["v"]}).read()
    assert raw.splits["train"]["document"].to_pylist() == [0, 0, 1]
    assert raw.splits["validation"].to_pylist() == [{"row": 0, "text": "v", "document": 0}]
    cut = Given({"train": ["a" * 10, "b" * 10]}, split={"validation": 0.6}).read()
    assert [(r["text"], r["document"]) for r in cut.splits["validation"].to_pylist()] == [("aa", 0), ("b" * 10, 1)]


def test_training_sees_windows() -> None:
    assert Given({}).batching.windows


def test_no_text_is_refused() -> None:
    with pytest.raises(DataError, match="has no text in its validation rows"):
        Given({"train": ["a"], "validation": [" \n"]}).read()
    with pytest.raises(DataError, match="leaves no text to train on"):
        Given({"train": ["a b"]}, split={"validation": 0.5, "test": 0.5}).read()
    with pytest.raises(DataError, match="leaves no rows to validate on"):
        Given({"train": ["a b"]}, split={"validation": 0.0}).read()
