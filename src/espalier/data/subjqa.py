"""``data=subjqa``: questions about reviews, many of which the review does not answer."""

from __future__ import annotations

from typing import Annotated, Literal, Unpack

from annotated_types import Ge, MinLen

from espalier.core.bounds import Keys
from espalier.core.errors import DataError, Fault
from espalier.core.home import data_root
from espalier.data.answered import AnsweredData
from espalier.data.common import Common
from espalier.data.named import local_folder
from espalier.data.paths import Files

_SPLITS = ("train", "test")
_FOLDER = "subjqa"
Domain = Literal["electronics", "grocery", "restaurants", "tripadvisor"]


class Subjqa(AnsweredData):
    """SubjQA, Bjerva et al. 2020 (https://aclanthology.org/2020.emnlp-main.442): spans of customers' reviews.

    ``ESPALIER_DATA=… espalier train data=subjqa`` reads ``$ESPALIER_DATA/subjqa``: ``<domain>_{train,test}.jsonl.gz``.
    Of the four domains together there are 4,984 questions of training and 1,727 of the test; 40 and 35 % have no
    answer. Validation rows are cut from training: of the set's own 970, 928 stand in training too, word for word.
    Results are told apart by ``domain``. The hub has it only as a program, which is not run.

    Args:
        domains: which of them are read, one after the other.
    """

    def __init__(
        self,
        *,
        domains: Annotated[list[Domain], MinLen(1)],
        columns: Annotated[dict[str, str], Keys(("context", "question", "answers"))],
        overlap: Annotated[int, Ge(0)],
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, overlap=overlap, slices=["domain"], **common)
        self.domains = domains

    def files(self) -> tuple[Files, str]:
        """One of each domain for each split."""
        folder = local_folder(_FOLDER)
        if folder is None:
            root = data_root()
            looked = str(root / _FOLDER) if root else f"$ESPALIER_DATA/{_FOLDER}"
            truth = "is not there, and this set is read from plain files alone."
            raise DataError(Fault(looked, truth, f"Set ESPALIER_DATA to the folder that holds {_FOLDER}/."))
        chosen = list(dict.fromkeys(self.domains))
        found = {split: [folder / f"{domain}_{split}.jsonl.gz" for domain in chosen] for split in _SPLITS}
        return found, f"{folder} ({', '.join(chosen)})"
