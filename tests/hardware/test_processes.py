from __future__ import annotations

import pytest

from espalier.core.errors import ConfigError
from espalier.hardware.processes import require_alone, require_gpus, shape
from hardware.options import alone, under_srun, under_torchrun


def test_as_set_or_as_is_usual_where_nobody_started_others(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    assert shape("auto", "auto", 3) == (3, 1, "")
    assert shape(2, 1, 3) == (2, 1, "")
    require_alone("cpu", "ddp_cpu")


@pytest.mark.parametrize(("devices", "nodes"), [("auto", "auto"), (2, "auto"), ("auto", 3), (2, 3)])
def test_what_was_started_counts(monkeypatch: pytest.MonkeyPatch, devices, nodes) -> None:
    under_torchrun(monkeypatch, 6, per_node=2)
    assert shape(devices, nodes, 1) == (2, 3, "torchrun")


def test_numbers_that_differ_from_it_are_answered_together(monkeypatch: pytest.MonkeyPatch) -> None:
    under_torchrun(monkeypatch, 2)
    with pytest.raises(ConfigError) as raised:
        shape(4, 3, 1)
    devices, nodes = map(str, raised.value.faults)
    assert "torchrun started 2 processes on each node. Set hardware.devices=2, or start 4:" in devices
    assert "torchrun --nproc-per-node 4 $(which espalier) train" in devices
    assert "Set hardware.num_nodes=1" in nodes


def test_the_line_for_srun(monkeypatch: pytest.MonkeyPatch) -> None:
    under_srun(monkeypatch, 5, nodes=2)
    with pytest.raises(ConfigError, match=r"not equally many on each.*srun --nodes 2 --ntasks-per-node 2"):
        shape("auto", "auto", 1)


def test_processes_that_do_not_see_the_gpus_of_their_node_are_answered() -> None:
    require_gpus(4, 1, "srun", 4)
    require_gpus(4, 1, "", 1)  # Lightning's, which AtMost has looked at
    with pytest.raises(ConfigError, match=r"sees 1 of 4 GPUs.*--gpus-per-node 4 .* or add --gpu-bind=none"):
        require_gpus(4, 2, "srun", 1)
    with pytest.raises(ConfigError, match=r"sees 2 of 4 GPUs.*torchrun --nproc-per-node 2 "):
        require_gpus(4, 1, "torchrun", 2)
