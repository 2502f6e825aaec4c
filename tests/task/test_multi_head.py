from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, log_loss
from torch import nn
from torch.nn import functional

from conf.defaults import defaults_of
from espalier.batch.batches import Batches
from espalier.batch.gather import Gather
from espalier.core.counted import values
from espalier.core.errors import ConfigError
from espalier.core.exhibits import Table, Texts
from espalier.core.facts import Counts, DataFacts, Raw
from espalier.core.parts import Batching
from espalier.task.heads import counts_of_head, metrics_of_heads
from espalier.task.multi_head import MultiHead
from model.examples import run_recipe
from task.toy import TEXTS, facts_of, lstm, sgd, trainer

LABELS = {"topic": ("world", "sport", "money"), "tone": ("bad", "good")}
FACTS = DataFacts({"vector": "vector", "label": "label", "source": "id"}, LABELS, {"train": 48}, (4,))


class Features(nn.Module):
    width = 4

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Linear(4, 4)

    def forward(self, batch: Any) -> torch.Tensor:
        features: torch.Tensor = self.trunk(batch["vector"])
        return features


def columns(rows: int = 48, seed: int = 0) -> dict[str, Any]:
    """Two thirds of the rows ask for a topic, one third for a tone; features tell both."""
    generator = np.random.default_rng(seed)
    source = (np.arange(rows) % 3 == 2).astype(np.int64)
    label = np.where(source == 0, generator.integers(0, 3, rows), generator.integers(0, 2, rows))
    centres = generator.normal(size=(5, 4)) * 4
    vector = centres[label + 3 * source] + generator.normal(size=(rows, 4))
    return {"row": np.arange(rows)[::-1].copy(), "vector": vector.astype(np.float32), "label": label, "source": source}


def multi_head(learner: Any = None, facts: DataFacts = FACTS, **values: Any) -> MultiHead:
    return MultiHead(learner or Features(), facts, sgd, **{**defaults_of("task/multi_head", bootstrap=30), **values})


def batches() -> Batches:
    splits = dict.fromkeys(("train", "validation", "test"), columns())
    return Batches(splits, Batching(8, 20, 0, False), {}, seed=0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[MultiHead, Any]:
    torch.manual_seed(0)
    task = multi_head()
    loop = trainer(tmp_path_factory.mktemp("trained"), max_epochs=4)
    loop.fit(task, datamodule=batches())
    assert task.objective in loop.callback_metrics and task.objective == "validation/accuracy"
    loop.test(task, datamodule=batches(), verbose=False)
    return task, loop


def test_metrics_are_scikit_learns_head_by_head(trained: tuple[MultiHead, Any]) -> None:
    task, _ = trained
    rows, order = columns(), np.argsort(columns()["row"])
    with torch.inference_mode():
        logits = task({"vector": torch.from_numpy(rows["vector"][order])})
    each: dict[str, list[float]] = {"accuracy": [], "f1_macro": [], "loss": []}
    for number, name in enumerate(LABELS):
        mine = rows["source"][order] == number
        target, scores = rows["label"][order][mine], logits[name].double().softmax(-1).numpy()[mine]
        figures = {
            "accuracy": accuracy_score(target, scores.argmax(1)),
            "f1_macro": f1_score(target, scores.argmax(1), average="macro"),
            "loss": log_loss(target, scores, labels=range(len(LABELS[name]))),
        }
        for metric, value in figures.items():
            assert task.test_metrics[f"{metric}_{name}"] == pytest.approx(value, abs=1e-5)
            each[metric].append(value)
    for metric, found in each.items():
        assert task.test_metrics[metric] == pytest.approx(np.mean(found), abs=1e-5)
        low, high = task.test_intervals[metric]
        assert low < task.test_metrics[metric] <= high
    assert task.test_metrics["accuracy"] > 0.8


def test_a_head_that_no_row_asks_does_not_count() -> None:
    labels = {"one": ("a", "b"), "other": ("a", "b", "c")}
    source, target = torch.zeros(10, dtype=torch.long), torch.arange(10) % 2
    called = target.clone()
    called[0] = 1 - called[0]
    counts = {n: c.double().numpy() for n, c in counts_of_head(labels, source, target, called, torch.ones(10)).items()}
    found = values(metrics_of_heads(labels), counts)
    assert set(found) == {"accuracy", "f1_macro", "loss", "accuracy_one", "f1_macro_one", "loss_one"}
    assert found["accuracy"] == found["accuracy_one"] == pytest.approx(0.9) and found["loss"] == 1.0


def test_a_row_teaches_its_own_head_alone() -> None:
    task = multi_head()
    rows = {name: torch.from_numpy(column) for name, column in columns(9).items()}
    tone = rows["source"] == 1
    logits = task(rows)
    wanted = torch.cat([
        functional.cross_entropy(logits[name][mine], rows["label"][mine], reduction="none")
        for name, mine in (("topic", ~tone), ("tone", tone))
    ]).mean()  # fmt: skip
    torch.testing.assert_close(task.training_step({**rows, "scale": 0.5}), wanted * 0.5)
    only = {name: column[tone] for name, column in rows.items()}
    task.training_step({**only, "scale": 1.0}).backward()
    assert task.heads["tone"].weight.grad.abs().sum() > 0 and task.heads["topic"].weight.grad.abs().sum() == 0


def test_predictions_name_their_source(trained: tuple[MultiHead, Any]) -> None:
    told = trained[0].predictions()
    assert told["source"] == ["tone" if n else "topic" for n in columns()["source"][::-1]]
    assert (told["target"] == columns()["label"][::-1]).all()


def test_every_head_answers_every_row() -> None:
    task = multi_head()
    found = {"topic": np.array([[0.2, 0.7, 0.1], [0.5, 0.2, 0.3]]), "tone": np.array([[0.9, 0.1], [0.4, 0.6]])}
    answers = task.answer(found, with_scores=True)
    assert answers["prediction:topic"] == ["sport", "world"] and answers["prediction:tone"] == ["bad", "good"]
    assert list(answers["score:tone"]) == [0.9, 0.6] and list(answers["score:topic:money"]) == [0.1, 0.3]
    assert list(answers) == task.answer_schema(with_scores=True).names
    assert task.answer_schema(with_scores=False).names == [
        "prediction:topic", "score:topic", "prediction:tone", "score:tone",
    ]  # fmt: skip


def test_it_shows_classes_and_errors_head_by_head(trained: tuple[MultiHead, Any]) -> None:
    task, _ = trained
    task.facts = task.facts.learn(kinds={"text": "text", **FACTS.kinds})
    texts = [f"text {row}" for row in columns()["row"]]
    task.rows = {"test": pa.table({"row": columns()["row"], "text": texts})}
    topic, tone, *errors = task.exhibits("test")
    assert isinstance(topic, Table) and isinstance(tone, Table)
    assert [row[0] for row in topic.rows] == list(LABELS["topic"]) and tone.title == "Classes of tone"
    assert sum(int(row[4]) for row in [*topic.rows, *tone.rows]) == 48
    told = task.predictions()
    wrong = sum(told["target"] != told["prediction"])
    assert sum(len(shown.items) for shown in errors if isinstance(shown, Texts)) == wrong
    for shown in errors:
        assert isinstance(shown, Texts) and shown.texts
        for caption, text in shown.items:
            assert caption.startswith(f"row {text.removeprefix('text ')}   is ")


def test_a_bag_of_words_for_each_is_its_baseline() -> None:
    topics, tones = ("war", "ball", "bank"), ("awful", "nice")
    texts = [f"{topics[i % 3] if i % 2 else tones[i // 2 % 2]} {i}" for i in range(60)]
    label = [i % 3 if i % 2 else i // 2 % 2 for i in range(60)]
    table = pa.table({"row": range(60), "text": texts, "label": label, "source": [1 - i % 2 for i in range(60)]})
    splits, counts = {"train": table, "test": table}, {"train": Counts(60, 60)}
    raw = Raw(splits, {"text": "text", "label": "label", "source": "id"}, LABELS, counts, "f", "here")
    found: Any = multi_head(facts=DataFacts.of(raw)).baseline(raw, "test")
    assert found.name == "logistic regression on words, one for each"
    assert found.metrics["accuracy"] == found.metrics["accuracy_tone"] == 1.0 and 0 < found.metrics["loss_topic"] < 0.7
    assert sorted(found.predictions["row"]) == list(range(60))


def test_a_readmes_lines_tell_the_same(tmp_path: Path) -> None:
    backbone: Any = lstm(dropout=0.0)
    facts = facts_of("text").learn(kinds={"text": "text", "label": "label", "source": "id"}, labels=LABELS)
    task = multi_head(backbone, facts).eval()
    backbone.encoding.save(tmp_path)
    task.save(tmp_path)
    code = (tmp_path / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    scores = run_recipe(code, tmp_path)["scores"](TEXTS)
    encoded = {n: c for n, c in backbone.encoding.apply(pa.table({"text": TEXTS})).items() if n != "truncated"}
    batch = Gather({**encoded, "row": np.arange(3)}, backbone.encoding.facts()["pad"])[np.arange(3), 1.0]
    for name, logits in task(batch).items():
        torch.testing.assert_close(scores[name], logits.softmax(-1))


def test_one_source_is_refused() -> None:
    with pytest.raises(ConfigError, match="Set  data=joint, or  task=classification"):
        multi_head(facts=facts_of("text"))


@pytest.mark.parametrize("name", ["type", "train", "a.b"])
def test_names_that_torch_keeps_for_itself_are_refused(name: str) -> None:
    facts = dataclasses.replace(FACTS, labels={"mood": ("x", "y"), name: ("x", "y")})
    with pytest.raises(ConfigError, match=f"data.sources.{name} .*Call it otherwise"):
        multi_head(facts=facts)
