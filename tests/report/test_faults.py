from __future__ import annotations

import subprocess
import sys

import pytest

from espalier.core.errors import Fault, UserError
from espalier.report.faults import fault_lines
from espalier.report.layout import width_of

LRR = Fault(
    "optimizer.lrr=1e-3", 'adamw has no setting "lrr".', "Did you mean optimizer.lr?", "conf/optimizer/adamw.yaml:6"
)
MODEL = Fault("model=minlm", "there is no such model.", "Did you mean model=minilm?")
DEVICES = Fault("hardware.devices=4", "this machine has 2 CPU cores and no GPU.", "Set hardware.devices=2.")


def test_all_faults_stand_in_columns_where_there_is_room() -> None:
    assert fault_lines([LRR, MODEL, DEVICES], 150) == [
        "3 things to mend before this can run",
        "",
        '  optimizer.lrr=1e-3   adamw has no setting "lrr".                Did you mean optimizer.lr?   '
        "(conf/optimizer/adamw.yaml:6)",
        "  model=minlm          there is no such model.                    Did you mean model=minilm?",
        "  hardware.devices=4   this machine has 2 CPU cores and no GPU.   Set hardware.devices=2.",
    ]


def test_in_80_columns_the_remedy_goes_to_a_line_of_its_own() -> None:
    assert fault_lines([LRR, MODEL], 80) == [
        "2 things to mend before this can run",
        "",
        '  optimizer.lrr=1e-3   adamw has no setting "lrr".',
        "                       Did you mean optimizer.lr?  (conf/optimizer/adamw.yaml:6)".replace("?  (", "? ("),
        "",
        "  model=minlm          there is no such model. Did you mean model=minilm?",
    ]


def test_one_fault_without_a_word_of_the_users() -> None:
    assert fault_lines(UserError("the data is empty.").faults, 80) == [
        "1 thing to mend before this can run",
        "",
        "  the data is empty.",
    ]


@pytest.mark.parametrize("width", [80, 100, 133])
def test_nothing_is_lost_and_nothing_is_wider_than_the_terminal(width: int) -> None:
    path = Fault(
        "data.path=données/réponse 客服.csv" * 3,
        "is not utf-8: byte 0xe9 at position 3. " * 4,
        "Set data.encoding.",
        "a.yaml:3",
    )
    lines = fault_lines([path, LRR], width)
    words = " ".join(lines).split()
    assert all(word in words for fault in (path, LRR) for word in str(fault).replace("  ", " ").split(" ") if word)
    assert all(width_of(line) <= width for line in lines if path.what not in line)


def test_what_is_too_long_for_its_column_stands_on_a_line_of_its_own() -> None:
    long = Fault("data.path=/a/folder/far/away/with/a/long/name/table.csv", "is not there.", "Check data.path.")
    assert fault_lines([long], 80)[2:] == [f"  {long.what}", " " * 31 + "is not there. Check data.path."]


def test_a_command_beside_a_long_key_stands_on_one_line() -> None:
    command = "espalier train --resume outputs/reviews-minilm-lora/2026-11-30_20-06-54-7c6902"
    lines = fault_lines([Fault("data.columns.a_long_name=of_a_column", "is not so.", f"Go on:  {command}")], 80)
    assert any(line.strip() == command for line in lines)


def test_a_truth_of_several_lines_keeps_them() -> None:
    lines = fault_lines([Fault("a=1", "first\nsecond", "third")], 120)
    assert lines[2:] == ["  a=1   first", "        second third"]


def test_it_stands_on_the_standard_library_alone() -> None:
    program = "import sys, espalier.report.faults, espalier.report.runs, espalier.report.lines\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pyarrow", "rich", "jinja2", "markupsafe"} & set(loaded)
