from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from espalier.sweep.listening import STOP, Ears, ask_to_stop


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_and_a_second_one(tmp_path: Path, number: int, code: int) -> None:
    before = signal.getsignal(number)
    with Ears(tmp_path) as ears:
        assert (ears.heard(), ears.code) == (None, 0)
        os.kill(os.getpid(), number)
        assert (ears.heard(), ears.code) == (("interrupted", False), code)
        os.kill(os.getpid(), number)
        assert ears.heard() == ("interrupted", True)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("now", [False, True])
def test_somebody_asks_from_elsewhere(tmp_path: Path, now: bool) -> None:
    ask_to_stop(tmp_path, now=not now)  # of an earlier driver
    with Ears(tmp_path) as ears:
        assert [ears.heard() for _ in range(20)] == [None] * 20
        ask_to_stop(tmp_path, now=now)
        assert ("stopped", now) in [ears.heard() for _ in range(20)]
        assert ears.code == 0
    assert not (tmp_path / STOP).exists()
