from __future__ import annotations

import pytest

from espalier.launcher.slurm_queue import Row, minutes_of, rows_of


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        (90, 90), ("90", 90), ("90:00", 90), ("0:30", 1), ("1:30:00", 90), ("1:00:01", 61), ("1-12", 2160),
        ("1-12:30", 2190), ("1-00:00:00", 1440), ("30:00", 30),
    ],
)  # fmt: skip
def test_time_limits_as_slurm_writes_them(written: int | str, minutes: int) -> None:
    assert minutes_of(written) == minutes


@pytest.mark.parametrize("written", ["soon", "1h", "1-", "1:2:3:4", ""])
def test_what_is_no_time_limit(written: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        minutes_of(written)


def test_lines_of_squeue() -> None:
    lines = ["17_3|RUNNING|None|espalier-ab mine|n[1-2]", "18|PENDING|Resources|(null)|", "slurm is busy"]
    rows = rows_of(lines)
    assert rows["17_3"] == Row("RUNNING", "n[1-2]", "None", "espalier-ab mine")
    assert not rows["18"].is_over
    assert list(rows) == ["17_3", "18"]


@pytest.mark.parametrize(
    ("state", "code", "lost", "memory", "why"),
    [
        ("NODE_FAIL", 1, True, False, "node n2 was lost"),
        ("PREEMPTED", 143, True, False, "Slurm drove it out"),
        ("TIMEOUT", 143, True, False, "its time was over"),
        ("CANCELLED", 143, False, False, "cancelled (scancel)"),
        ("OUT_OF_MEMORY", 137, False, True, "it took more memory than its job has"),
        ("FAILED", 1, False, False, "its job ended as FAILED"),
    ],
)
def test_what_slurm_knows_of_an_end(state: str, code: int, lost: bool, memory: bool, why: str) -> None:
    row = Row(state, "n2", "None", "")
    assert row.is_over
    ended = row.ended()
    assert (ended.code, ended.lost, ended.out_of_memory, ended.why) == (code, lost, memory, why)


def test_a_job_that_can_never_begin_is_over_and_one_that_waits_is_not() -> None:
    assert Row("PENDING", "", "BadConstraints", "").ended().why == "it can never begin: BadConstraints"
    held = Row("PENDING", "", "launch failed requeued held", "")
    assert held.is_over and held.ended().lost
    assert not Row("PENDING", "", "BeginTime", "").is_over
    assert not Row("COMPLETING", "n1", "None", "").is_over
