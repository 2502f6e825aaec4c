from __future__ import annotations

import pytest

from espalier.core.quantities import duration, times_as_fast


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


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (2.31, "2.3 times as fast as"),
        (1.0, "1.0 times as fast as"),
        (0.8, "1.2 times slower than"),
        (0.03, "30 times slower than"),
        (0.0, "100 times slower than"),
    ],
)
def test_how_much_quicker_or_slower(times: float, said: str) -> None:
    assert times_as_fast(times) == said
