"""Numbers as people write them: sensible digits, with units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from espalier.core.quantities import duration as duration

NAMES: Mapping[str, str] = {
    "f1": "F1", "auroc": "AUROC", "ece": "ECE", "lr": "learning rate", "bleu": "BLEU", "chrf": "chrF"
}  # fmt: skip


def count(number: int, unit: str = "", units: str = "") -> str:
    """``6,920``, ``1 text``, ``2 texts``, ``3 classes`` (``units`` where an s is not enough)."""
    word = unit if number == 1 or not unit else (units or f"{unit}s")
    return f"{number:,} {word}".strip()


def value(number: float) -> str:
    """A metric: three decimals, more only for what would vanish; ``0.874``, ``12.5``, ``0.00021``, ``NaN``."""
    return _with_digits(number, number)


def ends(bounds: tuple[float, float]) -> tuple[str, str]:
    """The ends of an interval, with the same decimals."""
    larger = max(bounds, key=abs)
    return _with_digits(bounds[0], larger), _with_digits(bounds[1], larger)


def spread(deviation: float, mean: float) -> str:
    """A standard deviation with the decimals of its mean; with one digit where it would read as none."""
    said = _with_digits(deviation, mean)
    return said if deviation == 0 or any(digit in said for digit in "123456789∞N") else f"{deviation:.1g}"


def with_spread(mean: float, deviation: float | None) -> str:
    """``0.874 ± 0.003``; of one run ``0.874``."""
    return value(mean) + (f" ± {spread(deviation, mean)}" if deviation is not None else "")


def interval(bounds: tuple[float, float]) -> str:
    """``[0.858, 0.889]``."""
    return "[{}, {}]".format(*ends(bounds))


def _with_digits(number: float, like: float) -> str:
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else ("∞" if number > 0 else "−∞")
    size = abs(like) if math.isfinite(like) else 1.0
    if size and size < 0.0005:
        return f"{number:.2g}"
    return f"{number:,.{4 if 0 < size < 0.0095 else 3 if size < 9.9995 else 1 if size < 999.95 else 0}f}"


def memory(size: int) -> str:
    """Bytes in decimal units: ``340 MB``, ``1.1 GB``."""
    if size >= 0.9995e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB" if size >= 0.9995e6 else f"{size / 1e3:.0f} kB"


def parameters(number: int) -> str:
    """``9,610``, ``0.34 M``, ``22.7 M``, ``110 M``, ``1.24 B``."""
    if number < 100_000:
        return f"{number:,}"
    if number >= 999_500_000:
        return f"{number / 1e9:.2f} B"
    return f"{number / 1e6:.{2 if number < 9_995_000 else 1 if number < 99_950_000 else 0}f} M"


def share(part: float, whole: float) -> str:
    """A percentage of two digits: ``1.5%``, ``0.043%``, ``100%``."""
    percent = 100 * part / whole if whole else 0.0
    if percent >= 9.95 or not percent:
        return f"{percent:.0f}%"
    return f"{percent:.{1 - math.floor(math.log10(percent))}f}%"


def rate(per_second: float, unit: str) -> str:
    """``163 texts/s``, ``2.4 images/s``."""
    return f"{per_second:,.0f} {unit}/s" if per_second >= 9.5 else f"{per_second:.1f} {unit}/s"


def moment(stamp: str, seconds: bool = False) -> str:
    """An ISO time as local date and time: ``2026-11-30 14:02``; what is no ISO time, as it is."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    return (when.astimezone() if when.tzinfo else when).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def metric_name(key: str) -> str:
    """``test/f1_macro`` -> ``F1 macro``, ``train/loss`` -> ``loss``."""
    return " ".join(NAMES.get(word, word) for word in key.rpartition("/")[2].split("_"))
