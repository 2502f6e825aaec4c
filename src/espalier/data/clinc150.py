"""``data=clinc150``: requests to an assistant by intent, 150 classes and what is none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Unpack

from espalier.core.bounds import Keys
from espalier.core.tabular import read_table
from espalier.data.common import Common, Source
from espalier.data.named import HubSet, NamedTexts
from espalier.data.outside import Outside
from espalier.data.text_table import Reading, gather

_FILES = {"train": "train.tsv.gz", "validation": "val.tsv.gz", "test": "test.tsv.gz"}
_OUTSIDE = "oos"


class Clinc150(NamedTexts):
    """Larson et al. 2019 (https://aclanthology.org/D19-1131), full variant: 15,000 / 3,000 / 4,500 requests.

    ``ESPALIER_DATA=… espalier train data=clinc150 data.oos=label`` reads ``$ESPALIER_DATA/clinc150``:
    ``{train,val,test}.tsv.gz`` and ``oos_*.tsv.gz``. The hub has the variant with 250 out-of-scope rows in training.

    Args:
        oos: what becomes of the 100 / 100 / 1,000 out-of-scope requests: ``drop`` leaves them out and counts them,
            ``label`` makes them a class of its own, the 151st, ``outside`` are rows of no class, for ``task.reject``:
            none of them is trained on.
    """

    folder = "clinc150"
    hub = HubSet(
        "clinc/clinc_oos",
        "155b9c710419136e17307b80d0a13e68cd46b4ec",
        config="plus",
        splits={split: split for split in _FILES},
        columns={"text": "text", "label": "intent"},
    )

    def __init__(
        self,
        *,
        columns: Annotated[dict[str, str], Keys(("text", "label"))],
        oos: Literal["drop", "label", "outside"],
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, **common)
        self.oos, self.outside = (
            oos,
            Outside(_OUTSIDE, "data.oos=outside", "data.oos=drop") if oos == "outside" else None,
        )

    def tables(self) -> Source:
        """Read the files, or the hub's rows."""
        source = super().tables()
        return _without(source) if self.oos == "drop" else source

    def local(self, folder: Path, /) -> Source:
        """The six files: of each split the requests of an intent, then those out of scope."""
        files = {split: [folder / name, folder / f"oos_{name}"] for split, name in _FILES.items()}
        reading = Reading(self.columns)
        return gather(files, partial(read_table, delimiter="\t", names=reading.names), reading, origin=str(folder))


def _without(source: Source) -> Source:
    """The source without out-of-scope rows, which are counted as dropped."""
    splits: dict[str, Mapping[str, list[Any]]] = {}
    numbers: dict[str, list[int]] = {}
    dropped: dict[str, dict[str, int]] = {}
    for split, columns in source.splits.items():
        kept = [position for position, label in enumerate(columns["label"]) if label != _OUTSIDE]
        rows = source.row_numbers(split).tolist()
        splits[split] = {role: [values[position] for position in kept] for role, values in columns.items()}
        numbers[split] = [rows[position] for position in kept]
        dropped[split] = {**source.dropped.get(split, {}), "out of scope": len(rows) - len(kept)}
    return replace(source, splits=splits, numbers=numbers, dropped=dropped)
