"""Files of data: what was written is what is read, row by row; what cannot be read is refused in words, and never in part."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from espalier.core.chunks import FORMATS, Format, read_chunks
from espalier.core.errors import DataError
from espalier.core.globs import expand
from espalier.core.jsonl import peek_records, read_records
from espalier.core.parquet import peek_parquet, read_parquet
from espalier.core.tabular import read_header, read_table
from espalier.data.idx import read_idx
from fuzz.effort import ANY, GRAMMAR, WHOLE, effort
from fuzz.tables import RECORDS, Written, damaged, delimited, lines

ENDINGS = {"csv": ".csv", "tsv": ".tsv", "jsonl": ".jsonl", "parquet": ".parquet"}


@pytest.fixture(autouse=True, scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with nothing of ours in it."""
    before, place = Path.cwd(), tmp_path_factory.mktemp("readers")
    os.chdir(place)
    yield place
    os.chdir(before)


def refused(read: Callable[[], Any]) -> Any:
    """What was read; None where it was refused, with a sentence."""
    try:
        return read()
    except DataError as error:
        assert all(fault.what and fault.truth for fault in error.faults)
        return None


@effort(300, 20_000)
@given(delimited())
def test_a_delimited_file_is_read_as_it_was_written(written: Written) -> None:
    file = Path("a.csv")
    file.write_bytes(written.content)
    assert read_header(file, written.encoding, written.delimiter) == written.header
    table = read_table(file, written.encoding, written.delimiter)
    assert (list(table.header), [list(row) for row in table.rows]) == (written.header, written.rows)
    assert sorted(set(table.numbers)) == list(table.numbers) and table.numbers[0] > 1


@effort(200, 20_000)
@given(delimited(), st.integers(1, 5))
def test_prediction_reads_the_same_rows_as_training(written: Written, size: int) -> None:
    """Where the separator can be told by the header, in pieces of any size."""
    file = Path("a.csv")
    file.write_bytes(written.content)
    table = refused(lambda: read_table(file, written.encoding))
    chunks = refused(lambda: list(read_chunks("a.csv", "csv", size, written.encoding)))
    if table is None or chunks is None:
        assert table is None and chunks is None
        return
    assert [n for chunk in chunks for n in chunk.numbers] == list(table.numbers)
    assert [tuple(row.values()) for chunk in chunks for row in chunk.rows] == [tuple(row) for row in table.rows]
    assert all(len(chunk.rows) == size for chunk in chunks[:-1])


BYTES = st.one_of(
    st.binary(max_size=60),
    GRAMMAR.map(str.encode),
    damaged(delimited().map(lambda written: written.content)),
    damaged(st.builds(lines, RECORDS, ascii_only=st.booleans())),
    st.builds(lambda first, rest: b"\x1f\x8b" + first + rest, st.binary(max_size=20), st.binary(max_size=20)),
)
ENCODINGS = st.sampled_from(["utf-8", "utf-16", "cp1252", "gb18030", "shift_jis", "utf-7", "ascii", "no-such", "base64",
                             "idna", "rot13", "utf-16-be", "unicode_escape", "undefined", "punycode", "\0", ""])  # fmt: skip


@effort(300, 20_000)
@given(BYTES, ENCODINGS, st.sampled_from([None, ",", "\t", "\\t", "", ",,", '"', "\n", " ", "é", "\0"]))
@example(b"a,b\n1,2\n", "utf-16", None)
@example(b"text\n\xed\xa0\x80\n", "utf-7", None)
def test_any_bytes_are_a_delimited_table_or_refused(content: bytes, encoding: str, delimiter: str | None) -> None:
    file = Path("any.csv")
    file.write_bytes(content)
    table = refused(lambda: read_table(file, encoding, delimiter))
    header = refused(lambda: read_header(file, encoding, delimiter))
    if table is not None:
        assert header == list(table.header)
        assert all(len(row) == len(table.header) for row in table.rows) and len(table.rows) == len(table.numbers)


@effort(300, 20_000)
@given(BYTES, st.sampled_from(FORMATS), ENCODINGS, st.integers(1, 3))
def test_any_bytes_are_rows_to_predict_or_refused(content: bytes, kind: Format, encoding: str, size: int) -> None:
    file = Path(f"any{ENDINGS[kind]}")
    file.write_bytes(content)
    chunks = refused(lambda: list(read_chunks(str(file), kind, size, encoding)))
    for chunk in chunks or []:
        assert len(chunk.rows) == len(chunk.numbers) > 0
        for name in chunk.header:
            assert len(chunk.column(name)) == len(chunk.rows)
            pa.array([value for value in chunk.column(name) if isinstance(value, str)], pa.string())


@effort(300, 20_000)
@given(RECORDS, st.booleans(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_json_lines_are_read_as_they_were_written(records: list[Any], ascii_only: bool, end: str, mark: bool) -> None:
    file = Path("a.jsonl")
    file.write_bytes(b"\xef\xbb\xbf" * mark + lines(records, ascii_only=ascii_only, end=end))
    read = refused(lambda: read_records(file))
    chunks = refused(lambda: list(read_chunks("a.jsonl", "jsonl", 2)))
    halves = _has_halves(records)
    assert (chunks is None) == halves, "half a character cannot be kept; all else can"
    assert (read is None) == (halves or not any(records)), "objects without a key are no data"
    if read is not None and chunks is not None:
        assert _same(list(read.rows), records)
        assert _same([row for chunk in chunks for row in chunk.rows], records)
        assert set(peek_records(file)) == {key for record in records for key in record}


@effort(200, 20_000)
@given(BYTES)
def test_any_bytes_are_json_lines_or_refused(content: bytes) -> None:
    file = Path("any.jsonl")
    file.write_bytes(content)
    read, peeked = refused(lambda: read_records(file)), refused(lambda: peek_records(file))
    assert read is None or (peeked is not None and set(peeked) == set(read.header))


ARROW = st.sampled_from(
    [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.int8(), pa.uint64(), pa.float16(), pa.bool_(),
     pa.date32(), pa.timestamp("ns", "UTC"), pa.duration("us"), pa.decimal128(12, 3), pa.list_(pa.int64()), pa.null(),
     pa.struct([("a", pa.int32())]), pa.map_(pa.string(), pa.int8()), pa.dictionary(pa.int8(), pa.string()),
     pa.list_(pa.uint8(), 3), pa.time64("us")]
)  # fmt: skip


@effort(100, 20_000)
@given(st.dictionaries(WHOLE, ARROW, min_size=1, max_size=4), st.integers(0, 5), st.integers(0, 3), st.integers(1, 3))
def test_parquet_of_any_types_is_read_as_it_was_written(
    types: dict[str, pa.DataType], rows: int, groups: int, size: int
) -> None:
    file = Path("a.parquet")
    table = pa.table({name: _filled(kind, rows) for name, kind in types.items()})
    pq.write_table(table, file, row_group_size=groups or None)
    read = refused(lambda: read_parquet(file, types))
    assert set(peek_parquet(file)) == set(types)
    chunks = refused(lambda: list(read_chunks("a.parquet", "parquet", size)))
    assert (read is None) == (rows == 0) == (chunks is None)
    for name in types if read is not None and chunks is not None else ():
        assert _same(read.column(name), table[name].to_pylist())
        assert _same([value for chunk in chunks for value in chunk.column(name)], table[name].to_pylist())


def _parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"text": ["a", "b", None], "label": [1, 2, 3]}), sink)
    return bytes(sink.getvalue())


@effort(200, 20_000)
@given(damaged(st.just(_parquet())) | st.binary(max_size=40).map(lambda tail: b"PAR1" + tail))
def test_a_damaged_parquet_file_is_refused_or_read(content: bytes) -> None:
    file = Path("b.parquet")
    file.write_bytes(content)
    for read in (
        lambda: read_parquet(file, ["text"]),
        lambda: peek_parquet(file),
        lambda: list(read_chunks("b.parquet", "parquet", 2)),
    ):
        refused(read)


@effort(200, 20_000)
@given(
    st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 3), max_size=5),
    st.integers(0, 255),
    st.binary(max_size=60),
    st.binary(max_size=4),
)
def test_any_idx_file_is_an_array_or_refused(shape: list[int], axes: int, body: bytes, head: bytes) -> None:
    file = Path("a.idx")
    said = bytes([0, 0, 8, len(shape)]) + b"".join(length.to_bytes(4, "big") for length in shape)
    for content in (said + body, said + b"\1" * min(math.prod(shape), 500), head + bytes([axes]) + body):
        file.write_bytes(content)
        read = refused(lambda: read_idx(file))
        if read is not None and content.startswith(said):
            assert read.shape == tuple(shape) and read.tobytes() == content[len(said) :]


@effort(200, 20_000)
@given(ANY | GRAMMAR | st.lists(ANY, max_size=3))
def test_any_pattern_names_files_once(paths: str | list[str]) -> None:
    found = expand(paths)
    assert len(set(found)) == len(found)


def _filled(kind: pa.DataType, rows: int) -> pa.Array:
    """Values of a type, nulls among them."""
    seeds = np.random.default_rng(rows).integers(0, 3, rows).tolist()
    examples: dict[str, list[Any]] = {
        "string": ["a", "é\0", None], "large_string": ["", "🙂", None], "string_view": ["a", "bcdefghijklmnop", None],
        "binary": [b"\xff", b"", None], "list<element: int64>": [[1, None], [], None],
    }  # fmt: skip
    plain = examples.get(str(kind))
    if (
        plain is None
        and not pa.types.is_nested(kind)
        and not pa.types.is_dictionary(kind)
        and not pa.types.is_null(kind)
    ):
        return (
            pa.array([None if seed == 2 else seed for seed in seeds], pa.int32()).cast(pa.int8()).cast(kind)
            if (
                pa.types.is_integer(kind)
                or pa.types.is_floating(kind)
                or pa.types.is_boolean(kind)
                or pa.types.is_decimal(kind)
            )
            else pa.array([None if seed == 2 else seed for seed in seeds], _storage(kind)).cast(kind)
        )
    return pa.array([plain[seed] for seed in seeds] if plain else [None] * rows, kind)


def _storage(kind: pa.DataType) -> pa.DataType:
    return pa.int32() if pa.types.is_date32(kind) else pa.int64()


def _has_halves(records: Any) -> bool:
    try:
        repr_of = "".join(_texts(records))
        repr_of.encode()
    except UnicodeEncodeError:
        return True
    return False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _same(left: Any, right: Any) -> bool:
    """Equal, with nan equal to nan."""
    return repr(left) == repr(right)
