from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from espalier.core.images import Shaper
from espalier.run.pictures import Pictures, holds_pictures

PIXELS = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with an image of 6 x 8 pixels, the same one turned by its EXIF, and files that are none."""
    Image.fromarray(PIXELS).save(tmp_path / "whole.png")
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned clockwise by a quarter
    Image.fromarray(np.ascontiguousarray(np.rot90(PIXELS))).save(tmp_path / "turned.png", exif=turned)
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)  # which no compression makes small
    Image.fromarray(noise).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:60])
    (tmp_path / "none.jpg").write_text("no image")
    return tmp_path


def test_names_bytes_and_mappings(place: Path) -> None:
    content = (place / "whole.png").read_bytes()
    values = [str(place / "whole.png"), "whole.png", content, {"bytes": content}, {"bytes": None, "path": "whole.png"}]
    pictures = Pictures((3, 6, 8), place)
    found, broken = pictures(values)
    assert broken == {} and pictures.resized == 0
    assert (found == PIXELS.transpose(2, 0, 1)).all() and found.shape == (5, 3, 6, 8)


def test_from_here_before_from_the_tables_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "here").mkdir()
    Image.new("RGB", (8, 6), "red").save(place / "here" / "whole.png")
    monkeypatch.chdir(place / "here")
    found, _ = Pictures((3, 6, 8), place)(["whole.png", "turned.png"])
    assert found[0, 0].min() == 255 and (found[1] == PIXELS.transpose(2, 0, 1)).all()


def test_sizes_and_colours_are_those_of_training(place: Path) -> None:
    pictures = Pictures((1, 3, 4), place)
    found, _ = pictures(["whole.png"])
    whole = Image.open(BytesIO((place / "whole.png").read_bytes()))
    assert (found[0] == Shaper([3, 4], 1)(whole, "it".__str__)).all()
    assert pictures.resized == 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("cut.png", r"cut.png is no whole image"),
        ("none.jpg", r"none.jpg is no whole image \(cannot identify image file"),
        ("gone.png", r"gone.png is not there"),
        ("", "no image is named"),
        (None, "no image is named"),
        ({"bytes": b"x", "path": "x.png"}, "x.png is no whole image"),
        ({}, "no image is named"),
        ("a\0b", "is no whole image"),
    ],
)
def test_what_cannot_be_read_is_told(place: Path, value: Any, said: str) -> None:
    found, broken = Pictures((3, 6, 8), place)(["whole.png", value])
    assert list(broken) == [1] and re.search(said, broken[1])
    assert (found[0] == PIXELS.transpose(2, 0, 1)).all() and not found[1].any()


def test_numbers_are_no_pictures() -> None:
    assert holds_pictures([None, "a.png"]) and holds_pictures([b"x"]) and holds_pictures([{"path": "a"}])
    assert not holds_pictures([[1, 2]]) and not holds_pictures([None, 3]) and not holds_pictures([])
