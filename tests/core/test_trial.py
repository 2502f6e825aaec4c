from __future__ import annotations

import json
from pathlib import Path

import pytest

from espalier.core.trial import (
    Answer,
    Ask,
    Trial,
    read_answer,
    read_ask,
    read_trial,
    write_answer,
    write_ask,
    write_trial,
)


def test_a_run_that_is_no_trial_has_none_of_it(tmp_path: Path) -> None:
    assert read_trial(tmp_path) is read_ask(tmp_path) is read_answer(tmp_path) is None


def test_what_was_written_is_read(tmp_path: Path) -> None:
    trial = Trial("sweep-x", 7, "3fa9c1-007", "lr=0.1", ("optimizer.lr=0.1", "name=été"), (1, 3), "validation/f1")
    write_trial(tmp_path, trial)
    assert read_trial(tmp_path) == trial
    for value in (0.1 + 0.2, None):
        write_ask(tmp_path, Ask(3, 120, value))
        assert read_ask(tmp_path) == Ask(3, 120, value)
    write_answer(tmp_path, Answer(3, False))
    assert read_answer(tmp_path) == Answer(3, False)


@pytest.mark.parametrize(
    ("sweep", "run_id", "group"),
    [
        ("sweep-2026-11-30_14-02-11-3fa9c1", "3fa9c1-007", "sweep-2026-11-30_14-02-11-3fa9c1"),
        ("main", "3fa9c1-1007", "main-3fa9c1"),
        ("main", "main-007", "main"),  # of earlier versions
        ("my-sweep-1", "1-007", "my-sweep-1"),
    ],
)
def test_the_group_of_a_sweep_has_what_is_its_own(sweep: str, run_id: str, group: str) -> None:
    assert Trial(sweep, 7, run_id, "").group == group


def test_questions_and_answers_are_whole_or_not_there(tmp_path: Path) -> None:
    write_ask(tmp_path, Ask(1, 5, 0.5))
    write_ask(tmp_path, Ask(2, 10, 0.6))
    assert [file.name for file in tmp_path.iterdir()] == ["ask.json"]
    with pytest.raises(ValueError, match="JSON"):
        write_ask(tmp_path, Ask(3, 15, float("nan")))
    assert json.loads((tmp_path / "ask.json").read_text())["validations"] == 2
