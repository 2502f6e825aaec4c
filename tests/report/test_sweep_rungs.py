from __future__ import annotations

from pathlib import Path

import pytest

from espalier.report.sweep_curves import histories
from espalier.report.sweep_read import read_sweep
from espalier.report.sweep_rungs import early_and_final, spearman
from report.sweep_files import Made, grid


def test_ranks_with_ties_at_their_mean() -> None:
    assert spearman([(1, 10), (2, 20), (3, 30)]) == pytest.approx(1)
    assert spearman([(1, 30), (2, 20), (3, 10)]) == pytest.approx(-1)
    # By hand: ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4.
    assert spearman([(1, 1), (2, 3), (2, 2), (9, 4)]) == pytest.approx(0.9487, abs=1e-4)
    assert spearman([(1, 1), (1, 2)]) is None


def test_an_order_that_turns_round_is_doubtful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    for i in range(8):
        made.run(made.plan({"x": i}), [0.7 - 0.01 * i, 0.5 + 0.02 * i, 0.8 + 0.02 * i], rungs=[1, 2])
    for i in range(2):
        made.run(made.plan({"x": 8 + i}), [0.2], rungs=[1], ends="stopped")
    first, second = early_and_final(read_sweep(made.finish()), {})
    assert (first.validations, first.trials, first.stopped) == (1, 8, 2)
    assert first.correlation == pytest.approx(-1) and first.doubtful
    assert second.correlation == pytest.approx(1) and not second.doubtful and second.stopped == 0


def test_a_few_trials_say_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    for i in range(3):
        made.run(made.plan({"x": i}), [0.1 * i, 0.2 * i], rungs=[1])
    (row,) = early_and_final(read_sweep(made.finish()), {})
    assert row.trials == 3 and row.correlation is None and not row.doubtful


def test_without_a_rule_the_curves_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(grid(tmp_path, monkeypatch))
    progress = {one.trial: [number for _, number in one.points] for one in histories(sweep)}
    rows = early_and_final(sweep, progress)
    assert [row.validations for row in rows] == [1, 2, 3, 4, 5, 6, 7, 8] and all(row.trials == 25 for row in rows)
    assert rows[-1].correlation and rows[-1].correlation > 0.95
