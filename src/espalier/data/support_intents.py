"""``data=support_intents``: the embedded set of customer-support messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Unpack

from espalier.core.facts import Kind
from espalier.data.common import Common, Source, TableData

FOLDER = Path(__file__).parent / "embedded" / "support_intents"


class SupportIntents(TableData):
    """Messages and their intents, in three splits; see the data card beside the files.

    ``espalier train data=support_intents``
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "label": "label"}

    def __init__(self, *, columns: dict[str, str], **common: Unpack[Common]) -> None:
        super().__init__(columns=columns, **common)

    def tables(self) -> Source:
        """Read the three files."""
        splits, digest = {}, hashlib.sha256()
        for split in ("train", "validation", "test"):
            content = (FOLDER / f"{split}.jsonl").read_bytes()
            digest.update(content)
            rows = [json.loads(line) for line in content.splitlines()]
            splits[split] = {role: [row[name] for row in rows] for role, name in self.columns.items()}
        return Source(splits, "embedded", digest.hexdigest())
