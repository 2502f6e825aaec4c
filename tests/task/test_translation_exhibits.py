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
    assert some.items == (
        ("row 7, chrF 100", "source: one\nreference: eins\ntranslation: eins"),
        ("row 5, chrF 47", "source: three\nreference: drei\ntranslation: dr"),
    )
    assert examples(rows, 0) == examples([], 5) == [] and len(examples(rows, 99)[0].items) == 3


def test_the_weakest_come_first() -> None:
    (weak,) = weakest(answered(), 2)
    assert [caption for caption, _ in weak.items] == ["row 9, chrF 0", "row 5, chrF 47"]


def test_shares_of_n_grams() -> None:
    counts = Judge("13a").bleu(["a b c d e", "a b"], ["a b c d x", "a y"])
    table = bleu_table(counts, "said")
    assert table.rows == (("right", "71.4 %", "60.0 %", "66.7 %", "50.0 %", "7", "7", f"{61.49:.1f}"),)
    assert table.header[1:3] == ("1 word", "2 words") and table.note.endswith("said")
