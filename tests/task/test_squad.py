from __future__ import annotations

import numpy as np
import pytest
from torchmetrics.functional.text import squad

from espalier.task.squad import best_threshold, exact, f1, meant, normalised


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The  Cat.", "cat"), ("an A-team", "ateam"), ("U.S.", "us"), ("a", ""), ("!?", ""), ("theme", "theme"),
        ("It's\tthe\nend", "its end"), ("«Paris»", "«paris»"), ("", ""),
    ],
)  # fmt: skip
def test_what_is_left_of_a_text(text: str, wanted: str) -> None:
    assert normalised(text) == wanted


@pytest.mark.parametrize(
    ("answer", "targets"),
    [
        ("The cat sat", ["cat sat."]), ("cat", ["the dog", "a black cat"]), ("sat sat cat", ["sat cat cat"]),
        ("nothing of it", ["something else"]), ("Ada Lovelace", ["Lovelace, Ada", "Ada"]),
    ],
)  # fmt: skip
def test_answers_count_as_in_torchmetrics(answer: str, targets: list[str]) -> None:
    theirs = squad(
        [{"prediction_text": answer, "id": "1"}],
        [{"answers": {"answer_start": [0] * len(targets), "text": targets}, "id": "1"}],
    )
    assert 100 * f1(answer, targets) == pytest.approx(theirs["f1"].item(), abs=1e-4)
    assert 100 * exact(answer, targets) == pytest.approx(theirs["exact_match"].item(), abs=1e-4)


def test_no_answer_is_right_where_there_is_none() -> None:
    assert (f1("", []), exact("", []), f1("it", []), exact("it", [])) == (1, 1, 0, 0)
    assert (f1("", ["it"]), exact("", ["it"])) == (0, 0)
    assert f1("the", []) == 1  # no word is left of it, as in the script
    assert meant(["the", "cat"]) == ["cat"] and meant(["the"]) == [""]


def test_the_threshold_is_the_best_of_all() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        surplus = generator.integers(-4, 5, 30).astype(float)
        answered, silent = generator.random(30), generator.integers(0, 2, 30).astype(float)
        reached = {t: np.where(surplus > t, silent, answered).sum() for t in (-9.0, *np.unique(surplus))}
        found = best_threshold(surplus, answered, silent)
        assert np.where(surplus > found, silent, answered).sum() == pytest.approx(max(reached.values()))
        assert found not in surplus


def test_rows_of_one_kind_and_no_rows() -> None:
    surplus, one, zero = np.array([1.0, 2.0]), np.ones(2), np.zeros(2)
    assert best_threshold(surplus, one, zero) > 2 and best_threshold(surplus, zero, one) < 1
    assert best_threshold(np.zeros(0), np.zeros(0), np.zeros(0)) == 0
