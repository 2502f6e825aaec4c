"""``data=hub``: any data set of the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, Unpack

from annotated_types import Ge, Len, MinLen

from espalier.core.bounds import HubOrFolder, Keys
from espalier.core.errors import DataError, Fault
from espalier.core.facts import Kind
from espalier.core.home import folder_of
from espalier.core.images import BROKEN, Shaper, opened
from espalier.data.common import Common, Source, TableData
from espalier.data.download import fetch, fetch_folder
from espalier.data.labels import separator_notes
from espalier.data.text_table import Reading, Split, add, source_of


class Hub(TableData):
    """Rows of a data set on the hub, or in a folder as it would lie there; no code of it is run.

    ``espalier train data=hub data.source=SetFit/sst2 data.revision=<commit>``

    Args:
        source: ``ORG/NAME``, or a folder: ``./NAME``.
        revision: commit, branch or tag; None: the newest. The run records which commit it was.
        config: which of several that the set has (GLUE's ``cola``).
        splits: ours -> theirs (``validation: dev``); None: there is none.
        streaming: fetch the first ``limit`` rows of each split, and not the whole.
        columns: role -> column: ``text`` and ``text_pair``, or ``image``; ``label``. Labels that the set has names for
            are called by them, in its order.
        slices, label_separator, on_null: as for files.
        size, channels: of images; see ``data.folder``.

    Raises:
        DataError: when read; see ``data.download.fetch``, ``data.text_table.gather`` and ``TableData.read``.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "text_pair": "text", "image": "image", "label": "label"}

    def __init__(
        self,
        *,
        source: Annotated[str, HubOrFolder()],
        revision: str | None,
        config: str | None,
        splits: Annotated[dict[str, str | None], Keys(("train", "validation", "test"))],
        streaming: bool,
        columns: Annotated[dict[str, str | None], Keys(("text", "text_pair", "image", "label"))],
        slices: list[str],
        label_separator: Annotated[str, MinLen(1)] | None,
        on_null: Literal["error", "drop"],
        size: Annotated[list[Annotated[int, Ge(1)]], Len(2, 2)] | None,
        channels: Literal[1, 3] | None,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, **common)
        self.source, self.revision, self.config, self.streaming = source, revision, config, streaming
        self.wanted = {ours: theirs for ours, theirs in splits.items() if theirs is not None}
        self.reading = Reading(self.columns, slices, label_separator, on_null, "row")
        self.shaper = Shaper(size, channels)

    def tables(self) -> Source:
        """Fetch and read it."""
        if self.streaming and self.limit is None:
            truth = "reads the first data.limit rows, and there is no limit."
            raise DataError(Fault("data.streaming=true", truth, "Set  data.limit=10000"))
        folder = folder_of(self.source)
        if folder:
            found, origin = fetch_folder(folder, config=self.config, streaming=self.streaming)
        else:
            found, origin = fetch(self.source, revision=self.revision, config=self.config, streaming=self.streaming)
        splits: dict[str, Split] = {}
        names: tuple[str, ...] = ()
        present = self._present(found)
        for ours, theirs in present.items():
            table = self._table(found[theirs])
            if ours != "train":
                self._require_told_labels(ours, theirs, table)
            splits[ours], names = Split({}), tuple(dict.fromkeys(map(str.strip, table.names)))  # as labels are read
            add(splits[ours], table, self.reading, f"{self.source} {theirs}")
        if self.streaming:
            self._require_two_classes(splits["train"].columns.get("label", ()))
        labels = [split.columns["label"] for split in splits.values() if "label" in split.columns]
        notes = (*self._notes(present, found), *separator_notes(labels, self.reading.label_separator))
        source = replace(source_of(splits, self.reading, origin, names), notes=notes)
        return self._stacked(source) if "image" in self.columns else source

    def _present(self, found: Mapping[str, Any]) -> dict[str, str]:
        """Ours -> theirs, of the splits that are there; training must be."""
        if (train := self.wanted.get("train")) not in found:
            truth = f"is no split of {self.source}. It has: {', '.join(found)}."
            raise DataError(Fault(f"data.splits.train={train}", truth, f"Set  data.splits.train={next(iter(found))}"))
        return {ours: theirs for ours, theirs in self.wanted.items() if theirs in found}

    def _notes(self, present: Mapping[str, str], found: Mapping[str, Any]) -> tuple[str, ...]:
        """What is asked for and not there, while other splits are there that nobody asked for."""
        missing = {ours: theirs for ours, theirs in self.wanted.items() if ours not in present}
        others = [theirs for theirs in found if theirs not in self.wanted.values()]
        if not missing or not others:
            return ()
        asked = " and ".join(missing.values())
        said = f"there is no split {asked}: cut from train, by data.split. Not read: {', '.join(others)}"
        return (f"{said} (data.splits.{next(iter(missing))}={others[0]} would read it)",)

    def _require_told_labels(self, ours: str, theirs: str, table: HubTable) -> None:
        """Refuse a split of a competition, whose labels nobody may see. Raises ``DataError``."""
        name = self.columns.get("label", "")
        if name and (name not in table.header or all(value is None for value in table.column(name))):
            truth = "has no labels: they are hidden, or left out."
            raise DataError(Fault(f"data.splits.{ours}={theirs}", truth, f"Set  data.splits.{ours}=null"))

    def _require_two_classes(self, labels: Sequence[Any]) -> None:
        """Say of a set that is sorted by its labels that its first rows are no sample. Raises ``DataError``."""
        if labels and all(label == labels[0] for label in labels):
            truth = f"reads the first rows, and the first {len(labels):,} are all {labels[0]!r}: the set is sorted."
            remedy = "Set  data.streaming=false  (data.limit then chooses at random), or raise data.limit."
            raise DataError(Fault("data.streaming=true", truth, remedy))

    def _table(self, rows: Any) -> HubTable:
        features = rows.features or {}
        label = features.get(self.columns.get("label", ""))
        names = getattr(label, "names", None) or getattr(getattr(label, "feature", None), "names", None) or ()
        if self.streaming:
            taken = list(rows.take(self.limit))
            header = tuple(features) or tuple(taken[0] if taken else ())
            columns: Any = {name: [row.get(name) for row in taken] for name in header}
        else:
            header, taken, columns = tuple(rows.column_names), rows, rows
        return HubTable(header, range(len(taken)), columns, self.columns, tuple(names), self.shaper)

    def _stacked(self, source: Source) -> Source:
        splits = {
            split: {**columns, "image": self.shaper.stacked(columns["image"])}
            for split, columns in source.splits.items()
        }
        return replace(source, splits=splits, shape=self.shaper.shape)


@dataclass(frozen=True)
class HubTable:
    """A split; ``numbers`` counts rows from 0. Labels are named, images are pixels.

    Attributes:
        content: column -> values.
        roles: role -> column.
        names: of the labels, where the set has them.
    """

    header: tuple[str, ...]
    numbers: range
    content: Any
    roles: Mapping[str, str]
    names: tuple[str, ...]
    shaper: Shaper

    def column(self, name: str) -> list[Any]:
        """One column's values."""
        values = self.content[name]
        if name == self.roles.get("image"):
            return [None if v is None else self._pixels(v, row) for row, v in enumerate(values)]
        if name == self.roles.get("label") and self.names:
            return [self._named(value) for value in values]
        return list(values)

    def _pixels(self, image: Any, row: int) -> Any:
        try:
            return self.shaper(opened(image), f"row {row}".__str__)
        except BROKEN as error:
            said = str(error).partition("\n")[0]
            truth = f"is no whole image on row {row}: {said}."
            raise DataError(Fault(f"data.columns.image={self.roles['image']}", truth)) from error

    def _named(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._named(one) for one in value]
        return self.names[value] if isinstance(value, int) and value >= 0 else None  # -1: a hidden label
