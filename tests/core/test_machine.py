from __future__ import annotations

import os
from pathlib import Path

import pytest

from espalier.core import machine
from espalier.core.machine import Machine, probe


def test_probe_counts_the_cores_this_process_may_use() -> None:
    assert 1 <= probe().cpus <= len(os.sched_getaffinity(0))
    assert probe().gpus >= 0


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Machine(1, 0, False), "1 CPU core and no GPU"),
        (Machine(8, 1, True), "8 CPU cores and 1 GPU"),
        (Machine(2, 4, True), "2 CPU cores and 4 GPUs"),
    ],
)
def test_machine_in_words(found: Machine, said: str) -> None:
    assert str(found) == said


def test_hidden_gpus_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine._visible_gpus() == 0
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert machine._visible_gpus() == 0


def test_a_quota_of_cpu_time_counts_as_fewer_cores(tmp_path: Path) -> None:
    (tmp_path / "limited").write_text("250000 100000\n")
    (tmp_path / "free").write_text("max 100000\n")
    assert machine._quota(tmp_path / "limited") == 3
    assert machine._quota(tmp_path / "free") == machine._quota(tmp_path / "none") > 1000


def test_memory_is_what_the_machine_has() -> None:
    assert 0 < machine.memory().free <= machine.memory().total


def test_the_compiler_is_the_one_that_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert machine.compiler() is None
    own = tmp_path / "own-compiler"
    own.touch(mode=0o755)
    monkeypatch.setenv("CXX", str(own))
    assert machine.compiler() == str(own)


def test_an_apple_gpu_in_words() -> None:
    assert str(Machine(8, 0, False, apple_gpus=1)) == "8 CPU cores and an Apple GPU"


def test_what_there_is_as_a_sentence() -> None:
    assert Machine(8, 0, False).tell() == "this machine has 8 CPU cores and no GPU"
    gpus = Machine(64, 4, False, nodes=3, cluster="partition gpu")
    assert gpus.tell() == "the largest of the 3 nodes of partition gpu has 64 CPU cores and 4 GPUs"
    alone = Machine(1, 1, False, cluster="the cluster at auto")
    assert alone.tell() == "the only node of the cluster at auto has 1 CPU core and 1 GPU"


def test_gpus_are_named_as_they_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_present_gpus", lambda: 4)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert machine.gpu_names() == ["0", "1", "2", "3"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-8932f937")
    assert machine.gpu_names() == ["3", "GPU-8932f937"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine.gpu_names() == []


@pytest.mark.parametrize(
    ("visible", "present", "names", "gpus"),
    [
        ("0,-1,1", 2, ["0"], 1), ("-1", 2, [], 0), ("NoDevFiles", 2, [], 0), ("1, 7", 2, ["1"], 1), ("", 2, [], 0),
        ("GPU-8932f937,GPU-11aa", 4, ["GPU-8932f937", "GPU-11aa"], 2), ("MIG-a,MIG-b", 1, ["MIG-a", "MIG-b"], 1),
        ("MIG-GPU-8932/1/0", 1, ["MIG-GPU-8932/1/0"], 1), ("0", 0, [], 0), ("1,0,1", 2, ["1", "0"], 2),
    ],
)  # fmt: skip
def test_gpus_as_cuda_reads_the_list_of_those_that_are_visible(
    monkeypatch: pytest.MonkeyPatch, visible: str, present: int, names: list[str], gpus: int
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(machine, "_present_gpus", lambda: present)
    assert (machine.gpu_names(), machine._visible_gpus()) == (names, gpus)


def test_kills_for_want_of_memory_are_read_where_the_kernel_tells_them(tmp_path: Path) -> None:
    (tmp_path / "memory.events").write_text("low 0\nhigh 3\noom 2\noom_kill 5\noom_group_kill 0\n")
    (tmp_path / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    assert machine._count(tmp_path / "memory.events", "oom_kill") == 5
    assert machine._count(tmp_path / "memory.oom_control", "oom_kill") == 2
    assert machine._count(tmp_path / "nothing", "oom_kill") == 0
    assert machine.oom_kills() >= 0


def test_gpus_that_windows_hands_on_are_listed_by_a_program(tmp_path: Path) -> None:
    lists = tmp_path / "nvidia-smi"
    assert machine._gpus_of_windows(lists) == 0
    lists.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA GeForce RTX 4090 (UUID: GPU-1)'\necho 'GPU 1: another'\n")
    lists.chmod(0o755)
    assert machine._gpus_of_windows(lists) == 2
    lists.chmod(0o644)
    assert machine._gpus_of_windows(lists) == 0
