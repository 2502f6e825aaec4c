from __future__ import annotations

from pathlib import Path

import pytest

from espalier.core.image_files import image_files, names_images, read_images


@pytest.fixture(autouse=True)
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.png", "a.JPG", "cat/c.webp", ".d.png", ".hidden/e.png", "notes.txt"):
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    (tmp_path / "new.csv").write_text("path\n")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("photos", ["photos/a.JPG", "photos/b.png", "photos/cat/c.webp"]),
        ("photos/*", ["photos/a.JPG", "photos/b.png"]),
        ("photos/*.png", ["photos/b.png"]),
        ("photos/**/*", ["photos/a.JPG", "photos/b.png", "photos/cat/c.webp"]),
        ("photos/b.png", ["photos/b.png"]),
        ("photos/*.tif", []),
        ("photos/.hidden", ["photos/.hidden/e.png"]),
    ],
)
def test_images_that_are_meant(path: str, found: list[str]) -> None:
    assert names_images(path)
    assert [str(file) for file in image_files(path)] == found


@pytest.mark.parametrize("path", ["new.csv", "*.csv", "nothing", "nothing.jsonl", "-"])
def test_a_table_is_no_images(path: str) -> None:
    assert not names_images(path)


def test_as_a_table_in_parts() -> None:
    first, second = read_images("photos", 2)
    assert first.header == ("path",) and first.column("path") == ["photos/a.JPG", "photos/b.png"]
    assert [*first.numbers, *second.numbers] == [1, 2, 3] and second.unit == "image"
