"""Time counts between go and pause alone."""

from __future__ import annotations

from time import sleep

from espalier.callback.stopwatch import Stopwatch


def test_counts_from_go_to_pause_and_not_between() -> None:
    watch = Stopwatch()
    watch.go()
    sleep(0.03)
    watch.pause()
    stood = watch.seconds
    sleep(0.03)
    assert watch.seconds == stood >= 0.03
    watch.go()
    sleep(0.03)
    assert watch.seconds >= stood + 0.03


def test_calling_twice_changes_nothing() -> None:
    watch = Stopwatch()
    watch.pause()
    assert watch.seconds == 0
    watch.go()
    sleep(0.02)
    watch.go()
    assert watch.seconds >= 0.02
    watch.pause()
    stood = watch.seconds
    watch.pause()
    assert watch.seconds == stood
