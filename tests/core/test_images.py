from __future__ import annotations

import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from espalier.core.errors import DataError
from espalier.core.images import Shaper, opened

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)
COLOURS = np.stack([GREY, GREY + 100, GREY + 200], -1)


def place() -> str:
    return "b.png"


def test_images_as_they_are() -> None:
    grey, colours = Shaper(None, None), Shaper(None, None)
    assert grey.shape == ()
    assert grey(Image.fromarray(GREY), place).tolist() == [GREY.tolist()] and grey.shape == (1, 3, 4)
    assert colours(Image.fromarray(COLOURS), place).tolist() == COLOURS.transpose(2, 0, 1).tolist()
    assert colours.shape == (3, 3, 4)


def test_a_grey_image_among_colours_has_three_channels_wherever_it_stands() -> None:
    pictures = [Image.fromarray(GREY), Image.fromarray(COLOURS), Image.fromarray(GREY)]
    for order in ([0, 1, 2], [1, 0, 2], [0, 2, 1]):
        shaper = Shaper(None, None)
        whole = shaper.stacked([shaper(pictures[place], "b.png".__str__) for place in order])
        assert (whole.shape, shaper.shape) == ((3, 3, 3, 4), (3, 3, 4))
        for found, one in zip(whole, order, strict=True):
            assert found.tolist() == (COLOURS.transpose(2, 0, 1) if one == 1 else np.stack([GREY] * 3)).tolist()


def test_images_that_are_all_grey_have_one_channel_and_what_is_stacked_stays() -> None:
    shaper = Shaper(None, None)
    whole = shaper.stacked([shaper(Image.fromarray(GREY), place)] * 2)
    assert whole.shape == (2, 1, 3, 4) and shaper.stacked(whole) is whole


def test_images_of_one_size_that_is_given() -> None:
    shaper = Shaper([6, 8], 1)
    assert shaper(Image.fromarray(COLOURS), place).shape == (1, 6, 8) == shaper(Image.new("L", (50, 20)), place).shape


def test_images_of_several_sizes_need_one() -> None:
    shaper = Shaper(None, None)
    shaper(Image.fromarray(GREY), place)
    with pytest.raises(DataError, match=r"b.png  is 20 x 50, and images before it are 3 x 4 .*data.size=\[3,4\]"):
        shaper(Image.new("L", (50, 20)), place)


def test_a_photo_is_turned_as_its_camera_was_held() -> None:
    file, exif = BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(GREY).save(file, "PNG", exif=exif)
    assert Shaper(None, None)(Image.open(file), place)[0].tolist() == np.rot90(GREY, -1).tolist()


def test_sixteen_bits_are_scaled_and_not_cut() -> None:
    deep = Image.fromarray(np.asarray([[0, 65535, 32768]], np.uint16))
    assert Shaper(None, None)(deep, place).tolist() == [[[0, 255, 128]]]


def test_what_a_table_holds(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    for value in ({"bytes": content, "path": None}, {"bytes": None, "path": str(tmp_path / "a.png")}, content):
        assert opened(value).size == (4, 3)
    image = Image.fromarray(GREY)
    assert opened(image) is image
    for value in (b"no image", {"bytes": None}, 3):
        with pytest.raises(OSError):
            opened(value)


@pytest.mark.parametrize("ending", ["png", "jpeg", "bmp", "gif", "tiff", "webp", "ppm"])
def test_images_of_formats_in_use_open(ending: str, tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(file := tmp_path / f"a.{ending}")
    assert opened(file).size == opened(file.read_bytes()).size == (4, 3)


def test_postscript_is_no_image_and_starts_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", started)
    page = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"
    (file := tmp_path / "a.png").write_bytes(page)
    for said in (page, file, str(file)):
        with pytest.raises(OSError, match="cannot identify"):
            opened(said).load()


@pytest.mark.parametrize("kind", ["<u2", ">u2"])
def test_sixteen_bits_keep_their_shades_in_either_order_of_bytes(tmp_path: Path, kind: str) -> None:
    ramp = (np.arange(64, dtype=np.float64) * 1000).astype(kind).reshape(8, 8)
    Image.frombytes("I;16B" if kind == ">u2" else "I;16", (8, 8), ramp.tobytes()).save(tmp_path / "a.tif")
    shaper = Shaper(None, None)
    found = shaper(opened(tmp_path / "a.tif"), place)
    assert shaper.shape == (1, 8, 8)
    assert found[0].tolist() == np.round(ramp.astype(np.float64) / 257).astype(int).tolist()


def test_floats_from_0_to_1_are_shades() -> None:
    ramp = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    assert Shaper(None, None)(Image.fromarray(ramp), place)[0].tolist() == np.round(ramp * 255).astype(int).tolist()


def test_what_can_be_seen_through_stands_before_white() -> None:
    drawn = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    drawn.putpixel((0, 0), (0, 0, 0, 255))
    assert Shaper(None, 3)(drawn, place)[0].tolist() == [[0, 255]]
    assert Shaper(None, 1)(drawn.convert("LA"), place).tolist() == [[[0, 255]]]
