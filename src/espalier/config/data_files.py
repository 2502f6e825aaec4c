"""Bounds on files of data: that they are there, have the columns, and hold the kind of labels that the task learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from espalier.config.missing_columns import conversations, no_column, other_reading
from espalier.config.setting import Answer, Setting
from espalier.config.signature import class_attribute
from espalier.config.suggest import asked, nearest
from espalier.config.tree import at
from espalier.config.words import as_word
from espalier.core.errors import DataError
from espalier.core.formats import format_of
from espalier.core.globs import expand
from espalier.core.home import expanded
from espalier.core.jsonl import first_records, peek_records
from espalier.core.label_cells import separator_of
from espalier.core.tabular import peek_column, read_header

_TASKS = {
    "label": "classification", "labels": "multilabel", "tags": "tagging", "spans": "reading",
    "target": "translation", "messages": "instruction_tuning", "sources": "multi_head",
}  # fmt: skip
_KINDS = {
    "label": "one label for each row", "labels": "any number of labels for each row", "tags": "a tag for each word",
    "spans": "answers that stand in a text", "target": "a text to be written for each row",
    "messages": "answers to be written to what is asked", "sources": "a label of one of several sources for each row",
}  # fmt: skip


def file_exists(_: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    """What is wrong with a file, a list of files or a pattern."""
    names = [setting.value] if isinstance(setting.value, str) else setting.value
    for name in filter(_is_text, names):
        files = expand(name)
        if not files:
            yield setting.key, f"{name} matches no file (looked from {Path.cwd()}).", ""
        for path in files:
            if not path.is_file():
                yield setting.key, *_missing(path, setting, name if len(names) > 1 else "")


def folder_exists(_: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    """What is wrong with a folder."""
    path = expanded(setting.value)
    if path.is_dir():
        return
    if path.is_file():
        yield setting.key, "is a file.", "Name the folder."
        return
    above = path.parent if path.parent.is_dir() else Path()
    guess = nearest(path.name, sorted(folder.name for folder in above.iterdir() if folder.is_dir()))
    remedy = asked([as_word(setting.key, str(above / guess))] if guess else [])
    yield setting.key, f"there is no such folder (looked in {above.resolve()}).", remedy


def columns_of(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    """Columns that the first file does not have; a file that cannot be read is what is wrong then."""
    part = setting.key.rpartition(".")[0]
    key, siblings = f"{part}.{arguments[0]}", setting.siblings
    if not (path := _first(siblings.get(arguments[0]))):
        return
    reading = at(setting.tree, part) or siblings
    try:
        peeked = _peek(path, reading)
    except DataError as error:
        if isinstance(setting.value, Mapping):  # said once, not for each setting that names columns
            (fault, *_) = error.faults
            at_fault, is_setting, _ = fault.what.partition("=")
            own = is_setting and at_fault.rpartition(".")[0] == part
            said = fault.truth if fault.what == siblings[arguments[0]] else f"{fault.what} {fault.truth}"
            yield (at_fault, fault.truth, fault.remedy) if own else (key, said, fault.remedy)
        return
    roles = isinstance(setting.value, Mapping)
    named = setting.value.items() if roles else [("", name) for name in setting.value]
    if roles and (answer := conversations(setting.key, setting.value, path, peeked)):
        yield answer
        return
    header = list(peeked)
    if _format(path, reading) in (None, "csv"):
        wanted = [str(name) for _, name in named if name is not None]
        answers, header = other_reading(part, reading, path, header, wanted)
        yield from answers if roles else ()
    for role, name in named:
        if name is not None and name not in header:
            yield no_column(f"{setting.key}.{role}" if role else setting.key, str(name), path, header)


def learns(arguments: Sequence[Any], setting: Setting) -> Iterator[Answer]:
    """A task that learns another kind of labels than the data has."""
    task, data = setting.value.get("_target_"), setting.tree.get(arguments[0])
    wanted = class_attribute(task, "learns") if isinstance(task, str) else None
    if wanted not in _KINDS or not isinstance(data, Mapping):
        return
    there = _label_kind(data)
    if there and there != wanted:
        truth = f"learns {_KINDS[wanted]}, and the data has {_KINDS[there]}."
        splits = wanted == "labels" and "label_separator" in data
        yield setting.key, truth, _split(data) if splits else f"Set  task={_TASKS[there]}"


def _split(data: Mapping[str, Any]) -> str:
    """How cells become several labels each: by what they hold; both ways, where that does not tell."""
    separator, cell = separator_of(_cells(data, str(at(data, "columns.label"))))
    if separator:
        return f"Cells of labels hold several, as {cell!r} does. Set  {as_word('data.label_separator', separator)}"
    return "Set  task=classification , or, if cells hold several labels, what stands between:  data.label_separator='|'"


def _cells(data: Mapping[str, Any], column: str) -> list[str]:
    """The first labels of the first file, where it is text; what is wrong with it is said of its own setting."""
    if (path := _first(data.get("path"))) is None:
        return []
    try:
        kind = format_of(path)
        if column not in _peek(path, data):
            return []
        if kind == "csv":
            return peek_column(path, column, data.get("encoding") or "utf-8", data.get("delimiter"))
        if kind == "jsonl":
            values: list[Any] = [record.get(column) for record in first_records(path)]
        else:
            values = _parquet().peek_values(path, column)
        return [value for value in values if isinstance(value, str)]
    except DataError:
        return []


def _missing(path: Path, setting: Setting, name: str) -> tuple[str, str]:
    """What is wrong with one path; ``name``: as it stands in a list of several."""
    if path.is_dir():
        images = "data=folder reads folders of images. " if setting.key.startswith("data.") else ""
        return f"{name} is a folder.".lstrip(), f"{images}Name the file, or several by a pattern:  {path}/*"
    folder = path.parent if path.parent.is_dir() else Path()
    guess = nearest(path.name, sorted(file.name for file in folder.iterdir() if file.is_file()))
    found = str(folder / guess) if guess else ""
    remedy = asked([found if name else as_word(setting.key, found)] if found else [])
    return f"there is no such file{f' as {name}' if name else ''} (looked in {folder.resolve()}).", remedy


def _first(paths: Any) -> Path | None:
    names = [paths] if isinstance(paths, str) else paths if isinstance(paths, list) else []
    found = expand([*filter(_is_text, names)])
    return found[0] if found and found[0].is_file() else None


def _is_text(name: Any) -> bool:
    """What is none has its own fault, of its type."""
    return isinstance(name, str) and bool(name)


def _format(path: Path, part: Mapping[str, Any]) -> Any:
    reads = class_attribute(str(part.get("_target_")), "format")
    return format_of(path) if reads == "any" else reads


def _peek(path: Path, part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Column -> a value of it, where that can be told; what reads the file is what the part's class says."""
    reads = _format(path, part)
    if reads == "jsonl" or (reads == "jsonl or parquet" and not path.name.endswith(".parquet")):
        return peek_records(path)
    if reads == "parquet" or (reads == "jsonl or parquet" and path.name.endswith(".parquet")):
        found: Mapping[str, Any] = _parquet().peek_parquet(path)
        return found
    return dict.fromkeys(read_header(path, part.get("encoding") or "utf-8", part.get("delimiter")))


def _parquet() -> Any:
    """Arrow takes a quarter of a second to load, which only who has such files should wait for."""
    from espalier.core import parquet

    return parquet


def _label_kind(data: Mapping[str, Any]) -> str | None:
    """One of ``_KINDS``; None where only reading would tell, or where nothing of a file can be said."""
    kinds = class_attribute(str(data.get("_target_")), "kinds")
    if stated := class_attribute(str(data.get("_target_")), "teaches"):
        return str(stated)
    if not isinstance(kinds, Mapping):
        return None
    if "label" not in kinds:
        return next((kind for kind in ("tags", "spans", "messages", "target") if kind in kinds.values()), None)
    if data.get("label_separator"):
        return "labels"
    if "path" not in data:
        return None if "label_separator" in data else str(kinds["label"])  # a set of the hub may have either
    column = at(data, "columns.label")
    try:
        value = _peek(path, data).get(str(column)) if (path := _first(data["path"])) else None
    except DataError:
        return None
    if value is None and class_attribute(str(data.get("_target_")), "format"):  # only a value would tell
        return None
    return "labels" if isinstance(value, list) else "label"
