from __future__ import annotations

import numpy as np
import pyarrow as pa

from espalier.task.reading_exhibits import by_kind, by_slice, worst_answers

FAR = "x " * 200
TABLE = pa.table({
    "row": [5, 6, 7], "question": ["Who?", "Where?", "When?"],
    "context": ["Ada met Bob.", f"{FAR}in Paris {FAR}and in London {FAR}", "never"],
    "slice:domain": ["a", "b", "b"],
})  # fmt: skip


def test_rows_with_and_without_an_answer_stand_apart() -> None:
    shown = by_kind([["Ada"], ["Paris"], []], ["Ada", "", ""], np.array([1.0, 0, 1]), np.array([1.0, 0, 1]), -0.5)
    assert shown.rows == (
        ("all", "0.667", "0.667", "3", "0.333"), ("an answer is there", "0.500", "0.500", "2", "0.500"),
        ("there is none", "1.000", "1.000", "1", "0.000"),
    )  # fmt: skip
    assert "-0.50" in shown.note and not shown.texts


def test_a_slice_is_a_table_of_its_values() -> None:
    (shown,) = by_slice(TABLE, np.array([5, 6, 7]), np.array([1.0, 0, 0.5]), np.array([1.0, 0, 0]))
    assert shown.title == "Answers by domain"
    assert shown.rows == (("b", "0.250", "0.000", "2"), ("a", "1.000", "1.000", "1"))


def test_wrong_answers_are_shown_with_what_stands_around_them() -> None:
    begin = TABLE["context"][1].as_py().index("London")
    told = {
        "target": [["Ada"], ["Paris"], []], "answer": ["Bob", "London", ""], "begin": [8, begin, 0],
        "end": [11, begin + 6, 0],
    }  # fmt: skip
    (shown,) = worst_answers(
        TABLE, "question", "context", np.array([5, 6, 7]), np.array([0.0, 0, 1]), np.array([1.0, 2, 3]), told
    )
    assert [caption.split("   ")[0] for caption, _ in shown.items] == ["row 6", "row 5"]
    caption, text = shown.items[0]
    assert "answered: London" in caption and "right: Paris" in caption
    assert text.startswith("… ") and "in Paris" in text and "in London" in text and len(text) < 700
    assert shown.items[1][1] == "Ada met Bob."
    all_right = np.ones(3)
    assert worst_answers(TABLE, "question", "context", np.array([5, 6, 7]), all_right, all_right, told) == []
