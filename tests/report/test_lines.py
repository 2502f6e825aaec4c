from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from espalier.core.outcome import Cost, Outcome
from espalier.report.layout import width_of
from espalier.report.lines import cost_words, data_lines, end_lines, metrics_table, start_line, trial_line
from report.run_files import COUNTS, outcome_of

PLACE = Path("outputs/sst2_lora/2026-11-30_14-02-11-3fa9c1")


def start(**more: Any) -> str:
    chosen: dict[str, Any] = {
        "name": "sst2_lora",
        "model": "minilm",
        "num_parameters": 22_713_216,
        "adapter": "lora",
        "num_trained": 344_850,
        "sizes": {"test": 1821, "train": 6920, "validation": 872},
        "unit": "texts",
        "placement": "cpu fp32 (no AMX), 2 threads",
        "tracker": "wandb offline",
        "width": 160,
    }
    return start_line(**{**chosen, **more})


def test_start_says_what_was_chosen() -> None:
    assert start() == (
        "sst2_lora   minilm 22.7 M, lora trains 0.34 M (1.5%)   texts: train 6,920, validation 872, test 1,821   "
        "cpu fp32 (no AMX), 2 threads   wandb offline"
    )


def test_start_breaks_between_its_parts_where_the_terminal_is_narrow() -> None:
    lines = start(width=80).splitlines()
    assert len(lines) == 3 and all(len(line) <= 80 for line in lines)
    assert lines[1].startswith("  texts: train 6,920, validation 872, test 1,821   cpu fp32")


def test_start_of_a_run_that_trains_everything_and_tracks_nothing() -> None:
    line = start(num_trained=22_713_216, adapter="full", tracker="")
    assert "full trains all   texts: train 6,920" in line and line.endswith("2 threads")


def test_every_dropped_and_truncated_row_is_said_with_its_reason() -> None:
    assert data_lines(COUNTS, 128) == [
        "train   6,920 read, 6,918 kept, 2 dropped (empty), 31 truncated at 128 tokens",
        "test    1,821 read, 1,821 kept, 4 truncated at 128 tokens",
    ]


def test_several_reasons() -> None:
    counts = {"train": {"read": 100, "kept": 10, "dropped": {"empty": 2, "limit": 88}, "truncated": 0}}
    assert data_lines(counts) == ["train   100 read, 10 kept, 2 dropped (empty), 88 dropped (limit)"]


def test_nothing_is_said_where_all_rows_were_kept_whole() -> None:
    assert data_lines({"validation": COUNTS["validation"]}, 128) == []


def test_the_end_has_a_table_the_headline_the_place_and_the_command_that_repeats(
    outcome: Outcome, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "report.html").touch()
    lines = end_lines(outcome, tmp_path, 200)
    assert lines[0].split() == ["test", "95%", "interval", "validation"]
    assert lines[1].split() == ["accuracy", "0.912", "[0.884,", "0.918]", "0.912"]
    assert lines[-3] == (
        "test accuracy 0.912 [0.884, 0.918]   F1 macro 0.908   AUROC 0.993   ECE 0.031   "
        "2 min 41 s, 163 texts/s, 1.1 GB"
    )
    assert lines[-2] == f"{tmp_path}   report.html · model/"
    assert lines[-1] == f"again   espalier train --rerun {tmp_path}"


def test_the_end_fits_in_80_columns(outcome: Outcome) -> None:
    assert all(width_of(line) <= 80 for line in end_lines(outcome, PLACE, 80))


def test_training_that_ended_early_says_why(outcome: Outcome) -> None:
    early = replace(outcome, summary={**outcome.summary, "ended": "trainer.max_time, 30 min 00 s, is over"})
    assert "training ended early: trainer.max_time, 30 min 00 s, is over" in end_lines(early, PLACE, 80)
    assert not any("early" in line for line in end_lines(outcome, PLACE, 80))


def test_a_baseline_that_is_better_is_said(outcome: Outcome) -> None:
    def said(accuracy: float) -> list[str]:
        baseline = {"name": "bag of words", "metrics": {"test/accuracy": accuracy}}
        ended = replace(outcome, summary={**outcome.summary, "baseline": baseline})
        return [line for line in end_lines(ended, PLACE, 80) if "baseline" in line]

    assert said(0.914) == ["the baseline (bag of words) reaches accuracy 0.914 on the same rows"]
    assert said(0.9) == []


def test_an_interrupted_run_says_how_to_go_on() -> None:
    stopped = outcome_of(status="interrupted", error="stopped by SIGTERM", metrics={})
    assert end_lines(stopped, Path("outputs/my run"), 80) == [
        "stopped by SIGTERM at step 120",
        "2 min 41 s, 163 texts/s, 1.1 GB",
        "it lies in   outputs/my run",
        "go on        espalier train --resume 'outputs/my run'",
        "start anew   espalier train --rerun 'outputs/my run'",
    ]


def test_a_run_that_failed_before_its_first_step() -> None:
    failed = outcome_of(status="failed", error="ValueError: no\nsecond line", metrics={}, steps=0, cost=Cost())
    assert end_lines(failed, PLACE, 80)[:2] == ["failed before the first step: ValueError: no", f"it lies in   {PLACE}"]


def test_a_run_without_metrics_ends_without_a_table() -> None:
    bare = outcome_of(metrics={}, intervals={}, data={})
    assert metrics_table(bare) == []
    assert end_lines(bare, PLACE, 80)[0] == "2 min 41 s, 163 samples/s, 1.1 GB"


def test_columns_of_which_nothing_is_known_are_left_out() -> None:
    only_validation = outcome_of(metrics={"validation/loss": 0.5}, intervals={})
    assert metrics_table(only_validation) == ["       validation", "loss        0.500"]


def test_cost_leaves_out_what_was_not_measured() -> None:
    assert cost_words(outcome_of(cost=Cost(wall_seconds=4.0))) == "4.0 s"


def test_a_trial_ends_in_a_line(outcome: Outcome) -> None:
    said = trial_line(replace(outcome, status="done", error=""))
    assert said.startswith("done   validation ") and f"{outcome.steps:,} steps" in said
    assert trial_line(replace(outcome, status="failed", metrics={}, error="out of memory: x\ny")).endswith(
        "   out of memory: x"
    )


def test_a_trial_that_was_cut_off_goes_on_with_its_sweep(outcome: Outcome) -> None:
    trial = Path("outputs/mine/sweep-2026-11-30_14-02-11-3fa9c1/trials/007")
    lines = end_lines(replace(outcome, status="paused", steps=5), trial)
    assert lines[-2].endswith("espalier sweep resume outputs/mine/sweep-2026-11-30_14-02-11-3fa9c1")
