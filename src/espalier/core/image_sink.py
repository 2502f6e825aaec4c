"""A folder of images in place of a table: of a model that makes them."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from espalier.core.chunks import Chunk
from espalier.core.files import sync_file, sync_folder
from espalier.core.sinks import Added, Write, sink

TABLE = "rows.csv"
"""The rows that images were made of, with the name of each one's file."""


def image_column(schema: pa.Schema, shape: Sequence[int]) -> str | None:
    """The first column that holds images of a shape (channels, height, width), if there is one."""
    kind = pa.list_(pa.uint8(), math.prod(shape))
    return next((field.name for field in schema if len(shape) == 3 and field.type == kind), None)


@contextmanager
def image_sink(path: str, column: str, shape: Sequence[int]) -> Iterator[Write]:
    """``write(chunk, added)``: ``<row>.png`` of each row, counted from 0, and ``rows.csv``.

    The folder stands under its name when the block ends; if it ends with an error, nothing does.

    Args:
        path: of a folder that is not there, or is empty.
        column: of ``added``: lists of pixels, 0 to 255, channel by channel.
        shape: (channels, height, width); one or three channels.
    """
    target = Path(path).absolute()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.mkdir()
    numbers = count()
    try:
        with sink(str(temporary / TABLE), "csv") as write_rows:

            def write(chunk: Chunk, added: Added) -> None:
                names = [_saved(pixels, temporary / f"{next(numbers):06d}.png", shape) for pixels in added[column]]
                write_rows(chunk, {**added, column: pa.array(names, pa.string())})

            yield write
        if target.is_dir():
            target.rmdir()
        temporary.rename(target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _saved(pixels: pa.Scalar, file: Path, shape: Sequence[int]) -> str | None:
    """The file's name; None of a row that has no image."""
    if not pixels.is_valid:
        return None
    image = pixels.values.to_numpy().reshape(shape).transpose(1, 2, 0)
    Image.fromarray(np.ascontiguousarray(image.squeeze(-1) if shape[0] == 1 else image)).save(file)
    sync_file(file)
    return file.name
