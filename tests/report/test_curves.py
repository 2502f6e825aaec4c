from __future__ import annotations

import math

from espalier.report.curves import best_point, curves_of


def records(name: str, values: list[float]) -> list[dict[str, float]]:
    return [{"step": step, "epoch": 0, name: number} for step, number in enumerate(values, 1)]


def test_train_and_validation_share_a_chart_and_the_loss_is_first() -> None:
    lines = [
        *records("validation/accuracy", [0.5]),
        *records("train/loss", [2.0, 1.0]),
        *records("validation/loss", [1.5]),
    ]
    curves = curves_of(lines, "validation/accuracy")
    assert [curve.name for curve in curves] == ["loss", "accuracy"]
    assert [series.split for series in curves[0].series] == ["train", "validation"]


def test_a_metric_that_stands_only_once_is_a_point() -> None:
    (curve,) = curves_of(records("validation/fid", [31.2]), "validation/fid")
    assert [(point.step, point.value) for point in curve.series[0].points] == [(1, 31.2)]


def test_values_that_are_not_finite_are_gaps_that_are_counted() -> None:
    (curve,) = curves_of(records("train/loss", [2.0, math.nan, math.inf]), "")
    series = curve.series[0]
    assert (len(series.points), series.gaps, series.gap_step) == (1, 2, 2)


def test_a_loss_that_never_was_a_number() -> None:
    (curve,) = curves_of(records("train/loss", [math.nan]), "")
    assert curve.series[0].points == [] and curve.series[0].gaps == 1


def test_long_lines_become_means_with_their_extremes() -> None:
    values = [float(step % 2) for step in range(10_000)]
    (curve,) = curves_of(records("train/loss", values), "")
    points = curve.series[0].points
    assert len(points) <= 240
    assert {(point.low, point.high) for point in points} == {(0.0, 1.0)}
    assert sum(point.value for point in points) / len(points) == sum(values) / len(values)


def test_relatives_of_the_accuracy_have_no_chart_and_there_are_at_most_six() -> None:
    names = ["f1_micro", "f1_weighted", "recall_macro", "lr", "auroc", "ece", "f1_macro", "accuracy", "loss", "a", "b"]
    lines = [line for name in names for line in records(f"validation/{name}", [0.5])]
    assert [curve.name for curve in curves_of(lines, "validation/f1_macro")] == [
        "loss", "f1_macro", "accuracy", "auroc", "ece", "a",
    ]  # fmt: skip


def test_an_objective_that_is_a_relative_has_its_chart() -> None:
    lines = [*records("validation/recall_macro", [0.5]), *records("validation/loss", [0.5])]
    assert [curve.name for curve in curves_of(lines, "validation/recall_macro")] == ["loss", "recall_macro"]


def test_no_records_no_charts() -> None:
    assert curves_of([], "validation/accuracy") == []


def test_the_best_is_a_value_that_was_there_however_long_the_run_is() -> None:
    records = [{"step": n, "validation/accuracy": 0.85 if n == 501 else 0.8, "train/loss": 1.0} for n in range(1, 1001)]
    records.append({"step": 1001, "validation/accuracy": float("nan")})
    best = best_point(records, "validation/accuracy", "max")
    assert best and (best.step, best.value) == (501, 0.85)
    lowest = best_point(records, "validation/accuracy", "min")
    assert lowest and (lowest.step, lowest.value) == (1, 0.8)
    assert best_point(records, "validation/loss", "min") is None
