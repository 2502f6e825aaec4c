"""``data=imdb``: film reviews, two classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Unpack

from espalier.core.bounds import Keys
from espalier.core.parquet import read_parquet
from espalier.data.common import Common, Source
from espalier.data.named import HubSet, NamedTexts
from espalier.data.text_table import Reading, gather


class Imdb(NamedTexts):
    """Maas et al. 2011 (https://aclanthology.org/P11-1015): 25,000 / 25,000 reviews of 230 words on average.

    ``ESPALIER_DATA=… espalier train data=imdb`` reads ``$ESPALIER_DATA/imdb/{train,test}.parquet``. The original
    repeats rows and shares 123 texts between training and test: ``espalier data check data=imdb``.
    """

    folder = "imdb"
    hub = HubSet("stanfordnlp/imdb", "e6281661ce1c48d982bc483cf8a173c1bbeb5d31")
    names: ClassVar[dict[str, str]] = {"0": "negative", "1": "positive", "neg": "negative", "pos": "positive"}

    def __init__(
        self, *, columns: Annotated[dict[str, str], Keys(("text", "label"))], **common: Unpack[Common]
    ) -> None:
        super().__init__(columns=columns, **common)

    def local(self, folder: Path, /) -> Source:
        """Both files."""
        files = {split: [folder / f"{split}.parquet"] for split in ("train", "test")}
        reading = Reading(self.columns, unit="row")
        return gather(files, lambda path: read_parquet(path, reading.names), reading, origin=str(folder))
