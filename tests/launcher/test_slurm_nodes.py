"""What ``sinfo`` says; a real one's lines, and programs that stand in its place where it is slow or silent."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from espalier.core.machine import Machine
from espalier.launcher.slurm_nodes import gpus_in, largest, machine_of, names
from launcher.waiting import Program

LINES = ["debug*|2|2|(null)", "gpu|3|64|gpu:a100:4(S:0-1)", "gpu|1|128+|gpu:h100:8,ssd:1"]


def test_the_most_of_each_kind_that_a_node_of_the_partition_has() -> None:
    assert largest(LINES, []) == Machine(2, 0, False, nodes=2, cluster="partition debug")
    gpu = largest(LINES, ["gpu"])
    assert gpu == Machine(128, 8, False, nodes=4, cluster="partition gpu")
    both = largest(LINES, ["debug", "gpu"])
    assert both and (both.gpus, both.nodes, both.cluster) == (8, 6, "partitions debug, gpu")
    assert largest(LINES, ["none"]) is None and largest(["slurm_load_partitions: no"], []) is None


@pytest.mark.parametrize(
    ("resources", "gpus"),
    [
        ("(null)", 0), ("gpu", 1), ("gpu:4", 4), ("gpu:a100:4(S:0-1)", 4), ("gpu:a100:4(S:0,2),gpu:v100:2(S:1)", 6),
        ("gpu:1g.10gb:7,ssd:2", 7), ("shard:gpu:8", 0), ("gpu:a100", 1),
    ],
)  # fmt: skip
def test_gpus_among_generic_resources(resources: str, gpus: int) -> None:
    assert gpus_in(resources) == gpus


def test_names_stand_in_a_list_or_in_one_text() -> None:
    assert (names(None), names("a,b"), names(["a", "b"])) == ([], ["a", "b"], ["a", "b"])


def test_the_partition_that_is_set_is_asked_for(tmp_path: Path, program: Program) -> None:
    program("sinfo", f'echo "$@" > {tmp_path}/asked; echo "gpu|1|8|gpu:2"')
    found = machine_of({"partition": "gpu", "nodes": 2})
    assert found and (found.cpus, found.gpus) == (8, 2)
    assert "--partition=gpu" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize("lines", ["exit 1", "exec sleep 30", "echo slurm is busy"])
def test_nothing_is_known_where_there_is_no_answer_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Program, lines: str
) -> None:
    program("sinfo", lines)
    began = time.monotonic()
    assert machine_of({}) is None
    assert time.monotonic() - began < 5
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert machine_of({}) is None
