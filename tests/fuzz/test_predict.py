"""What ``espalier predict`` writes: every row and column of its input, in their order, and what was added behind."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from espalier.core.chunks import Format, read_chunks
from espalier.core.errors import DataError
from espalier.core.sinks import sink
from fuzz.effort import effort
from fuzz.tables import RECORDS, Written, delimited, lines

OUTPUTS: st.SearchStrategy[Format] = st.sampled_from(["csv", "tsv", "jsonl", "parquet"])


@pytest.fixture(autouse=True, scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with nothing of ours in it."""
    before, place = Path.cwd(), tmp_path_factory.mktemp("predict")
    os.chdir(place)
    yield place
    os.chdir(before)


def passed_on(source: str, kind: Format, target: Format, size: int, encoding: str = "utf-8") -> int | None:
    """Rows that were written beside a prediction each; None where the format of the output cannot take them."""
    written = 0
    output = Path(f"out.{target}")
    output.unlink(missing_ok=True)
    try:
        with sink(str(output), target) as write:
            for chunk in read_chunks(source, kind, size, encoding):
                rows = len(chunk.numbers)
                write(chunk, {"prediction": pa.array([f"p{written + row}" for row in range(rows)], pa.string())})
                written += rows
    except DataError as error:
        assert all(fault.truth for fault in error.faults)
        assert not output.exists(), "what is not whole is not there"
        return None
    assert [name.name for name in Path().iterdir() if name.name.endswith(".tmp")] == []
    return written


def read_back(target: Format, separator: str = ",") -> list[dict[str, Any]]:
    """By the formats' own libraries."""
    output = Path(f"out.{target}")
    if target == "parquet":
        return list(pq.read_table(output).to_pylist())
    if target == "jsonl":
        return [json.loads(line) for line in output.read_text(encoding="utf-8").split("\n") if line]
    with output.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if target == "tsv" else separator, strict=True))


@effort(100, 20_000)
@given(delimited(), OUTPUTS, st.integers(1, 4))
def test_a_delimited_table_is_passed_on_whole(written: Written, target: Format, size: int) -> None:
    assume("prediction" not in written.header)
    Path("in.csv").write_bytes(written.content)
    try:
        chunks = list(read_chunks("in.csv", "csv", size, written.encoding))
    except DataError:
        assume(False)
    count = passed_on("in.csv", "csv", target, size, written.encoding)
    rows = [dict(row) for chunk in chunks for row in chunk.rows]
    assert count == len(rows)
    separator = getattr(chunks[0], "separator", ",")
    expected = [{**row, "prediction": f"p{number}"} for number, row in enumerate(rows)]
    assert read_back(target, separator) == expected


@effort(100, 20_000)
@given(RECORDS, OUTPUTS, st.integers(1, 4))
@example([{"a": 2**70}], "parquet", 1)
@example([{"a": 1}, {"a": "x"}, {"b": None}], "parquet", 2)
@example([{"a": {}}, {"a": {"": []}}], "parquet", 1)
def test_objects_are_passed_on_whole_or_refused(records: list[dict[str, Any]], target: Format, size: int) -> None:
    assume(all("prediction" not in record for record in records))
    Path("in.jsonl").write_bytes(lines(records, ascii_only=True))
    count = passed_on("in.jsonl", "jsonl", target, size)
    if count is None:
        return
    back = read_back(target)
    assert count == len(records) == len(back)
    assert [row["prediction"] for row in back] == [f"p{number}" for number in range(count)]
    if target != "jsonl":
        assert {key for row in back for key in row} == {"prediction", *(key for record in records for key in record)}
    else:
        assert repr([{k: v for k, v in row.items() if k != "prediction"} for row in back]) == repr(records)
