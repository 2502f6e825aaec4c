from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from espalier.core.chunks import Records
from espalier.core.image_sink import TABLE, image_column, image_sink

ROWS = Records(("seed",), [{"seed": "7"}, {"seed": "8"}], (2, 3))


def pixels(shape: tuple[int, ...], rows: int = 2) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (rows, *shape), np.uint8)


def column(images: np.ndarray) -> pa.Array:
    return pa.array(images.reshape(len(images), -1).tolist(), pa.list_(pa.uint8(), images[0].size))


@pytest.mark.parametrize("channels", [1, 3])
def test_each_row_is_a_file_with_its_pixels(tmp_path: Path, channels: int) -> None:
    images = pixels((channels, 4, 5))
    with image_sink(str(tmp_path / "made"), "image", (channels, 4, 5)) as write:
        write(ROWS, {"image": column(images)})
        write(ROWS, {"image": column(images[::-1])})
    assert sorted(f.name for f in (tmp_path / "made").iterdir()) == [*(f"00000{i}.png" for i in range(4)), TABLE]
    found = np.array(Image.open(tmp_path / "made" / "000003.png"))
    assert np.array_equal(found.reshape(4, 5, channels).transpose(2, 0, 1), images[0])
    assert (tmp_path / "made" / TABLE).read_text().splitlines()[:3] == ["seed,image", "7,000000.png", "8,000001.png"]


def test_an_empty_folder_is_filled_and_an_error_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    added = {"image": column(pixels((1, 2, 2)))}
    with pytest.raises(RuntimeError), image_sink(str(tmp_path / "made"), "image", (1, 2, 2)) as write:
        write(ROWS, added)
        raise RuntimeError
    assert [p.name for p in tmp_path.rglob("*")] == ["made"]
    with image_sink(str(tmp_path / "made"), "image", (1, 2, 2)) as write:
        write(ROWS, added)
    assert len(list((tmp_path / "made").iterdir())) == 3


def test_which_column_holds_images() -> None:
    schema = pa.schema([("prediction", pa.string()), ("image", pa.list_(pa.uint8(), 12))])
    assert image_column(schema, (3, 2, 2)) == "image"
    assert image_column(schema, (1, 2, 2)) is image_column(schema, (12,)) is None
