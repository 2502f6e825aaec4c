from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.nn import functional

from conf.defaults import defaults_of
from espalier.batch.batches import Batches
from espalier.build.encode import encode
from espalier.core.columns import Columns, Ragged
from espalier.core.errors import ConfigError
from espalier.core.exhibits import Texts
from espalier.core.facts import Counts, DataFacts, Raw
from espalier.core.parts import Batching
from espalier.model.encoding.characters import Characters
from espalier.model.gpt import Gpt
from espalier.task.language_modelling import LanguageModelling
from model.examples import run_recipe
from task.toy import gradients, lstm, sgd, trainer

TEXTS = {
    "train": ["to be, or not to be\n\n", "that is the question\n\n"] * 6,
    "validation": ["not to be that\n\n", "is"],
}
SMALL: dict[str, Any] = {"layers": 1, "heads": 2, "width": 16, "dropout": 0.0}


def made(**values: Any) -> tuple[LanguageModelling, Batches, Raw]:
    """A task over a small model, and its batches."""
    torch.manual_seed(0)
    splits = {
        split: pa.table({"row": np.arange(len(texts)), "text": texts, "document": np.zeros(len(texts), np.int64)})
        for split, texts in TEXTS.items()
    }
    counts = {split: Counts(table.num_rows, table.num_rows) for split, table in splits.items()}
    raw = Raw(splits, {"text": "text", "document": "id"}, {}, counts, "", "here")
    facts = DataFacts.of(raw, max_length=7)
    encoding = Characters(facts, keep="end")
    encoding.fit(raw)
    facts = facts.learn(**encoding.facts())
    model = Gpt(facts, **defaults_of("model/gpt", encoding=encoding, **SMALL))
    task = LanguageModelling(
        model, facts, sgd, **defaults_of("task/language_modelling", bootstrap=20, max_new_tokens=9, **values)
    )
    batching = Batching(8, 4, 0, bucket=True, windows=True)
    return task, Batches(encode(raw, encoding).splits, batching, facts.pad, seed=0), raw


def measured(task: LanguageModelling, batches: Batches, folder: Path) -> dict[str, float]:
    trainer(folder).test(task, dataloaders=batches.val_dataloader(), verbose=False)
    return task.test_metrics


def test_each_token_of_the_text_counts_once(tmp_path: Path) -> None:
    task, batches, _ = made()
    found = measured(task, batches, tmp_path)
    text, encoding = "".join(TEXTS["validation"]), task.learner.encoding  # type: ignore[union-attr]
    ids = encoding.tokenizer.encode(text).ids  # type: ignore[union-attr, operator]
    lost, right = [], []
    for place in range(1, len(ids)):
        begin = (place - 1) // 7 * 7
        logits = task.learner.logits(task.learner.states({"text": torch.tensor([ids[begin:place]])}, "text"))[0, -1]  # type: ignore[union-attr, operator]
        lost.append(float(functional.cross_entropy(logits.detach(), torch.tensor(ids[place]))))
        right.append(int(logits.argmax()) == ids[place])
    assert found["loss"] == pytest.approx(np.mean(lost), rel=1e-5)
    assert found["perplexity"] == pytest.approx(np.exp(np.mean(lost)), rel=1e-5)
    assert found["accuracy"] == pytest.approx(np.mean(right))
    assert sum(tokens for _, tokens in task.predictions()["counts:loss"]) == len(text) - 1
    assert {"loss", "perplexity"} <= set(task.test_intervals) <= {"loss", "perplexity", "accuracy"}


def test_the_training_loss_is_the_mean_over_tokens() -> None:
    task, batches, _ = made()
    batch = next(iter(batches.train_dataloader()))
    ids, mask = batch["text"], batch["text_mask"]
    logits = task.learner.logits(task.learner.states({"text": ids[:, :-1]}, "text"))  # type: ignore[union-attr, operator]
    each = functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    told = mask[:, 1:].flatten()
    torch.testing.assert_close(task.training_step(batch), each[told].mean() * batch["scale"])


def test_micro_batches_of_unlike_lengths_make_the_step_of_the_whole() -> None:
    task, batches, _ = made()
    columns: Columns = {"row": np.arange(3), "text": Ragged.of([[1, 2], [1, 2, 3, 4, 5, 6, 7], [3, 4, 2]])}
    whole, *parts = (gradients(task, columns, dict(batches.pad), accumulate=n) for n in (1, 2, 3, 4))
    for part in parts:
        torch.testing.assert_close(part, whole)


def test_rows_of_one_token_have_nothing_to_tell() -> None:
    task, _, _ = made()
    ids = torch.tensor([[1], [2]])
    batch = {"text": ids, "text_mask": ids > 0, "row": torch.tensor([0, 1]), "scale": 1.0}
    loss = task.training_step(batch)
    loss.backward()
    assert loss.item() == 0.0 and all(not p.grad.any() for p in task.parameters() if p.grad is not None)
    assert task.evaluation_step(batch)["counts:loss"].tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_it_learns(tmp_path: Path) -> None:
    task, batches, _ = made()
    before = measured(task, batches, tmp_path)["loss"]
    trainer(tmp_path, max_epochs=8).fit(task, datamodule=batches)
    assert measured(task, batches, tmp_path)["loss"] < before - 0.2


def test_samples_go_on_with_validation_texts(tmp_path: Path) -> None:
    task, batches, _ = made(samples=2)
    assert task.exhibits("validation") == []
    measured(task, batches, tmp_path)
    task.train()
    (shown,) = task.exhibits("test")
    assert isinstance(shown, Texts) and shown.texts and len(shown.items) == 2
    assert task.training and task.exhibits("test") == [shown]
    opening, told = shown.items[0]
    assert opening.removeprefix("goes on with: ") in "".join(TEXTS["validation"]) and 0 < len(told) <= 9
    without, others, _ = made(samples=0)
    measured(without, others, tmp_path)
    assert without.exhibits("test") == []


def test_answers_are_continuations() -> None:
    task, _, _ = made(temperature=0.0)
    task.eval()
    encoding: Any = task.learner.encoding  # type: ignore[union-attr]
    columns = dict(encoding.apply(pa.table({"text": ["to be", "that is the question", "n"]})))
    batch = next(iter(Batches(
        {"test": {**columns, "row": np.arange(3)}}, Batching(4, 4, 0, bucket=True), {"text": 0}, seed=0
    ).test_dataloader()))  # fmt: skip
    told = task.predict_step(batch)
    alone = task.predict_step({**batch, **{k: batch[k][:1] for k in ("text", "text_mask", "row")}})
    assert told["continuation"][0] == alone["continuation"][0]
    found = task.answer(told, with_scores=False)
    assert [len(text) for text in found["continuation"]] == [9, 9, 9]
    assert task.answer_schema(with_scores=True).names == ["continuation"]


def test_the_readme_s_lines_go_on_as_the_task_does(tmp_path: Path) -> None:
    task, batches, _ = made(temperature=0.0)
    trainer(tmp_path, max_epochs=3).fit(task, datamodule=batches)
    task.eval()
    encoding: Any = task.learner.encoding  # type: ignore[union-attr]
    encoding.save(tmp_path)
    task.save(tmp_path)
    card = (tmp_path / "README.md").read_text()
    code = card.partition("```python\n")[2].partition("```")[0]
    assert "rows[:, -7:]" in code, "model.encoding.keep=end"
    ids = encoding.tokenizer.encode("to").ids
    context = task.learner.context
    told = task.go_on([ids], [0], ends=())[0][: context - len(ids)]  # type: ignore[operator]
    assert len(told) < 9, "the README's lines end where the model has no more places"
    assert run_recipe(code.replace("A text", "to"), tmp_path)["go_on"]("to") == encoding.decode(told)


def test_its_baseline_is_of_the_same_tokens(tmp_path: Path) -> None:
    task, batches, raw = made()
    measured(task, batches, tmp_path)
    found = task.baseline(raw, "validation")
    assert found is not None and found.name == "bigrams" and set(found.metrics) == set(task.test_metrics)
    tokens = [sum(n for _, n in table["counts:loss"]) for table in (found.predictions, task.predictions())]
    assert tokens[0] == tokens[1] and found.predictions["row"].tolist() == list(task.predictions()["row"])
    assert task.baseline_needs == task.learner.encoding.fingerprint()  # type: ignore[union-attr, operator]


def test_a_model_that_foretells_nothing_is_refused() -> None:
    learner = lstm()
    with pytest.raises(ConfigError, match=r"Lstm has no logits. Set model=gpt"):
        LanguageModelling(learner, DataFacts({}, {}, {}), sgd, **defaults_of("task/language_modelling"))
