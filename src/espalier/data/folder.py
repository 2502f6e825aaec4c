"""``data=folder``: images in folders that are named by their labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Unpack

from annotated_types import Ge, Len

from espalier.core.bounds import FolderExists, Keys
from espalier.core.errors import DataError, Fault
from espalier.core.facts import Kind
from espalier.core.image_files import ENDINGS, is_hidden, is_image
from espalier.core.images import BROKEN, Pixels, Shaper, opened
from espalier.data.common import Common, Source, TableData, Values

_SPLITS = {"train": "train", "training": "train", "validation": "validation", "valid": "validation",
           "val": "validation", "dev": "validation", "test": "test", "testing": "test"}  # fmt: skip
_SHOWN = 5


class Folder(TableData):
    """``<path>/<label>/*.png``, or ``<path>/train/<label>/*.png`` with ``validation`` and ``test`` beside it.

    ``espalier train data=folder data.path=photos data.size=[64,64] model=mlp adapter=full``

    Args:
        path: the folder.
        size: (height, width) to resize to; None: as they are, all alike.
        channels: 1 or 3; None: 3 if any image has colours, else 1.
        on_error: what to do with files that are no whole images; ``drop`` counts them.

    Raises:
        DataError: when read: no labels, no images, broken ones, ones of different sizes; see ``TableData.read``.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"image": "image", "label": "label"}

    def __init__(
        self,
        *,
        path: Annotated[str, FolderExists()],
        size: Annotated[list[Annotated[int, Ge(1)]], Len(2, 2)] | None,
        channels: Literal[1, 3] | None,
        columns: Annotated[dict[str, str], Keys(("image", "label"))],
        on_error: Literal["error", "drop"],
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, **common)
        self.path, self.on_error = Path(path).expanduser(), on_error
        self.shaper = Shaper(size, channels)

    def tables(self) -> Source:
        """Read every image."""
        splits: dict[str, Mapping[str, Values]] = {}
        pixels: dict[str, Pixels] = {}
        numbers, dropped = {}, {}
        for split, folder in _splits(self.path).items():
            files = _labelled(folder)
            pixels[split], kept, broken = self._read([file for file, _ in files])
            splits[split] = {"label": [files[row][1] for row in kept]}
            numbers[split], dropped[split] = kept, {"broken": broken} if broken else {}
        for split in splits:  # of which a later one may be the first that has colours
            splits[split] = {"image": self.shaper.stacked(pixels.pop(split)), **splits[split]}
        return Source(splits, str(self.path), numbers, dropped, self.shaper.shape, unit="image")

    def _read(self, files: list[Path]) -> tuple[Pixels, list[int], int]:
        """Pixels of whole images, their places among the files, and how many are broken."""
        pixels: list[Pixels] = []
        kept: list[int] = []
        broken: list[str] = []
        for row, file in enumerate(files):
            try:
                with opened(file) as image:
                    pixels.append(self.shaper(image, file.__str__))
                kept.append(row)
            except BROKEN as error:
                broken.append(f"{file} ({str(error).partition(chr(10))[0]})")
        if broken and self.on_error == "error":
            more = f" and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
            what = (
                f"{len(broken):,} files that are no whole images"
                if len(broken) > 1
                else "a file that is no whole image"
            )
            truth = f"has {what}: {', '.join(broken[:_SHOWN])}{more}."
            raise DataError(Fault(str(self.path), truth, "Mend them, or set data.on_error=drop."))
        if not pixels:
            raise DataError(Fault(str(self.path), "has no whole image."))
        return self.shaper.stacked(pixels), kept, len(broken)


def _splits(path: Path) -> dict[str, Path]:
    """Split -> folder; a folder without one called ``train`` is all training rows.

    Raises:
        DataError: two folders are of one split; or all are of splits, and none of training.
    """
    named: dict[str, Path] = {}
    for folder in _folders(path):
        split = _SPLITS.get(folder.name.lower())
        if split in named:
            truth = f"has two folders of {split} images: {named[split].name} and {folder.name}."
            raise DataError(Fault(str(path), truth, "Put them together, or take one out."))
        named |= {split: folder} if split else {}
    if named and "train" not in named and len(named) == len(_folders(path)):
        truth = f"has {' and '.join(folder.name for folder in named.values())}, and no folder of training images."
        raise DataError(Fault(str(path), truth, "Call it train."))
    return named if "train" in named else {"train": path}


def _labelled(folder: Path) -> list[tuple[Path, str]]:
    files = [
        (file, label.name)
        for label in _folders(folder)
        for file in sorted(label.rglob("*"))
        if is_image(file) and not is_hidden(file, label)
    ]
    if not files:
        truth = f"has no images in folders named by their labels (endings: {', '.join(ENDINGS)})."
        remedy = f"Sort them like this:  {folder.name}/cat/1.jpg {folder.name}/dog/1.jpg"
        raise DataError(Fault(str(folder), truth, remedy))
    return files


def _folders(path: Path) -> list[Path]:
    return sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
