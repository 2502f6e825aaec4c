"""``data=multi30k``: captions of photographs in English, and the same in German."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Unpack

from espalier.core.bounds import Keys
from espalier.core.facts import Kind
from espalier.data.common import Common, Source, TableData
from espalier.data.named import hub_rows, local_folder
from espalier.data.text_table import read_text_files

_FOLDER = "multi30k_en_de"
_FILES = {"train": "train.tsv.gz", "validation": "val.tsv.gz"}


class Multi30k(TableData):
    """Multi30k, Elliott et al. 2016 (https://aclanthology.org/W16-3210): 29,000 / 1,014 / 1,000 pairs of captions.

    ``ESPALIER_DATA=… espalier train data=multi30k model=encoder_decoder adapter=full`` reads
    ``$ESPALIER_DATA/multi30k_en_de``: ``{train,val,test_<year>_flickr}.tsv.gz``, with ``en`` and ``de``. The other way
    round: ``data.columns.source=de data.columns.target=en``.

    Args:
        columns: ``source``, which is read, and ``target``, which is to be written.
        test_set: the year of the test captions: 2016, 2017 (1,000 rows each) or 2018 (1,071).
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"source": "text", "target": "target"}
    labelled: ClassVar[bool] = False

    def __init__(
        self,
        *,
        columns: Annotated[dict[str, str], Keys(("source", "target"))],
        test_set: Literal[2016, 2017, 2018],
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, **common)
        self.test_set = test_set

    def tables(self) -> Source:
        """The three files. Raises ``DataError``: they are not there."""
        folder = local_folder(_FOLDER)
        if folder is None:
            return hub_rows(_FOLDER, None)  # refuses: the hub has none that we could name
        names = {**_FILES, "test": f"test_{self.test_set}_flickr.tsv.gz"}
        files = {split: folder / name for split, name in names.items()}
        return read_text_files(files, self.columns, origin=str(folder))
