"""``data=shakespeare``: the plays of Shakespeare as one text, in which characters are learned."""

from __future__ import annotations

from typing import Unpack

from espalier.data.common import Common, Source
from espalier.data.named import hub_rows, local_folder
from espalier.data.passages import PassageData
from espalier.data.text_file import read_text

_FOLDER, _FILE = "tiny_shakespeare", "input.txt"


class Shakespeare(PassageData):
    """Karpathy 2015 (github.com/karpathy/char-rnn): 1,115,394 characters, 65 different ones; the last tenth validates.

    ``ESPALIER_DATA=… espalier train data=shakespeare model=gpt adapter=full`` reads
    ``$ESPALIER_DATA/tiny_shakespeare/input.txt``.

    Raises:
        DataError: when read; the file is not there.
    """

    def __init__(self, **common: Unpack[Common]) -> None:
        super().__init__(columns={}, **common)

    def tables(self) -> Source:
        """Read the file."""
        folder = local_folder(_FOLDER)
        if folder is None:
            return hub_rows(_FOLDER, None)
        return self.source({"train": [read_text(folder / _FILE)]}, str(folder))
