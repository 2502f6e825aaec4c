from __future__ import annotations

from pathlib import Path

from espalier.core.outcome import Cost
from espalier.report.layout import width_of
from espalier.report.runs import ListedRun, runs_table
from report.run_files import outcome_of

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


def test_in_a_wide_terminal_each_run_is_one_line_newest_first() -> None:
    head, *lines = runs_table([DONE, STOPPED, KILLED], 170)
    assert head.split() == ["when", "name", "status", "metric", "val.", "test", "took", "directory"]
    assert [line.split()[-1] for line in lines] == [str(run.directory) for run in (KILLED, DONE, STOPPED)]
    assert "2026-11-30 14:02" in lines[1] and "accuracy  0.912  0.912  2 min 41 s" in lines[1]
    assert "F1 macro  0.908" in lines[2]


def test_in_80_columns_the_directory_stands_beneath_and_can_be_copied() -> None:
    lines = runs_table([DONE, STOPPED, KILLED], 80)
    assert all(width_of(line) <= 80 for line in lines)
    assert lines[4] == f"  {DONE.directory}"


def test_a_running_run_whose_process_is_gone_was_killed() -> None:
    assert KILLED.status == "killed"
    assert ListedRun(KILLED.directory, KILLED.outcome, gone=False).status == "running"
    assert ListedRun(DONE.directory, DONE.outcome, gone=True).status == "done"
    assert runs_table([KILLED], 80)[1].split()[3:] == ["killed", "accuracy", "–", "–", "–"]


def test_no_runs_say_how_to_make_one() -> None:
    assert runs_table([]) == ["nothing was run yet:  espalier train"]
