"""How the bench of adapters tunes a rate, and what it says of differences."""

from __future__ import annotations

import importlib
from typing import Any

import pytest


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, root: Any) -> Any:
    monkeypatch.syspath_prepend(str(root / "scripts"))
    return importlib.import_module("benches.adapters")


def test_rates_are_tried_beyond_the_best_one_until_it_has_worse_on_both_sides(bench: Any) -> None:
    found = {1e-3: 0.80, 3e-3: 0.82, 9e-3: 0.84}
    (more,) = bench.further(found, 8)
    assert more == pytest.approx(2.7e-2)
    assert bench.further({**found, more: 0.83}, 8) == []
    (less,) = bench.further({1e-3: 0.9, 3e-3: 0.8}, 8)
    assert less == pytest.approx(1e-3 / 3)
    assert bench.further(found, 3) == []


def test_a_difference_remains_where_its_interval_leaves_out_zero(bench: Any) -> None:
    remains = bench.difference("full", [88.0, 88.3, 88.1], [87.0, 87.2, 87.1])
    assert remains.name == "full − lora (remains)" and remains.value == pytest.approx(1.0333, abs=1e-3)
    chance = bench.difference("full", [88.0, 87.0, 88.5], [87.0, 87.2, 87.9])
    assert chance.name == "full − lora (may be chance)"
    # by hand: differences 1, -0.2, 0.6; mean 0.467, deviation 0.611, half of the interval 4.303 x 0.611 / sqrt(3)
    assert chance.value == pytest.approx(0.4667, abs=1e-3)


def test_every_adapter_has_a_row(bench: Any, root: Any) -> None:
    options = {file.stem for file in (root / "conf" / "adapter").glob("*.yaml")}
    chosen = {words[0].removeprefix("adapter=") for words, _ in bench.ADAPTERS.values()}
    assert chosen == options
