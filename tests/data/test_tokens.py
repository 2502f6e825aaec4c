from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.test_tagged import ROW, lines, tokens
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.core.errors import DataError, UserError


def test_json_lines_and_parquet_give_the_same_rows(tmp_path: Path) -> None:
    rows = [{**ROW, "from": f"place {i % 2}"} for i in range(10)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    text = tokens(lines(tmp_path / "rows.jsonl", *rows), slices=["from"]).read()
    table = tokens(str(tmp_path / "rows.parquet"), slices=["from"]).read()
    for split in ("train", "validation", "test"):
        ours, theirs = text.splits[split].to_pydict(), table.splits[split].to_pydict()
        assert ours["row"] == [row + 1 for row in theirs["row"]]  # lines count from 1
        assert ours["words"] == theirs["words"] and ours["slice:from"] == theirs["slice:from"]
        assert ours["tags"] == theirs["tags"]


def test_several_files_are_numbered_on(tmp_path: Path) -> None:
    paths = [lines(tmp_path / name, *[ROW] * 2) for name in ("a.jsonl", "b.jsonl")]
    dev = lines(tmp_path / "dev.jsonl", ROW)
    raw = tokens(paths, validation_path=dev, test_path=dev).read()  # type: ignore[arg-type]
    assert raw.splits["train"]["row"].to_pylist() == [1, 2, 4, 5]
    assert raw.origin.endswith("a.jsonl and 1 more")


def test_columns_and_files_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lines(tmp_path / "rows.jsonl", *[ROW] * 3)
    with pytest.raises(DataError, match="is no column of"):
        tokens(path, columns={"words": "words", "tags": "tags"}).read()
    with pytest.raises(DataError, match="matches no file"):
        tokens(str(tmp_path / "*.none")).read()
    monkeypatch.chdir(tmp_path)
    words = ["data=tokens", "data.path=rows.jsonl", "model=lstm", "adapter=full"]
    check(compose(words))
    with pytest.raises(UserError, match="has no column 'word'"):
        check(compose([*words, "data.columns.words=word"]))
    with pytest.raises(UserError, match="learns one label for each row, and the data has a tag for each word"):
        check(compose([*words, "task=classification"]))
    pq.write_table(pa.Table.from_pylist([ROW]), tmp_path / "rows.parquet")
    check(compose([*words, "data.path=rows.parquet"]))
    with pytest.raises(UserError, match="reads text, and tokens has words"):
        check(compose([*words, "model=bag"]))
