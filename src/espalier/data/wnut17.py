"""``data=wnut17``: entities that are new and rare, in noisy texts; six types."""

from __future__ import annotations

from typing import Annotated, Unpack

from espalier.core.bounds import Keys
from espalier.core.errors import DataError, Fault
from espalier.core.home import data_root
from espalier.data.common import Common
from espalier.data.named import local_folder
from espalier.data.paths import Files
from espalier.data.tagged import TaggedData

_FILES = {"train": "train.jsonl.gz", "validation": "dev.jsonl.gz", "test": "test.jsonl.gz"}
_FOLDER = "wnut17"


class Wnut17(TaggedData):
    """WNUT 2017, Derczynski et al. 2017 (https://aclanthology.org/W17-4418): 3,394 / 1,009 / 1,287 sentences.

    ``ESPALIER_DATA=… espalier train data=wnut17`` reads ``$ESPALIER_DATA/wnut17``: ``{train,dev,test}.jsonl.gz``, with
    ``tokens`` and ``ner_tags``. Most entities of the test rows do not occur in training. The hub has it only as a
    program, which is not run.
    """

    def __init__(
        self, *, columns: Annotated[dict[str, str], Keys(("words", "tags"))], **common: Unpack[Common]
    ) -> None:
        super().__init__(columns=columns, **common)

    def files(self) -> tuple[Files, str]:
        """The three files."""
        folder = local_folder(_FOLDER)
        if folder is None:
            root = data_root()
            looked = str(root / _FOLDER) if root else f"$ESPALIER_DATA/{_FOLDER}"
            truth = "is not there, and this set is read from plain files alone."
            raise DataError(Fault(looked, truth, f"Set ESPALIER_DATA to the folder that holds {_FOLDER}/."))
        return {split: [folder / name] for split, name in _FILES.items()}, str(folder)
