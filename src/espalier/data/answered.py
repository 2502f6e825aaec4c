"""What data options share whose rows are a question about a text, with its answers as they stand in that text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Unpack

from espalier.core.errors import DataError, Fault
from espalier.core.facts import Kind
from espalier.core.jsonl import read_records
from espalier.core.parquet import read_parquet
from espalier.core.parts import Batching
from espalier.data.common import Common, Source, TableData
from espalier.data.labels import SLICE, as_slice, as_text, is_nothing
from espalier.data.paths import Files
from espalier.data.squad_file import read_squad
from espalier.data.text_table import Reading, Split, Tabular, require_column, source_of

_ROLES = ("context", "question", "answers")
_SHOWN = 5
_START = "answer_start"
Span = dict[str, Any]


class AnsweredData(TableData):
    """A context, a question about it, and the spans of the context that answer it: any number of them, none at all.

    A subclass says which files there are. ``overlap`` is what neighbouring windows of a long context share.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"context": "text", "question": "text", "answers": "spans"}
    labelled: ClassVar[bool] = False

    def __init__(
        self,
        *,
        columns: Mapping[str, str],
        overlap: int,
        slices: Sequence[str] = (),
        on_null: Literal["error", "drop"] = "error",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, **common)
        self.overlap, self.slices, self.on_null = overlap, slices, on_null

    @property
    def batching(self) -> Batching:
        """As all data's; a context is cut into windows that overlap."""
        return replace(super().batching, overlap=self.overlap)

    @abstractmethod
    def files(self) -> tuple[Files, str]:
        """Split -> its files; and where they lie, for people. Raises ``DataError``."""

    def tables(self) -> Source:
        """Read the files; see ``read_answered``."""
        files, origin = self.files()
        return read_answered(files, self.columns, self.slices, self.on_null, origin)


def read_answered(
    files: Files, columns: Mapping[str, str], slices: Sequence[str], on_null: Literal["error", "drop"], origin: str
) -> Source:
    """Read the files of each split, one after the other; a later file's row numbers go on.

    By a file's ending: ``.parquet``, ``.json`` (SQuAD's own layout; see ``data.squad_file``), else JSON lines. Answers
    are SQuAD's ``{"text": […], "answer_start": […]}``, a list of such pairs, or of texts alone, one text, or null; one
    without a start is looked for, and stands where it first occurs. Starts count characters.

    Args:
        columns: ``context``, ``question`` and ``answers`` -> column.
        slices: columns by which results are told apart.
        on_null: whether rows without a question or a context are an error, or are dropped and counted.

    Raises:
        DataError: a column that is missing, what is no text, answers in another form, an answer that is not in its
            context or not where it is said to be, rows that lack something.
    """
    splits: dict[str, Split] = {}
    for name, paths in files.items():
        splits[name] = Split({})
        for path in paths:
            _add(splits[name], path, columns, slices, on_null)
    return source_of(splits, Reading(columns, unit=_unit(files["train"][0])), origin)


@dataclass(frozen=True)
class _Row:
    """Where a row stands, and what it is called by."""

    columns: Mapping[str, str]
    where: str

    def text(self, role: str, value: Any) -> str:
        """Its text; ``""`` where there is none."""
        text = as_text(value)
        if text is None and not is_nothing(value):
            kind = type(value).__name__
            raise DataError(Fault(self._key(role), f"is no text on {self.where}: it is a {kind} there."))
        return text if text and text.strip() else ""

    def answers(self, value: Any, context: str) -> list[Span]:
        """``start`` and ``text`` of each."""
        found = []
        for text, start in self._pairs(value):
            place = context.find(text) if start is None else start
            if not text.strip():
                raise DataError(Fault(self.where, "has an answer without a text.", "Write [] where there is none."))
            if place < 0 or context[place : place + len(text)] != text:
                said = "in its context" if start is None else f"at character {start} of its context"
                remedy = f"Mend it, or leave {_START} out: it is looked for then." if start is not None else "Mend it."
                raise DataError(Fault(self.where, f"has an answer that is not {said}: {text!r:.60}.", remedy))
            found.append({"start": place, "text": text})
        return found

    def _pairs(self, value: Any) -> list[tuple[str, int | None]]:
        """Texts and starts, in whatever form they come."""
        if value is None or isinstance(value, str):
            return [(value, None)] if value else []
        pairs: list[tuple[Any, Any]] | None = None
        if isinstance(value, Mapping):
            pairs = _columns(value.get("text"), value.get(_START))
        elif isinstance(value, list):
            pairs = [(one.get("text"), one.get(_START)) if isinstance(one, Mapping) else (one, None) for one in value]
        if pairs is None or not all(isinstance(text, str) and _is_place(start) for text, start in pairs):
            truth = f"is no list of answers on {self.where}: {value!r:.60}."
            remedy = f'Write  {{"text": ["…"], "{_START}": [0]}}, a list of texts, or [] for none.'
            raise DataError(Fault(self._key("answers"), truth, remedy))
        return pairs

    def _key(self, role: str) -> str:
        return f"data.columns.{role}={self.columns[role]}"


def _columns(texts: Any, starts: Any) -> list[tuple[Any, Any]] | None:
    """Lists of texts and of their starts as pairs; None where they are none."""
    if not isinstance(texts, list) or not (starts is None or (isinstance(starts, list) and len(starts) == len(texts))):
        return None
    return list(zip(texts, starts if starts is not None else [None] * len(texts), strict=True))


def _is_place(start: Any) -> bool:
    return start is None or (isinstance(start, int) and not isinstance(start, bool) and start >= 0)


def _add(
    split: Split, path: Path, columns: Mapping[str, str], slices: Sequence[str], on_null: Literal["error", "drop"]
) -> None:
    """Add a file's rows to a split, under numbers that go on."""
    table, unit = _table(path, [*columns.values(), *slices]), _unit(path)
    for role, name in [*columns.items(), *(("slices", name) for name in slices)]:
        require_column(role, name, table.header, str(path))
    found: dict[str, list[Any]] = {name: [] for name in (*_ROLES, *(f"{SLICE}{name}" for name in slices))}
    given = zip(*(table.column(columns[role]) for role in _ROLES), strict=True)
    told = list(zip(*(table.column(name) for name in slices), strict=True)) or [()] * len(table.numbers)
    kept, empty = [], []
    for number, (context, question, answers), values in zip(table.numbers, given, told, strict=True):
        row = _Row(columns, f"{unit} {number} of {path}")
        texts = [row.text("context", context), row.text("question", question)]
        if not all(texts):
            empty.append(number)
            continue
        kept.append(number)
        read = [*texts, row.answers(answers, texts[0]), *map(as_slice, values)]
        for column, value in zip(found.values(), read, strict=True):
            column.append(value)
    if empty and on_null == "error":
        raise _lacking(path, unit, empty)
    for role, column in found.items():
        split.columns.setdefault(role, []).extend(column)
    start = split.numbers[-1] + 1 if split.numbers else 0
    split.numbers += [start + number for number in kept]
    split.begins.append((start, str(path)))
    split.header, split.empty = table.header, split.empty + len(empty)


def _table(path: Path, names: Sequence[str]) -> Tabular:
    ending = _ending(path)
    if ending == ".parquet":
        return read_parquet(path, names)
    return read_squad(path) if ending == ".json" else read_records(path)


def _unit(path: Path) -> str:
    return {".parquet": "row", ".json": "question"}.get(_ending(path), "line")


def _ending(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def _lacking(path: Path, unit: str, numbers: Sequence[int]) -> DataError:
    more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    truth = f"has no question or no context on {unit} {', '.join(map(str, numbers[:_SHOWN]))}{more}."
    return DataError(Fault(str(path), truth, "Fill them, or set data.on_null=drop."))
