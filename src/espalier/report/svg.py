"""Pictures as inline SVG: elements, linear scales, round ticks. Colours are classes, which the page's style fills."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Scale:
    """Values between ``low`` and ``high`` -> lengths between ``start`` and ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, number: float) -> float:
        """Where a value lies."""
        span = (self.high - self.low) or 1.0
        return self.start + (number - self.low) / span * (self.end - self.start)


def element(name: str, *content: str, **attributes: object) -> Markup:
    """``element("rect", x=1, class_="cell")``; all is escaped. A last underscore is dropped, others are dashes."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _number(item)) for key, item in attributes.items()
    )
    return Markup("<{}{}>{}</{}>").format(Markup(name), written, Markup("").join(map(escape, content)), Markup(name))


def picture(
    width: float, height: float, said: str, parts: Iterable[str], class_: str = "", letters: float = 11.0
) -> Markup:
    """The outermost element. ``said`` describes the picture to those who cannot see it; ``letters`` is their size."""
    box = f"0 0 {_number(width)} {_number(height)}"
    look = {"class_": class_, "font_size": letters}
    return element("svg", *parts, viewBox=box, width=width, height=height, role="img", aria_label=said, **look)


def path(points: Sequence[tuple[float, float]], closed: bool = False) -> str:
    """The ``d`` of a line through points."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + ("Z" if closed else "")


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers (1, 2, 2.5, 5 times a power of ten) between ``low`` and ``high``."""
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in (1, 2, 2.5, 5) if factor * power >= rough * 0.999), 10 * power)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _number(item: object) -> str:
    return f"{item:.1f}".removesuffix(".0") if isinstance(item, float) else str(item)


def breakable(text: str) -> Markup:
    """A label that may be broken after an underscore, a dash, a slash or a dot."""
    broken = escape(text)
    for mark in "_-/.":
        broken = broken.replace(mark, Markup(mark + "<wbr>"))
    return broken
