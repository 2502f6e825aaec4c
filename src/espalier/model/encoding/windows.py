"""A question and a context as token ids: long contexts in windows that overlap, each with the question before it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from tokenizers import Encoding, Tokenizer

from espalier.core.columns import BESIDE, Columns, Ragged
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.model.encoding.texts import in_parts, packed

BEGIN, END, FIRST, LAST = (f"{BESIDE}{name}" for name in ("begin", "end", "answer_first", "answer_last"))
_PADS = {BEGIN: -1, END: -1, FIRST: -1, LAST: -1}
NULL = "null"


@dataclass(frozen=True)
class Reading:
    """The columns of data whose rows are read for an answer.

    Attributes:
        context, question: roles of texts; what is answered is a span of the context.
        answers: the role of the spans.
    """

    context: str
    question: str
    answers: str

    @staticmethod
    def of(facts: DataFacts) -> Reading | None:
        """Of data with spans; None of other data."""
        spans = [role for role, kind in facts.kinds.items() if kind == "spans"]
        texts = [role for role, kind in facts.kinds.items() if kind == "text"]
        return Reading(texts[0], texts[1], spans[0]) if spans and len(texts) == 2 else None  # a pair

    def pad(self, pad: int) -> Mapping[str, int]:
        """Column -> what pads it, of all that ``encode_windows`` makes."""
        return {self.context: pad, **{f"{self.context}{end}": value for end, value in _PADS.items()}}


@dataclass(frozen=True)
class Cutting:
    """How a pair of question and context is cut.

    Attributes:
        tokenizer: joins pairs, the question first.
        null: the id of the token whose place stands for "no answer" (``[CLS]``).
        max_length: ids of a window; None: a context is never cut.
        overlap: tokens of the context that a window shares with the one before it; half of a window's at most.
        joint: stands before each context.
    """

    tokenizer: Tokenizer
    null: int
    max_length: int | None
    overlap: int
    joint: str

    def windows(self, pair: Encoding) -> Iterator[tuple[Sequence[int], bool]]:
        """Places of the ids of each window in a pair that was encoded whole; and whether its question was cut."""
        yield from places_of_windows(pair.sequence_ids, self.max_length, self.overlap)


def places_of_windows(
    owners: Sequence[int | None], max_length: int | None, overlap: int
) -> Iterator[tuple[Sequence[int], bool]]:
    """Places of each window's tokens, and whether the question was cut: it fills half of a window at most.

    owners: of each token of a pair, 0: of the question, 1: of the context, None: special.
    """
    if max_length is None or len(owners) <= max_length:
        yield range(len(owners)), False
        return
    context = [place for place, owner in enumerate(owners) if owner == 1]
    asked = [place for place, owner in enumerate(owners) if owner == 0]
    cut = set(asked[max(1, (max_length - owners.count(None)) // 2) :])
    around = [place for place, owner in enumerate(owners) if owner != 1 and place not in cut]
    first = context[0] if context else len(owners)
    before, after = [place for place in around if place < first], [place for place in around if place > first]
    room = max(1, max_length - len(around))
    step = room - min(overlap, room // 2)
    for start in range(0, max(1, len(context)), step):
        yield [*before, *context[start : start + room], *after], bool(cut)
        if start + room >= len(context):
            return


def encode_windows(cutting: Cutting, table: pa.Table, reading: Reading) -> Columns:
    """Windows of each row, in order.

    Returns:
        ``taken`` (windows,) int64: the row that each is of. ``<context>``: ragged ids; ``<context>:begin`` and
        ``<context>:end``: of each id, the characters of the context that it stands for, -1 where it is not of it.
        ``null`` (windows,): the place that stands for "no answer". Where the table has answers,
        ``<context>:answer_first`` and ``<context>:answer_last``: places of the first and last token of each answer that
        lies whole in the window; of a window without one, those of "no answer". ``truncated`` (windows,) bool: whether
        a question was cut.
    """
    contexts, questions = table[reading.context].to_pylist(), table[reading.question].to_pylist()
    answers = table[reading.answers].to_pylist() if reading.answers in table.column_names else None
    joined = [(question, cutting.joint + context) for question, context in zip(questions, contexts, strict=True)]
    pairs = in_parts(cutting.tokenizer.encode_batch, joined)
    kept = ("", BEGIN, END, FIRST, LAST) if answers else ("", BEGIN, END)
    ragged: dict[str, list[array[int]]] = {end: [] for end in kept}
    taken, null, truncated = [], [], []
    for row, (pair, context) in enumerate(zip(pairs, contexts, strict=True)):
        ids = pair.ids
        begins, ends = _characters(pair, context, len(cutting.joint))
        for places, cut in cutting.windows(pair):
            found = {"": [ids[i] for i in places], BEGIN: [begins[i] for i in places], END: [ends[i] for i in places]}
            place = found[""].index(cutting.null)
            if answers:
                spans = [span for one in answers[row] or () if (span := _span(one, found[BEGIN], found[END]))]
                spans = list(dict.fromkeys(spans)) or [(place, place)]
                found |= {FIRST: [first for first, _ in spans], LAST: [last for _, last in spans]}
            for end, values in found.items():
                ragged[end].append(packed(values))
            taken.append(row)
            null.append(place)
            truncated.append(cut)
    return {
        **{f"{reading.context}{end}": Ragged.of(rows) for end, rows in ragged.items()},
        "taken": np.array(taken, np.int64), NULL: np.array(null, np.int64), "truncated": np.array(truncated, bool),
    }  # fmt: skip


def null_token(tokenizer: Any, source: str) -> int:
    """The token that stands for "no answer".

    Raises:
        ConfigError: the tokenizer puts none before or behind a pair of texts.
    """
    mark = tokenizer.cls_token_id
    if mark is None or mark not in tokenizer.backend_tokenizer.encode("a", "b").ids:
        truth = "puts no [CLS] into a text, whose place could stand for: there is no answer."
        raise ConfigError(Fault(f"model.source={source}", truth, "Choose an encoder: model=minilm, bert, roberta …"))
    return int(mark)


def _characters(pair: Encoding, context: str, shift: int) -> tuple[list[int], list[int]]:
    """Where each token of the context begins and ends in it, blanks at its ends left out; -1 for other tokens."""
    begins, ends = [-1] * len(pair), [-1] * len(pair)
    for place, (owner, (begin, end)) in enumerate(zip(pair.sequence_ids, pair.offsets, strict=True)):
        if owner != 1:
            continue
        begin, end = max(0, begin - shift), max(0, end - shift)
        while begin < end and context[begin].isspace():
            begin += 1
        while end > begin and context[end - 1].isspace():
            end -= 1
        if begin < end:
            begins[place], ends[place] = begin, end
    return begins, ends


def _span(answer: Mapping[str, Any], begins: Sequence[int], ends: Sequence[int]) -> tuple[int, int] | None:
    """Places of an answer's first and last token; None where the window has not all of it."""
    text = answer["text"]
    start = answer["start"] + len(text) - len(text.lstrip())
    stop = answer["start"] + len(text.rstrip())
    seen = [place for place, begin in enumerate(begins) if begin >= 0]
    if not seen or start < begins[seen[0]] or stop > ends[seen[-1]]:
        return None
    within = [place for place in seen if begins[place] < stop and ends[place] > start]
    return (within[0], within[-1]) if within else None
