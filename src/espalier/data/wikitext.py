"""``data=wikitext``: articles of Wikipedia as running text, to go on with an encoder's pretraining."""

from __future__ import annotations

import re
from typing import Unpack

from espalier.core.errors import DataError, Fault
from espalier.core.home import data_root
from espalier.data.common import Common, Source
from espalier.data.named import local_folder
from espalier.data.passages import PassageData
from espalier.data.text_file import read_text

_FOLDER = "wikitext2"
_FILES = {"train": "valid.txt.gz", "test": "test.txt.gz"}
_JOINED, _UNKNOWN = re.compile(r" @([-.,])@ "), re.compile(r"<unk> ?")


class Wikitext(PassageData):
    """WikiText-2, Merity et al. 2016 (arXiv:1609.07843): its validation text is trained on, its test text is the test.

    ``ESPALIER_DATA=… espalier train data=wikitext`` reads ``$ESPALIER_DATA/wikitext2``: ``valid.txt.gz`` (214,000
    words, of whose end ``split.validation`` is cut) and ``test.txt.gz`` (241,000 words). The large training text is not
    read. What the set took apart or out is not learned: `` @-@ ``, `` @,@ `` and `` @.@ `` are joined, and ``<unk>`` is
    left out. So figures are comparable among runs here, not with published ones, which count words.

    Raises:
        DataError: when read; the files are not there.
    """

    def __init__(self, **common: Unpack[Common]) -> None:
        super().__init__(columns={}, **common)

    def tables(self) -> Source:
        """Read the files."""
        folder = local_folder(_FOLDER)
        if folder is None:
            root = data_root()
            looked = str(root / _FOLDER) if root else f"$ESPALIER_DATA/{_FOLDER}"
            truth = "is not there, and this set is read from plain files alone."
            raise DataError(Fault(looked, truth, f"Set ESPALIER_DATA to the folder that holds {_FOLDER}/."))
        return self.source({split: [restored(read_text(folder / name))] for split, name in _FILES.items()}, str(folder))


def restored(text: str) -> str:
    """Running text of what the set made of it."""
    return _UNKNOWN.sub("", _JOINED.sub(r"\1", text))
