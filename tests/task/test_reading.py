from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn
from torchmetrics.functional.text import squad

from conf.defaults import defaults_of
from espalier.adapter.full import full
from espalier.batch.batches import Batches
from espalier.core.counted import compared, counts_of, values
from espalier.core.errors import ConfigError
from espalier.core.exhibits import Table, Texts
from espalier.core.facts import Counts, DataFacts, Raw
from espalier.core.parts import Batching
from espalier.model.encoding.pretrained import Pretrained
from espalier.model.hub import Transformer
from espalier.task import reading_rows
from espalier.task.exact import bits_of, value_of
from espalier.task.reading import Reading
from model import checkpoints
from model.examples import run_recipe
from task.toy import lstm, sgd, trainer

KINDS: Any = {"context": "text", "question": "text", "answers": "spans"}
WORDS = ("warm", "funny", "dull", "endless")
ROWS = 32


def rows() -> pa.Table:
    """What the film was, in contexts of several windows; every fourth question has no answer."""
    fill = "The cat sat, quietly; a dog barked. "
    contexts = [f"{fill * (row % 3)}A {WORDS[row % 4]} film number {row}. {fill * (row % 2)}" for row in range(ROWS)]
    found = [
        [] if row % 4 == 3 else [{"start": text.index(WORDS[row % 4]), "text": WORDS[row % 4]}]
        for row, text in enumerate(contexts)
    ]
    asked = ["Where is my order?" if row % 4 == 3 else "A film number?" for row in range(ROWS)]
    return pa.table({
        "row": np.arange(ROWS)[::-1].copy(), "context": contexts, "question": asked, "answers": found,
        "slice:kind": [WORDS[row % 4] for row in range(ROWS)],
    })  # fmt: skip


def made(folder: Path, **values: Any) -> tuple[Reading, Batches, Raw]:
    """The task over a tiny BERT, in windows of 30 tokens."""
    if not (folder / "bert").exists():
        torch.manual_seed(0)
        checkpoints.FAMILIES["bert"](folder / "bert")
    splits = dict.fromkeys(("train", "validation", "test"), rows())
    raw = Raw(splits, KINDS, {}, {"train": Counts(ROWS, ROWS)}, "f", "made here")
    facts = DataFacts.of(raw, max_length=30, overlap=8)
    encoding = Pretrained(facts, source=str(folder / "bert"), revision="main")
    facts = facts.learn(**encoding.facts())
    torch.manual_seed(0)
    model = Transformer(facts, encoding=encoding, **defaults_of("model/hub", source=str(folder / "bert"), dropout=0.0))
    columns = {}
    for split, table in splits.items():
        encoded = {name: column for name, column in encoding.apply(table).items() if name != "truncated"}
        columns[split] = {"row": table["row"].to_numpy()[encoded.pop("taken")], **encoded}  # type: ignore[index]
    settings = defaults_of("task/reading", head_dropout=0.0, bootstrap=20, **values)
    task = Reading(full(model, facts), facts, sgd, **settings)
    task.rows = splits
    return task, Batches(columns, Batching(8, 12, 0, False), facts.pad, seed=0), raw


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Reading, Batches, Raw, Path]:
    folder = tmp_path_factory.mktemp("reading")
    task, batches, raw = made(folder)
    task.optimizer_factory = lambda learned, part="": {"optimizer": torch.optim.Adam(learned.parameters(), lr=0.01)}  # type: ignore[assignment]
    loop = trainer(folder, max_epochs=12)
    loop.fit(task, datamodule=batches)
    loop.test(task, datamodule=batches, verbose=False)
    return task, batches, raw, folder


def test_it_learns_and_counts_as_squad_does(trained: tuple[Reading, Batches, Raw, Path]) -> None:
    task, batches, raw, _ = trained
    told, table = task.predictions(), raw.splits["test"].to_pylist()
    assert told["row"].tolist() == list(range(ROWS)) and len(batches.splits["test"]["row"]) > ROWS
    targets = [[one["text"] for one in row["answers"]] for row in reversed(table)]
    assert told["target"] == targets and task.test_metrics["f1"] > 0.9
    with_answer = [i for i, target in enumerate(targets) if target]
    theirs = squad(
        [{"prediction_text": told["answer"][i], "id": str(i)} for i in with_answer],
        [{"answers": {"answer_start": [0], "text": targets[i]}, "id": str(i)} for i in with_answer],
    )
    assert 100 * task.test_metrics["f1_has_answer"] == pytest.approx(theirs["f1"].item(), abs=1e-3)
    silent = [not told["answer"][i] for i, target in enumerate(targets) if not target]
    assert task.test_metrics["f1_no_answer"] == pytest.approx(np.mean(silent))
    assert set(task.test_metrics) == set(task.counted)
    assert set(task.test_intervals) == {"loss"}  # resamples of right answers tell nothing
    for i, row in enumerate(reversed(table)):
        assert row["context"][told["begin"][i] : told["end"][i]] == told["answer"][i] or not told["answer"][i]
    assert [doubt > 0.5 for doubt in told["null_probability"]] == [not answer for answer in told["answer"]]


def test_the_threshold_is_validation_s_and_is_kept(trained: tuple[Reading, Batches, Raw, Path]) -> None:
    task, batches, raw, folder = trained
    assert task.threshold != 0.0 and "bits" in task.state_dict()
    task.bits.copy_(bits_of(1e5))  # every question is answered
    trainer(folder).test(task, datamodule=batches, verbose=False)
    # Their F1 may be above 0: SQuAD's rules drop articles and punctuation, and nothing is left of an answer like ". A".
    assert None not in task.predictions()["answer"] and task.threshold == 1e5
    trainer(folder).validate(task, datamodule=batches, verbose=False)
    assert task.threshold < 1e5
    task.rows = {"validation": raw.splits["validation"]}  # of data without test rows
    trainer(folder).test(task, dataloaders=batches.val_dataloader(), verbose=False)
    assert task.test_metrics["f1"] > 0.9
    task.rows = raw.splits
    fixed = made(folder, threshold=-3.0)[0]
    trainer(folder).validate(fixed, datamodule=batches, verbose=False)
    assert fixed.threshold == -3.0
    assert value_of(fixed.bits) not in (0.0, -3.0)  # another one is chosen all the same, should it be wanted
    fixed.load_state_dict(task.state_dict())  # what is set for an answer goes before what was learned
    assert fixed.threshold == -3.0
    earlier = {**task.state_dict(), "threshold": torch.tensor(0.25, dtype=torch.float64)}
    del earlier["bits"]
    task.load_state_dict(earlier)
    assert task.threshold == 0.25


def test_of_rows_that_all_have_an_answer_none_without_one_are_told(tmp_path: Path) -> None:
    """As SQuAD 2.0's script; but an objective is told."""
    rows = {"all have": [["a"], ["b"]], "none have": [[], []]}
    told = {}
    for objective in ("f1", "f1_has_answer"):
        task = made(tmp_path, objective=objective)[0]
        for name, targets in rows.items():
            counts = {**reading_rows.counts_of(["a", ""], targets), "loss": np.ones((2, 2))}
            told[objective, name] = {*values(task.counted, counts)} & {"f1_has_answer", "f1_no_answer"}
    assert told["f1", "all have"] == told["f1_has_answer", "all have"] == {"f1_has_answer"}
    assert told["f1", "none have"] == {"f1_no_answer"}
    assert told["f1_has_answer", "none have"] == {"f1_has_answer", "f1_no_answer"}


def test_padding_and_neighbours_have_no_influence(tmp_path: Path) -> None:
    task, batches, _ = made(tmp_path)
    task.eval()
    with torch.inference_mode():
        together = {int(r): e for batch in batches.test_dataloader() for r, e in one_by_one(task, batch) if r == 31}
        batches.batching = Batching(1, 1, 0, False)
        alone = {int(r): e for batch in batches.test_dataloader() for r, e in one_by_one(task, batch) if r == 31}
    assert together.keys() == alone.keys() == {31}
    for name, value in alone[31].items():
        assert together[31][name] == pytest.approx(value, rel=1e-4, abs=1e-5)


def one_by_one(task: Reading, batch: Any) -> list[tuple[Any, dict[str, float]]]:
    step = task.evaluation_step(batch)
    return [(row, {n: float(v[i]) for n, v in step.items()}) for i, row in enumerate(batch["row"].tolist())]


def test_a_readmes_lines_answer_in_the_same_way(trained: tuple[Reading, Batches, Raw, Path]) -> None:
    task, batches, raw, folder = trained
    task.eval()
    trainer(folder).validate(task, datamodule=batches, verbose=False)
    saved = folder / "saved"
    saved.mkdir()
    task.learner.encoding.save(saved)  # type: ignore[union-attr, operator]
    task.save(saved)
    assert set(json.loads((saved / "reading.json").read_text())) == {"threshold", "longest"}
    code = (saved / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    answer = run_recipe(code, saved)["answer"]
    table = raw.splits["test"].slice(0, 8)
    encoded = {name: column for name, column in task.learner.encoding.apply(table).items() if name != "truncated"}  # type: ignore[union-attr, operator]
    encoded["row"] = encoded.pop("taken")
    parts: dict[str, list[Any]] = {}
    with torch.inference_mode():
        for batch in Batches({"test": encoded}, Batching(4, 4, 0, False), batches.pad, seed=0).test_dataloader():
            for name, values in task.predict_step(batch).items():
                parts.setdefault(name, []).extend(values.tolist())
    order = np.argsort(parts["row"], kind="stable")
    found: dict[str, Any] = {name: np.array(values)[order] for name, values in parts.items()} | {"rows": table}
    told = task.answer(found, with_scores=True)
    for i, row in enumerate(table.to_pylist()):
        wanted = None if told["answer"][i] is None else (told["answer"][i], told["begin"][i], told["end"][i])
        assert answer(row["question"], row["context"]) == wanted
    assert {None} < set(told["answer"]) and None not in told["candidate"]
    schema = task.answer_schema(with_scores=True)
    assert pa.table({field.name: pa.array(told[field.name], field.type) for field in schema}).num_rows == 8


def test_it_shows_kinds_slices_and_the_worst(trained: tuple[Reading, Batches, Raw, Path]) -> None:
    task, batches, _, folder = trained
    task.bits.copy_(bits_of(1e5))
    trainer(folder).test(task, datamodule=batches, verbose=False)
    kinds, slices, worst = task.exhibits("test")
    assert isinstance(kinds, Table) and [row[0] for row in kinds.rows] == ["all", "an answer is there", "there is none"]
    assert isinstance(slices, Table) and {row[0] for row in slices.rows} == set(WORDS)
    assert isinstance(worst, Texts) and all("right: no answer" in caption for caption, _ in worst.items[:8])
    fresh, _, _ = made(folder)
    assert fresh.exhibits("test") == []


def test_its_baseline_is_the_better_simple_one_and_can_be_compared(trained: tuple[Reading, Batches, Raw, Path]) -> None:
    task, _, raw, _ = trained
    found = task.baseline(raw, "test")
    assert found.name == "sentence with most words in common" and 0 < found.metrics["f1"] < 1
    assert found.metrics["f1_no_answer"] == 0 and "loss" not in found.metrics
    none = raw.splits["train"].filter(pa.array([not row for row in raw.splits["train"]["answers"].to_pylist()]))
    empty = Raw(dict.fromkeys(raw.splits, none), KINDS, {}, {}, "g", "made here")
    assert task.baseline(empty, "test").name == "no answer" and task.baseline(empty, "test").metrics["exact"] == 1
    ours, theirs = (
        counts_of(pa.table({n: pa.array(list(c)) for n, c in told.items()}), {"f1": task.counted["f1"]})
        for told in (task.predictions(), found.predictions)
    )
    assert ours and theirs and ours.same_rows(theirs)
    difference = compared(task.counted["f1"], ours.of("f1"), theirs.of("f1"), resamples=50)
    assert difference.difference == pytest.approx(task.test_metrics["f1"] - found.metrics["f1"])


def test_what_it_cannot_read_is_refused() -> None:
    settings = defaults_of("task/reading")
    with pytest.raises(ConfigError, match="looks for answers in a text, and the data has text, label"):
        Reading(lstm(), DataFacts({"text": "text", "label": "label"}, {}, {}), sgd, **settings)
    with pytest.raises(ConfigError, match="needs a pretrained encoder, which sees question and text together; Lstm"):
        Reading(lstm(), DataFacts(KINDS, {}, {}), sgd, **settings)
    with pytest.raises(ConfigError, match="Linear is none"):
        Reading(nn.Linear(1, 1), DataFacts(KINDS, {}, {}), sgd, **settings)
