"""Running text as rows: passages that, put together again, are the text; validation and test rows from its end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any, ClassVar

from espalier.core.columns import DOCUMENT
from espalier.core.errors import DataError, Fault
from espalier.core.facts import Kind
from espalier.core.parts import Batching
from espalier.data.common import Source, TableData

_GAP = re.compile(r"\n\s*\n")
_LONG = 2**16  # characters, above which a passage is cut: a text without blank lines would be one row
_ORDER = ("train", "validation", "test")


class PassageData(TableData):
    """Rows that follow each other in a text; a subclass says in ``tables`` where it comes from.

    A row is a passage with the blank lines behind it, and the number of the ``document`` that it is of.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", DOCUMENT: "id"}
    labelled: ClassVar[bool] = False

    @property
    def batching(self) -> Batching:
        """Training sees pieces of the text that begin elsewhere in each epoch."""
        return replace(super().batching, windows=True)

    def source(self, documents: Mapping[str, Sequence[str]], origin: str) -> Source:
        """Split -> whole texts, as rows; what ``split`` asks for and is not there is cut from the training text's end.

        Raises:
            DataError: a split has no text, or its shares leave none to train on.
        """
        missing = {s: share for s in _ORDER[1:] if s not in documents and (share := self.split.get(s, 0.0))}
        whole = {**documents, **_cut(documents["train"], missing)}
        splits: dict[str, dict[str, list[Any]]] = {}
        for split in (name for name in _ORDER if name in whole):
            rows = [(text, number) for number, one in enumerate(whole[split]) for text in passages(one)]
            if not rows:
                raise DataError(Fault(origin, f"has no text in its {split} rows.", "Name a longer text."))
            splits[split] = {"text": [text for text, _ in rows], DOCUMENT: [number for _, number in rows]}
        return Source(splits, origin, unit="passage")


def passages(text: str) -> list[str]:
    """A text in pieces that end where blank lines do; each has something else than blanks, together they are the text.

    Very long ones end where a line does. A text of blanks alone has none.
    """
    ends = [gap.end() for gap in _GAP.finditer(text)]
    pieces = [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True) if start < end]
    if pieces and not pieces[0].strip():
        pieces[:2] = ["".join(pieces[:2])]
    if len(pieces) > 1 and not pieces[-1].strip():
        pieces[-2:] = ["".join(pieces[-2:])]
    return [part for piece in pieces if piece.strip() for part in _parts(piece)]


def _parts(passage: str) -> Iterator[str]:
    """Pieces of whole lines, no longer than allowed where no line is; none of them is of blanks alone."""
    last = len(passage.rstrip())
    begin, first = 0, last - len(passage.strip())  # of a piece, and of its words
    while len(passage) - first > _LONG:
        end = (passage.rfind("\n", first, first + _LONG) + 1) or (passage.find("\n", first) + 1)
        if not 0 < end < last:
            break
        yield passage[begin:end]
        begin = first = end
    yield passage[begin:]


def _cut(documents: Sequence[str], shares: Mapping[str, float]) -> dict[str, list[str]]:
    """The training text without its end, and the ends, at characters: a share of 0.1 begins at int(0.9 * length)."""
    if sum(shares.values()) >= 1:
        given = ", ".join(f"{split}: {share}" for split, share in shares.items())
        raise DataError(Fault(f"data.split={{{given}}}", "leaves no text to train on.", "Let them sum to less than 1."))
    length = sum(map(len, documents))
    sizes = [int(length * share) for share in (1.0 - sum(shares.values()), *shares.values())]
    ends = [*[*accumulate(sizes)][:-1], length]
    names = ("train", *shares)
    return {s: [*_between(documents, b, e)] for s, b, e in zip(names, [0, *ends[:-1]], ends, strict=True)}


def _between(documents: Sequence[str], begin: int, end: int) -> Iterator[str]:
    for document in documents:
        yield document[max(0, begin) : max(0, end)]
        begin, end = begin - len(document), end - len(document)
