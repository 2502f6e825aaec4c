from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from espalier.core.outcome import Cost
from espalier.core.trial import Trial, write_trial
from espalier.report.layout import width_of
from espalier.report.runs import ListedRun, runs_table, so_far
from report.run_files import outcome_of, write_metrics

DONE = ListedRun(Path("outputs/support_intents/2026-11-30_14-02-11-3fa9c1"), outcome_of())
KILLED = ListedRun(
    Path("outputs/客服/2026-12-01_09-00-00-aa11bb"),
    outcome_of(name="客服", status="running", metrics={}, started="2026-12-01T09:00:00", cost=Cost()),
    gone=True,
)
STOPPED = ListedRun(
    Path("outputs/data-model-adapter/2026-11-01_09-00-00-aa11bb"),
    outcome_of(
        name="data-model-adapter", status="interrupted", started="2026-11-01T09:00:00", objective="validation/f1_macro"
    ),
)


def test_in_a_wide_terminal_each_run_is_one_line_in_the_order_given() -> None:
    head, *lines = runs_table([KILLED, DONE, STOPPED], 200)
    columns = ["when", "name", "status", "seed", "metric", "val.", "test", "took", "changed", "directory"]
    assert head.split() == columns
    assert [line.split()[-1] for line in lines] == [str(run.directory) for run in (KILLED, DONE, STOPPED)]
    assert "2026-11-30 14:02" in lines[1] and "accuracy  0.912  0.912  2 min 41 s" in lines[1]
    assert "F1 macro  0.908" in lines[2]


def test_in_80_columns_directory_and_changes_stand_beneath_and_can_be_copied() -> None:
    changed = ListedRun(
        DONE.directory, outcome_of(summary={"overrides": ["adapter=full", "seed=3", "optimizer.lr=1e-4"]})
    )
    lines = runs_table([KILLED, changed, STOPPED], 80)
    assert all(width_of(line) <= 80 for line in lines)
    assert lines[4:6] == [f"  {DONE.directory}", "  adapter=full optimizer.lr=1e-4"]
    other = replace(changed, outcome=outcome_of(summary={"overrides": ["adapter=full", "optimizer.lr=1e-3"]}))
    assert [line.split("  ")[-1] for line in runs_table([changed, other], 120)[2::2]] == [
        "optimizer.lr=1e-4 adapter=full",
        "optimizer.lr=1e-3 adapter=full",
    ]
    assert runs_table([changed], 120)[2] == f"  {DONE.directory}  adapter=full optimizer.lr=1e-4"


def test_a_sweeps_trial_shows_what_differs_from_the_others(tmp_path: Path) -> None:
    words = ["data=digits", "model=mlp", "trainer.max_epochs=2", "optimizer.lr=1e-4", "seed=3"]
    trial = ListedRun(tmp_path, outcome_of(summary={"overrides": words}))
    assert runs_table([trial], 500)[1].split()[-5:-1] == words[:-1]
    write_trial(tmp_path, Trial("sweep-1", 7, "1-007", "lr=0.0001 seed=3", ("optimizer.lr=1e-4", "seed=3")))
    assert trial.changed == ["optimizer.lr=1e-4"] and "model=mlp" not in runs_table([trial], 500)[1]


def test_debug_runs_are_marked() -> None:
    trial = ListedRun(DONE.directory, outcome_of(summary={"options": {"debug": "one_batch"}}))
    assert "debug: support_intents" in runs_table([trial], 200)[1] and "debug" not in runs_table([DONE], 200)[1]


def test_a_running_run_whose_process_is_gone_was_killed() -> None:
    assert KILLED.status == "killed"
    assert ListedRun(KILLED.directory, KILLED.outcome, gone=False).status == "running"
    assert ListedRun(DONE.directory, DONE.outcome, gone=True).status == "done"
    assert runs_table([KILLED], 80)[1].split()[3:] == ["killed", "0", "accuracy", "–", "–", "–"]


def test_a_run_that_has_not_ended_has_its_best_validation_value_so_far(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    stopped = ListedRun(tmp_path, outcome_of(status="interrupted", metrics={}))
    assert so_far(stopped).outcome.metrics == {"validation/accuracy": pytest.approx(0.9)}
    by_loss = ListedRun(tmp_path, outcome_of(metrics={}, objective="validation/loss", direction="min"))
    assert so_far(by_loss).outcome.metrics == {"validation/loss": pytest.approx(0.4)}
    assert so_far(DONE) is DONE and so_far(KILLED) is KILLED


def test_the_best_so_far_is_not_nan(tmp_path: Path) -> None:
    lines = [{"step": n, "epoch": 0, "validation/accuracy": v} for n, v in enumerate(("NaN", 0.5, "NaN", 0.4))]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert so_far(ListedRun(tmp_path, outcome_of(metrics={}))).outcome.metrics == {"validation/accuracy": 0.5}


def test_no_runs_have_no_table() -> None:
    assert runs_table([]) == []
