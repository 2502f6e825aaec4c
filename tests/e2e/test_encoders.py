"""A small encoder goes on with masked tokens, and reads texts for answers: trained, resumed, asked, begun with."""

from __future__ import annotations

import io
import json
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from conf.toy_data import write_answered, write_text
from espalier.build.restore import restore
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.saved import read, write
from espalier.core.exhibits import read_exhibits
from espalier.core.rundir import create
from espalier.run import evaluate, predict
from espalier.run.fit import run
from espalier.run.stop import Stop
from model import checkpoints
from run.small_runs import SMALL, films, trained, write_films

pytestmark = pytest.mark.slow

BERT = ("model=bert", "model.dropout=0.1", "adapter=full", "trainer.max_epochs=1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A working folder, and a tiny BERT where the preset looks for one."""
    root = tmp_path_factory.mktemp("encoders")
    checkpoints.write(root / "models", "bert")
    write_answered(root / "answered.jsonl", 48)
    write_text(root / "book.txt", 60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ESPALIER_MODELS", str(root / "models"))
        yield root


def reader(folder: Path) -> tuple[str, ...]:
    return ("data=squad", f"data.path={folder}/answered.jsonl", "data.slices=[domain]", "data.max_length=16", *BERT)


def masked(folder: Path) -> tuple[str, ...]:
    task = "task=masked_language_modelling"
    return ("data=text_file", f"data.path={folder}/book.txt", task, "data.max_length=24", "data.split.test=0.1", *BERT)


@pytest.fixture(scope="module")
def read_run(folder: Path) -> Path:
    return trained(folder, *reader(folder))


@pytest.fixture(scope="module")
def masked_run(folder: Path) -> Path:
    return trained(folder, *masked(folder))


def predicted(directory: Path, given: str, output: Path, *more: str) -> list[dict[str, Any]]:
    kind = "jsonl" if given == "-" else Path(given).suffix[1:]
    words = ["--output-kind=jsonl", "--encoding=utf-8", "--on-empty=error", *more]
    words = [str(directory), f"--input={given}", f"--input-kind={kind}", f"--output={output}", *words]
    assert predict.main(words) == 0
    return [json.loads(line) for line in output.read_text().splitlines()]


def test_a_reader_s_files_and_report(read_run: Path) -> None:
    outcome = json.loads((read_run / "outcome.json").read_text())
    table = pq.read_table(read_run / "predictions" / "test.parquet")
    assert 0 <= outcome["metrics"]["test/f1"] <= 1 and outcome["summary"]["baseline"]["name"]
    assert {"answer", "target", "null_probability", "slice:domain"} <= set(table.column_names)
    assert table.num_rows == outcome["data"]["counts"]["test"]["kept"]
    titles = [exhibit.title for exhibit in read_exhibits(read_run / "exhibits" / "test.jsonl")]
    assert titles[:2] == ["Answers", "Answers by domain"]
    assert "Answers by domain" in (read_run / "report.html").read_text()


def test_questions_are_answered(read_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "asked.csv"
    long = "a dull and endless film number 3 " * 9
    table.write_text(f"id,asked,review\n1,How was it?,a warm and funny film\n2,How was it?,{long}\n")
    columns = ("--column=context=review", "--column=question=asked", "--scores")
    found = predicted(read_run, str(table), tmp_path / "out.jsonl", *columns)
    assert [row["id"] for row in found] == ["1", "2"]
    for row in found:
        assert (row["answer"] is None) == (row["null_probability"] > 0.5) == (row["begin"] is None)
        assert row["candidate"] in row["review"] and 0 <= row["score"] <= 1
        assert row["answer"] is None or row["review"][row["begin"] : row["end"]] == row["answer"]
    lines = "".join(json.dumps({"context": row["review"], "question": row["asked"]}) + "\n" for row in found)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines.encode())))
    plain = ("--column=context=context", "--column=question=question")
    again = predicted(read_run, "-", tmp_path / "in.jsonl", *plain)
    assert [row["null_probability"] for row in again] == [row["null_probability"] for row in found]


def test_a_reader_is_evaluated_again_with_its_threshold(read_run: Path, tmp_path: Path) -> None:
    assert evaluate.main([str(read_run), f"--against={read_run}", f"--output={tmp_path}"]) == 0
    found = json.loads((tmp_path / "evaluation.json").read_text())
    before = json.loads((read_run / "outcome.json").read_text())["metrics"]
    for name in ("f1", "exact", "loss"):
        told = next(value for key, value in found["A"]["metrics"].items() if key.rpartition("/")[2] == name)
        assert told == pytest.approx(before[f"test/{name}"], rel=1e-4)


def test_a_masked_model_loads_alone_and_fills_masks(masked_run: Path, tmp_path: Path) -> None:
    outcome = json.loads((masked_run / "outcome.json").read_text())
    assert outcome["metrics"]["test/perplexity"] > 1
    assert outcome["summary"]["baseline"]["name"] == "tokens by frequency"
    table = tmp_path / "masked.jsonl"
    table.write_text('{"text": "a [MASK] film"}\n')
    (found,) = predicted(masked_run, str(table), tmp_path / "out.jsonl", "--column=text=text")
    model = AutoModelForMaskedLM.from_pretrained(masked_run / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(masked_run / "model")
    ids = tokenizer("a [MASK] film", return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        best = model(**ids).logits[0, 2].topk(5).indices
    assert found["tokens"] == [[tokenizer.decode([token], skip_special_tokens=True).strip() for token in best]]


def test_another_run_begins_with_its_trunk(masked_run: Path, folder: Path) -> None:
    words = [*films(write_films(folder / "films.csv", 48)), "model=bert", "model.dropout=0.1", "adapter=probe"]
    after = trained(folder, *words, f"weights={masked_run}", "trainer.max_epochs=1")
    trunks = [restore(run).task.learner.trunk.state_dict() for run in (masked_run, after)]  # type: ignore[union-attr, operator]
    assert trunks[0].keys() == trunks[1].keys() and trunks[0]
    assert all(torch.equal(tensor, trunks[1][name]) for name, tensor in trunks[0].items())


@pytest.mark.parametrize("kind", ["reader", "masked"])
def test_a_run_that_was_cut_off_ends_the_same(kind: str, folder: Path, request: pytest.FixtureRequest) -> None:
    words = {"reader": reader, "masked": masked}[kind](folder)
    whole: Path = request.getfixturevalue("read_run" if kind == "reader" else "masked_run")
    experiment = compose([*SMALL, *words])
    check(experiment)
    directory = create(folder / "outputs", "small")
    write(experiment, directory)
    with Stop(directory) as stop:
        stop.heard = signal.SIGTERM
        assert run(read(directory), directory, stop, resume=False).status == "interrupted"
    with Stop(directory) as stop:
        assert run(read(directory), directory, stop, resume=True).status == "done"
    assert (directory / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()
    ends = [restore(run_).task.state_dict() for run_ in (directory, whole)]
    assert all(torch.equal(tensor, ends[1][name]) for name, tensor in ends[0].items())
