from __future__ import annotations

import pytest

from espalier.config.suggest import asked, listed, nearest, nearest_keys

KEYS = [
    "seed",
    "optimizer",
    "optimizer.lr",
    "optimizer.eps",
    "data.batch_size",
    "adapter.dropout",
    "model.dropout",
    "optimizer.weight_decay",
    "weights",
    "name",
    "data.eval_batch_size",
    "hydra.job.name",
]


@pytest.mark.parametrize(
    ("word", "found"),
    [("minlm", "minilm"), ("lsmt", "lstm"), ("mini", "minilm"), ("m", None), ("xyz", None), ("", None)],
)
def test_nearest(word: str, found: str | None) -> None:
    assert nearest(word, ["lstm", "minilm", "mlp"]) == found


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("adamW", ["adam", "adamw"], "adamw"),
        ("BERT", ["bert"], "bert"),
        ("a", ["A", "a"], "a"),
        ("bf16", ["32-true", "bf16-mixed", "bf16-true"], "bf16-mixed"),
        ("none", ["constant", "cosine"], None),
        ("bayes", ["asha", "cmaes", "gp"], None),
        ("trials", ["task", "trainer"], None),
    ],
)
def test_case_counts_for_nothing_a_beginning_for_more_than_likeness(
    word: str, known: list[str], found: str | None
) -> None:
    assert nearest(word, known) == found


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("optimizer.lrr", ["optimizer.lr"]),
        ("optimzer.lr", ["optimizer.lr"]),
        ("batch_size", ["data.batch_size"]),
        ("batchsize", ["data.batch_size"]),
        ("optimizer.dropout", ["adapter.dropout", "model.dropout"]),
        ("optimizer.foo", []),
        ("hydra.foo", []),
        ("sed", ["seed"]),
        ("optim.lr", ["optimizer.lr"]),
        ("completely_different", []),
        ("weight_decay", ["optimizer.weight_decay"]),
        ("adapter.weight_decay", ["optimizer.weight_decay"]),
        ("optimizer.LR", ["optimizer.lr"]),
        ("model.name", []),
        ("data.val_path", []),
    ],
)
def test_nearest_keys(key: str, found: list[str]) -> None:
    assert nearest_keys(key, KEYS) == found


def test_in_words() -> None:
    assert asked(["a", "b"]) == "Did you mean  a or b ?" and asked([]) == ""
    assert listed("abc", 2) == "a, b …" and listed("ab") == "a, b"
