"""``data=finance``: sentences of financial news by tone, three classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Unpack

from espalier.core.bounds import Keys
from espalier.data.common import Common, Source
from espalier.data.named import NamedTexts
from espalier.data.text_table import read_text_files


class Finance(NamedTexts):
    """Financial PhraseBank, Malo et al. 2014 (arXiv:1307.5336): 4,846 sentences on whose tone half the judges agree.

    ``ESPALIER_DATA=… espalier train data=finance`` reads ``$ESPALIER_DATA/financial_phrasebank/all_50agree.csv``, one
    file, from which validation and test rows are cut. The hub has it only as a program, which is not run.
    """

    folder = "financial_phrasebank"

    def __init__(
        self, *, columns: Annotated[dict[str, str], Keys(("text", "label"))], **common: Unpack[Common]
    ) -> None:
        super().__init__(columns=columns, **common)

    def local(self, folder: Path, /) -> Source:
        """The one file."""
        return read_text_files({"train": folder / "all_50agree.csv"}, self.columns, origin=str(folder))
