from __future__ import annotations

import pytest

from espalier.core.world import World, batch_job, is_first, launched, queued_again, rank

TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "a b/c", "MASTER_PORT": "29500", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2", "RANK": "3",
    "LOCAL_RANK": "1",
}  # fmt: skip
SRUN = {
    "SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "8", "SLURM_STEP_NUM_NODES": "2",
    "SLURM_NTASKS": "8", "SLURM_PROCID": "5", "SLURM_LOCALID": "1",
}  # fmt: skip


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch):
    def give(variables: dict[str, str]) -> None:
        for name in {*TORCHRUN, *SRUN, "SLURM_NNODES", "NODE_RANK", "SLURM_RESTART_COUNT", "SLURM_CLUSTER_NAME"}:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return give


def test_torchrun(given) -> None:
    given(TORCHRUN)
    assert launched() == World("torchrun", "torchrun-a-b-c-29500-0", size=4, per_node=2, rank=3)
    assert (launched().nodes, rank(), is_first()) == (2, "3", False)


def test_srun(given) -> None:
    given(SRUN)
    assert launched() == World("srun", "slurm-7-0", size=8, per_node=4, rank=5)
    given(SRUN | {"SLURM_PROCID": "0"})
    assert is_first()


@pytest.mark.parametrize("missing", ["SLURM_STEP_ID", "SLURM_PROCID"])
def test_a_batch_script_without_srun_is_alone(given, missing: str) -> None:
    given({name: value for name, value in SRUN.items() if name != missing})
    assert launched() is None


def test_srun_of_a_single_process_is_alone(given) -> None:
    given(SRUN | {"SLURM_STEP_NUM_TASKS": "1", "SLURM_STEP_NUM_NODES": "1"})
    assert launched() is None


@pytest.mark.parametrize(
    ("variables", "said"),
    [({}, "0"), ({"LOCAL_RANK": "2"}, "2"), ({"LOCAL_RANK": "0", "NODE_RANK": "1"}, "1.0")],
)
def test_ranks_that_lightning_started(given, variables: dict[str, str], said: str) -> None:
    given(variables)
    assert (rank(), is_first()) == (said, said == "0")


def test_a_job_that_is_queued_again_is_the_same_job_and_another_launch(given) -> None:
    given(SRUN)
    first = launched()
    assert (batch_job(), queued_again()) == ("slurm-7", False)
    given(SRUN | {"SLURM_RESTART_COUNT": "1"})
    assert (batch_job(), queued_again()) == ("slurm-7", True)
    assert launched().key != first.key, "what the first launch announced is not heard"
    given({})
    assert (batch_job(), queued_again()) == ("", False)
