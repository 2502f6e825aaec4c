"""``data=support_intents``: the embedded set of customer-support messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Unpack

from espalier.core.bounds import Keys
from espalier.core.facts import Kind
from espalier.data.common import Common, Source, TableData
from espalier.data.text_table import require_column

FOLDER = Path(__file__).parent / "embedded" / "support_intents"


class SupportIntents(TableData):
    """Messages and their intents, in three splits; see the data card beside the files.

    ``espalier train data=support_intents``
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "label": "label"}

    def __init__(
        self, *, columns: Annotated[dict[str, str], Keys(("text", "label"))], **common: Unpack[Common]
    ) -> None:
        super().__init__(columns=columns, **common)

    def tables(self) -> Source:
        """Read the three files."""
        splits = {}
        for split in ("train", "validation", "test"):
            rows = [json.loads(line) for line in (FOLDER / f"{split}.jsonl").read_bytes().splitlines()]
            for role, name in self.columns.items():
                require_column(role, name, rows[0], "the embedded set")
            splits[split] = {role: [row[name] for row in rows] for role, name in self.columns.items()}
        return Source(splits, "embedded")
