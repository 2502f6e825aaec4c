"""What well-known sets share: plain files under ``$ESPALIER_DATA`` first, the hub's rows else; labels in words."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from espalier.core.errors import DataError, Fault
from espalier.core.facts import Kind
from espalier.core.home import data_root
from espalier.data.common import Source, TableData
from espalier.data.download import from_hub


@dataclass(frozen=True)
class HubSet:
    """Where a set lies on the hub.

    Attributes:
        revision: the hub's commit; None: the newest.
        config: which of several sets under the id.
        splits: ours -> the hub's, of those that are read.
        columns: role -> the hub's column.
    """

    id: str
    revision: str | None = None
    config: str | None = None
    splits: Mapping[str, str] = field(default_factory=lambda: {"train": "train", "test": "test"})
    columns: Mapping[str, str] = field(default_factory=lambda: {"text": "text", "label": "label"})


class NamedTexts(TableData):
    """A well-known set of texts with one label each; a subclass says how its files are read.

    Attributes:
        folder: its name under ``$ESPALIER_DATA``.
        hub: where the hub has it, if it has it in a form that runs no code.
        names: labels as they are written -> in words; what is not among them stays.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "label": "label"}
    folder: ClassVar[str]
    hub: ClassVar[HubSet | None] = None
    names: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def local(self, folder: Path, /) -> Source:
        """Read the plain files. Raises ``DataError``."""

    def tables(self) -> Source:
        """Read the files, or the hub's rows."""
        folder = local_folder(self.folder)
        source = self.local(folder) if folder else hub_rows(self.folder, self.hub)
        return in_words(source, self.names)


def local_folder(name: str) -> Path | None:
    """``$ESPALIER_DATA/<name>``, if it is there."""
    root = data_root()
    return root / name if root and (root / name).is_dir() else None


def hub_rows(name: str, where: HubSet | None) -> Source:
    """A set's rows from the hub, values as the hub has them, labels in its words.

    Raises:
        DataError: the hub cannot be reached, or does not have the set; says which folder would do instead.
    """
    if where is None:
        looked = data_root() / name if data_root() else f"$ESPALIER_DATA/{name}"  # type: ignore[operator]
        raise DataError(
            Fault(str(looked), "is not there, and this set is read from plain files alone.",
                  f"Set ESPALIER_DATA to the folder that holds {name}/.")
        )  # fmt: skip
    found = from_hub(name, where.id, where.revision, where.config)
    splits = {
        ours: {role: _values(found[theirs], column) for role, column in where.columns.items()}
        for ours, theirs in where.splits.items()
    }
    return Source(splits, f"hub {where.id}" + (f" @{where.revision[:7]}" if where.revision else ""))


def in_words(source: Source, names: Mapping[str, str]) -> Source:
    """The source with its labels renamed."""
    named = {
        split: {**columns, "label": [names.get(str(value), str(value)) for value in columns["label"]]}
        for split, columns in source.splits.items()
    }
    return replace(source, splits=named)


def _values(rows: Any, column: str) -> list[Any]:
    written = getattr(rows.features[column], "names", None)  # of a column of classes, which holds numbers
    return [written[value] for value in rows[column]] if written else list(rows[column])
