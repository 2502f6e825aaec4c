"""What data options share that read tables from files of yours: their keys, and which files make which split."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Unpack

from annotated_types import MinLen

from espalier.core.bounds import ColumnsOf, Keys
from espalier.core.facts import Kind
from espalier.data.common import Common, Source, TableData
from espalier.data.labels import separator_notes
from espalier.data.outside import Outside
from espalier.data.paths import Paths, files_of
from espalier.data.text_table import Reading, Tabular, gather


class Files(Common):
    """The keys of every data option that reads files; meanings and defaults stand in ``conf/data/_files.yaml``."""

    path: Paths
    validation_path: Paths | None
    test_path: Paths | None
    columns: Annotated[dict[str, str | None], Keys(("text", "text_pair", "label")), ColumnsOf("path")]
    slices: Annotated[list[str], ColumnsOf("path")]
    label_separator: Annotated[str, MinLen(1)] | None
    on_null: Literal["error", "drop"]
    outside: Annotated[str, MinLen(1)] | None


class FileData(TableData):
    """Texts and labels in files; a subclass says how one file is read.

    Args:
        path: a file, a list of files, or a pattern; validation and test rows are cut from them where they have no
            files of their own.
        columns: role -> column; ``text_pair`` is the second text of a pair.
        slices: columns by which results are told apart.
        label_separator: what stands between the labels of a row that has any number of them.
        on_null: what to do with rows whose text or label is empty; ``drop`` counts them.
        outside: the label of rows that are of none of the classes.

    Raises:
        DataError: when read; see ``data.text_table.gather`` and ``TableData.read``.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "text_pair": "text", "label": "label"}
    unit: ClassVar[str] = "line"

    def __init__(
        self,
        *,
        path: Paths,
        validation_path: Paths | None,
        test_path: Paths | None,
        columns: dict[str, str | None],
        slices: list[str],
        label_separator: str | None,
        on_null: Literal["error", "drop"],
        outside: str | None,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, **common)
        self.paths = {"train": path, "validation": validation_path, "test": test_path}
        self.slices, self.label_separator, self.on_null = slices, label_separator, on_null
        self.outside = Outside(outside.strip(), f"data.outside={outside}", "data.outside=null") if outside else None

    @abstractmethod
    def table(self, path: Path, reading: Reading, /) -> Tabular:
        """One file. Raises ``DataError``."""

    def tables(self) -> Source:
        """Read the files."""
        files, origin = files_of(self.paths)
        reading = Reading(self.columns, self.slices, self.label_separator, self.on_null, self.unit)
        source = gather(files, lambda path: self.table(path, reading), reading, origin=origin)
        labels = [columns["label"] for columns in source.splits.values() if "label" in columns]
        return replace(source, notes=separator_notes(labels, self.label_separator))
