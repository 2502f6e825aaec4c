"""``data=alpaca``: instructions of many kinds, each with an answer, in English or Chinese."""

from __future__ import annotations

from typing import Annotated, Literal, Unpack

from espalier.core.bounds import Keys
from espalier.core.errors import DataError, Fault
from espalier.core.home import data_root
from espalier.data.common import Common
from espalier.data.conversations import ConversationData
from espalier.data.named import local_folder
from espalier.data.paths import Files

_FOLDER = "alpaca_demo"


class Alpaca(ConversationData):
    """A thousand samples in the format of Alpaca (Taori et al. 2023, github.com/tatsu-lab/stanford_alpaca): an
    ``instruction``, an ``input`` that may be empty, an ``output``; those that LLaMA-Factory brings (Zheng et al. 2024,
    arXiv:2403.13372).

    ``ESPALIER_DATA=… espalier train data=alpaca`` reads ``$ESPALIER_DATA/alpaca_demo``: ``alpaca_{en,zh}.jsonl.gz``.
    Their texts were written by models; terms of such data usually exclude commercial use.

    Args:
        language: ``en``, 999 samples, or ``zh``, 1,000.
        columns, packing: see ``data.conversations.ConversationData``.
    """

    def __init__(
        self,
        *,
        language: Literal["en", "zh"],
        columns: Annotated[dict[str, str | None], Keys(("instruction", "input", "answer", "messages"))],
        packing: bool,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, packing=packing, **common)
        self.language = language

    def files(self) -> tuple[Files, str]:
        """The one file."""
        folder = local_folder(_FOLDER)
        if folder is None:
            root = data_root()
            looked = str(root / _FOLDER) if root else f"$ESPALIER_DATA/{_FOLDER}"
            truth = "is not there, and this set is read from plain files alone."
            raise DataError(Fault(looked, truth, f"Set ESPALIER_DATA to the folder that holds {_FOLDER}/."))
        return {"train": [folder / f"alpaca_{self.language}.jsonl.gz"]}, str(folder)
