from __future__ import annotations

import csv
import json
from pathlib import Path

from espalier.checks.table import write_suspects
from espalier.core.findings import Suspect

ROWS = [
    Suspect("label", "train", 7, 'a "text",\nof two lines', "bad", "good", 0.25),
    Suspect("leaked", "test", 3, "x", "bad", like="train 1"),
]


def test_a_table_that_is_read_back(tmp_path: Path) -> None:
    write_suspects(tmp_path / "s.csv", ROWS)
    with (tmp_path / "s.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert first == {
        "problem": "label", "split": "train", "row": "7", "text": 'a "text",\nof two lines', "given": "bad",
        "suggested": "good", "score": "0.25", "like": "",
    }  # fmt: skip
    assert second["like"] == "train 1"


def test_objects_where_the_file_is_called_so(tmp_path: Path) -> None:
    write_suspects(tmp_path / "s.jsonl", ROWS)
    first, second = map(json.loads, (tmp_path / "s.jsonl").read_text().splitlines())
    assert (first["row"], first["suggested"], second["problem"]) == (7, "good", "leaked")


def test_no_rows_make_a_header(tmp_path: Path) -> None:
    write_suspects(tmp_path / "s.csv", [])
    assert (tmp_path / "s.csv").read_text() == "problem,split,row,text,given,suggested,score,like\n"
