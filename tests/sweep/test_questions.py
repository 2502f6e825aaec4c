"""What a rule is shown of trials, and when a trial is answered."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from espalier.core.launching import Job
from espalier.core.record import Record
from espalier.core.searching import Decision, Rung
from espalier.core.trial import ASK, Answer, Ask, Trial, read_answer, write_answer, write_ask, write_trial
from espalier.pruning.asha import Asha
from espalier.sweep.places import Running
from espalier.sweep.questions import Questions
from sweep.simulation import Life, Plans, Simulated, Time, choices, driver, light  # noqa: F401

TOLD = {"point": {}, "seed": 0, "words": [], "name": ""}


class Rule:
    """Lets go on what is above a half; remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[Sequence[Rung]] = []
        self.promotions = 0

    def rungs(self, validations: int, /) -> tuple[int, ...]:
        return (1, 3)

    def decide(self, asked: Rung, seen: Sequence[Rung], /) -> Decision:
        self.seen.append(seen)
        return "go_on" if asked.value > 0.5 else "pause"

    def promote(self, paused: Sequence[int], seen: Sequence[Rung], /, *, idle: bool = False) -> int | None:
        self.promotions += 1
        return min(paused) if idle or any(rung.value > 0.9 for rung in seen) else None


@pytest.fixture
def record(tmp_path: Path) -> Record:
    made = Record(tmp_path)
    for number in range(3):
        made.write("planned", number, configuration=number, **TOLD)
    return made


def asking(folder: Path, validations: int, value: float | None) -> Path:
    folder.mkdir(exist_ok=True)
    write_ask(folder, Ask(validations, 10 * validations, value))
    return folder


@pytest.mark.parametrize(
    ("sign", "value", "go_on"), [(1, 0.7, True), (1, 0.3, False), (-1, 0.7, False), (-1, -1, True)]
)
def test_an_answer_by_the_direction(tmp_path: Path, record: Record, sign: int, value: float, go_on: bool) -> None:
    rule = Rule()
    folder = asking(tmp_path / "t", 1, value)
    Questions(rule, record, sign).answer(0, folder)
    assert read_answer(folder) == Answer(1, go_on)
    assert record.trials[0].rungs == ((1, value),) and rule.seen == [[Rung(0, 1, sign * value)]]


def test_what_is_no_number_is_worst_in_either_direction(tmp_path: Path, record: Record) -> None:
    for sign in (1, -1):
        questions = Questions(Rule(), record, sign)
        folder = asking(tmp_path / f"t{sign}", 1, None)
        questions.answer(0, folder)
        assert read_answer(folder) == Answer(1, False) and questions.seen()[0].value == -math.inf


def test_a_question_is_noted_and_answered_once(tmp_path: Path, record: Record) -> None:
    rule = Rule()
    folder, questions = asking(tmp_path / "t", 1, 0.7), Questions(rule, record)
    questions.answer(0, folder)
    questions.answer(0, folder)
    assert len(rule.seen) == 1
    (folder / "answer.json").unlink()  # it was noted, and the driver was killed before it could answer
    Questions(rule, record).answer(0, folder)
    assert read_answer(folder) == Answer(1, True) and record.trials[0].rungs == ((1, 0.7),)


def test_who_has_failed_is_nobodys_rival(tmp_path: Path, record: Record) -> None:
    questions = Questions(Rule(), record)
    for number, state in enumerate(("failed", "infeasible", "paused")):
        questions.answer(number, asking(tmp_path / str(number), 1, 0.2))
        record.write(state, number)
    assert questions.seen() == [Rung(2, 1, 0.2)]


def test_new_is_what_was_written_since(tmp_path: Path, record: Record) -> None:
    questions, running = Questions(Rule(), record), Running(Job(tmp_path / "t", False, {}, {}), None, 0.0)
    assert not questions.is_new(running)
    asking(tmp_path / "t", 1, 0.5)
    assert [questions.is_new(running), questions.is_new(running)] == [True, False]
    os.utime(tmp_path / "t" / ASK, ns=(1, 1))
    assert questions.is_new(running)


def test_one_that_ended_before_its_answer_came_does_not_stay(tmp_path: Path, record: Record) -> None:
    questions = Questions(Rule(), record)
    assert questions.stays_paused(tmp_path)
    folder = asking(tmp_path / "t", 3, 0.7)
    for answer, stays in ((Answer(1, True), True), (Answer(3, False), True), (Answer(3, True), False)):
        write_answer(folder, answer)
        assert questions.stays_paused(folder) == stays
    write_answer(folder, Answer(3, False))
    questions.let_go_on(folder)
    assert read_answer(folder) == Answer(3, True)


def test_a_promotion_is_looked_for_when_something_has_changed(tmp_path: Path, record: Record) -> None:
    rule = Rule()
    questions = Questions(rule, record)
    assert [questions.promoted([1, 2], idle=False) for _ in range(3)] == [None] * 3 and rule.promotions == 1
    assert questions.promoted([1, 2], idle=True) == 1 and questions.promoted([], idle=True) is None
    questions.answer(0, asking(tmp_path / "t", 1, 0.95))
    assert [questions.promoted([1, 2], idle=False) for _ in range(3)] == [1] * 3 and rule.promotions == 3
    questions.changed()
    assert questions.promoted([2], idle=False) == 2 and questions.promoted([2], idle=False) == 2


def test_whether_a_trial_will_ask_again(tmp_path: Path, record: Record) -> None:
    questions = Questions(Rule(), record)
    assert not questions.may_ask(record.trials[0], tmp_path)
    write_trial(tmp_path, Trial("s", 0, "x", "", rungs=(1, 3)))
    assert questions.may_ask(record.trials[0], tmp_path)
    for validations, more in ((1, True), (3, False)):
        record.write("rung", 0, validations=validations, value=0.1)
        assert questions.may_ask(record.trials[0], tmp_path) == more


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize(("objectives", "best"), [(["auto"], 2), (["validation/loss"], 0), (["cost.wall_seconds"], 2)])
def test_a_rule_judges_by_the_first_objective_of_the_sweep(tmp_path: Path, objectives: list[str], best: int) -> None:
    """Curves of one number, which ``auto`` (of these trials: an accuracy) wants large and a loss small."""
    launcher = Simulated(Time(), 1, lambda number, _: Life(curve=[0.1 + 0.4 * number] * 4, seconds=4))
    rule, plans = Asha(min_validations=1, reduction=3), Plans(validations=4)
    sweep = driver(tmp_path, launcher, choices(0.0, 1.0, 2.0), pruning=rule, plans=plans, objectives=objectives)
    sweep.run()
    assert [number for number, trial in sweep.trials.items() if trial.state == "done"] == [best]
