"""metrics.jsonl keeps floats exactly, survives kills, and is cut back to what a checkpoint knew."""

from __future__ import annotations

import json
import math
import random
import struct
from pathlib import Path

import pytest

from core.disk import full_disk
from espalier.core.errors import CorruptError
from espalier.core.metrics_file import MetricsFile, read_metrics


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def test_a_line_is_there_before_the_file_is_closed(path: Path) -> None:
    MetricsFile(path).log({"train/loss": 0.5, "lr": 1e-3}, step=10, epoch=1)
    assert path.read_text() == '{"step": 10, "epoch": 1, "train/loss": 0.5, "lr": 0.001}\n'
    assert read_metrics(path) == [{"step": 10, "epoch": 1, "train/loss": 0.5, "lr": 0.001}]


def test_floats_come_back_bit_for_bit(path: Path) -> None:
    draw = random.Random(0)
    values = [struct.unpack("d", draw.randbytes(8))[0] for _ in range(2000)]
    file = MetricsFile(path)
    for step, value in enumerate(values):
        file.log({"x": value}, step, 0)
    back = [line["x"] for line in read_metrics(path)]
    assert [v.hex() for v in back if v == v] == [v.hex() for v in values if v == v]
    assert sum(v != v for v in back) == sum(v != v for v in values)


def test_non_finite_values_are_strict_json_and_floats_again(path: Path) -> None:
    MetricsFile(path).log({"a": math.nan, "b": math.inf, "c": -math.inf}, 1, 0)
    line = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert (line["a"], line["b"], line["c"]) == ("NaN", "Infinity", "-Infinity")
    (record,) = read_metrics(path)
    assert math.isnan(record["a"])
    assert (record["b"], record["c"]) == (math.inf, -math.inf)


def test_cut_goes_back_and_writing_goes_on_from_there(path: Path) -> None:
    file = MetricsFile(path)
    file.log({"x": 1.0}, 1, 0)
    undisturbed = file.offset()
    file.log({"x": 2.0}, 2, 0)
    file.close()
    resumed = MetricsFile(path)
    resumed.cut(undisturbed)
    resumed.log({"x": 3.0}, 2, 0)
    resumed.close()
    assert [line["x"] for line in read_metrics(path)] == [1.0, 3.0]


def test_cut_refuses_a_file_that_lost_lines(path: Path) -> None:
    file = MetricsFile(path)
    file.log({"x": 1.0}, 1, 0)
    with pytest.raises(CorruptError, match="lines are missing"):
        file.cut(10_000)
    assert len(read_metrics(path)) == 1


def test_a_torn_last_line_is_passed_over_and_cut_off_on_opening(path: Path) -> None:
    path.write_text('{"step": 1, "epoch": 0, "x": 1.0}\n{"step": 2, "ep')
    assert [line["step"] for line in read_metrics(path)] == [1]
    file = MetricsFile(path)
    file.log({"x": 2.0}, 2, 0)
    assert [line["step"] for line in read_metrics(path)] == [1, 2]


def test_a_broken_line_in_the_middle_is_named(path: Path) -> None:
    path.write_text('{"step": 1}\nnonsense\n{"step": 3}\n')
    with pytest.raises(CorruptError, match="line 2"):
        read_metrics(path)


def test_reading_can_end_where_the_file_ended_earlier(path: Path) -> None:
    file = MetricsFile(path)
    file.log({"x": 1.0}, 1, 0)
    end = file.offset()
    file.log({"x": 2.0}, 2, 0)
    assert [line["x"] for line in read_metrics(path, end)] == [1.0]


def test_no_file_has_no_lines(path: Path) -> None:
    assert read_metrics(path) == []


def test_names_in_any_script(path: Path) -> None:
    MetricsFile(path).log({"validation/précision·精度": 0.5}, 1, 0)
    assert "精度" in path.read_text(encoding="utf-8")
    assert read_metrics(path)[0]["validation/précision·精度"] == 0.5


def test_lines_without_a_metric_are_passed_over(path: Path) -> None:
    file = MetricsFile(path)
    file.log({"train/loss": 1.0}, 1, 0)
    file.log({"validation/精度": 0.5}, 2, 0)
    assert [line["step"] for line in read_metrics(path, having="validation/精度")] == [2]


def test_lines_that_a_full_disk_refuses_wait_and_come_in_their_order(path: Path) -> None:
    file = MetricsFile(path)
    file.log({"x": 1.0}, 1, 0)
    with full_disk(path.stat().st_size + 7):  # it takes a part of the next line
        file.log({"x": 2.0}, 2, 0)
        file.log({"x": 3.0}, 3, 0)
        assert "large" in file.trouble
        assert [line["step"] for line in read_metrics(path)] == [1]
        with pytest.raises(OSError, match="large"):
            file.sync()
    file.log({"x": 4.0}, 4, 0)
    assert file.trouble == ""
    assert [line["step"] for line in read_metrics(path)] == [1, 2, 3, 4]
    assert file.offset() == path.stat().st_size


def test_what_waits_at_the_end_is_told(path: Path) -> None:
    file = MetricsFile(path)
    with full_disk(0):
        file.log({"x": 1.0}, 1, 0)
        file.close()
    assert "large" in file.trouble


def test_a_checkpoint_knows_the_lines_that_wait(path: Path) -> None:
    file = MetricsFile(path)
    with full_disk(20):
        file.log({"x": 1.0}, 1, 0)
        known = file.offset()
    file.log({"x": 2.0}, 2, 0)
    file.cut(known)
    file.close()
    assert [line["step"] for line in read_metrics(path)] == [1]
