from __future__ import annotations

from dataclasses import replace

import pytest

from espalier.report.estimate import Estimate, estimate_lines

FITS = Estimate(
    memory_bytes=1_100_000_000, memory_total=23_000_000_000, seconds=118, disk_bytes=190_000_000,
    disk_free=60_000_000_000, state_bytes=0, checkpoint_bytes=0, probe_seconds=0.5,
)  # fmt: skip


def test_in_a_line() -> None:
    assert estimate_lines(FITS) == ["estimate  1.1 GB of 23.0 GB memory, about 2 min, 190 MB of 60.0 GB disk"]


def test_without_a_probe_and_without_an_end() -> None:
    blind = replace(FITS, memory_bytes=0, seconds=0)
    assert estimate_lines(blind) == ["estimate  190 MB of 60.0 GB disk, no probe"]
    assert blind.fits_memory


def test_memory_that_is_short_is_a_warning_with_ways_out() -> None:
    short = replace(FITS, memory_total=1_000_000_000)
    assert not short.fits_memory
    assert "hardware.gradient_checkpointing=true" in estimate_lines(short)[1]
    assert replace(FITS, memory_total=0).fits_memory


def test_disk_that_is_short() -> None:
    assert FITS.fits_disk
    assert not replace(FITS, disk_free=1).fits_disk


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 s"), (44, "40 s"), (100, "2 min"), (7300, "2 h 02 min")])
def test_time_without_a_precision_that_it_has_not(seconds: float, said: str) -> None:
    assert f"about {said}," in estimate_lines(replace(FITS, seconds=seconds))[0]
