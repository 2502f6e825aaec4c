"""What a terminal gets, and what a log gets."""

from __future__ import annotations

import io
import sys

import pytest

from espalier.callback.screen import Lines, Screen, open_screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal_of(monkeypatch: pytest.MonkeyPatch, width: int = 80) -> Terminal:
    """Standard output from now on."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": str(width), "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    return terminal


def test_a_log_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    screen = open_screen()
    assert isinstance(screen, Lines)
    screen.draw("epoch 2/3", 0.78, ["loss 0.291", "161 texts/s"])
    screen.stay("epoch 2/3   loss 0.28")
    screen.close()
    assert capsys.readouterr().out == "epoch 2/3   78%   loss 0.291   161 texts/s\nepoch 2/3   loss 0.28\n"


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_bar_takes_one_row_of_any_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    terminal = terminal_of(monkeypatch, width)
    screen = open_screen()
    assert isinstance(screen, Screen)
    screen.draw("epoch 2/3", 0.78, ["loss 0.291", "161 texts/s", "0:00:21 left"])
    drawn = terminal.getvalue()
    screen.close()
    assert "\n" not in drawn
    assert ("epoch 2/3" in drawn, "78%" in drawn, "━━━" in drawn) == (True, True, True)


def test_the_cursor_comes_back_and_so_does_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    screen = open_screen()
    screen.draw("epoch 1/3", 0.5, [])
    assert terminal.getvalue().count("\x1b[?25l") == 1
    screen.close()
    screen.close()
    assert terminal.getvalue().count("\x1b[?25h") == 1
    assert sys.stdout is terminal


def test_nothing_is_written_before_there_is_something_to_show(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    open_screen().close()
    assert terminal.getvalue() == ""


def test_a_line_that_stays_is_never_read_as_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    screen = open_screen()
    screen.stay("epoch 1/3   validation [bold]accuracy 0.861")
    assert terminal.getvalue() == "epoch 1/3   validation [bold]accuracy 0.861\n"


def test_a_terminal_that_can_do_nothing_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_of(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(open_screen(), Lines)
