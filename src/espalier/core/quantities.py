"""Numbers as people write them, where parts need them too; ``report.quantities`` has the others."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """``0.38 s``, ``42 s``, ``2 min 41 s``, ``1 h 03 min``, ``2 d 4 h``."""
    if seconds < 9.95:
        return f"{seconds:.2f} s" if seconds < 0.995 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24} h"


def times_as_fast(times: float) -> str:
    """Before what it is compared with: ``1.5 times as fast as``, ``30 times slower than``."""
    if times >= 0.95:
        return f"{times:.1f} times as fast as"
    slower = 1 / max(times, 0.01)
    said = f"{slower:.1f}" if slower < 9.5 else f"{float(f'{slower:.0e}'):.0f}"
    return f"{said} times slower than"
