from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from espalier.core.exhibits import Pictures, Table, Texts, read_exhibits, write_exhibits


def test_they_come_back_as_they_were(tmp_path: Path) -> None:
    pictures = Pictures.of("samples", np.zeros((3, 1, 2, 2), np.uint8), note="of step 3")
    exhibits = [Table("ranks", ("layer", "rank"), (("a", "3"), ("b", "0"))), Texts("said", (("", "ü\n"),)), pictures]
    write_exhibits(tmp_path / "exhibits" / "test.jsonl", exhibits)
    assert read_exhibits(tmp_path / "exhibits" / "test.jsonl") == exhibits
    assert read_exhibits(tmp_path / "none.jsonl") == []


def test_what_a_later_version_wrote_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"kind": "sound", "title": "x"}\n{"kind": "texts", "title": "t", "items": [], "new": 1}\n'
    )
    assert read_exhibits(tmp_path / "a.jsonl") == [Texts("t", ())]


def test_a_grid_has_every_image_in_its_place() -> None:
    images = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1).repeat(3, 1) * 10
    found = Pictures.of("samples", images, columns=2)
    grid = np.asarray(Image.open(io.BytesIO(base64.b64decode(found.png))))
    assert found.width == 3 and grid.shape == (5, 3, 3)
    assert grid[::2, ::2, 0].tolist() == [[0, 10], [20, 30], [40, 255]]
