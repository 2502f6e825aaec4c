from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from transformers import AutoTokenizer

from conf.defaults import defaults_of
from espalier.core.columns import Columns
from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts
from espalier.model.encoding.pretrained import Pretrained
from model import checkpoints

CONF = defaults_of("model/minilm")
KINDS: Any = {"context": "text", "question": "text", "answers": "spans"}
LONG = "  The naïve cat sat quietly, and then the old dog barked. " * 4 + "Ada came last!"


def encoding(source: str = CONF["source"], *, max_length: int | None = None, overlap: int = 0) -> Pretrained:
    facts = DataFacts(KINDS, {}, {}, max_length=max_length, overlap=overlap)
    return Pretrained(facts, source=source, revision=CONF["revision"])


def table(context: str, question: str = "Who came last?", answers: list[str] | None = None) -> pa.Table:
    found = [{"start": context.index(text), "text": text} for text in answers or ()]
    return pa.table({"row": [0], "context": [context], "question": [question], "answers": [found]})


def rows(columns: Columns, name: str) -> list[list[int]]:
    column: Any = columns[name]
    return [column[i].tolist() for i in range(len(column))]


@pytest.mark.parametrize(("size", "overlap"), [(24, 0), (24, 6), (40, 10)])
def test_windows_are_those_of_the_tokenizer_s_own_strides(size: int, overlap: int) -> None:
    made = encoding(max_length=size, overlap=overlap)
    columns = made.apply(table(LONG))
    plain = AutoTokenizer.from_pretrained(made.tokenizer.name_or_path)(
        "Who came last?", LONG, truncation="only_second", max_length=size, stride=overlap,
        return_overflowing_tokens=True, return_offsets_mapping=True,
    )  # fmt: skip
    assert rows(columns, "context") == plain["input_ids"] and len(plain["input_ids"]) > 1
    for i, offsets in enumerate(plain["offset_mapping"]):
        owners = plain.sequence_ids(i)
        assert rows(columns, "context:begin")[i] == [
            b if o == 1 else -1 for o, (b, _) in zip(owners, offsets, strict=True)
        ]
        assert rows(columns, "context:end")[i] == [
            e if o == 1 else -1 for o, (_, e) in zip(owners, offsets, strict=True)
        ]
    assert columns["taken"].tolist() == [0] * len(plain["input_ids"])  # type: ignore[union-attr]
    assert set(columns["null"].tolist()) == {0} and not columns["truncated"].any()  # type: ignore[union-attr]


@pytest.mark.parametrize("family", ["bert", "roberta", "minilm"])
@pytest.mark.parametrize("answer", ["naïve cat", "quietly", "Ada came last!", "Ada"])
def test_an_answer_s_tokens_are_its_characters(family: str, answer: str, tmp_path: Path) -> None:
    source = CONF["source"] if family == "minilm" else str(written(tmp_path, family))
    columns = encoding(source, max_length=70, overlap=12).apply(table(LONG, answers=[answer, answer]))
    told, whole = set(), 0
    for i, (firsts, lasts) in enumerate(
        zip(*(rows(columns, f"context:answer_{n}") for n in ("first", "last")), strict=True)
    ):
        begins, ends = rows(columns, "context:begin")[i], rows(columns, "context:end")[i]
        seen = [(b, e) for b, e in zip(begins, ends, strict=True) if b >= 0]
        start = LONG.index(answer)
        within = seen[0][0] <= start and start + len(answer) <= seen[-1][1]
        assert len(firsts) == len(lasts) == 1  # the same answer twice counts once
        if within:
            told.add(LONG[begins[firsts[0]] : ends[lasts[0]]])
            whole += 1
        else:
            assert firsts == lasts == [int(columns["null"][i])]  # type: ignore[index]
    assert whole and told == {answer}


def written(folder: Path, family: str) -> Path:
    checkpoints.FAMILIES[family](folder / family)
    return folder / family


def test_of_a_long_question_only_the_beginning_stays() -> None:
    columns = encoding(max_length=20, overlap=4).apply(table("Ada came.", "why " * 40))
    assert columns["truncated"].all() and all(len(row) <= 20 for row in rows(columns, "context"))  # type: ignore[union-attr]
    ends = rows(columns, "context:end")
    assert max(max(row) for row in ends) == len("Ada came.")


def test_without_answers_there_are_none_and_a_context_without_words_is_one_window() -> None:
    plain = table(LONG).drop_columns(["answers"])
    columns = encoding(max_length=30, overlap=8).apply(plain)
    assert not any("answer" in name for name in columns)
    blank = encoding(max_length=12).apply(table("\u200b", "why " * 40, []))
    assert len(rows(blank, "context")) == 1 and set(rows(blank, "context:begin")[0]) == {-1}


def test_what_pads_and_what_it_depends_on() -> None:
    pads = encoding().facts()["pad"]
    assert pads == {"context": 0} | {f"context:{n}": -1 for n in ("begin", "end", "answer_first", "answer_last")}
    assert encoding(max_length=30).fingerprint() != encoding(max_length=30, overlap=3).fingerprint()
    assert encoding().separator == encoding().tokenizer.sep_token_id


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_a_tokenizer_without_a_place_for_no_answer_is_refused(family: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"puts no \[CLS\] into a text"):
        encoding(str(written(tmp_path, family)))
