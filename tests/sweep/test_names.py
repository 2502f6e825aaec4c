from __future__ import annotations

from espalier.core.searching import Dimension
from espalier.sweep.names import name_of, short_keys, spoken


def test_the_last_part_and_more_where_two_are_alike() -> None:
    keys = ["optimizer.lr", "optimizer.parts.critic.lr", "adapter", "model/encoding", "+vars.x", "seed"]
    assert list(short_keys(keys).values()) == ["optimizer.lr", "critic.lr", "adapter", "encoding", "x", "seed"]
    assert short_keys(["a.x", "b.x", "x"]) == {"a.x": "a.x", "b.x": "b.x", "x": "x"}


def test_names_are_short() -> None:
    values = {"optimizer.lr": 0.00031249, "adapter": "lora", "model.hidden": [64, 32], "seed": 1}
    assert name_of(values, short_keys([*values])) == "lr=0.0003125 adapter=lora hidden=[64,32] seed=1"
    long = name_of({"data.path": "x" * 90 + "/rows.csv"}, {})
    assert long.startswith("data.path=…x") and long.endswith("/rows.csv") and len(long) < 60


def test_dimensions_in_words() -> None:
    assert spoken(Dimension("x", ("lora", None, 0.5))) == "lora, null, 0.5"
    assert spoken(Dimension("x", low=1e-5, high=1e-2, log=True)) == "1e-05 to 0.01, by its logarithm"
    assert spoken(Dimension("x", low=1, high=8, whole=True)) == "1 to 8, whole numbers"
    assert spoken(Dimension("x", tuple(range(100)))) == "0, 1, 2, 3, 4, 5, 6, 7, 8 … 99 (100 values)"
