"""A table of pairs, a model learned from it, and its translations: trained, asked, judged again, resumed."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from conf.toy_data import write_pairs
from espalier.core.exhibits import read_exhibits
from espalier.run import evaluate, predict
from run.small_runs import trained

pytestmark = pytest.mark.slow

WORDS = (
    "data=pairs", "data.max_length=24", "model=encoder_decoder", "model.encoder_layers=1", "model.decoder_layers=1",
    "model.heads=2", "model.width=16", "model.hidden=16", "model.encoding.vocab_size=300", "adapter=full",
    "task.beams=2", "trainer.max_epochs=2",
)  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs") / "pairs.tsv", 48, "source\ttarget")


@pytest.fixture(scope="module")
def directory(table: Path) -> Path:
    return trained(table.parent, *WORDS, f"data.path={table}")


def predicted(directory: Path, given: str, output: Path, *more: str) -> list[dict[str, Any]]:
    kind = "jsonl" if given == "-" else Path(given).suffix[1:]
    words = ["--output-kind=jsonl", "--encoding=utf-8", "--on-empty=skip", "--column=source=english", *more]
    words = [str(directory), f"--input={given}", f"--input-kind={kind}", f"--output={output}", *words]
    assert predict.main(words) == 0
    return [json.loads(line) for line in output.read_text().splitlines()]


def test_a_run_measures_bleu_beside_the_copied_source(directory: Path) -> None:
    outcome = json.loads((directory / "outcome.json").read_text())
    assert {f"test/{name}" for name in ("bleu", "chrf", "loss")} <= set(outcome["metrics"])
    assert {f"validation/{name}" for name in ("bleu", "chrf", "loss")} <= set(outcome["metrics"])
    assert 0 < outcome["summary"]["baseline"]["metrics"]["test/chrf"] < 100
    titles = [exhibit.title for exhibit in read_exhibits(directory / "exhibits" / "test.jsonl")]
    assert titles == ["BLEU", "Translations", "Weakest translations"]
    assert "Weakest translations" in (directory / "report.html").read_text()
    assert list((directory / "exhibits").glob("validation-*.jsonl"))


def test_rows_are_translated(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "new.csv"
    given.write_text("id,english\n1,a dog number 3\n2,\n3,a cat number 9\n")
    found = predicted(directory, str(given), tmp_path / "out.jsonl", "--scores")
    assert [row["id"] for row in found] == ["1", "2", "3"] and found[1]["translation"] is None
    assert isinstance(found[0]["translation"], str) and found[0]["score"] < 0
    lines = "".join(json.dumps({"english": row["english"]}) + "\n" for row in found)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines.encode())))
    again = predicted(directory, "-", tmp_path / "in.jsonl")
    assert [row["translation"] for row in again] == [row["translation"] for row in found]
    assert "score" not in again[0]


def test_plain_transformers_translates_in_the_same_way(directory: Path, tmp_path: Path) -> None:
    given = tmp_path / "new.jsonl"
    texts = ["a dog number 3", "a cat number 14"]
    given.write_text("".join(json.dumps({"english": text}) + "\n" for text in texts))
    found = predicted(directory, str(given), tmp_path / "out.jsonl", "--override=task.max_new_tokens=9")
    model = AutoModelForSeq2SeqLM.from_pretrained(directory / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(directory / "model")
    batch = tokenizer(texts, padding=True, return_tensors="pt", return_token_type_ids=False)
    told = model.generate(**batch, num_beams=2, length_penalty=1.0, max_new_tokens=9, do_sample=False)
    assert tokenizer.batch_decode(told, skip_special_tokens=True) == [row["translation"] for row in found]


def test_it_is_judged_again_and_against_itself(directory: Path, tmp_path: Path) -> None:
    assert evaluate.main([str(directory), f"--against={directory}", f"--output={tmp_path}"]) == 0
    found = json.loads((tmp_path / "evaluation.json").read_text())
    before = json.loads((directory / "outcome.json").read_text())["metrics"]
    for side in ("A", "B"):
        for name in ("loss", "bleu", "chrf"):
            told = next(value for key, value in found[side]["metrics"].items() if key.endswith(name))
            assert told == pytest.approx(before[f"test/{name}"], rel=1e-4, abs=1e-6)
