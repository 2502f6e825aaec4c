from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from espalier.report.matrix import confused_pairs, confusion_matrix, reliability
from espalier.report.measures import Bin


def marks(drawn: str, kind: str) -> list[ElementTree.Element]:
    return [mark for mark in ElementTree.fromstring(drawn).iter() if kind in mark.get("class", "").split()]


def test_each_cell_that_holds_rows_says_what_they_are() -> None:
    drawn = confusion_matrix(np.array([[3, 1], [0, 4]]), ["<no>", "yes"])
    assert drawn
    assert [cell.findtext("title") for cell in marks(drawn, "hit")] == [
        "<no> → <no>: 3 of 4 (75%)",
        "yes → yes: 4 of 4 (100%)",
    ]
    assert [cell.findtext("title") for cell in marks(drawn, "miss")] == ["<no> → yes: 1 of 4 (25%)"]


@pytest.mark.parametrize(("classes", "counted"), [(2, True), (18, True), (77, False)])
def test_counts_are_written_where_they_can_be_read(classes: int, counted: bool) -> None:
    drawn = confusion_matrix(np.eye(classes, dtype=np.int64), [f"label {n}" for n in range(classes)])
    assert drawn and bool(marks(drawn, "count")) == counted
    assert len(marks(drawn, "hit")) == classes


def test_more_classes_than_can_be_read_are_not_drawn() -> None:
    assert confusion_matrix(np.eye(500, dtype=np.int64), ["x"] * 500) is None


def test_long_labels_are_cut_and_whole_in_their_title() -> None:
    label = "a label that is longer than anybody would like it to be"
    drawn = confusion_matrix(np.array([[1]]), [label])
    assert drawn
    texts = [text for text in ElementTree.fromstring(drawn).iter() if text.findtext("title") == label]
    assert len(texts) == 2 and all("…" in "".join(text.itertext()) for text in texts)


def test_the_commonest_confusions_come_first_with_their_share() -> None:
    confusion = np.array([[5, 3, 0], [1, 8, 1], [0, 4, 4]])
    assert confused_pairs(confusion, 2) == [(2, 1, 4, 0.5), (0, 1, 3, 0.375)]
    assert confused_pairs(np.eye(3, dtype=np.int64)) == []


def test_reliability_has_a_dot_for_each_bin_and_two_classes_begin_at_a_half() -> None:
    bins = [Bin(0.5, 0.6, 10, 0.55, 0.4), Bin(0.9, 1.0, 30, 0.95, 1.0)]
    dots = marks(reliability(bins, 2), "bin")
    assert dots[0].findtext("title") == "10 rows: confidence 0.550, accuracy 0.400"
    assert float(dots[0].attrib["r"]) < float(dots[1].attrib["r"])
    assert float(dots[0].attrib["cx"]) < float(marks(reliability(bins, 3), "bin")[0].attrib["cx"])
