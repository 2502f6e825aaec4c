from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from seqeval.metrics import f1_score, precision_score, recall_score
from torch import nn
from torch.nn import functional

from conf.defaults import defaults_of
from espalier.adapter.full import full
from espalier.adapter.lora import lora
from espalier.adapter.probe import probe
from espalier.batch.batches import Batches
from espalier.batch.gather import Gather
from espalier.core.counted import compared, counts_of
from espalier.core.errors import ConfigError
from espalier.core.exhibits import Table, Texts
from espalier.core.facts import Counts, DataFacts, Raw
from espalier.core.parts import Batching
from espalier.model.encoding.pretrained import Pretrained
from espalier.model.encoding.words import Words
from espalier.model.hub import Transformer
from espalier.model.lstm import Lstm
from espalier.task.tagging import Tagging
from model.examples import run_recipe
from task.toy import hub_cache, sgd, trainer

TAGS = ("O", "B-person", "I-person", "B-place", "I-place")
NAMES = {"person": (["Ada"], ["Grace", "Hopper"], ["Alan", "M.", "Turing"]), "place": (["Paris"], ["New", "York"])}
LIMIT = 14
BACKBONES = {
    "minilm-lora": ("minilm", lambda model, facts: lora(
        model, facts, target="all_linear", rank=2, alpha=4, dropout=0.0, variant="plain")),
    "minilm-probe": ("minilm", probe),
    "minilm-full": ("minilm", full),
    "lstm": ("lstm", full),
}  # fmt: skip


def sentence(row: int) -> tuple[list[str], list[int]]:
    """One name in it; every ninth is far too long for the encodings here."""
    kind = ("person", "place")[row % 2]
    name = NAMES[kind][row % len(NAMES[kind])]
    first = TAGS.index(f"B-{kind}")
    before = ["really"] * (LIMIT if row % 9 == 8 else row % 3)
    words = [*before, *(["I", "met"] if kind == "person" else ["we", "saw"]), *name, "there", "."]
    return words, [0] * (len(before) + 2) + [first, *[first + 1] * (len(name) - 1)] + [0, 0]


def raw_of(rows: int) -> Raw:
    words, tags = zip(*(sentence(row) for row in range(rows)), strict=True)
    table = pa.table({"row": np.arange(rows)[::-1].copy(), "words": list(words), "tags": list(tags)})
    splits = dict.fromkeys(("train", "validation", "test"), table)
    return Raw(splits, {"words": "words", "tags": "tags"}, {"": TAGS}, {"train": Counts(rows, rows)}, "f", "made here")


def made(backbone: str, rows: int = 27, **values: Any) -> tuple[Tagging, Batches, Raw]:
    """The task over a backbone, and its encoded rows."""
    raw = raw_of(rows)
    facts = DataFacts.of(raw, max_length=LIMIT)
    option, adapt = BACKBONES[backbone]
    settings = defaults_of(f"model/{option}", dropout=0.0)
    torch.manual_seed(0)
    encoding: Any
    if option == "lstm":
        encoding = Words(facts, **defaults_of("model/encoding/words"))
        encoding.fit(raw)
        facts = facts.learn(**encoding.facts())
        model: nn.Module = Lstm(facts, encoding=encoding, **{**settings, "embedding": 12, "hidden": 12})
    else:
        encoding = Pretrained(facts, source=settings["source"], revision=settings["revision"])
        facts = facts.learn(**encoding.facts())
        model = Transformer(facts, encoding=encoding, **settings)
    task = tagging(adapt(model, facts), facts, **values)
    columns = {split: {**encoding.apply(table), "row": table["row"].to_numpy()} for split, table in raw.splits.items()}
    for of in columns.values():
        of.pop("truncated")
    return task, Batches(columns, Batching(9, 8, 0, False), facts.pad, seed=0), raw


def tagging(learner: nn.Module, facts: DataFacts, **values: Any) -> Tagging:
    return Tagging(learner, facts, sgd, **{**defaults_of("task/tagging", bootstrap=20, head_dropout=0.0), **values})


def adam(learned: Any, /, part: str = "") -> dict[str, Any]:
    return {"optimizer": torch.optim.Adam([p for p in learned.parameters() if p.requires_grad], lr=0.02)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tagging, Any, Raw]:
    """An LSTM that has learned the rows, tested on them."""
    folder = tmp_path_factory.mktemp("trained")
    task, batches, raw = made("lstm")
    task.optimizer_factory, task.rows = adam, raw.splits
    loop = trainer(folder, max_epochs=12)
    loop.fit(task, datamodule=batches)
    loop.test(task, datamodule=batches, verbose=False)
    return task, loop, raw


def test_it_learns_and_words_that_are_cut_off_are_missed(trained: tuple[Tagging, Any, Raw]) -> None:
    task, _, raw = trained
    target = [[TAGS[tag] for tag in tags] for tags in raw.splits["test"]["tags"].to_pylist()[::-1]]
    told = task.predictions()
    assert told["row"].tolist() == list(range(27))
    assert [[TAGS[tag] for tag in tags] for tags in told["target"]] == target
    called = [[TAGS[tag] for tag in tags] for tags in told["prediction"]]
    assert task.test_metrics["f1"] == pytest.approx(f1_score(target, called))
    assert task.test_metrics["precision"] == pytest.approx(precision_score(target, called)) == 1.0
    assert task.test_metrics["recall"] == pytest.approx(recall_score(target, called)) == pytest.approx(24 / 27)
    assert task.test_metrics["f1_macro"] == pytest.approx(f1_score(target, called, average="macro"))
    words = sum(map(len, target))
    right = sum(a == b for pair in zip(target, called, strict=True) for a, b in zip(*pair, strict=True))
    assert task.test_metrics["accuracy"] == pytest.approx(right / words)
    assert set(task.test_intervals) == set(task.test_metrics) - {"precision"}  # which is 1 in all resamples
    assert [len(row) for row in told["score"]] == list(map(len, target)) and told["score"][-9][-1] == 0.0


def test_loss_is_over_words_that_are_seen() -> None:
    task, batches, _ = made("lstm")
    task.eval()
    batch = next(iter(batches.val_dataloader()))
    logits, seen = task(batch), batch["words:first"] >= 0
    wanted = functional.cross_entropy(logits[seen], batch["words:tags"][seen], reduction="sum")
    counts = task.evaluation_step(batch)["counts:loss"].sum(0)
    assert counts.tolist() == pytest.approx([wanted.item(), int(seen.sum())], rel=1e-5)
    assert int(seen.sum()) < int(batch["words:tags_mask"].sum())


def test_micro_batches_make_the_step_of_the_whole_batch() -> None:
    gradients = []
    for accumulate in (1, 4):
        task, batches, _ = made("lstm")
        batches.accumulate = accumulate
        task.eval()
        for _, batch in zip(range(accumulate), batches.train_dataloader(), strict=False):
            (task.training_step(batch) / accumulate).backward()
        gradients.append([p.grad.clone() for p in task.parameters() if p.grad is not None])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


def test_padding_and_neighbours_have_no_influence() -> None:
    task, batches, _ = made("minilm-probe", rows=9)
    task.eval()
    gather = Gather(batches.splits["test"], batches.pad)
    logits = task(gather[np.arange(9), 1.0])
    for row in (0, 8):
        alone = gather[np.array([row]), 1.0]
        seen = alone["words:first"][0] >= 0
        torch.testing.assert_close(task(alone)[0][seen], logits[row, : len(seen)][seen], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("backbone", ["minilm-full", "lstm"])
def test_a_readmes_lines_tag_in_the_same_way(backbone: str, tmp_path: Path) -> None:
    code, live, words = saved(backbone, tmp_path)
    assert run_recipe(code, tmp_path)["tags"](words) == live
    assert len({tag for tags in live for tag in tags}) > 2


def test_a_saved_adapter_needs_no_espalier(tmp_path: Path) -> None:
    code, live, words = saved("minilm-lora", tmp_path)
    script = f"import json, sys\nassert 'espalier' not in sys.modules\n{code}\nprint('TAGS', json.dumps(tags({words})))"
    environment = {**os.environ, "HF_HUB_CACHE": str(hub_cache(tmp_path)), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.rpartition("TAGS ")[2]) == live


def saved(backbone: str, folder: Path) -> tuple[str, list[list[str]], list[list[str]]]:
    """The README's code; what the task itself says of some sentences, and those."""
    task, batches, raw = made(backbone)
    for name, parameter in task.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.1)
    task.eval()
    encoding: Any = task.learner.encoding
    encoding.save(folder)
    task.save(folder)
    told: dict[int, list[str]] = {}
    with torch.inference_mode():
        for batch in batches.test_dataloader():
            step = task.predict_step(batch)
            told |= dict(zip(step["row"].tolist(), ([TAGS[t] for t in tags] for tags in step["tags"]), strict=True))
    code = (folder / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    table = raw.splits["test"]
    return code, [told[row] for row in table["row"].to_pylist()], table["words"].to_pylist()


def test_answers_are_tags_and_entities(trained: tuple[Tagging, Any, Raw]) -> None:
    task, _, _ = trained
    found = {
        "tags": [[0, 1, 2, 3, 0], [0]], "score": [[0.9, 0.8, 0.6, 0.5, 0.9], [1.0]],
        "rows": pa.table({"words": [["I", "Ada", "Byron", "York", "x"], ["y"]]}),
    }  # fmt: skip
    answers = task.answer(found, with_scores=True)
    assert answers["prediction"] == [["O", "B-person", "I-person", "B-place", "O"], ["O"]]
    ada = {"text": "Ada Byron", "type": "person", "start": 1, "end": 3, "score": 0.7}
    assert answers["entities"] == [[ada, {"text": "York", "type": "place", "start": 3, "end": 4, "score": 0.5}], []]
    schema = task.answer_schema(with_scores=True)
    table = pa.table({field.name: pa.array(answers[field.name], field.type) for field in schema})
    assert table["entities"].to_pylist() == answers["entities"] and table["scores"][1].as_py() == [1.0]
    assert task.answer_schema(with_scores=False).names == ["prediction", "entities"]


def test_it_shows_entities_by_type_and_the_worst_sentences(trained: tuple[Tagging, Any, Raw]) -> None:
    task, _, _ = trained
    types, worst = task.exhibits("test")
    assert isinstance(types, Table) and isinstance(worst, Texts) and worst.texts and not types.texts
    assert [row[0] for row in types.rows] == ["person", "place"]
    assert [caption.split("   ")[0] for caption, _ in worst.items] == ["row 0", "row 9", "row 18"]
    assert worst.items[0][0].endswith("missed: Alan M. Turing (person)")
    assert all(text.startswith("really really") for _, text in worst.items)


def test_before_the_test_it_shows_nothing(tmp_path: Path) -> None:
    task, batches, _ = made("lstm", rows=9)
    trainer(tmp_path).validate(task, datamodule=batches, verbose=False)
    assert task.exhibits("validation") == []


def test_a_dictionary_is_its_baseline_and_can_be_compared_in_pairs(trained: tuple[Tagging, Any, Raw]) -> None:
    task, _, raw = trained
    found: Any = task.baseline(raw, "test")
    assert found.metrics["f1"] == 1.0 and "loss" not in found.metrics
    few = replace(raw, splits={**raw.splits, "train": raw.splits["train"].slice(0, 2)})
    fewer: Any = task.baseline(few, "test")
    assert 0 < fewer.metrics["f1"] < 1 and set(fewer.intervals) == set(fewer.metrics) - {"precision"}
    ours = counts_of(as_table(task.predictions()), task.counted)
    metrics = {name: metric for name, metric in task.counted.items() if name != "loss"}
    theirs = counts_of(as_table(fewer.predictions), metrics)
    assert ours and theirs and ours.same_rows(theirs)
    difference = compared(metrics["f1"], ours.of("f1"), theirs.of("f1"), resamples=500)
    assert difference.difference == pytest.approx(task.test_metrics["f1"] - fewer.metrics["f1"])


def as_table(columns: Mapping[str, Any]) -> pa.Table:
    return pa.table({name: pa.array(list(column)) for name, column in columns.items()})


class Pooled(nn.Module):
    width = 4


def test_what_it_cannot_learn_is_refused() -> None:
    facts = DataFacts.of(raw_of(4))
    with pytest.raises(ConfigError, match="Pooled gives one vector for a whole text"):
        tagging(Pooled(), facts)
    texts = DataFacts({"text": "text", "label": "label"}, {"": ("a", "b")}, {})
    with pytest.raises(ConfigError, match="learns a tag for each word, and the data has text, label"):
        tagging(Pooled(), texts)
