"""How the bench of adapters tunes a rate, and what it says of differences."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
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
    remains = bench.difference([88.0, 88.3, 88.1], [87.0, 87.2, 87.1])
    assert remains == "+1.0 ± 0.1, remains"
    # by hand: differences 1, -0.2, 0.6; mean 0.467, deviation 0.611, half of the interval 4.303 x 0.611 / sqrt(3)
    assert bench.difference([88.0, 87.0, 88.5], [87.0, 87.2, 87.9]) == "+0.5 ± 1.5, may be chance"
    assert bench.difference([86.5], [87.0, 87.2, 87.9]) == "-0.5 (one seed)"


def test_a_rate_that_does_worse_on_more_rows_is_lowered(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def swept(words: list[str], output: Path) -> Path:
        rate = next(word for word in words if word.startswith("optimizer.lr="))
        asked.append((rate, next(word for word in words if word.startswith("seed="))))
        return Path(rate)

    reached = {"optimizer.lr=0.009": 0.5, "optimizer.lr=0.003": 0.7, "optimizer.lr=0.001": 0.9}
    monkeypatch.setattr(bench, "swept", swept)
    monkeypatch.setattr(
        bench, "read_record", lambda sweep: [SimpleNamespace(state="done", values=(reached[str(sweep)],))]
    )
    rate, sweeps = bench.train("lora", 9e-3, 0.8, bench.WHOLE, Path())
    assert rate == pytest.approx(1e-3) and sweeps == [Path("optimizer.lr=0.001")] * 2
    assert asked == [(rate, "seed=0") for rate in reached] + [("optimizer.lr=0.001", "seed=1,2")]
    asked.clear()
    assert len(bench.train("side", 1e-3, 0.8, bench.WHOLE, Path())[1]) == len(asked) == 1


def test_a_table_holds_the_adapters_that_were_measured(bench: Any) -> None:
    def record(accuracies: list[float], processor: str = "A") -> dict[str, Any]:
        figures = [("rate", "", [0.003], "median"), ("accuracy", "%", accuracies, "mean")]
        ours = [dict(zip(("name", "unit", "samples", "of"), one, strict=True)) for one in figures]
        return {"ours": ours, "machine": {"processor": processor}}

    assert bench.table({"sst2_lora": record([1.0])}) == []
    told = bench.table({"adapter_lora": record([87.0, 87.2, 87.1]), "adapter_side": record([86.5])})
    assert told[0] == "| adapter | rate | accuracy, % | accuracy − lora's |"
    assert told[2:] == ["| lora | 0.003 | 87.1 ± 0.1 | – |", "| side | 0.003 | 86.5 | -0.5 (one seed) |"]
    told = bench.table({"adapter_lora": record([87.0]), "adapter_side": record([86.5], "B")})
    assert [told[place].split(" | ")[-1] for place in (0, 2, 3)] == ["processor |", "A |", "B |"]


def test_every_adapter_has_a_row(bench: Any, root: Any) -> None:
    options = {file.stem for file in (root / "conf" / "adapter").glob("*.yaml")}
    chosen = {words[0].removeprefix("adapter=") for words, _ in bench.ADAPTERS.values()}
    assert chosen == options
