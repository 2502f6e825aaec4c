from __future__ import annotations

from pathlib import Path

from espalier.core.outcome import Outcome
from espalier.report.lines import end_lines
from espalier.report.scores import leading_rows, metric_rows, objective_name, repeated_names, row_of
from report.run_files import outcome_of


def test_the_objective_comes_first_and_losses_last() -> None:
    names = [row.name for row in metric_rows(outcome_of(objective="validation/auroc"))]
    assert (names[0], names[-1]) == ("auroc", "loss")


def test_the_accuracy_is_said_once(outcome: Outcome) -> None:
    assert repeated_names(outcome.metrics) == ["precision_micro", "recall_micro", "f1_micro", "recall_weighted"]
    assert not any("micro" in row.name or row.name == "recall_weighted" for row in metric_rows(outcome))


def test_averages_that_differ_from_it_are_said(outcome: Outcome) -> None:
    differing = outcome_of(metrics={**outcome.metrics, "test/f1_micro": 0.5})
    assert "f1_micro" in [row.name for row in metric_rows(differing)]


def test_a_row_holds_test_interval_and_validation(outcome: Outcome) -> None:
    row = row_of(outcome, "accuracy")
    assert (row.test, row.validation) == (0.9123, 0.9123)
    assert row.bounds == outcome.intervals["test/accuracy"]


def test_what_is_not_known_is_none_and_nan_may_be_a_string() -> None:
    row = row_of(outcome_of(metrics={"validation/loss": "NaN"}, intervals={}), "loss")
    assert row.test is None and row.bounds is None and row.validation != row.validation


def test_leading_rows_of_a_classifier(outcome: Outcome) -> None:
    assert [row.name for row in leading_rows(outcome, 3)] == ["accuracy", "f1_macro", "auroc"]


def test_a_task_with_its_own_metrics_leads_with_them() -> None:
    gan = outcome_of(objective="validation/fid", metrics={"test/inception": 3.1, "test/fid": 33.5})
    assert [row.name for row in leading_rows(gan, 4)] == ["fid", "inception"]
    assert objective_name(gan) == "fid"


def test_no_metrics_no_rows() -> None:
    assert leading_rows(outcome_of(metrics={}), 4) == metric_rows(outcome_of(metrics={})) == []


def test_where_nothing_was_tested_bounds_and_baseline_are_of_validation() -> None:
    told = {"validation/loss": 2.0}
    outcome = outcome_of(
        metrics=told, intervals={"validation/loss": (1.9, 2.1)}, objective="validation/loss", direction="min",
        summary={"baseline": {"name": "bigrams", "metrics": {"validation/loss": 1.5}}},
    )  # fmt: skip
    row = row_of(outcome, "loss")
    assert (row.test, row.judged, row.bounds, row.baseline) == (None, 2.0, (1.9, 2.1), 1.5)
    lines = "\n".join(end_lines(outcome, Path("outputs/a"), 200))
    assert "the baseline (bigrams) reaches loss 1.5" in lines and "validation loss 2" in lines
