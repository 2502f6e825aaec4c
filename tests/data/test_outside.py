from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data.examples import FILES, write
from espalier.core.errors import DataError
from espalier.core.facts import OUT_OF_SCOPE, DataFacts, Raw
from espalier.data.csv import Csv

REST = "something else"


def table(path: Path, inside: int, outside: int, label: str = REST) -> Path:
    """Rows of the classes ``pay`` and ``ship``, and rows of neither."""
    rows = [f"message {row},{('pay', 'ship')[row % 2]}" for row in range(inside)]
    rows += [f"nonsense {row},{label}" for row in range(outside)]
    return write(path, "\n".join(["text,label", *rows]) + "\n")


def read(path: Path, **values: Any) -> Raw:
    return source(path, **values).read()


def source(path: Path, **values: Any) -> Csv:
    return Csv(encoding="utf-8", delimiter=None, **{**FILES, "path": str(path), "outside": REST, **values})


def told(raw: Raw) -> dict[str, tuple[int, int]]:
    """Split -> rows of the classes, rows of none."""
    labels = {split: table["label"].to_pylist() for split, table in raw.splits.items()}
    return {split: (sum(i < 2 for i in found), sum(i == 2 for i in found)) for split, found in labels.items()}


def test_such_rows_go_where_splits_are_cut_and_never_into_training(tmp_path: Path) -> None:
    raw = read(table(tmp_path / "a.csv", 100, 30))
    assert raw.labels == {"": ("pay", "ship", OUT_OF_SCOPE)}
    assert told(raw) == {"train": (70, 0), "validation": (20, 20), "test": (10, 10)}
    assert raw.label_counts == (35, 35, 0)
    assert DataFacts.of(raw).outside and DataFacts.from_dict(DataFacts.of(raw).as_dict()).outside
    rows = [number for split in raw.splits.values() for number in split["row"].to_pylist()]
    assert sorted(rows) == list(range(2, 132))


def test_all_of_them_validate_where_nothing_is_tested(tmp_path: Path) -> None:
    raw = read(table(tmp_path / "a.csv", 100, 30), split={"validation": 0.2, "test": 0.0})
    assert told(raw) == {"train": (80, 0), "validation": (20, 30)}


def test_those_of_training_are_dropped_and_counted_where_the_splits_are_files(tmp_path: Path) -> None:
    more = {f"{split}_path": str(table(tmp_path / f"{split}.csv", 20, 4)) for split in ("validation", "test")}
    raw = read(table(tmp_path / "a.csv", 40, 6), **more)
    assert told(raw) == {"train": (40, 0), "validation": (20, 4), "test": (20, 4)}
    assert (raw.counts["train"].read, raw.counts["train"].dropped) == (46, {"out of scope": 6})


def test_training_need_not_have_any(tmp_path: Path) -> None:
    held = table(tmp_path / "v.csv", 20, 4)
    raw = read(table(tmp_path / "a.csv", 40, 0), validation_path=str(held))
    assert told(raw) == {"train": (36, 0), "validation": (20, 4), "test": (4, 0)}


def test_they_are_found_by_their_name_in_rows_to_evaluate_on(tmp_path: Path) -> None:
    labels = ("pay", "ship", OUT_OF_SCOPE)
    assert told(source(table(tmp_path / "a.csv", 4, 2)).rows(labels)) == {"test": (4, 2)}
    named = table(tmp_path / "b.csv", 4, 2, OUT_OF_SCOPE)
    assert told(source(named, outside=None).rows(labels)) == {"test": (4, 2)}
    assert told(source(table(tmp_path / "c.csv", 4, 0)).rows(labels)) == {"test": (4, 0)}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"outside": "othre"}, r"data\.outside=othre  finds no row of validation.* 'pay', 'ship', 'something else'"),
        ({"label_separator": "|"}, r"is for rows of one label each.*Set  data\.outside=null"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=f"(?s){said}"):
        read(table(tmp_path / "a.csv", 60, 12), **values)


def test_two_names_for_it_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", 60, 12)
    path.write_text(path.read_text() + f"x,{OUT_OF_SCOPE}\n")
    with pytest.raises(DataError, match=r"is a label of .* as well"):
        read(path)
