from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from espalier.report.comparison import Figure, Row, sides_of
from espalier.report.comparison_lines import comparison_lines, difference_words, figure_words, sparklines, verdicts_of
from report.run_files import write_metrics, write_predictions
from report.test_comparison import accurate, run


def test_the_whole_of_it(tmp_path: Path) -> None:
    for name, rows in (("a", 300), ("b", 300)):
        (tmp_path / name).mkdir()
        write_metrics(tmp_path / name)
        write_predictions(tmp_path / name, classes=4, rows=rows)
    runs = [run(directory=tmp_path / "a", **accurate(0.8)), run(lr=0.1, directory=tmp_path / "b", **accurate(0.7))]
    lines = comparison_lines(sides_of(runs), 120)
    text = "\n".join(lines)
    assert lines[0].startswith("A   support_intents   seed 0   ")
    assert "optimizer.lr      0.001   0.1" in text
    assert "test accuracy   0.800 [0.700, 0.900]   0.700 [0.600, 0.800]   −0.100" in text
    assert "A and B are right on the same rows" in text
    assert "from start to end    2 min 41 s   2 min 41 s" in text
    assert "validation accuracy\n  A   ▁▅█   0.689 → 0.900" in text


def test_a_narrow_terminal_goes_without_intervals() -> None:
    sides = sides_of([run(lr=float(i), **accurate(0.8)) for i in range(4)])
    assert not any("[0.700" in line for line in comparison_lines(sides, 80))
    assert any("[0.700" in line for line in comparison_lines(sides, 200))


def test_figures_of_seeds_have_their_spread_and_unknown_ones_a_dash() -> None:
    assert figure_words(Figure(0.8741, 3, deviation=0.0041)) == "0.874 ± 0.004"
    assert figure_words(Figure(0.8741, 1, (0.858, 0.889))) == "0.874 [0.858, 0.889]"
    assert figure_words(None) == "–"


def test_a_difference_has_its_sign() -> None:
    one, two = Figure(0.5, 1), Figure(0.75, 1)
    assert [difference_words(Row("x", pair)) for pair in ((one, two), (two, one), (one, one), (one, None))] == [
        "+0.250",
        "−0.250",
        "0.000",
        "",
    ]


def test_sparklines_share_a_scale() -> None:
    assert sparklines([[0, 7], [3, 4]]) == ["▁█", "▄▅"]
    assert sparklines([[1, math.nan, 1]]) == ["▁·▁"]
    assert len(sparklines([list(range(1000))], width=32)[0]) == 32


def test_why_there_is_no_paired_test_is_said() -> None:
    why, command = verdicts_of(sides_of([run(directory=Path("a b")), run(lr=0.1, directory=Path("b"))]))
    assert why == "A and B were not tested on the same rows: no paired test"
    assert command == "espalier evaluate run='a b' --against b   tests both on one set of rows"
    assert verdicts_of(sides_of([run(metrics={}), run(lr=0.1)])) == []


def test_runs_that_counted_the_same_rows_are_sent_to_where_counts_are_paired(tmp_path: Path) -> None:
    """As those of tagging, translation, language models: their tables have no scores."""
    sides, numbers = [], {"a": [0, 1, 2], "b": [2, 0, 1], "c": [0, 1, 3]}
    for name, rows in numbers.items():
        table = pa.table({"row": rows, "counts:f1": [[2.0, 1.0, 0.0]] * 3})
        (tmp_path / name / "predictions").mkdir(parents=True)
        pq.write_table(table, tmp_path / name / "predictions" / "test.parquet")
        sides.append(run(lr=len(sides), directory=tmp_path / name, data={"judged": "same"}))
    lines = verdicts_of(sides_of(sides))
    assert lines[0] == "A and B were tested on the same rows, and only their task can pair what it counted"
    assert lines[1] == f"espalier evaluate run={tmp_path}/a --against {tmp_path}/b   tests them in pairs"
    assert lines[2:] == ["A and C were not tested on the same rows: no paired test"]


def test_of_several_seeds_counts_are_tested_over_seeds(tmp_path: Path) -> None:
    table = pa.table({"row": [0, 1, 2], "counts:tokens": [[2.0, 1.0]] * 3})
    runs = []
    for lr, losses in ((0.1, (1.50, 1.52, 1.51)), (0.2, (1.40, 1.42, 1.39)), (0.3, (1.49, 1.56, 1.51))):
        for seed, loss in enumerate(losses):
            place = tmp_path / f"{lr}-{seed}"
            (place / "predictions").mkdir(parents=True)
            pq.write_table(table, place / "predictions" / "test.parquet")
            said = {"objective": "validation/loss", "direction": "min", "metrics": {"test/loss": loss}}
            runs.append(run(lr=lr, seed=seed, directory=place, data={"judged": "same"}, intervals={}, **said))
    better, same = verdicts_of(sides_of(runs))
    assert better.startswith("B is better than A by 0.107 of loss [0.0")
    assert better.endswith("t-test over seeds: p = 0.0011 (corrected for 2 tests)")
    assert same.startswith("no difference can be told between A and C: 0.010 of loss [-0.0")


def test_two_that_cannot_be_tested_on_one_set_of_rows_are_not_sent_to_be() -> None:
    others = [run(lr=0.1, data={"labels": ["other"]}), replace(run(lr=0.1), status="killed")]
    for other in others:
        assert len(verdicts_of(sides_of([run(), other]))) == 1


def test_trials_that_were_never_tested_need_no_excuse() -> None:
    metrics = {"metrics": {"validation/accuracy": 0.5}, "intervals": {}}
    assert verdicts_of(sides_of([run(**metrics), run(lr=0.1, **metrics)])) == []
    assert verdicts_of(sides_of([run(), run(lr=0.1, **metrics)]))
