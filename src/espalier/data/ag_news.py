"""``data=ag_news``: news by topic, four classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Unpack

from espalier.core.bounds import Keys
from espalier.data.common import Common, Source
from espalier.data.named import HubSet, NamedTexts
from espalier.data.text_table import read_text_files


class AgNews(NamedTexts):
    """Zhang, Zhao, LeCun 2015 (arXiv:1509.01626): title and description of news; World, Sports, Business, Sci/Tech.

    ``ESPALIER_DATA=… espalier train data=ag_news`` reads ``$ESPALIER_DATA/ag_news``: ``train.csv.gz`` (a subset: 9,727
    rows) and ``test.csv.gz`` (7,600 rows, whose title and description are joined by a blank, as they are in training).
    The hub has all 120,000 training rows.
    """

    folder = "ag_news"
    hub = HubSet("fancyzhx/ag_news", "eb185aade064a813bc0b7f42de02595523103ca4")

    def __init__(
        self, *, columns: Annotated[dict[str, str], Keys(("text", "label"))], **common: Unpack[Common]
    ) -> None:
        super().__init__(columns=columns, **common)

    def local(self, folder: Path, /) -> Source:
        """Both files."""
        origin = str(folder)
        train = read_text_files({"train": folder / "train.csv.gz"}, self.columns, origin=origin)
        parts = {"title": "title", "description": "description", "label": str(self.columns["label"])}
        test = read_text_files({"test": folder / "test.csv.gz"}, parts, origin=origin)
        columns = test.splits["test"]
        texts = [f"{title} {said}" for title, said in zip(columns["title"], columns["description"], strict=True)]
        return replace(
            train,
            splits={**train.splits, "test": {"text": texts, "label": columns["label"]}},
            numbers={**train.numbers, **test.numbers},
            places={**train.places, **test.places},
        )
