"""``data=sst2``: Stanford Sentiment Treebank, sentences, two classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Unpack

from espalier.core.bounds import Keys
from espalier.core.facts import Kind
from espalier.core.home import data_root
from espalier.data.common import Common, Source, TableData
from espalier.data.hub import from_hub
from espalier.data.text_table import read_text_files

_FILES = {"train": "train.tsv", "validation": "dev.tsv", "test": "test.tsv"}
_HUB = "SetFit/sst2"
_NAMES = {"0": "negative", "1": "positive"}


class Sst2(TableData):
    """Socher et al. 2013 (https://aclanthology.org/D13-1170): 6,920 / 872 / 1,821 sentences, labels in every split.

    ``ESPALIER_DATA=… espalier train data=sst2`` reads ``$ESPALIER_DATA/sst2/{train,dev,test}.tsv``.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "label": "label"}

    def __init__(
        self, *, columns: Annotated[dict[str, str], Keys(("text", "label"))], **common: Unpack[Common]
    ) -> None:
        super().__init__(columns=columns, **common)

    def tables(self) -> Source:
        """Read the files, or the hub's."""
        folder = data_root() and data_root() / "sst2"  # type: ignore[operator]
        source = self._local(folder) if folder and folder.is_dir() else self._hub()
        named = {
            split: {**columns, "label": [_NAMES.get(str(v), str(v)) for v in columns["label"]]}
            for split, columns in source.splits.items()
        }
        return replace(source, splits=named)

    def _local(self, folder: Path) -> Source:
        files = {split: folder / name for split, name in _FILES.items()}
        return read_text_files(files, self.columns, delimiter="\t", origin=str(folder))

    def _hub(self) -> Source:
        found = from_hub("sst2", _HUB)
        splits = {
            split: {role: list(found[split][name]) for role, name in self.columns.items()}
            for split in ("train", "validation", "test")
        }
        return Source(splits, f"hub {_HUB}")
