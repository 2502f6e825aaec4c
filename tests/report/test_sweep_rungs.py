from __future__ import annotations

from pathlib import Path

import pytest

from espalier.report.sweep_curves import histories
from espalier.report.sweep_read import Sweep, read_sweep
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


SECONDS, ACCURACY, LOSS = "cost.train_seconds", "validation/accuracy", "validation/loss"


def against_seconds(folder: Path, patch: pytest.MonkeyPatch, *objectives: str) -> Sweep:
    """Better trials take less, and their first validation tells them; the second objective is theirs at the end."""
    made = Made(folder, patch)
    for i in range(8):
        second = {ACCURACY: [0.6 + i / 50], LOSS: [0.6 - i / 50]}[objectives[1]] if len(objectives) > 1 else []
        made.run(made.plan({"x": i}), [0.5 + i / 50, 0.6 + i / 50], rungs=[1])
        at, kind, trial, told = made.events[-1]
        made.events[-1] = at, kind, trial, {**told, "values": [100.0 - i, *second]}
    way = {SECONDS: "min", ACCURACY: "max", LOSS: "min"}
    return read_sweep(made.finish(objectives=[{"name": name, "direction": way[name]} for name in objectives]))


@pytest.mark.parametrize("objectives", [(SECONDS, ACCURACY), (SECONDS,)])
def test_a_cost_is_not_what_early_values_foretell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, objectives: tuple[str, ...]
) -> None:
    """Where all objectives are costs, a rule asks for the task's metric, and the record has that of the end too."""
    (row,) = early_and_final(against_seconds(tmp_path, monkeypatch, *objectives), {})
    assert (row.validations, row.trials) == (1, 8) and row.correlation == pytest.approx(1)


def test_what_a_rule_asks_for_may_be_another_metric_than_the_objective(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = against_seconds(tmp_path, monkeypatch, SECONDS, LOSS)
    assert early_and_final(sweep, {}) == []
    (row,) = early_and_final(sweep, {trial: [0.8 - trial / 50, 0.7 - trial / 50] for trial in range(8)})
    assert (row.validations, row.trials) == (1, 8) and row.correlation == pytest.approx(1)
