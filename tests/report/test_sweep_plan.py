from __future__ import annotations

from dataclasses import replace

import pytest

from espalier.report.layout import width_of
from espalier.report.sweep_plan import Expected, SweepPlan, Varied, plan_lines

PLAN = SweepPlan(
    search="grid",
    pruning="none",
    launcher="pool",
    configurations=12,
    seeds=(0, 1),
    finalists=None,
    total=24,
    repeated=0,
    names=[f"lr={number} seed={seed}" for number in range(12) for seed in (0, 1)],
    slots=["cpu:0", "cpu:1"],
    varied=[Varied("optimizer.lr", "1, 2", "", "command line"),
            Varied("adapter.rank", "4, 8", "adapter=lora", "conf/space/adapter/lora.yaml:2")],
    expected=[Expected(24, 30.0, 1_200_000_000, 5_000_000, 3)],
    unknown=0,
)  # fmt: skip


def test_what_is_about_to_happen() -> None:
    text = "\n".join(plan_lines(PLAN, 120))
    assert text.startswith("24 trials: 12 configurations, 2 seeds each   search grid, none is cut early")
    assert "pool: 2 places (cpu:0, cpu:1)" in text
    assert "adapter.rank   4, 8   where adapter=lora   (conf/space/adapter/lora.yaml:2)" in text
    assert "000  lr=0 seed=0" in text and "…    12 more" in text and "023  lr=11 seed=1" in text
    assert "about 6 min at 2 places, 12 min of a place's time, 1.2 GB memory a trial, 120 MB disk" in text
    assert "by 3 earlier runs" in text


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    wide = replace(
        PLAN,
        names=["model=" + "x" * 200] * 3,
        varied=[Varied("data.columns.text", ", ".join(map(str, range(300))), "a=" + "b or " * 30 + "b", "mine.yaml:2")],
        slots=[f"gpu:{number}" for number in range(64)],
        notes=["a note " * 30],
        unknown=3,
    )
    assert all(width_of(line) <= width for line in plan_lines(wide, width))


def test_finalists_and_searches() -> None:
    search = replace(PLAN, search="tpe", pruning="asha", configurations=40, seeds=(0, 1, 2), finalists=3, total=46,
                     names=[], expected=[])  # fmt: skip
    first, *rest = plan_lines(search, 120)
    assert first.startswith(
        "46 trials: 40 configurations, the best 3 with 2 further seeds   search tpe, cut early by asha"
    )
    assert "unknown until the first trials have run" in "\n".join(rest)
    assert "trials     " not in "\n".join(rest)


def test_repeats_and_what_is_unknown() -> None:
    said = "\n".join(plan_lines(replace(PLAN, repeated=1, unknown=5), 120))
    assert "1 of them is the same run as another one" in said and "nothing is known of 5 trials" in said


def test_nothing_varied_and_no_end() -> None:
    said = plan_lines(replace(PLAN, varied=[], configurations=None, names=[], slots=[]), 120)
    assert said[0].startswith("no end but yours") and any(line.split() == ["varied", "nothing"] for line in said)
