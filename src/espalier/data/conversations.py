"""What data options share whose rows are an instruction, or a conversation, and its answer: reading, checking."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Literal, Unpack

from espalier.core.conversations import ASSISTANT, Message, messages_of
from espalier.core.empty_cells import by_column
from espalier.core.errors import DataError, Fault
from espalier.core.facts import Kind
from espalier.core.formats import format_of
from espalier.core.jsonl import read_records
from espalier.core.parquet import read_parquet
from espalier.core.parts import Batching
from espalier.core.tabular import read_table
from espalier.data.common import Common, Source, TableData
from espalier.data.labels import SLICE, as_slice, as_text, is_nothing
from espalier.data.paths import Files
from espalier.data.text_table import Reading, Split, Tabular, require_column, source_of


class ConversationData(TableData):
    """Rows with an answer that is to be written, and what it answers: an instruction, with or without an input that it
    speaks of; or all the messages before it. A subclass says which files there are.

    Args:
        columns: role -> column. Where ``messages`` is named, its last message is the answer, unless a column
            ``answer`` has one, in place of what the assistant said last; where it is not, there are an
            ``instruction``, an ``answer`` and perhaps an ``input``.
        encoding: of delimited files, a name that Python knows.
        delimiter: of those, one character, or None: by a file's ending or header.
        slices: columns by which results are told apart.
        on_null: whether rows without an instruction or an answer are an error, or are dropped and counted.
        packing: whether training puts several rows one behind the other; see ``batch.packed``.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {
        "messages": "messages", "instruction": "text", "input": "aside", "answer": "target",
    }  # fmt: skip
    labelled: ClassVar[bool] = False

    def __init__(
        self,
        *,
        columns: Mapping[str, str | None],
        encoding: str = "utf-8",
        delimiter: str | None = None,
        slices: Sequence[str] = (),
        on_null: Literal["error", "drop"] = "error",
        packing: bool,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, **common)
        self.slices, self.on_null, self.packing = slices, on_null, packing
        self._delimited = partial(read_table, encoding=encoding, delimiter=delimiter)

    @abstractmethod
    def files(self) -> tuple[Files, str]:
        """Split -> its files; and where they lie, for people. Raises ``DataError``."""

    @property
    def batching(self) -> Batching:
        """Training may have several rows behind each other."""
        return replace(super().batching, packing=self.packing)

    def tables(self) -> Source:
        """Read the files; see ``read_conversations``."""
        files, origin = self.files()
        return read_conversations(files, self.columns, self.slices, self.on_null, origin, self._delimited)


def read_conversations(
    files: Files,
    columns: Mapping[str, str],
    slices: Sequence[str],
    on_null: Literal["error", "drop"],
    origin: str,
    delimited: Callable[..., Tabular] = read_table,
) -> Source:
    """Read the files of each split, one after the other; a later file's row numbers go on.

    A file is read as what it holds: JSON lines, a delimited table (gzipped or not; by ``delimited``), parquet.

    Returns:
        Roles ``instruction``, ``answer`` and, where it is named, ``input``; or ``messages`` and ``answer``.

    Raises:
        DataError: a column that is missing; columns that leave open what is asked or answered; messages that are none;
            rows without an instruction or an answer, with their lines.
    """
    _require_roles(columns)
    splits: dict[str, Split] = {}
    for name, paths in files.items():
        splits[name] = Split({})
        for path in paths:
            _add(splits[name], path, _table(path, [*columns.values(), *slices], delimited), columns, slices, on_null)
    first = files["train"][0] if "train" in files else next(iter(files.values()))[0]
    source = source_of(splits, Reading(columns, unit=_unit(first)), origin)
    return replace(source, notes=_notes(source, columns))


def _require_roles(columns: Mapping[str, str]) -> None:
    if "messages" in columns:
        if also := [role for role in ("instruction", "input") if role in columns]:
            truth = f"and data.columns.{also[0]}={columns[also[0]]} both say what is asked."
            remedy = f"Set  data.columns.{also[0]}=null, or  data.columns.messages=null"
            raise DataError(Fault(f"data.columns.messages={columns['messages']}", truth, remedy))
        return
    for role in ("instruction", "answer"):
        if role not in columns:
            truth = "leaves rows without it."
            remedy = f"Name it:  data.columns.{role}=…   or a column of whole conversations:  data.columns.messages=…"
            raise DataError(Fault(f"data.columns.{role}=null", truth, remedy))


def _add(
    split: Split,
    path: Path,
    table: Tabular,
    columns: Mapping[str, str],
    slices: Sequence[str],
    on_null: Literal["error", "drop"],
) -> None:
    """Add a file's rows to a split, under numbers that go on."""
    unit = _unit(path)
    for role, name in [*columns.items(), *(("slices", name) for name in slices)]:
        require_column(role, name, table.header, str(path))
    where = [f"{unit} {number} of {path}" for number in table.numbers]
    found = _messages(table, columns, where) if "messages" in columns else _texts(table, columns, where)
    lacking: dict[str, set[int]] = {}
    for role, values in found.items():
        if role != "input":
            rows = lacking.setdefault(columns.get(role) or columns["messages"], set())
            rows |= {i for i, value in enumerate(values) if not value}
    empty = set(chain.from_iterable(lacking.values()))
    if empty and on_null == "error":
        numbers = {name: [table.numbers[i] for i in sorted(rows)] for name, rows in lacking.items()}
        truth = f"has no instruction or no answer: {by_column(numbers, unit)}."
        raise DataError(Fault(str(path), truth, "Fill them, or set data.on_null=drop."))
    found |= {f"{SLICE}{name}": [as_slice(value) for value in table.column(name)] for name in slices}
    kept = [i for i in range(len(where)) if i not in empty]
    for role, values in found.items():
        split.columns.setdefault(role, []).extend(values[i] for i in kept)
    start = split.numbers[-1] + 1 if split.numbers else 0
    split.numbers += [start + table.numbers[i] for i in kept]
    split.begins.append((start, str(path)))
    split.header, split.empty = table.header, split.empty + len(empty)


def _table(path: Path, names: Sequence[str], delimited: Callable[..., Tabular]) -> Tabular:
    kind = format_of(path)
    if kind == "parquet":
        return read_parquet(path, names)
    return delimited(path, names=names) if kind == "csv" else read_records(path)


def _unit(path: Path) -> str:
    return "line" if format_of(path) == "jsonl" else "row"


def _texts(table: Tabular, columns: Mapping[str, str], where: Sequence[str]) -> dict[str, list[Any]]:
    """Role -> texts; blank ones are empty."""
    found: dict[str, list[Any]] = {}
    for role in ("instruction", "input", "answer"):
        if role in columns:
            values = table.column(columns[role])
            found[role] = [_text(v, role, columns[role], at) for v, at in zip(values, where, strict=True)]
    return found


def _messages(table: Tabular, columns: Mapping[str, str], where: Sequence[str]) -> dict[str, list[Any]]:
    """``messages`` up to the answer, and the ``answer``; a row without messages has an empty list."""
    name, own = columns["messages"], columns.get("answer")
    answers = table.column(own) if own else [None] * len(where)
    before: list[list[Message]] = []
    told: list[str] = []
    for value, answer, at in zip(table.column(name), answers, where, strict=True):
        said = messages_of(value, name, at) if value else []
        last = said[-1] if said and said[-1]["role"] == ASSISTANT else None
        if own:
            told.append(_text(answer, "answer", own, at))
            said = said[:-1] if last and len(said) > 1 else said  # in place of which the answer stands
        elif said and last is None:
            truth = f"ends on {at} with what is not an answer: its last role is {said[-1]['role']}."
            remedy = "End it with a message of the assistant, or name the answers:  data.columns.answer=…"
            raise DataError(Fault(f"data.columns.messages={name}", truth, remedy))
        else:
            told.append(last["content"] if last else "")
            said = said[:-1]
        before.append(said)
    return {"messages": before, "answer": told}


def _text(value: Any, role: str, name: str, where: str) -> str:
    text = as_text(value)
    if text is None and not is_nothing(value):
        truth = f"is no text on {where}: it is a {type(value).__name__} there."
        raise DataError(Fault(f"data.columns.{role}={name}", truth))
    return text if text and text.strip() else ""


def _notes(source: Source, columns: Mapping[str, str]) -> tuple[str, ...]:
    if "instruction" in columns and "input" not in columns and "input" in source.header:
        return ("there is a column input, and no instruction sees it: data.columns.input=input",)
    return ()
