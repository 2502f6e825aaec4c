from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn
from torch.nn import functional

from conf.defaults import defaults_of
from espalier.adapter.full import full
from espalier.adapter.lora import lora
from espalier.adapter.probe import probe
from espalier.batch.batches import Batches
from espalier.core.counted import COUNTS
from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts
from espalier.core.parts import Batching
from espalier.task.retrieval import Retrieval, _counts, words_of
from model.examples import run_recipe
from task.toy import facts_of, hub_cache, lstm, minilm, raw, trainer

ANSWERS = ("délai", "refund_status", "Send it back.")
MESSAGES = ["It is late.", "Where is my money?", "It came broken.", "Still nothing here", "no refund yet", "broken!"]


def adam(learned: Any, /, part: str = "") -> dict[str, Any]:
    return {"optimizer": torch.optim.Adam([p for p in learned.parameters() if p.requires_grad], lr=0.005)}


def retrieval(learner: nn.Module, facts: DataFacts | None = None, **values: Any) -> Retrieval:
    return Retrieval(learner, facts or facts_with(learner), adam, **defaults_of("task/retrieval", **values))


def facts_with(learner: Any) -> DataFacts:
    return facts_of("text").learn(**learner.encoding.facts(), labels={"": ANSWERS})


def table() -> pa.Table:
    return pa.table({"row": np.arange(6), "text": MESSAGES, "label": np.arange(6) % 3})


def batches(learner: Any, rows: pa.Table) -> Batches:
    columns = {**learner.encoding.apply(rows), "row": rows["row"].to_numpy(), "label": rows["label"].to_numpy()}
    columns = {name: column for name, column in columns.items() if name not in ("length", "truncated")}
    splits = dict.fromkeys(("train", "validation", "test"), columns)
    return Batches(splits, Batching(6, 4, 0, False), learner.encoding.facts()["pad"], seed=0)


def test_a_readme_s_lines_load_what_was_trained_in_bf16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = retrieval(full(lstm(), facts_of("text")), projection=4).to(torch.bfloat16)
    task.learner.encoding.save(tmp_path)  # type: ignore[union-attr, operator]
    task.save(tmp_path)
    lines = (tmp_path / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    monkeypatch.chdir(tmp_path)
    found = run_recipe(lines, tmp_path)["vectors"]([words_of(name) for name in ANSWERS])
    with torch.inference_mode():
        wanted = task.float().eval().encoded(torch.arange(3))
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_it_learns_ranks_tells_and_its_folder_loads_without_us(tmp_path: Path) -> None:
    torch.manual_seed(0)
    learner = lora(minilm(), facts_of("text"), **defaults_of("adapter/lora"))
    task = retrieval(learner, bootstrap=50, projection=16)
    loop = trainer(tmp_path, max_epochs=15)
    loop.fit(task, datamodule=batches(learner, table()))
    loop.test(task, datamodule=batches(learner, table()), verbose=False)
    assert task.test_metrics["recall@1"] == 1.0 == task.test_metrics["mrr"] and task.test_metrics["loss"] < 0.2
    assert set(task.test_intervals) == {"loss"}  # resamples of right answers tell nothing
    told = task.predictions()
    assert told["row"].tolist() == list(range(6)) and told["prediction"].tolist() == [0, 1, 2, 0, 1, 2]
    assert np.allclose(np.stack(told["scores"]).sum(1), 1)
    task.eval()
    task.save(tmp_path)
    learner.encoding.save(tmp_path)
    text = (tmp_path / "README.md").read_text()
    lines = text.partition("```python\n")[2].partition("```")[0]
    environment = {**os.environ, "HF_HUB_CACHE": str(hub_cache(tmp_path)), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "answers.json").read_text()) == list(ANSWERS)


def test_the_loss_is_that_of_the_batchs_answers() -> None:
    learner = lstm()
    task = retrieval(learner).eval()
    (batch,) = list(batches(learner, table().slice(0, 2)).val_dataloader())
    with torch.no_grad():
        vectors = task(batch)
        answers = task.encoded(torch.tensor([0, 1]))
        wanted = functional.cross_entropy(vectors @ answers.T / 0.05, batch["label"])
        assert torch.allclose(task.training_step(batch), wanted)
        assert vectors.norm(dim=-1).tolist() == pytest.approx([1, 1])


def test_ranks_are_counted_among_all_answers() -> None:
    learner = lstm()
    task = retrieval(learner).eval()
    (batch, *_) = list(batches(learner, table()).val_dataloader())
    with torch.no_grad():
        logits, counts = task.logits(batch), task.evaluation_step(batch)
    place = (-logits).argsort(1).argsort(1).gather(1, batch["label"][:, None])[:, 0]
    assert counts[f"{COUNTS}recall@1"][:, 0].tolist() == (place == 0).double().tolist()
    assert counts[f"{COUNTS}mrr"][:, 0].tolist() == pytest.approx((1 / (place + 1)).tolist())
    assert set(counts) == {"target", "scores", *(f"{COUNTS}{name}" for name in task.counted)}


def test_what_was_known_of_the_answers_is_forgotten_when_the_model_learns_on() -> None:
    learner = lstm()
    task = retrieval(learner).eval()
    (batch, *_) = list(batches(learner, table()).val_dataloader())
    with torch.no_grad():
        before = task.logits(batch)
        task.train()
        for parameter in task.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        task.eval()
        assert not torch.allclose(before, task.logits(batch))


def test_answers_by_rank() -> None:
    task = retrieval(lstm(), shown=2)
    scores = np.array([[0.1, 0.7, 0.2], [0.5, 0.1, 0.4]])
    told = task.answer({"scores": scores}, with_scores=True)
    assert told["ranked"] == [["refund_status", "Send it back."], ["délai", "Send it back."]]
    assert told["prediction"] == ["refund_status", "délai"] and told["ranked_scores"] == [[0.7, 0.2], [0.5, 0.4]]
    assert list(told) == task.answer_schema(with_scores=True).names
    assert "ranked_scores" not in task.answer_schema(with_scores=False).names


def test_the_baseline_goes_by_words_in_common() -> None:
    learner = lstm()
    task = retrieval(learner, bootstrap=20)
    found = task.baseline(raw(table(), facts_with(learner)), "train")
    assert found.predictions["prediction"][4] == 1, "both say refund"
    assert set(found.metrics) == set(task.counted) and set(found.intervals) == {"loss", "mrr", "recall@1"}


def test_names_are_read_as_words() -> None:
    assert words_of("card_arrival") == "card arrival" and words_of("a_b c") == "a_b c"


def test_what_it_cannot_do_is_refused() -> None:
    learner = lstm()
    with pytest.raises(ConfigError, match="one text and its answer"):
        retrieval(learner, facts_with(learner).learn(kinds={"text": "text", "text_pair": "text", "label": "label"}))
    frozen = probe(lstm(), facts_of("text"))
    with pytest.raises(ConfigError, match="nothing to learn"):
        retrieval(frozen)
    assert retrieval(frozen, projection=4).projection.out_features == 4  # type: ignore[union-attr]


def test_under_autocast_no_two_cosines_become_equal() -> None:
    torch.manual_seed(0)
    learner = minilm()
    task = retrieval(learner).eval()
    (batch, *_) = list(batches(learner, table()).val_dataloader())
    with torch.no_grad():
        exact = task.logits(batch)
        task.train().eval()
        with torch.autocast("cpu", torch.bfloat16):
            found = task.logits(batch)
    assert found.dtype == exact.dtype == torch.float32
    assert len(found.unique()) == found.numel()


def test_of_equal_scores_the_first_counts_and_what_is_no_number_is_the_last() -> None:
    scores = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [float("nan")] * 3])
    counts = {name.removeprefix(COUNTS): c[:, 0] for name, c in _counts(scores, torch.tensor([0, 1, 0])).items()}
    assert counts["recall@1"].tolist() == [1, 0, 0]
    assert counts["mrr"].tolist() == pytest.approx([1, 1 / 2, 1 / 3])


def test_many_answers_are_read_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    task = retrieval(probe(minilm(), facts_of("text")), projection=8).eval()
    batch = {"text": task.ids, "text_mask": task.mask}
    with torch.inference_mode():
        before = task.logits(batch)
        task.train(False)
        monkeypatch.setattr("espalier.task.retrieval._AT_ONCE", 2)
        torch.testing.assert_close(task.logits(batch), before)
