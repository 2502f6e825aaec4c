from __future__ import annotations

from data.examples import COMMON
from espalier.data.digits import Digits


def test_vectors_of_sixty_four_features() -> None:
    raw = Digits(**{**COMMON, "split": {"validation": 0.1, "test": 0.1}}).read()
    assert sum(table.num_rows for table in raw.splits.values()) == 1_797
    assert (raw.shape, raw.kinds) == ((64,), {"vector": "vector", "label": "label"})
    assert raw.labels[""] == tuple("0123456789")
    first = raw.splits["train"]["vector"][0].as_py()
    assert len(first) == 64 and min(first) >= 0 and max(first) <= 16
