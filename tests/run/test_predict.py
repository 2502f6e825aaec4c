from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from conf.toy_data import write_data_root, write_tagged
from data.examples import FILES
from espalier.config.dimensions import spelled
from espalier.report.predictions import read_predictions
from espalier.run import predict
from run.small_runs import IMAGES, WORDS, films, trained, write_films

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def directory(place: Path) -> Path:
    return trained(place, *WORDS, *films(write_films(place / "films.csv", 90)))


def predicted(directory: Path, given: Path | str, output: Path, *more: str, column: str = "text=review") -> int:
    kind = "csv" if given == "-" else Path(given).suffix[1:]
    return predict.main([
        str(directory), f"--input={given}", f"--input-kind={kind}", f"--output={output}",
        f"--output-kind={output.suffix[1:]}", "--encoding=utf-8", "--on-empty=error", f"--column={column}", *more,
    ])  # fmt: skip


def test_every_row_and_column_is_kept_in_order(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "CHUNK", 16)  # several chunks, whose rows are sorted by length inside
    given = write_films(tmp_path / "new.csv", 50, start=500, label=False)
    assert predicted(directory, given, tmp_path / "out.csv", "--scores") == 0
    before, after = (list(csv.DictReader(file.open())) for file in (given, tmp_path / "out.csv"))
    assert [{name: row[name] for name in before[0]} for row in after] == before
    for row in after:
        scores = {label: float(row[f"score:{label}"]) for label in ("bad", "good")}
        assert row["prediction"] == max(scores, key=lambda label: scores[label])
        assert float(row["score"]) == max(scores.values()) and sum(scores.values()) == pytest.approx(1, abs=1e-5)


def test_the_answers_are_those_of_the_runs_own_test(directory: Path, place: Path, tmp_path: Path) -> None:
    stored = read_predictions(directory / "predictions" / "test.parquet")
    assert stored is not None and stored.length is not None
    assert predicted(directory, place / "films.csv", tmp_path / "out.jsonl", "--scores") == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    for number, scores in zip(stored.row, stored.scores, strict=True):
        row = rows[number - 2]  # numbers are lines: the header is the first
        assert [row["score:bad"], row["score:good"]] == pytest.approx(scores, abs=2e-6)


def test_rows_without_a_text_get_no_answer(directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "new.csv"
    given.write_text("review,n\na funny film,1\n,2\n")
    assert predicted(directory, given, tmp_path / "out.csv") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"{given} has empty texts: 'review' on line 3" in said and not (tmp_path / "out.csv").exists()
    assert predicted(directory, given, tmp_path / "out.csv", "--on-empty=skip") == 0
    assert (tmp_path / "out.csv").read_text().splitlines()[2] == ",2,,"
    assert "1 row without a text: no prediction" in capsys.readouterr().err


def test_what_a_row_draws_goes_by_its_place_in_the_table(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "book.txt").write_text("to be, or not to be: that is the question.\n\n" * 40)
    small = ("model.layers=1", "model.heads=1", "model.width=4", "task.max_new_tokens=12", "task.temperature=1")
    directory = trained(
        place, "data=text_file", f"data.path={place / 'book.txt'}", "data.max_length=16", "task=language_modelling",
        "model=gpt", "adapter=full", *small, "task.samples=0", "trainer.max_epochs=1",
    )  # fmt: skip
    (tmp_path / "new.jsonl").write_text(
        "".join(json.dumps({"text": text}) + "\n" for text in ("to", "", "to", "to", "to"))
    )
    found = []
    for size in (2, 4096):
        monkeypatch.setattr(predict, "CHUNK", size)
        out = tmp_path / f"{size}.jsonl"
        assert predicted(directory, tmp_path / "new.jsonl", out, "--on-empty=skip", column="text=text") == 0
        found.append([json.loads(line)["continuation"] for line in out.read_text().splitlines()])
    assert found[0] == found[1] and found[0][1] is None and len(set(found[0])) == 5


def test_a_column_called_prediction_is_not_replaced(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("review,prediction\na film,x\n")
    assert predicted(directory, tmp_path / "new.csv", tmp_path / "out.csv") == 2


def test_streams(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"review\na funny film\n")))
    words = ["--input=-", "--input-kind=csv", "--output=-", "--output-kind=jsonl", "--encoding=utf-8"]
    assert predict.main([str(directory), *words, "--on-empty=error", "--column=text=review"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"review", "prediction", "score"}


def test_a_stream_without_a_column_that_was_asked_for_is_answered(
    directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.BytesIO(b"id,reveiw\n1,a warm film\n")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
    assert predicted(directory, "-", tmp_path / "out.csv", "--named=text") == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "column.text=review is no column of the input. It has: id, reveiw." in told


def test_several_labels_are_joined(place: Path, tmp_path: Path) -> None:
    rows = [{"text": f"film {i % 4}", "label": [["a"], ["b"], ["a", "b"], []][i % 4]} for i in range(80)]
    (place / "many.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    words = (
        "task=multilabel",
        "data=jsonl",
        f"data.path={place / 'many.jsonl'}",
        "trainer.max_epochs=20",
        "optimizer.lr=0.05",
    )
    directory = trained(place, *WORDS, *words)
    assert predicted(directory, place / "many.jsonl", tmp_path / "out.jsonl", column="text=text") == 0
    found = [json.loads(line)["prediction"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert found[:4] == ["a", "b", "a|b", ""]


def test_images_by_their_files(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(predict, "_MOST", 3 * 3 * 4 * 4)  # chunks of three images
    colours = {"cat": (200, 30, 30), "dog": (30, 30, 200)}
    for i in range(24):
        label = ("cat", "dog")[i % 2]
        file = place / "photos" / label / f"{i:02d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (5 + i % 3, 4), tuple(c + i for c in colours[label])).save(file)
    words = ("data=folder", f"data.path={place / 'photos'}", "data.size=[4,4]", "model=mlp", "adapter=full")
    directory = trained(place, *words, "model.hidden=[8]", "trainer.max_epochs=15", "optimizer.lr=0.02")
    monkeypatch.chdir(place)
    given = ("--input-kind=images", "--output-kind=csv", "--encoding=utf-8", "--on-empty=error", "--column=image=path")
    assert predict.main([str(directory), "--input=photos", f"--output={tmp_path / 'out.csv'}", *given]) == 0
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert [row["path"] for row in rows] == sorted(str(file.relative_to(place)) for file in place.rglob("*/*/*.png"))
    assert all(row["prediction"] == Path(row["path"]).parent.name for row in rows)
    assert "24 images" in (said := capsys.readouterr().err) and "24 resized to 4 x 4" in said
    # The same by a table beside the images, in another order and with a column of its own.
    table = place / "photos" / "list.csv"
    table.write_text("n,file\n" + "".join(f"{i},{Path(row['path']).relative_to('photos')}\n" for i, row in
                                          reversed([*enumerate(rows)])))  # fmt: skip
    assert predicted(directory, table, tmp_path / "again.csv", column="image=file") == 0
    again = list(csv.DictReader((tmp_path / "again.csv").open()))
    assert [row["n"] for row in again] == [str(i) for i in reversed(range(24))]
    assert [(row["prediction"], row["score"]) for row in again] == [(r["prediction"], r["score"]) for r in rows][::-1]
    table.write_text("file\ncat/00.png\ncat/none.png\n")
    assert predicted(directory, table, tmp_path / "bad.csv", column="image=file") == 2
    said = " ".join(capsys.readouterr().err.split())  # wherever the lines break
    assert "line 3: cat/none.png is not there" in said and not (tmp_path / "bad.csv").exists()
    assert predicted(directory, table, tmp_path / "bad.csv", "--on-empty=skip", column="image=file") == 0
    assert (tmp_path / "bad.csv").read_text().splitlines()[2] == "cat/none.png,,"
    assert "1 row without an image: no prediction" in capsys.readouterr().err


def test_images_from_parquet(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(place / "data")))
    directory = trained(place, "data=mnist", "model=mlp", "adapter=full", "model.hidden=[8]")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 784), np.uint8)
    table: Any = pa.table({"image": pa.FixedSizeListArray.from_arrays(pa.array(pixels.ravel()), 784), "n": range(5)})
    pq.write_table(table, tmp_path / "new.parquet")
    assert predicted(directory, tmp_path / "new.parquet", tmp_path / "out.parquet", column="image=image") == 0
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.select(["image", "n"]).equals(table) and set(found["prediction"].to_pylist()) <= set("0123456789")


def test_images_are_made_by_the_rows_numbers(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path / "data")))
    directory = trained(place, small=IMAGES)
    monkeypatch.setattr(predict, "_MOST", 3 * 28 * 28)  # chunks of three rows
    (tmp_path / "new.csv").write_text("n,seed\na,5\nb,1\nc,5\nd,4\ne,0\n")
    (tmp_path / "places.csv").write_text("n\n" + "x\n" * 6)
    words = ["--input-kind=csv", "--encoding=utf-8", "--on-empty=error"]
    found = {}
    for name, kind in {"new": "parquet", "places": "jsonl"}.items():
        out = tmp_path / f"{name}.{kind}"
        given = [f"--input={tmp_path / f'{name}.csv'}", f"--output={out}", f"--output-kind={kind}"]
        assert predict.main([str(directory), *given, *words]) == 0
        rows = pq.read_table(out).to_pylist() if kind == "parquet" else map(json.loads, out.read_text().splitlines())
        found[name] = list(rows)
    assert "6 images" in capsys.readouterr().err
    assert [row["n"] for row in found["new"]] == list("abcde")
    seeded, placed = (np.array([row["image"] for row in found[name]]) for name in ("new", "places"))
    assert np.abs(seeded - placed[[5, 1, 5, 4, 0]]).max() <= 1  # sums are rounded as others stand beside them
    assert seeded.shape == (5, 784) and np.abs(seeded[0] - seeded[1]).max() > 1
    given = [f"--input={tmp_path / 'new.csv'}", f"--output={tmp_path / 'made'}/", "--output-kind=images"]
    assert predict.main([str(directory), *given, *words]) == 0
    drawn = [np.array(Image.open(tmp_path / "made" / f"00000{row}.png")).ravel() for row in range(5)]
    assert np.abs(np.array(drawn) - seeded.astype(int)).max() <= 1
    assert (tmp_path / "made" / "rows.csv").read_text().splitlines()[:2] == ["n,seed,image", "a,5,000000.png"]
    (tmp_path / "places.csv").write_text("n,image\nx,y\n")
    given = [f"--input={tmp_path / 'places.csv'}", f"--output={tmp_path / 'bad.csv'}", "--output-kind=csv"]
    assert predict.main([str(directory), *given, *words]) == 2
    assert "image" in capsys.readouterr().err


def test_words_are_tagged_as_texts_or_as_lists(place: Path, tmp_path: Path) -> None:
    tagged = write_tagged(place / "tagged.jsonl", 90)
    directory = trained(
        place, *WORDS, "data=tokens", f"data.path={tagged}", "optimizer.lr=0.05", "trainer.max_epochs=4"
    )
    page = (directory / "report.html").read_text()
    assert "Entities by type" in page and "entities of training" in page
    lists = [{"tokens": ["I", "met", "Grace", "Hopper", "in", "1944", "."]}, {"tokens": ["in"]}]
    (tmp_path / "new.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lists))
    (tmp_path / "new.csv").write_text("said\nI met  Grace Hopper in 1944 .\nin\n")
    assert predicted(directory, tmp_path / "new.jsonl", tmp_path / "a.jsonl", "--scores", column="words=tokens") == 0
    assert predicted(directory, tmp_path / "new.csv", tmp_path / "b.csv", "--scores", column="words=said") == 0
    assert predicted(directory, tmp_path / "new.csv", tmp_path / "c.parquet", column="words=said") == 0
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert rows[0]["prediction"] == ["O", "O", "B-person", "I-person", "O", "O", "O"] and rows[1]["entities"] == []
    (found,) = rows[0]["entities"]
    assert {**found, "score": 0} == {"text": "Grace Hopper", "type": "person", "start": 2, "end": 4, "score": 0}
    assert found["score"] == pytest.approx(sum(rows[0]["scores"][2:4]) / 2, abs=2e-6)
    table = list(csv.DictReader((tmp_path / "b.csv").open()))
    assert [json.loads(row["entities"]) for row in table] == [row["entities"] for row in rows]
    assert pq.read_table(tmp_path / "c.parquet")["entities"].to_pylist() == [row["entities"] for row in rows]


def test_every_head_answers(place: Path, tmp_path: Path) -> None:
    table = write_films(place / "heads.csv", 90)
    own = {**FILES, "_target_": "espalier.data.csv.Csv", "path": str(table), "encoding": "utf-8", "delimiter": None}
    columns = {"mood": "verdict", "kind": "genre"}
    sources = {name: {**own, "columns": {"text": "review", "label": column}} for name, column in columns.items()}
    directory = trained(place, *WORDS, "data=joint", f"data.sources={spelled(sources)}")
    assert "Classes of mood" in (directory / "report.html").read_text()
    assert predicted(directory, table, tmp_path / "out.csv") == 0
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert len(rows) == 90 and {row["prediction:mood"] for row in rows} <= {"bad", "good"}
    assert {row["prediction:kind"] for row in rows} <= {"comedy", "drama", "horror"}
    assert all(0 <= float(row[f"score:{name}"]) <= 1 for row in rows for name in columns)
