from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from espalier.batch.batches import Batches
from espalier.core.errors import ConfigError
from espalier.core.facts import OUT_OF_SCOPE, DataFacts, Raw
from espalier.core.parts import Batching
from espalier.task.rejection import Kind, Rejection, rejection_metrics, trade_off, weighted_rejection
from task.test_classification import Features
from task.toy import classification, facts_of, multilabel, trainer

KINDS: tuple[Kind, ...] = ("max_probability", "energy")
each_kind = pytest.mark.parametrize("kind", KINDS)


def logits(rows: int = 300, classes: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Sure and right ones, and flat ones of no class; a fifth of them the other way round."""
    generator = torch.Generator().manual_seed(seed)
    target = torch.arange(rows) % (classes + 1)
    found = torch.randn(rows, classes, generator=generator, dtype=torch.float64)
    known = (target < classes) & (torch.rand(rows, generator=generator) < 0.8)
    found[known, target[known]] += 5
    return found, target


def facts() -> DataFacts:
    return facts_of("text", 2).learn(labels={"": ("délai", "refund", OUT_OF_SCOPE)}, outside=True)


@each_kind
def test_none_of_the_classes_wins_exactly_below_the_threshold(kind: Kind) -> None:
    found, target = logits()
    rule = Rejection(kind, 0.5)
    torch.testing.assert_close(rule.scores(found)[:, :3], found.softmax(-1))
    assert not rule.scores(found)[:, 3].any()
    rule.choose(found, target)
    scores = rule.scores(found)
    torch.testing.assert_close(scores.sum(1), torch.ones(300, dtype=torch.float64))
    rejected = rule.familiarity(found) < rule.threshold
    assert 0 < rejected.sum() < 300
    assert torch.equal(scores.argmax(1), torch.where(rejected, 3, found.argmax(1)))
    assert torch.equal(rule.scores(found.float()).argmax(1), scores.argmax(1))


@each_kind
@pytest.mark.parametrize("weight", [0.1, 0.5, 0.9])
def test_the_threshold_is_the_best_of_all(kind: Kind, weight: float) -> None:
    found, target = logits()
    rule = Rejection(kind, weight)
    rule.choose(found, target)
    familiarity = rule.familiarity(found)

    def gain(threshold: float) -> float:
        called = torch.where(familiarity < threshold, 3, found.argmax(1))
        right, outside = (called == target).double(), target == 3
        return float(weight * right[outside].mean() + (1 - weight) * right[~outside].mean())

    best = max(gain(float(value) + 1e-12) for value in [*familiarity, -1e9])
    assert gain(rule.threshold) == pytest.approx(best)


def test_nothing_is_rejected_where_that_gains_nothing() -> None:
    rule = Rejection("energy", 0.5)
    rule.choose(torch.tensor([[5.0, 0.0], [0.0, 5.0], [9.0, 0.0]]), torch.tensor([0, 1, 2]))
    assert rule.threshold == -float("inf")
    rule.choose(torch.tensor([[5.0, 0.0], [0.0, 5.0]]), torch.tensor([0, 1]))
    assert rule.threshold == -float("inf")
    logits = torch.tensor([[5.0, 0.0]])
    assert eval(rule.as_code(), {"logits": logits, "torch": torch}).tolist() == [-float("inf")]


@each_kind
def test_no_precision_of_weights_rounds_the_threshold(kind: Kind) -> None:
    rule = Rejection(kind, 0.5)
    rule.choose(*logits())
    chosen = rule.threshold
    assert rule.bfloat16().threshold == chosen
    other = Rejection(kind, 0.5)
    other.load_state_dict(rule.state_dict())
    assert other.threshold == chosen


@each_kind
def test_rows_without_end_are_answered(kind: Kind) -> None:
    rule = Rejection(kind, 0.5)
    rule.choose(*logits())
    far = torch.tensor([[900.0, 0.0, 0.0], [-900.0, -900.0, -900.0]])
    assert torch.isfinite(rule.scores(far)).all()
    assert rule.scores(far).argmax(1).tolist()[0] == 0


def test_metrics_are_scikit_learns() -> None:
    found, target = logits()
    rule = Rejection("max_probability", 0.3)
    rule.choose(found, target)
    scores, known = rule.scores(found).numpy(), target.numpy()
    called, outside = scores.argmax(1), known == 3
    metrics = rejection_metrics(scores, known)
    assert metrics["accuracy_in_scope"] == pytest.approx((called == known)[~outside].mean())
    assert metrics["recall_out_of_scope"] == pytest.approx(recall_score(outside, called == 3))
    assert metrics["precision_out_of_scope"] == pytest.approx(precision_score(outside, called == 3))
    assert metrics["auroc_out_of_scope"] == pytest.approx(roc_auc_score(outside, -rule.familiarity(found).numpy()))
    assert metrics["accuracy"] == pytest.approx((called == known).mean())
    twice = {n: float(v[0]) for n, v in weighted_rejection(scores, known, np.full((300, 1), 2.0)).items()}
    assert twice == pytest.approx(metrics)


def test_a_threshold_is_of_its_own_familiarity() -> None:
    rule = Rejection("energy", 0.5)
    rule.choose(*logits())
    with pytest.raises(ConfigError, match=r"task\.reject=max_probability  needs a threshold of its own.*for energy"):
        Rejection("max_probability", 0.5).load_state_dict(rule.state_dict())


def test_the_report_tells_what_other_thresholds_cost() -> None:
    found, target = logits()
    rule = Rejection("energy", 0.3)
    rule.choose(found, target)
    scores, known = rule.scores(found).numpy(), target.numpy()
    table = trade_off(scores, known)
    assert table is not None
    outside, strange = known == 3, -rule.familiarity(found).numpy()
    for recall, accuracy, rejected in table.rows:
        limit = np.quantile(strange[outside], 1 - float(recall), method="higher")
        assert (strange[outside] >= limit).mean() == pytest.approx(float(recall), abs=0.02)
        called = np.where(strange >= limit, 3, scores[:, :3].argmax(1))
        assert (called == known)[~outside].mean() == pytest.approx(float(accuracy), abs=0.02)
        assert abs((called == 3).sum() - int(rejected)) <= 3
    assert trade_off(scores[~outside], known[~outside]) is None


def test_rows_of_one_kind_tell_of_that_alone() -> None:
    found, target = logits()
    scores = Rejection("energy", 0.5).scores(found[target < 3]).numpy()
    named = {name for name in rejection_metrics(scores, target[target < 3].numpy()) if "_scope" in name}
    assert named == {"accuracy_in_scope"}
    scores = Rejection("energy", 0.5).scores(found[target == 3]).numpy()
    named = {name for name in rejection_metrics(scores, target[target == 3].numpy()) if "_scope" in name}
    assert named == {"recall_out_of_scope", "precision_out_of_scope"}


def test_a_model_that_diverged_says_nothing() -> None:
    assert all(map(np.isnan, rejection_metrics(np.full((4, 3), np.nan), np.array([0, 1, 2, 2])).values()))


def batches() -> Batches:
    """Two classes far apart, and on validation and test rows of neither, between them."""
    generator = np.random.default_rng(0)
    label = np.arange(60) % 3
    centre = np.array([[4, 4, 0, 0], [0, 0, 4, 4], [0, 0, 0, 0]], np.float32)
    vector = centre[label] + generator.normal(size=(60, 4)).astype(np.float32) / 2
    held = {"row": np.arange(60), "vector": vector, "label": label}
    train = {name: column[label < 2] for name, column in held.items()}
    return Batches({"train": train, "validation": held, "test": held}, Batching(8, 16, 0, False), {}, seed=0)


@each_kind
def test_a_task_learns_the_classes_and_tells_the_rest(kind: Kind, tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = classification(Features(), facts=facts(), reject=kind, reject_weight=0.5, bootstrap=20)
    assert task.head.out_features == 2
    loop = trainer(tmp_path, max_epochs=20)
    loop.fit(task, datamodule=batches())
    logged = {name.removeprefix("validation/") for name in loop.callback_metrics}
    loop.test(task, datamodule=batches(), verbose=False)
    assert logged == set(task.test_metrics)
    assert "accuracy" in task.test_intervals and set(task.test_intervals) <= logged - {"loss"}
    told = task.test_metrics
    assert min(told["accuracy_in_scope"], told["recall_out_of_scope"], told["auroc_out_of_scope"]) > 0.9
    columns = task.predictions()
    assert np.stack(columns["scores"]).shape == (60, 3)
    found = {"scores": np.stack(columns["scores"])}
    named = [name for (name,) in task.answer(found, with_scores=True)["prediction"]]
    assert {named[row] for row in range(60) if columns["prediction"][row] == 2} == {OUT_OF_SCOPE}
    assert f"score:{OUT_OF_SCOPE}" in task.answer_schema(with_scores=True).names

    again: Any = classification(Features(), facts=facts(), reject=kind, reject_weight=0.5)
    again.load_state_dict(task.state_dict())
    assert again.rejection.threshold == task.rejection.threshold > -float("inf")


def test_the_bag_of_words_beside_it_rejects_too() -> None:
    words = (["late parcel", "my parcel is late"], ["money back", "give me my money back"], ["sing a song", "how tall"])

    def table(numbers: list[int]) -> pa.Table:
        texts = [words[label][row % 2] for row, label in enumerate(numbers)]
        return pa.table({"row": range(len(numbers)), "text": texts, "label": pa.array(numbers, pa.int64())})

    splits = {"train": table([0, 1] * 20), "validation": table([0, 0, 1, 1, 2, 2]), "test": table([0, 0, 1, 1, 2, 2])}
    known = facts()
    raw = Raw(splits, known.kinds, known.labels, {}, "", "toy", outside=True)
    task = classification(Features(), facts=known, reject="energy", reject_weight=0.5, bootstrap=4)
    found = task.baseline(raw, "test")
    assert found.metrics["accuracy_in_scope"] == found.metrics["recall_out_of_scope"] == 1.0
    assert found.predictions["prediction"].tolist() == [0, 0, 1, 1, 2, 2]


def test_nonsense_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"task\.reject=energy  chooses its threshold .*data\.outside=LABEL"):
        classification(Features(), reject="energy")
    with pytest.raises(
        ConfigError, match=r"task\.reject=none  cannot answer rows of none .*Set  task\.reject=max_prob"
    ):
        classification(Features(), facts=facts())
    with pytest.raises(ConfigError, match="Multilabel cannot tell"):
        multilabel(Features(), facts=facts())


def test_weights_of_a_list_are_those_of_the_classes() -> None:
    task = classification(Features(), facts=facts(), reject="energy", class_weights=[1.0, 3.0])
    assert task.weights is not None and task.weights.tolist() == [1.0, 3.0]
    with pytest.raises(ConfigError, match="has 3 weights, and there are 2 classes: délai, refund"):
        classification(Features(), facts=facts(), reject="energy", class_weights=[1.0, 3.0, 1.0])
