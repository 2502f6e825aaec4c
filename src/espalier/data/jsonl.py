"""``data=jsonl``: your own table, a JSON object a line."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Unpack

from espalier.core.jsonl import Records, read_records
from espalier.data.files import FileData, Files
from espalier.data.text_table import Reading


class Jsonl(FileData):
    """Files of JSON objects, one a line, gzipped or not; a label that is a list means any number of labels a row.

    ``espalier train data=jsonl data.path=my.jsonl data.columns.text=review data.columns.label=stars``
    """

    format: ClassVar[str] = "jsonl"

    def __init__(self, **files: Unpack[Files]) -> None:
        super().__init__(**files)

    def table(self, path: Path, reading: Reading, /) -> Records:  # noqa: ARG002  # all keys are read in any case
        """One file; see ``core.jsonl.read_records``."""
        return read_records(path)
