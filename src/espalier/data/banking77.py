"""``data=banking77``: questions to a bank by intent, 77 classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Unpack

from espalier.core.bounds import Keys
from espalier.data.common import Common, Source
from espalier.data.named import HubSet, NamedTexts
from espalier.data.text_table import read_text_files


class Banking77(NamedTexts):
    """Casanueva et al. 2020 (arXiv:2003.04807): 10,003 / 3,080 questions; classes of 35 to 187 training rows.

    ``ESPALIER_DATA=… espalier train data=banking77`` reads ``$ESPALIER_DATA/banking77/{train,test}.csv``. Seven texts
    stand in both.
    """

    folder = "banking77"
    hub = HubSet(
        "mteb/banking77", "0fd18e25b25c072e09e0d92ab615fda904d66300", columns={"text": "text", "label": "label_text"}
    )

    def __init__(
        self, *, columns: Annotated[dict[str, str], Keys(("text", "label"))], **common: Unpack[Common]
    ) -> None:
        super().__init__(columns=columns, **common)

    def local(self, folder: Path, /) -> Source:
        """Both files."""
        files = {split: folder / f"{split}.csv" for split in ("train", "test")}
        return read_text_files(files, self.columns, origin=str(folder))
