from __future__ import annotations

import time
from pathlib import Path

import pytest

from espalier.launcher import slurm_queue
from espalier.launcher.slurm_queue import Queue, Row, largest_array, minutes_of, rows_of
from launcher.waiting import Program, wait


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
    assert Row("REQUEUE_HOLD", "", "launch failed requeued held", "").ended().lost
    assert not Row("REQUEUE_HOLD", "", "JobHeldUser", "").is_over  # somebody will release it
    assert not Row("COMPLETING", "n1", "None", "").is_over


def test_a_look_that_is_waited_for_says_whether_there_was_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Program
) -> None:
    monkeypatch.setattr(slurm_queue, "_PATIENCE", 0.5)
    queue = Queue()
    program("squeue", "exec sleep 30")
    assert not queue.look_now()
    program("squeue", "exit 1")
    assert not queue.look_now()
    assert (queue.seen, queue.rows) == (0.0, {})
    program("squeue", "echo '17|RUNNING|None|mine|n1'")
    assert queue.look_now()
    assert queue.rows["17"].nodes == "n1"
    program("squeue", "exit 1")
    assert not queue.look_now()
    assert "17" in queue.rows  # what was known is known


def test_it_leaves_no_file_open(monkeypatch: pytest.MonkeyPatch, program: Program) -> None:
    before = sorted(Path("/proc/self/fd").iterdir())
    program("squeue", "exec sleep 30")
    monkeypatch.setattr(slurm_queue, "_PATIENCE", 0.2)
    queue = Queue()
    for _ in range(3):
        queue.look_now()
        queue.look()
    queue.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == len(before)


def test_a_queue_in_which_nothing_happens_is_looked_at_less_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Program
) -> None:
    for name, value in (("_EVERY", 0.02), ("_SELDOM", 60.0), ("_QUIET", 0.5)):
        monkeypatch.setattr(slurm_queue, name, value)
    program("squeue", f"echo x >> {tmp_path}/asked")
    queue, until = Queue(), time.monotonic() + 2
    while time.monotonic() < until:
        queue.look()
        time.sleep(0.01)
    queue.close()
    first = (tmp_path / "asked").read_text().count("x")
    assert 2 <= first <= 0.6 / 0.02
    wait(lambda: queue.look() or True)
    assert (tmp_path / "asked").read_text().count("x") == first


def test_how_large_an_array_may_be(program: Program) -> None:
    program("scontrol", "echo 'MailProg = /bin/mail'; echo 'MaxArraySize            = 1001'")
    assert largest_array() == 1001
    program("scontrol", "echo 'Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(RuntimeError, match="Unable to contact"):
        largest_array()
