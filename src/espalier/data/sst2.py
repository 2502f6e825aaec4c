"""``data=sst2``: Stanford Sentiment Treebank, sentences, two classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Unpack

from espalier.core.bounds import Keys
from espalier.data.common import Common, Source
from espalier.data.named import HubSet, NamedTexts
from espalier.data.text_table import read_text_files

_FILES = {"train": "train.tsv", "validation": "dev.tsv", "test": "test.tsv"}


class Sst2(NamedTexts):
    """Socher et al. 2013 (https://aclanthology.org/D13-1170): 6,920 / 872 / 1,821 sentences, labels in every split.

    ``ESPALIER_DATA=… espalier train data=sst2`` reads ``$ESPALIER_DATA/sst2/{train,dev,test}.tsv``.
    """

    folder = "sst2"
    hub = HubSet("SetFit/sst2", splits={split: split for split in _FILES})
    names: ClassVar[dict[str, str]] = {"0": "negative", "1": "positive"}

    def __init__(
        self, *, columns: Annotated[dict[str, str], Keys(("text", "label"))], **common: Unpack[Common]
    ) -> None:
        super().__init__(columns=columns, **common)

    def local(self, folder: Path, /) -> Source:
        """The three files."""
        files = {split: folder / name for split, name in _FILES.items()}
        return read_text_files(files, self.columns, delimiter="\t", origin=str(folder))
