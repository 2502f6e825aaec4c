from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from espalier.core.errors import UserError
from espalier.core.files import write_json
from espalier.core.record import SUMMARY, Record
from espalier.core.searching import Dimension, Point
from espalier.report.optuna_journal import JOURNAL, write_journal


class Space:
    def options(self) -> Sequence[Dimension]:
        return [Dimension("adapter", ("lora", "probe"))]

    def keys(self, options: Point, /) -> Sequence[Dimension]:
        rate = Dimension("optimizer.lr", low=1e-5, high=1e-1, log=True)
        return [rate, Dimension("adapter.rank", (4, 8))] if options["adapter"] == "lora" else [rate]


POINTS: list[dict[str, Any]] = [
    {"adapter": "lora", "optimizer.lr": 0.001, "adapter.rank": 8},
    {"adapter": "probe", "optimizer.lr": 0.01},
    {"adapter": "probe", "optimizer.lr": 0.02},
    {"adapter": "lora", "optimizer.lr": 0.03, "adapter.rank": 4},
    {"adapter": "lora", "optimizer.lr": 0.04, "adapter.rank": 4},
    {"adapter": "lora", "optimizer.lr": 0.05, "adapter.rank": 4},
]


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    directory = tmp_path / "sweep-2026-01-01_00-00-00-abcdef"
    directory.mkdir()
    write_json(directory / SUMMARY, {"objectives": [{"name": "validation/accuracy", "direction": "max"}]})
    record = Record(directory)
    for number, point in enumerate(POINTS):
        record.write("planned", number, configuration=number, point=point, seed=0, words=[], name=f"trial {number}")
    for number in range(5):
        record.write("running", number, slot="cpu:0", handle={})
    record.write("rung", 0, validations=1, value=0.6)
    record.write("rung", 0, validations=3, value=0.7)
    record.write("done", 0, values=[0.8], metrics={"validation/accuracy": 0.8}, cost={"seconds": 4.0})
    record.write("done", 1, values=[0.9], metrics={}, cost={})
    record.write("rung", 2, validations=1, value=0.1)
    record.write("paused", 2)
    record.write("failed", 3, why="it broke")
    record.write("duplicate", 6, configuration=0, point=POINTS[0], seed=0, words=[], name="again", same_as=0)
    record.close()
    return directory


def opened(file: Path) -> optuna.Study:
    return optuna.load_study(study_name=None, storage=JournalStorage(JournalFileBackend(str(file))))


@pytest.mark.parametrize("space", [Space(), None])
def test_optuna_opens_it(sweep: Path, space: Space | None) -> None:
    file = write_journal(sweep, space=space)
    assert file == sweep / JOURNAL
    study = opened(file)
    assert study.study_name == sweep.name and study.metric_names == ["validation/accuracy"]
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING", "COMPLETE"]
    assert [trial.params for trial in study.trials] == [*POINTS, POINTS[0]]
    assert [trial.value for trial in study.trials[:2]] == [0.8, 0.9]
    assert study.trials[0].intermediate_values == {1: 0.6, 3: 0.7}
    assert study.best_trial.number == 1 and study.trials[6].value == 0.8
    assert study.trials[3].user_attrs["why"] == "it broke"
    assert study.trials[0].user_attrs["cost.seconds"] == 4.0
    assert study.trials[0].datetime_start and study.trials[0].datetime_complete


def test_the_space_gives_the_ranges(sweep: Path) -> None:
    known = opened(write_journal(sweep, space=Space())).trials[0].distributions["optimizer.lr"]
    assert known == optuna.distributions.FloatDistribution(1e-5, 1e-1, log=True)
    seen = opened(write_journal(sweep)).trials[0].distributions["optimizer.lr"]
    assert seen == optuna.distributions.FloatDistribution(0.001, 0.05, log=True)


def test_it_is_written_anew(sweep: Path, tmp_path: Path) -> None:
    to = tmp_path / "journal.log"
    write_journal(sweep, to)
    write_journal(sweep, to)
    assert len(opened(to).trials) == 7


def test_several_objectives(sweep: Path) -> None:
    write_json(
        sweep / SUMMARY,
        {
            "objectives": [
                {"name": "validation/accuracy", "direction": "max"},
                {"name": "cost.seconds", "direction": "min"},
            ]
        },
    )
    record = Record(sweep)
    record.write("done", 4, values=[0.7, 3.0], metrics={}, cost={})
    record.close()
    study = opened(write_journal(sweep))
    assert study.trials[4].values == [0.7, 3.0] and study.trials[0].state.name == "FAIL"
    assert study.best_trials[0].number == 4


def test_a_folder_that_is_no_sweep(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no sweep"):
        write_journal(tmp_path)
