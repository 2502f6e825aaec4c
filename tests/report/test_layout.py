from __future__ import annotations

import pytest

from espalier.report.layout import aligned, cut, flow, padded, terminal_width, width_of, wrap


@pytest.mark.parametrize(
    ("text", "cells"), [("abc", 3), ("客服", 4), ("é", 1), ("e\u0301", 1), ("", 0), ("a\u200bb", 2)]
)
def test_width_counts_cells_of_a_terminal(text: str, cells: int) -> None:
    assert width_of(text) == cells


def test_columns_are_aligned_whatever_the_script() -> None:
    lines = aligned([["name", "n"], ["客服意图", "12"], ["a", "3"]], right=[1])
    assert lines == ["name        n", "客服意图   12", "a           3"]


def test_no_line_ends_in_blanks() -> None:
    assert aligned([["a", ""], ["long", "x"]])[0] == "a"
    assert padded("a", 3) == "a  " and padded("a", 3, right=True) == "  a"


def test_parts_flow_to_a_new_line_where_they_do_not_fit_and_are_never_broken() -> None:
    assert flow(["one", "", "two", "three words here"], 12) == ["one   two", "three words here"]


def test_wrap_keeps_long_words_whole() -> None:
    assert wrap("set optimizer.learning_rate=1 now", 10) == ["set", "optimizer.learning_rate=1", "now"]
    assert wrap("", 10) == [""]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Go on:  espalier train --resume a/b", ["Go on:", "espalier train --resume a/b"]),
        ("Add  data=csv x=1  or another of them.", ["Add", "data=csv x=1", "or another of", "them."]),
        ("Do it  a --b c , or go:  d e f g h i ?", ["Do it", "a --b c , or", "go:", "d e f g h i ?"]),
        ("Did you mean  a=b ?  Others: c d e f g.", ["Did you mean", "a=b ? Others:", "c d e f g."]),
        ("is no run.  Mend that line  (a.yaml:3)", ["is no run.", "Mend that line", "(a.yaml:3)"]),
    ],
)
def test_wrap_breaks_no_command(text: str, lines: list[str]) -> None:
    assert wrap(text, 14) == lines


def test_cut_never_exceeds_the_width() -> None:
    assert cut("short", 8) == "short"
    assert cut("support_intents", 8) == "support…"
    assert width_of(cut("客服意图客服", 6)) <= 6


def test_terminals_narrower_than_80_are_taken_for_80(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert terminal_width() == 80
    monkeypatch.setenv("COLUMNS", "133")
    assert terminal_width() == 133
