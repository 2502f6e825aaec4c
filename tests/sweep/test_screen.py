from __future__ import annotations

import io

import pytest

from espalier.core.record import State, TrialRecord
from espalier.sweep.screen import Screen, bar, trial_line


def trial(state: State, **more: object) -> TrialRecord:
    return TrialRecord(7, 7, {}, 0, (), "lr=0.001", state, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (trial("done", values=(0.912, 12.0), cost={"seconds": 61.0}), ["done", "accuracy 0.912, train seconds 12.0"]),
        (trial("paused", rungs=((1, 0.5), (3, 0.61))), ["paused", "0.610 after validation 3"]),
        (trial("failed", why="ValueError:\n" + "x" * 200), ["failed", "ValueError: xxx", "…"]),
        (trial("infeasible", why="out of memory"), ["no memory", "out of memory"]),
        (trial("planned", why="node n2 was lost"), ["again", "node n2 was lost"]),
    ],
)
def test_a_line_for_each_trial(made: TrialRecord, said: list[str]) -> None:
    line = trial_line(made, 3, 12, ["validation/accuracy", "cost.train_seconds"])
    assert line.startswith("[ 3/12]   trial 7   ") and line.endswith("lr=0.001") and "\n" not in line
    assert all(words in line for words in said)


def test_elsewhere_than_on_a_terminal_nothing_is_drawn() -> None:
    stream = io.StringIO()
    with Screen(stream) as screen:
        screen.draw({"counts": {"done": 1}, "total": 2})
        screen.moved(trial("done", values=(0.5,)), 1, None, ["validation/accuracy"])
        screen.say("a", "b")
    assert stream.getvalue().splitlines()[1:] == ["a", "b"] and stream.getvalue().startswith("[1/?]")


def test_on_a_terminal_the_view_is_drawn_and_lines_stay() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    slots = [{"slot": "cpu:0", "trial": 3, "name": "lr=[0.1]", "validations": 1, "of": 4}]
    with Screen(stream) as screen:
        screen.draw({"status": "running", "counts": {"done": 1, "running": 1}, "total": 4, "slots": slots})
        screen.say("a line that [stays]")
    text = stream.getvalue()
    assert "1/4" in text and "validation 1/4" in text and "lr=[0.1]" in text and "a line that [stays]" in text


def test_a_bar() -> None:
    assert bar({"counts": {"done": 2, "failed": 1, "running": 3}, "total": 6}).endswith("  3/6")
    assert bar({"counts": {"done": 2, "planned": 9}, "total": None}) == "2 trials"
