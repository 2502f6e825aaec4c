from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.examples import COMMON
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.core.errors import DataError, UserError
from espalier.data.pairs import Pairs

ROWS = [{"en": f"dog, number {i}", "de": f"Hund „{i}“", "from": f"place {i % 2}"} for i in range(10)]


def pairs(path: Any, **values: Any) -> Pairs:
    given = {
        **COMMON, "validation_path": None, "test_path": None, "columns": {"source": "en", "target": "de"},
        "encoding": "utf-8", "delimiter": None, "slices": [], "on_null": "error",
    }  # fmt: skip
    return Pairs(path=path, **{**given, **values})


def written(folder: Path, rows: list[dict[str, str]] = ROWS) -> dict[str, Path]:
    """The same rows in every format."""
    files = {kind: folder / f"rows.{kind}" for kind in ("csv", "tsv", "jsonl", "parquet", "csv.gz")}
    for kind, blank in {"csv": ",", "tsv": "\t"}.items():
        cells = [[f'"{value}"' if blank == "," else value for value in row.values()] for row in rows]
        files[kind].write_text("\n".join([blank.join(rows[0]), *map(blank.join, cells)]) + "\n")
    files["jsonl"].write_text("".join(json.dumps(row) + "\n" for row in rows))
    files["csv.gz"].write_bytes(gzip.compress(files["csv"].read_bytes()))
    pq.write_table(pa.Table.from_pylist(rows), files["parquet"])
    return files


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    read = {kind: pairs(str(file), slices=["from"]).read() for kind, file in written(tmp_path).items()}
    for raw in read.values():
        assert raw.kinds == {"source": "text", "target": "target"}
        for split in ("train", "validation", "test"):
            assert raw.splits[split].drop(["row"]).equals(read["csv"].splits[split].drop(["row"]))
    told = {row["source"]: row["target"] for split in read["csv"].splits.values() for row in split.to_pylist()}
    assert told == {row["en"]: row["de"] for row in ROWS}


def test_splits_may_have_files_of_their_own_in_other_formats(tmp_path: Path) -> None:
    files = written(tmp_path)
    raw = pairs(
        [str(files["csv"]), str(files["jsonl"])], validation_path=str(files["parquet"]), test_path=str(files["tsv"])
    ).read()
    assert [raw.splits[split].num_rows for split in ("train", "validation", "test")] == [20, 10, 10]
    assert raw.origin.endswith("rows.csv and 1 more") and len(set(raw.splits["train"]["row"].to_pylist())) == 20


def test_rows_without_a_side_are_refused_or_counted(tmp_path: Path) -> None:
    file = written(tmp_path, [*ROWS, {"en": "alone", "de": " ", "from": ""}])["jsonl"]
    with pytest.raises(DataError, match=r"empty cells: .*on line 11"):
        pairs(str(file)).read()
    assert pairs(str(file), on_null="drop").read().counts["train"].dropped == {"empty": 1}


def test_columns_and_files_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path)["jsonl"]
    with pytest.raises(DataError, match=r"data.columns.target=fr  is no column of .*It has: en, de, from"):
        pairs(str(file), columns={"source": "en", "target": "fr"}).read()
    with pytest.raises(DataError, match="matches no file"):
        pairs(str(tmp_path / "*.none")).read()
    monkeypatch.chdir(tmp_path)
    for name in ("rows.csv", "rows.jsonl", "rows.parquet"):
        words = ["data=pairs", f"data.path={name}", "model=encoder_decoder", "adapter=full"]
        named = [*words, "data.columns.source=en", "data.columns.target=de"]
        check(compose(named))
        with pytest.raises(UserError, match="has no column 'target'"):
            check(compose([*words, "data.columns.source=en"]))


def test_rows_to_evaluate_on(tmp_path: Path) -> None:
    raw = pairs(str(written(tmp_path)["tsv"])).rows(())
    assert list(raw.splits) == ["test"] and raw.splits["test"].num_rows == 10
