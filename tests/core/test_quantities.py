from __future__ import annotations

import pytest

from espalier.core.quantities import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.384, "0.38 s"),
        (4.24, "4.2 s"),
        (9.97, "10 s"),
        (59.6, "1 min 00 s"),
        (161.3, "2 min 41 s"),
        (3599.7, "1 h 00 min"),
        (3780, "1 h 03 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
