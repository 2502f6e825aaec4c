"""Images as people name them: a file, a folder of them, a pattern; and such files as the rows of a table."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path

from espalier.core.chunks import Records
from espalier.core.globs import expand
from espalier.core.home import expanded

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
COLUMN = "path"
IMAGES = "images"
"""What an input is, beside the formats of tables."""


def names_images(path: str) -> bool:
    """Whether it is a folder, or a file or pattern that ends as images do, or a pattern that ends with a star."""
    whole = expanded(path)
    return whole.is_dir() or is_image(whole) or (not whole.exists() and glob.has_magic(path) and path.endswith("*"))


def image_files(path: str) -> list[Path]:
    """The images that are meant, by name; of a folder, those in its folders too. Hidden ones are passed over."""
    whole = expanded(path)
    found = sorted(whole.rglob("*")) if whole.is_dir() else expand(path)
    return [file for file in found if is_image(file) and not is_hidden(file, whole)]


def is_image(file: Path) -> bool:
    """By its ending."""
    return file.suffix.lower() in ENDINGS


def is_hidden(file: Path, folder: Path) -> bool:
    """Whether it, or a folder that it lies in below ``folder``, has a name that begins with a dot."""
    below = file.relative_to(folder).parts if folder.is_dir() else (file.name,)
    return any(part.startswith(".") for part in below)


def read_images(path: str, size: int) -> Iterator[Records]:
    """A table of one column, ``path``, in parts of ``size`` rows; numbered from 1."""
    files = image_files(path)
    for start in range(0, len(files), size):
        rows = [{COLUMN: str(file)} for file in files[start : start + size]]
        yield Records((COLUMN,), rows, range(start + 1, start + 1 + len(rows)), "image")
