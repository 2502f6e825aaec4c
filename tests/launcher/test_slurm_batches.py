"""What is handed over together, by programs in the place of a Slurm that takes few jobs, or does not answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.core.launching import Job
from espalier.launcher import slurm_batches
from espalier.launcher.slurm_batches import Batches, Live
from espalier.launcher.slurm_notes import Notes, batch_of
from espalier.launcher.slurm_order import order_of
from espalier.launcher.slurm_queue import Queue, Row
from espalier.launcher.slurm_submit import How
from launcher.waiting import Program

pytest.importorskip("submitit")

CPU = {"_target_": "espalier.hardware.cpu.cpu", "devices": 1, "threads": "auto"}
SUBMIT = """
n=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$1")
n=$((${{n:-0}} + 1))
echo $n >> {folder}/handed
if [ $n -gt {most} ]; then echo "sbatch: error: {said}" >&2; exit 1; fi
echo "Submitted batch job $(wc -l < {folder}/handed)"
"""
FULL = "QOSMaxSubmitJobPerUserLimit"


@pytest.fixture
def trials(tmp_path: Path) -> Callable[[Batches, int], list[Live]]:
    def add(batches: Batches, number: int) -> list[Live]:
        made = []
        for each in range(number):
            directory = tmp_path / "sweep" / "trials" / f"{each:03d}"
            directory.mkdir(parents=True)
            job = Job(directory, False, CPU, {})
            made.append(Live(each, Notes.begin(job)))
            batches.add(made[-1], job, order_of(CPU, {}))
        return made

    return add


@pytest.fixture
def slurm(tmp_path: Path, program: Program) -> Callable[..., None]:
    """Takes so many jobs at a time, and has arrays of so many."""

    def take(most: int = 99, array: int = 1001, said: str = FULL) -> None:
        program("sbatch", SUBMIT.format(folder=tmp_path, most=most, said=said))
        program("srun", "exit 1")
        program("scontrol", f"echo 'MaxArraySize = {array}'")

    return take


def batches(jobs: int = 32) -> Batches:
    return Batches(How([], 90, 20, jobs), 10, [])


def handed(folder: Path) -> list[int]:
    """Jobs of each array that sbatch was given."""
    return [int(line) for line in (folder / "handed").read_text().split()]


def test_more_than_an_array_may_have_become_several(
    tmp_path: Path, slurm: Callable[..., None], trials: Callable[[Batches, int], list[Live]]
) -> None:
    slurm(array=4)
    made = batches()
    placed = trials(made, 10)
    made.hand_over(Queue(), at_once=True)
    assert handed(tmp_path) == [4, 4, 2]
    assert [live.job_id for live in placed] == [
        f"{job}_{n}" for job, many in ((1, 4), (2, 4), (3, 2)) for n in range(many)
    ]


def test_where_a_user_may_have_few_jobs_the_rest_waits_for_their_end(
    tmp_path: Path,
    slurm: Callable[..., None],
    trials: Callable[[Batches, int], list[Live]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slurm_batches, "_AGAIN", 0.0)
    slurm(most=3)
    made, queue = batches(), Queue()
    placed = trials(made, 8)
    made.hand_over(queue, at_once=True)
    assert handed(tmp_path) == [8, 4, 2]
    assert [live.job_id for live in placed] == ["3_0", "3_1", *[""] * 6]
    slurm(most=0)
    queue.rows = {"3_0": Row("RUNNING", "n1", "None", "")}
    for _ in range(9):
        made.hand_over(queue)
    assert not any(live.gone for live in placed)  # they wait for those that run
    queue.rows = {}
    made.hand_over(queue)
    assert [bool(live.gone) for live in placed] == [False, False, *[True] * 6]  # and none ever runs
    slurm()
    assert {batch_of(live.notes) for live in placed[2:]} == {None}


def test_what_is_refused_for_itself_is_refused_at_once(
    tmp_path: Path, slurm: Callable[..., None], trials: Callable[[Batches, int], list[Live]]
) -> None:
    slurm(most=0, said="Batch job submission failed: Invalid account")
    made = batches()
    placed = trials(made, 2)
    made.hand_over(Queue(), at_once=True)
    assert [live.gone and live.gone.why for live in placed] == [
        "sbatch: Batch job submission failed: Invalid account"
    ] * 2


def test_what_may_have_been_heard_is_not_handed_over_again_before_the_queue_says_so(
    tmp_path: Path,
    slurm: Callable[..., None],
    trials: Callable[[Batches, int], list[Live]],
    program: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slurm_batches, "_AGAIN", 0.0)
    slurm(most=0, said="Batch job submission failed: Socket timed out on send/recv operation")
    made, queue = batches(), Queue()
    placed = trials(made, 2)
    made.hand_over(queue, at_once=True)
    program("squeue", "exit 1")
    slurm()
    made.hand_over(queue)
    assert handed(tmp_path) == [2] and not placed[0].job_id
    token = re.sub(r"\.batch\.json", "", next(placed[0].notes.folder.glob("*.batch.json")).name)
    program("squeue", f"echo '17_0|RUNNING|None|{token}|n1'; echo '17_1|PENDING|None|{token}|'")
    made.hand_over(queue)
    assert handed(tmp_path) == [2] and [live.job_id for live in placed] == ["17_0", "17_1"]
