from __future__ import annotations

import numpy as np
import pyarrow as pa

from espalier.task.bleu import Judge
from espalier.task.translation_exhibits import Rows, bleu_table, examples, weakest

SOURCES, TARGETS = ["one", "two", "three", "four"], ["eins", "zwei", "drei", "vier"]
TOLD = ["eins", None, "dr", "xyz"]


def answered() -> list:
    rows = Rows.of(pa.table({"row": [7, 3, 5, 9], "a": SOURCES, "b": TARGETS}), "a", "b")
    assert rows.target(5) == "drei" and rows.target(1) is None
    counts = Judge("13a").chrf([text or "" for text in TOLD], TARGETS)
    return rows.answered({"row": np.array([7, 3, 5, 9]), "prediction": TOLD, "counts:chrf": counts})


def test_rows_that_were_not_translated_are_not_shown() -> None:
    rows = answered()
    assert [(one.row, one.translation) for one in rows] == [(7, "eins"), (5, "dr"), (9, "xyz")]
    (some,) = examples(rows, 2)
    assert [row[:4] for row in some.rows] == [("7", "one", "eins", "eins"), ("5", "three", "drei", "dr")]
    assert examples(rows, 0) == examples([], 5) == [] and len(examples(rows, 99)[0].rows) == 3


def test_the_weakest_come_first() -> None:
    (weak,) = weakest(answered(), 2)
    assert [row[0] for row in weak.rows] == ["9", "5"] and weak.rows[0][-1] == "0"


def test_shares_of_n_grams() -> None:
    counts = Judge("13a").bleu(["a b c d e", "a b"], ["a b c d x", "a y"])
    table = bleu_table(counts, "said")
    assert table.rows == (("right", "71.4 %", "60.0 %", "66.7 %", "50.0 %", "7", "7", f"{61.49:.1f}"),)
    assert table.header[1:3] == ("1 word", "2 words") and table.note.endswith("said")
