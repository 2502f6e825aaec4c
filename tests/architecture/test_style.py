"""Short files and functions, rooms that say what they are, nothing left lying about."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FILE_LINES, FUNCTION_LINES = 300, 60
SELF = Path(__file__).name


@pytest.mark.parametrize("source", SOURCES, ids=lambda file: str(file.relative_to(ROOT / "src")))
def test_short(source: Path) -> None:
    text = source.read_text()
    assert len(text.splitlines()) <= FILE_LINES
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (function.end_lineno or 0) - function.lineno + 1
            assert length <= FUNCTION_LINES, f"{function.name} has {length} lines"


def test_rooms_are_described_and_export_nothing() -> None:
    for room in (file for file in SOURCES if file.name == "__init__.py" and file.parent.name != "espalier"):
        body = ast.parse(room.read_text()).body
        assert ast.get_docstring(ast.parse(room.read_text())), f"{room} says nothing"
        assert len(body) == 1, f"{room} holds more than its docstring"


def test_every_folder_is_a_room() -> None:
    folders = {file.parent for file in SOURCES}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_no_drawer_for_odds_and_ends() -> None:
    odd = {"utils", "util", "helpers", "misc", "common_utils", "utilities"}
    assert [file for file in SOURCES if odd & {*file.with_suffix("").parts}] == []


def test_tasks_make_numbers_of_fp64_in_one_way() -> None:
    """Apple's GPUs have none: ``task.exact`` knows where they can be made."""
    made = re.compile(r"\.double\(\)|\.to\(torch\.float64\)|torch\.(?:zeros|ones|empty|full|arange)\(.*float64")
    rooms = [file for file in SOURCES if file.parent.name == "task" and file.name != "exact.py"]
    assert len(rooms) > 30
    assert [
        f"{file.name}: {line}" for file in rooms for line in file.read_text().splitlines() if made.search(line)
    ] == []


def test_nothing_left_lying_about() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert [f"{file}: {line}" for file, line in tracked_lines() if marks.search(line)] == []


def test_no_path_of_one_persons_machine() -> None:
    personal = re.compile(r"(?<![\w./])/(home|root|work|Users|mnt)/\w")
    assert [f"{file}: {line}" for file, line in tracked_lines() if personal.search(line)] == []


def tracked_lines() -> Iterator[tuple[str, str]]:
    """Each line of the text that is under version control, this file's own patterns aside."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listing.split("\0")):
        path = ROOT / name
        if path.name != SELF and path.suffix in {".py", ".yaml", ".md", ".toml", ".txt", ""} and path.is_file():
            yield from ((name, line) for line in path.read_text(errors="replace").splitlines())
