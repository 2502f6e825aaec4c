from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from espalier.core.errors import DataError
from espalier.core.outcome import Cost
from espalier.report.comparison import (
    ComparedRun,
    Side,
    against_first,
    costs_of,
    curve_keys,
    differences,
    history,
    legends,
    metrics_of,
    sides_of,
)
from report.run_files import outcome_of, write_metrics, write_predictions

CONFIG = {"seed": 0, "output": "a", "optimizer": {"_target_": "x", "lr": 0.001}, "model": {"_target_": "m", "width": 8}}


def run(lr: float = 0.001, seed: int = 0, directory: Path = Path("nowhere"), **outcome: object) -> ComparedRun:
    config = {**CONFIG, "seed": seed, "optimizer": {"_target_": "x", "lr": lr}}
    return ComparedRun(directory, directory, outcome_of(seed=seed, **outcome), config, "done")


def accurate(accuracy: float) -> dict[str, object]:
    metrics = {"test/accuracy": accuracy, "validation/accuracy": accuracy}
    return {"metrics": metrics, "intervals": {"test/accuracy": (accuracy - 0.1, accuracy + 0.1)}}


def test_runs_that_differ_in_their_seed_alone_are_one_side() -> None:
    sides = sides_of([run(seed=1), run(lr=0.1), run(seed=0)])
    assert [(side.letter, len(side.runs)) for side in sides] == [("A", 2), ("B", 1)]
    assert [one.outcome.seed for one in sides[0].runs] == [0, 1]
    assert legends(sides) == ["A  lr=0.001 (2 seeds)", "B  lr=0.1"]


def test_legends_are_names_or_what_tells_sides_of_one_name_apart() -> None:
    assert legends(sides_of([run(), run(lr=0.1, name="other")])) == ["A  support_intents", "B  other"]
    options = [{"model": model, "adapter": adapter} for model in ("minilm", "bert") for adapter in ("lora", "full")]
    chosen = [run(lr=float(i), summary={"options": one}) for i, one in enumerate(options)]
    assert legends(sides_of(chosen)) == ["A  minilm lora", "B  minilm full", "C  bert lora", "D  bert full"]
    same = [run(), run(data={"fingerprint": "other"})]
    assert legends(sides_of(same)) == ["A  support_intents", "B  support_intents"]


def test_the_same_config_over_other_rows_is_another_side() -> None:
    assert len(sides_of([run(), run(data={"fingerprint": "other"})])) == 2


def test_a_seed_that_was_run_twice_is_another_side_and_code_that_differs_is_told() -> None:
    again = [run(directory=Path(name), git_commit=name) for name in ("first", "second")]
    assert legends(sides_of(again)) == ["A  support_intents first", "B  support_intents second"]
    seeds = [run(seed=seed, git_commit=commit) for seed, commit in enumerate("aab")]
    assert legends(sides_of(seeds)) == ["A  support_intents (3 seeds, of different code)"]
    assert legends(sides_of(seeds[:2])) == ["A  support_intents (2 seeds)"]


def test_there_are_letters_for_many_sides() -> None:
    letters = [side.letter for side in sides_of([run(lr=float(i)) for i in range(28)])]
    assert letters[:2] + letters[25:] == ["A", "B", "Z", "AA", "AB"]


def test_only_what_differs_is_told() -> None:
    told = dict(differences(sides_of([run(), run(lr=0.1, host="crane")])))
    assert told == {"optimizer.lr": ["0.001", "0.1"], "host": ["heron", "crane"]}


def test_lists_are_told_as_yaml_writes_them() -> None:
    a, b = (run(lr=lr, summary={"options": {"callback": names}}) for lr, names in ((0.1, ["a", "b"]), (0.2, ["a"])))
    assert dict(differences(sides_of([a, b])))["callback"] == ["[a, b]", "[a]"]


def test_another_option_is_told_once_and_its_own_keys_are_not() -> None:
    a, b = run(summary={"options": {"model": "lstm"}}), run(summary={"options": {"model": "mlp"}})
    other = {**CONFIG, "model": {"_target_": "n", "layers": 2, "width": 8}}
    told = dict(differences(sides_of([a, replace(b, config=other)])))
    assert told == {"model": ["lstm", "mlp"]}


def test_one_run_has_an_interval_and_several_a_spread() -> None:
    runs = [run(**accurate(0.8)), run(seed=1, **accurate(0.9)), run(lr=0.1, **accurate(0.6))]
    (row,) = metrics_of(sides_of(runs))
    several, one = row.figures
    assert several is not None and one is not None and row.name == "test/accuracy"
    assert (several.mean, several.deviation, several.bounds) == (
        pytest.approx(0.85),
        pytest.approx(0.0707, abs=1e-4),
        None,
    )
    assert (one.mean, one.deviation, one.bounds) == (0.6, None, (0.5, 0.7))


def test_where_one_was_not_tested_all_are_compared_on_validation() -> None:
    (row,) = metrics_of(sides_of([run(**accurate(0.8)), run(lr=0.1, metrics={"validation/accuracy": 0.7})]))
    assert row.name == "validation/accuracy" and [figure and figure.mean for figure in row.figures] == [0.8, 0.7]


def test_a_run_without_metrics_has_nothing_to_compare() -> None:
    assert metrics_of(sides_of([run(metrics={}), run(lr=0.1, metrics={})])) == []


def test_costs_are_means() -> None:
    costs = {row.name: row.figures for row in costs_of(sides_of([run(), run(seed=1), run(lr=0.1)]))}
    assert costs["wall_seconds"][0] is not None and costs["wall_seconds"][0].mean == pytest.approx(161.3)


def test_what_was_not_measured_costs_nothing_known() -> None:
    costs = {row.name: row.figures for row in costs_of(sides_of([run(), run(lr=0.1, cost=Cost(wall_seconds=4.0))]))}
    assert costs["samples_per_second"][1] is None and costs["samples_per_second"][0] is not None
    assert [row.name for row in costs_of(sides_of([run(cost=Cost(wall_seconds=4.0))]))] == ["wall_seconds"]


def test_sides_that_answered_the_same_rows_are_tested_in_pairs(tmp_path: Path) -> None:
    places = [tmp_path / name for name in "abc"]
    for place, rows in zip(places, (40, 40, 30), strict=True):
        place.mkdir()
        write_predictions(place, classes=4, rows=rows)
    sides = [Side(letter, [run(directory=place)]) for letter, place in zip("ABC", places, strict=True)]
    (_, same), (_, fewer) = against_first(sides)
    assert same is not None and same.difference == 0 and fewer is None
    data = sides[0].first.outcome.data
    other = run(directory=places[1], data={**data, "fingerprint": "of other training rows"})
    assert against_first([sides[0], Side("B", [other])])[0][1] is not None
    for digests, told in ((("a", "a"), True), (("a", "b"), False), (("a", None), True)):
        judged = [run(directory=places[0], data={**data, **({"judged": one} if one else {})}) for one in digests]
        found = against_first([Side(letter, [one]) for letter, one in zip("AB", judged, strict=True)])[0][1]
        assert (found is not None) is told
    other = run(directory=places[1], data={**data, "labels": ["other", "names"]})
    assert against_first([sides[0], Side("B", [other])])[0][1] is None


def test_several_seeds_are_all_tested(tmp_path: Path) -> None:
    places = [tmp_path / name for name in "abcd"]
    for seed, place in enumerate(places):
        place.mkdir()
        write_predictions(place, classes=4, rows=40, seed=seed)
    runs = [run(directory=place, seed=seed) for seed, place in enumerate(places)]
    ((_, found),) = against_first([Side("A", runs[:2]), Side("B", runs[2:])])
    assert found is not None and found.rows == 40 and "seeds" in found.test
    (places[3] / "predictions" / "test.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="damaged"):
        against_first([Side("A", runs[:2]), Side("B", runs[2:])])


def test_curves_are_the_objectives_and_the_losses(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    side = Side("A", [run(directory=tmp_path)])
    assert curve_keys([side]) == ["validation/accuracy", "validation/loss", "train/loss"]
    assert [step for step, _ in history(side.first, "validation/accuracy")] == [40, 80, 120]
