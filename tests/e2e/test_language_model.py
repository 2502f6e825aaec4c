"""A text file, a decoder learned from it, and what it says: trained, asked for predictions, evaluated again."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from conf.toy_data import write_text
from espalier.core.exhibits import read_exhibits
from espalier.run import evaluate, predict
from run.small_runs import trained

pytestmark = pytest.mark.slow

WORDS = (
    "data=text_file", "data.max_length=16", "model=gpt", "model.layers=1", "model.heads=2", "model.width=16",
    "adapter=full", "task.max_new_tokens=8", "trainer.max_epochs=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text(tmp_path_factory.mktemp("book") / "book.txt", 40)


@pytest.fixture(scope="module")
def directory(book: Path) -> Path:
    return trained(book.parent, *WORDS, f"data.path={book}")


def predicted(directory: Path, given: str, output: Path, *more: str) -> list[dict[str, Any]]:
    kind = "jsonl" if given == "-" else Path(given).suffix[1:]
    words = ["--output-kind=jsonl", "--encoding=utf-8", "--on-empty=error", "--column=text=prompt", *more]
    words = [str(directory), f"--input={given}", f"--input-kind={kind}", f"--output={output}", *words]
    assert predict.main(words) == 0
    return [json.loads(line) for line in output.read_text().splitlines()]


def test_a_run_measures_the_text_s_end_and_shows_samples(directory: Path, book: Path) -> None:
    outcome = json.loads((directory / "outcome.json").read_text())
    metrics, text = outcome["metrics"], book.read_text()
    assert 0 < metrics["validation/loss"] < 6 and metrics["validation/perplexity"] > 1
    rows = json.loads((directory / "facts.json").read_text())["sizes"]
    assert rows["train"] + rows["validation"] >= 40
    (shown,) = read_exhibits(directory / "exhibits" / "test.jsonl")
    assert shown.title == "Samples" and all(caption.split(": ", 1)[1] in text for caption, _ in shown.items)  # type: ignore[union-attr]
    assert list((directory / "exhibits").glob("validation-*.jsonl"))
    assert "Samples" in (directory / "report.html").read_text()


def test_prompts_are_gone_on_with(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "prompts.csv"
    table.write_text("id,prompt\n1,Speaker\n2,a warm and funny film number\n3,Speaker\n")
    found = predicted(directory, str(table), tmp_path / "out.jsonl")
    assert [row["id"] for row in found] == ["1", "2", "3"] and all(row["continuation"] for row in found)
    assert found[0]["continuation"] != found[2]["continuation"]  # a number of its own draws each row's
    assert predicted(directory, str(table), tmp_path / "again.jsonl") == found
    lines = "".join(f'{{"prompt": "{row["prompt"]}"}}\n' for row in found)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines.encode())))
    greedy = predicted(directory, "-", tmp_path / "in.jsonl", "--override=task.temperature=0")
    assert greedy[0]["continuation"] == greedy[2]["continuation"]


def test_plain_transformers_goes_on_in_the_same_way(directory: Path, tmp_path: Path) -> None:
    table = tmp_path / "prompts.jsonl"
    table.write_text('{"prompt": "a dull"}\n')
    (found,) = predicted(
        directory, str(table), tmp_path / "o.jsonl", "--override=task.temperature=0", "--override=task.max_new_tokens=6"
    )
    model = AutoModelForCausalLM.from_pretrained(directory / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(directory / "model")
    ids = tokenizer("a dull", return_tensors="pt", return_token_type_ids=False)
    told = model.generate(**ids, max_new_tokens=6, do_sample=False, pad_token_id=0)[0, ids["input_ids"].shape[1] :]
    assert tokenizer.decode(told, skip_special_tokens=True) == found["continuation"]


def test_it_is_evaluated_again_and_against_itself(directory: Path, tmp_path: Path) -> None:
    assert evaluate.main([str(directory), f"--against={directory}", f"--output={tmp_path}"]) == 0
    found = json.loads((tmp_path / "evaluation.json").read_text())
    before = json.loads((directory / "outcome.json").read_text())["metrics"]
    for side in ("A", "B"):
        for name in ("loss", "perplexity", "accuracy"):
            told = next(value for key, value in found[side]["metrics"].items() if key.endswith(name))
            assert told == pytest.approx(before[f"validation/{name}"], rel=1e-4)
