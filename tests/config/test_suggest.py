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
    "hydra.job.name",
]


@pytest.mark.parametrize(
    ("word", "found"),
    [("minlm", "minilm"), ("lsmt", "lstm"), ("mini", "minilm"), ("m", None), ("xyz", None), ("", None)],
)
def test_nearest(word: str, found: str | None) -> None:
    assert nearest(word, ["lstm", "minilm", "mlp"]) == found


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
    ],
)
def test_nearest_keys(key: str, found: list[str]) -> None:
    assert nearest_keys(key, KEYS) == found


def test_in_words() -> None:
    assert asked(["a", "b"]) == "Did you mean  a or b ?" and asked([]) == ""
    assert listed("abc", 2) == "a, b …" and listed("ab") == "a, b"
